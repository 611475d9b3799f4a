//! Answering a shard: read its columns, assemble its traces, evaluate, keep the newest or measure.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use futures::stream::{self, StreamExt, TryStreamExt};
use niente_block::{KeyRange, Projection};
use niente_catalog::{BlockReader, BlockRef, Catalog};
use niente_cost::Spent;
use niente_model::{Span, SpanIdentity, TraceId, TraceKey};

use crate::{
    Error, Findings, Inspected, Partial, Shard, Task,
    assemble::{Assembly, Conflict, Parts, Position},
    metrics::{Accumulated, Measuring},
    select::Search,
    tags,
};

/// How many objects a search reads at a time.
const PARALLEL_READS: usize = 16;
/// How many objects are asked for a trace at a time.
const PARALLEL_LOOKUPS: usize = 64;

/// Answers a shard over what this catalog's store counts: the answer itself has cost nothing more.
pub(crate) async fn answer(catalog: &Catalog, shard: Arc<Shard>) -> Result<Partial, Error> {
    let (findings, inspected) = match &shard.task {
        Task::Search { query, window, limit, spans_per_set } => {
            let query = niente_traceql::parse(query).map_err(no_query)?;
            let search = Search::new(&query, *window, *spans_per_set);
            let limit = *limit;
            let (assembly, bytes) = load(catalog, &shard, search.projection()).await?;
            let (traces, looked_at) = evaluate(move || search.evaluate(&assembly, limit)).await?;
            (Findings::Traces(traces), Inspected { bytes, ..looked_at })
        }
        Task::Metrics { query, intervals, exemplars, most_samples } => {
            let query = niente_traceql::parse_metrics(query).map_err(no_query)?;
            let measuring = Measuring::new(&query, *intervals, *exemplars);
            let mut accumulated = Accumulated::new(&query, *intervals, *most_samples);
            let (assembly, bytes) = load(catalog, &shard, measuring.projection()).await?;
            let (measured, looked_at) = evaluate(move || {
                let looked_at = measuring.measure(&assembly, &mut accumulated)?;
                Ok((accumulated.into_measured(), looked_at))
            })
            .await?;
            (Findings::Measured(measured), Inspected { bytes, ..looked_at })
        }
        Task::Trace { id } => {
            let (spans, bytes) = find_spans(catalog, &shard, *id).await?;
            (Findings::Spans(spans), Inspected { bytes, ..Inspected::default() })
        }
        Task::Tags(task) => tags::answer(catalog, &shard, task).await?,
    };
    Ok(Partial { findings, inspected, spent: Spent::default() })
}

fn no_query(error: niente_traceql::QueryError) -> Error {
    Error::Shard { reason: format!("the query of the shard is none: {error}"), again: false }
}

/// Evaluation is long work without a pause: it must not hold up what else this thread serves.
pub(crate) async fn evaluate<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, niente_block::Error> + Send + 'static,
) -> Result<T, Error> {
    let evaluated = tokio::task::spawn_blocking(work).await;
    evaluated.map_err(|error| Error::Worker(error.to_string()))?.map_err(damaged)
}

fn damaged(source: niente_block::Error) -> Error {
    Error::Block { object: "a shard".to_owned(), source }
}

/// The spans of a trace, from each object as it has them, and how many bytes were read.
async fn find_spans(catalog: &Catalog, shard: &Arc<Shard>, id: TraceId) -> Result<(Vec<Span>, u64), Error> {
    let reads = (0..shard.objects.len()).map(|object| {
        let (catalog, shard) = (catalog.clone(), shard.clone());
        let read = tokio::spawn(async move {
            let mut reader = BlockReader::new(&catalog, &shard.objects[object]);
            let mut spans = Vec::new();
            for rows in reader.spans_with(id.key()).await? {
                let rows = rows.into_spans().map_err(|source| reader.damaged(source))?;
                spans.extend(rows.into_iter().filter(|span| span.trace_id == id && shard.reach.contains(span.start)));
            }
            Ok::<_, Error>((spans, reader.bytes_read()))
        });
        async move { read.await.map_err(|error| Error::Worker(error.to_string()))? }
    });
    let mut reads = stream::iter(reads).buffer_unordered(PARALLEL_LOOKUPS);
    let (mut spans, mut bytes) = (Vec::new(), 0);
    while let Some((found, read)) = reads.try_next().await? {
        spans.extend(found);
        bytes += read;
    }
    Ok((spans, bytes))
}

