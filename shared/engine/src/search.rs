//! Searches: read a shard's columns, assemble its traces, evaluate, keep the newest.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap, HashSet},
    sync::Arc,
};

use futures::stream::{self, StreamExt, TryStreamExt};
use niente_block::{KeyRange, Projection};
use niente_catalog::{BlockReader, Catalog, Snapshot};
use niente_model::{Nanos, Span, SpanIdentity, StatusCode, TimeRange, TraceId, TraceKey};

use crate::{
    Error, FoundSpanset, FoundTrace, Inspected, SearchAnswer, SearchQuestion, ServiceStats,
    assemble::{Assembly, Conflict, Parts, Position},
    compile::{Common, Compiler, Stage},
    evaluate::{Evaluator, Spanset, service_name},
    show::Show,
    trace::Trace,
    value::Static,
};

/// How many objects a shard reads at a time.
const PARALLEL_READS: usize = 16;
/// How many bytes of objects one shard takes in: what bounds the memory of a search.
const SHARD_BYTES: u64 = 128 << 20;

/// A search, ready to be run over objects.
struct Plan {
    question: SearchQuestion,
    projection: Projection,
    common: Common,
    stages: Vec<Stage>,
    show: Show,
}

/// Searches the traces of a snapshot of all that holds spans within reach of the question's window.
pub(crate) async fn search(
    catalog: &Catalog,
    snapshot: Snapshot,
    question: &SearchQuestion,
    reach: TimeRange,
) -> Result<SearchAnswer, Error> {
    let mut compiler = Compiler::new();
    let stages = compiler.pipeline(&question.query.pipeline);
    let show = Show::new(&question.query.pipeline, &mut compiler);
    let Compiler { projection, common } = compiler;
    let plan = Arc::new(Plan { question: question.clone(), projection, common, stages, show });

    let bytes: u64 = snapshot.objects.iter().map(|object| object.size).sum();
    let shards = bytes.div_ceil(SHARD_BYTES).max(1);
    let snapshot = Arc::new(snapshot);
    let mut newest = Newest::new(question.limit);
    let mut inspected = Inspected::default();
    for shard in 0..shards {
        let keys = KeyRange::shard(shard, shards);
        let (assembly, read) = load(catalog, &snapshot, &plan.projection, keys, reach).await?;
        inspected.bytes += read.bytes;
        inspected.objects = snapshot.objects.len() as u64;
        inspected.object_bytes = bytes;
        let plan = plan.clone();
        // Evaluation is long work without a pause: it must not hold up what else this thread serves.
        let evaluated = tokio::task::spawn_blocking(move || {
            let looked_at = plan.evaluate(&assembly, &mut newest)?;
            Ok::<_, niente_block::Error>((newest, looked_at))
        });
        let evaluated = evaluated.await.map_err(|error| Error::Worker(error.to_string()))?;
        let (kept, looked_at) = evaluated.map_err(|source| Error::Block { object: "a shard".to_owned(), source })?;
        newest = kept;
        inspected += looked_at;
    }
    Ok(SearchAnswer { traces: newest.into_sorted(), inspected })
}

/// Reads the traces in `keys` and drops what was sent twice.
async fn load(
    catalog: &Catalog,
    snapshot: &Arc<Snapshot>,
    projection: &Projection,
    keys: KeyRange,
    reach: TimeRange,
) -> Result<(Assembly, Inspected), Error> {
    let objects = &snapshot.objects;
    let holding: Vec<usize> = (0..objects.len()).filter(|at| objects[*at].keys.overlaps(keys)).collect();
    let reads = holding.into_iter().map(|object| {
        let (catalog, snapshot, projection) = (catalog.clone(), snapshot.clone(), projection.clone());
        // A task each, so that decoding uses all cores.
        let read = tokio::spawn(async move {
            let mut reader = BlockReader::new(&catalog, &snapshot.objects[object]);
            let batches = reader.columns(&projection, keys).await?;
            Ok::<_, Error>((object, batches, reader.bytes_read()))
        });
        async move { read.await.map_err(|error| Error::Worker(error.to_string()))? }
    });
    let read: Vec<_> = stream::iter(reads).buffered(PARALLEL_READS).try_collect().await?;
    let mut inspected = Inspected::default();
    let mut parts: Parts = objects.iter().map(|_| Vec::new()).collect();
    for (object, batches, bytes) in read {
        parts[object] = batches;
        inspected.bytes += bytes;
    }
    let damaged = |source| Error::Block { object: "a shard".to_owned(), source };
    let mut assembly = Assembly::new(parts, reach, |id| snapshot.is_redacted(id)).map_err(damaged)?;
    let conflicts = assembly.conflicts().map_err(damaged)?;
    if !conflicts.is_empty() {
        let (losers, bytes) = resolve(catalog, snapshot, &conflicts).await?;
        assembly.drop_rows(losers);
        inspected.bytes += bytes;
    }
    Ok((assembly, inspected))
}

