//! Searches, from the planner's side: waves of shards until the newest traces are known.

use std::{sync::Arc, time::Duration};

use futures::stream::{self, StreamExt, TryStreamExt};
use niente_block::{KeyRange, Projection};
use niente_catalog::{BlockReader, BlockRef, Catalog, Snapshot};
use niente_model::{Tenant, TimeRange, TraceKey};

use crate::{
    Asking, Error, Findings, FoundTrace, Inspected, SearchAnswer, SearchQuestion, Shard, Task, Wave,
    newest::Newest,
    plan::{self, Cut, Share},
    select::Search,
    whole::{self, MOST_UNINDEXED},
};

/// So many large objects tell what part of all a search reads.
const SAMPLE: usize = 8;
/// Whether more traces than this are whole is not worth asking: their search has no waves.
const MOST_IN_WAVES: usize = 256;

/// The newest traces of a snapshot of all that holds spans within reach of the question's window.
pub(crate) async fn search(
    asking: &Asking,
    tenant: &Tenant,
    snapshot: Snapshot,
    question: &SearchQuestion,
    reach: TimeRange,
) -> Result<SearchAnswer, Error> {
    let waves = waves(asking, &snapshot, question).await?;
    let mut inspected = Inspected::default();
    for wave in &waves {
        asking.afford(wave)?;
        let shards = shards(tenant, &snapshot, question, reach, wave, asking.patience());
        let mut newest = Newest::new(question.limit);
        for partial in asking.answer(shards).await? {
            inspected += partial.inspected;
            let Findings::Traces(traces) = partial.findings else { return Err(Error::mismatch()) };
            traces.into_iter().for_each(|trace| newest.push(trace));
        }
        inspected.objects = wave.objects as u64;
        inspected.object_bytes = wave.object_bytes;
        let traces = newest.into_sorted();
        if is_answer(&asking.catalog, &snapshot, question, wave, &traces).await? {
            return Ok(SearchAnswer { traces, inspected });
        }
    }
    unreachable!("the last wave takes in everything, and what it finds is the answer")
}

/// Whether what a wave found is what all of them would find.
async fn is_answer(
    catalog: &Catalog,
    snapshot: &Snapshot,
    question: &SearchQuestion,
    wave: &Wave,
    traces: &[FoundTrace],
) -> Result<bool, Error> {
    let Some(edge) = wave.edge else { return Ok(true) };
    if traces.len() < question.limit {
        return Ok(false);
    }
    let keys: Vec<TraceKey> = traces.iter().map(|trace| trace.trace_id.key()).collect();
    Ok(!whole::begin_before(catalog, snapshot, &keys, edge).await?)
}

/// How the search is cut.
pub(crate) async fn waves(asking: &Asking, snapshot: &Snapshot, question: &SearchQuestion) -> Result<Vec<Wave>, Error> {
    let settings = &asking.settings;
    let search = Search::new(&question.query, question.window, question.spans_per_set);
    let objects = &snapshot.objects;
    let workers = settings.workers.as_deref();
    let unindexed = objects.iter().filter(|object| !object.indexed).count();
    let cut = Cut {
        shard_bytes: settings.shard_bytes,
        first_shards: workers.map_or(1, |workers| workers.parallel().clamp(1, 8) as u64),
        worker_mib: workers.map(|workers| workers.memory_mib()),
        in_waves: question.limit <= MOST_IN_WAVES && unindexed <= 4 * MOST_UNINDEXED,
    };
    let share = share(asking, objects, search.projection()).await?;
    Ok(plan::waves(objects, question.window, share, cut))
}

/// Which part of these objects a question about these columns reads.
pub(crate) async fn share(asking: &Asking, objects: &[BlockRef], projection: &Projection) -> Result<Share, Error> {
    let total: u64 = objects.iter().map(|object| object.size).sum();
    // What is one shard at any rate needs no closer look.
    if total <= asking.settings.shard_bytes {
        return Ok(Share::WHOLE);
    }
    sampled_share(&asking.catalog, objects, projection).await
}

/// Which part of large objects a search reads, told by the footers of the largest.
///
/// Costs a read for each of them, whose footers are kept.
async fn sampled_share(catalog: &Catalog, objects: &[BlockRef], projection: &Projection) -> Result<Share, Error> {
    let mut large: Vec<&BlockRef> = objects.iter().filter(|object| object.size > BlockReader::WHOLE).collect();
    large.sort_by_key(|object| (std::cmp::Reverse(object.size), object.key.clone()));
    large.truncate(SAMPLE);
    let weigh = |object| async move {
        let object: &BlockRef = object;
        let footer = BlockReader::new(catalog, object).peek().await?;
        Ok::<_, Error>((footer.scan_bytes(projection), object.size))
    };
    let weighed: Vec<_> = large.into_iter().map(weigh).collect();
    let sum = |share: Share, (read, of)| async move { Ok(Share { read: share.read + read, of: share.of + of }) };
    let share = stream::iter(weighed).buffer_unordered(SAMPLE).try_fold(Share { read: 0, of: 0 }, sum).await?;
    Ok(if share.of == 0 { Share::WHOLE } else { share })
}

fn shards(
    tenant: &Tenant,
    snapshot: &Snapshot,
    question: &SearchQuestion,
    reach: TimeRange,
    wave: &Wave,
    patience: Option<Duration>,
) -> Vec<Arc<Shard>> {
    let task = Task::Search {
        query: question.text.clone(),
        window: question.window,
        limit: question.limit,
        spans_per_set: question.spans_per_set,
    };
    let shard = |number| {
        let keys = KeyRange::shard(number, wave.shards);
        let holding = snapshot.objects.iter().filter(|object| wave.takes_in(object) && object.keys.overlaps(keys));
        Arc::new(Shard {
            tenant: tenant.clone(),
            task: task.clone(),
            keys,
            objects: holding.cloned().collect(),
            reach,
            redacted: snapshot.redactions().filter(|id| keys.contains(id.key())).collect(),
            patience,
        })
    };
    (0..wave.shards).map(shard).collect()
}