/// Reads the traces of the shard and drops what was sent twice. Says also how many bytes that took.
pub(crate) async fn load(
    catalog: &Catalog,
    shard: &Arc<Shard>,
    projection: &Projection,
) -> Result<(Assembly, u64), Error> {
    let objects = &shard.objects;
    let reads = (0..objects.len()).map(|object| {
        let (catalog, shard, projection) = (catalog.clone(), shard.clone(), projection.clone());
        // A task each, so that decoding uses all cores.
        let read = tokio::spawn(async move {
            let mut reader = BlockReader::new(&catalog, &shard.objects[object]);
            let batches = reader.columns(&projection, shard.keys).await?;
            Ok::<_, Error>((object, batches, reader.bytes_read()))
        });
        async move { read.await.map_err(|error| Error::Worker(error.to_string()))? }
    });
    let read: Vec<_> = stream::iter(reads).buffered(PARALLEL_READS).try_collect().await?;
    let mut bytes_read = 0;
    let mut parts: Parts = objects.iter().map(|_| Vec::new()).collect();
    for (object, batches, bytes) in read {
        parts[object] = batches;
        bytes_read += bytes;
    }
    let redacted: HashSet<TraceId> = shard.redacted.iter().copied().collect();
    let mut assembly = Assembly::new(parts, shard.reach, |id| redacted.contains(&id)).map_err(damaged)?;
    let conflicts = assembly.conflicts().map_err(damaged)?;
    if !conflicts.is_empty() {
        let (losers, bytes) = resolve(catalog, objects, &conflicts).await?;
        assembly.drop_rows(losers);
        bytes_read += bytes;
    }
    Ok((assembly, bytes_read))
}

/// Of rows that claim to be the same span, the one whose whole content comes first stays, however they arrived.
async fn resolve(
    catalog: &Catalog,
    objects: &[BlockRef],
    conflicts: &[Conflict],
) -> Result<(Vec<Position>, u64), Error> {
    // What is in conflict, by object; then the whole spans of that and nothing else.
    let mut by_object: BTreeMap<usize, HashSet<SpanIdentity>> = BTreeMap::new();
    for conflict in conflicts {
        for row in &conflict.rows {
            by_object.entry(row.object).or_default().insert(conflict.identity);
        }
    }
    let reads = by_object.into_iter().map(|(object, wanted)| async move {
        let keys = wanted.iter().map(|identity| identity.trace_id.key());
        let (from, to) = (keys.clone().min().unwrap_or(TraceKey(0)), keys.max().unwrap_or(TraceKey(0)));
        let mut reader = BlockReader::new(catalog, &objects[object]);
        let mut spans = Vec::new();
        for rows in reader.spans(KeyRange { from, to }).await? {
            let rows = rows.into_spans().map_err(|source| reader.damaged(source))?;
            spans.extend(rows.into_iter().filter(|span| wanted.contains(&span.identity())));
        }
        Ok::<_, Error>((object, spans, reader.bytes_read()))
    });
    let mut bytes_read = 0;
    let mut contents: HashMap<(usize, SpanIdentity), Span> = HashMap::new();
    let mut reads = stream::iter(reads).buffer_unordered(PARALLEL_READS);
    while let Some((object, spans, bytes)) = reads.try_next().await? {
        contents.extend(spans.into_iter().map(|span| ((object, span.identity()), span)));
        bytes_read += bytes;
    }
    let mut losers = Vec::new();
    for conflict in conflicts {
        let content = |row: &&Position| contents.get(&(row.object, conflict.identity));
        let winner = conflict.rows.iter().min_by_key(content);
        losers.extend(conflict.rows.iter().filter(|row| Some(*row) != winner));
    }
    Ok((losers, bytes_read))
}