/// Of rows that claim to be the same span, the one whose whole content comes first stays, however they arrived.
async fn resolve(
    catalog: &Catalog,
    snapshot: &Snapshot,
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
        let mut reader = BlockReader::new(catalog, &snapshot.objects[object]);
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

impl Plan {
    fn evaluate(&self, assembly: &Assembly, newest: &mut Newest) -> Result<Inspected, niente_block::Error> {
        let mut inspected = Inspected { spans: assembly.rows() as u64, ..Inspected::default() };
        let window = self.question.window;
        for trace in assembly.traces() {
            inspected.traces += 1;
            let overlaps = trace.start() <= window.end() && trace.end() >= window.start();
            if !overlaps || !newest.would_keep(trace.start(), trace.id) {
                continue;
            }
            let evaluator = Evaluator { trace: &trace, common: self.common };
            let spansets = evaluator.pipeline(&self.stages);
            if !spansets.is_empty() {
                newest.push(self.found(&evaluator, spansets)?);
            }
        }
        Ok(inspected)
    }

    fn found(&self, evaluator: &Evaluator<'_, '_>, spansets: Vec<Spanset>) -> Result<FoundTrace, niente_block::Error> {
        let trace = evaluator.trace;
        let text = |value: Static<'_>| if let Static::Str(text) = value { text.into_owned() } else { String::new() };
        let root = trace.root();
        let spansets = spansets.into_iter().map(|set| {
            let shown = set.spans.iter().take(self.question.spans_per_set);
            Ok(FoundSpanset {
                matched: set.spans.len(),
                spans: shown.map(|span| self.show.span(evaluator, *span)).collect::<Result<_, _>>()?,
                attributes: set.attributes,
            })
        });
        Ok(FoundTrace {
            trace_id: trace.id,
            start: trace.start(),
            duration: trace.duration(),
            root_service: root.map(|root| text(service_name(&root, self.common.service_name))).unwrap_or_default(),
            root_name: root.map(|root| text(Static::from_stored(root.value(self.common.name)))).unwrap_or_default(),
            services: services(trace, self.common),
            spansets: spansets.collect::<Result<_, _>>()?,
        })
    }
}

fn services(trace: &Trace<'_>, common: Common) -> BTreeMap<String, ServiceStats> {
    let mut services: BTreeMap<String, ServiceStats> = BTreeMap::new();
    for span in trace.spans() {
        let Static::Str(name) = service_name(span, common.service_name) else { continue };
        if !services.contains_key(&*name) {
            services.insert(name.to_string(), ServiceStats::default());
        }
        if let Some(stats) = services.get_mut(&*name) {
            stats.spans += 1;
            stats.errors += u32::from(span.status() == StatusCode::ERROR);
        }
    }
    services
}

/// The newest traces that were found, as many as were asked for; ties go by trace ID.
struct Newest {
    limit: usize,
    /// The oldest on top.
    heap: BinaryHeap<Kept>,
}

struct Kept(FoundTrace);

impl Kept {
    fn age(&self) -> (Reverse<Nanos>, TraceId) {
        (Reverse(self.0.start), self.0.trace_id)
    }
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.age() == other.age()
    }
}

impl Eq for Kept {}

impl PartialOrd for Kept {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Kept {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.age().cmp(&other.age())
    }
}

impl Newest {
    fn new(limit: usize) -> Self {
        Self { limit, heap: BinaryHeap::new() }
    }

    /// Whether a trace would be among the newest: if not, there is no need to look into it.
    fn would_keep(&self, start: Nanos, id: TraceId) -> bool {
        self.heap.len() < self.limit || self.heap.peek().is_some_and(|oldest| (Reverse(start), id) < oldest.age())
    }

    fn push(&mut self, trace: FoundTrace) {
        self.heap.push(Kept(trace));
        if self.heap.len() > self.limit {
            self.heap.pop();
        }
    }

    fn into_sorted(self) -> Vec<FoundTrace> {
        self.heap.into_sorted_vec().into_iter().map(|kept| kept.0).collect()
    }
}
