//! Workers that take as long as functions would, and find what the search is to find.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use niente_block::KeyRange;
use niente_catalog::BlockRef;
use niente_cost::{Architecture, Spent};
use niente_engine::{Error, Findings, FoundTrace, Inspected, Partial, Shard, Task, Workers};
use niente_model::{Nanos, TraceId};
use niente_store::Counts;

use super::{Network, Search, Setup, day::spans, network::BYTES_PER_SECOND};

/// Seconds between an invocation and its begin where an environment is free. An estimate.
const INVOKING: f64 = 0.010;
/// Seconds that Lambda needs for a new environment, at the median and the 95th percentile. AWS says "under 100 ms to over
/// 1 second"; not billed.
const PLACING: (f64, f64) = (0.150, 0.600);
/// Seconds in which the function itself starts, which are billed (maxday/lambda-perf: 15 to 18 ms on x86_64).
const STARTING: f64 = 0.017;
/// The memory of a worker: what comes with one whole processor.
const MEMORY_MIB: u32 = 1_769;
/// A worker reads so many objects at a time, as the engine does.
const PARALLEL_READS: usize = 16;
/// A row group of a large block has so many.
const ROW_GROUP_SPANS: f64 = (1 << 20) as f64;
/// So many traces match, wherever they lie, if any.
const MATCHING: u128 = 4_096;

/// Invocations of the function `scan`.
#[derive(Debug)]
pub(crate) struct Fleet {
    search: Search,
    setup: Setup,
    network: Network,
    /// Environments that are free.
    idle: Mutex<usize>,
    shards: AtomicU64,
    matching: Vec<TraceId>,
}

/// What a scan came to.
struct Scanned {
    seconds: f64,
    spans: u64,
    counts: Counts,
}

impl Fleet {
    pub(crate) fn new(search: Search, setup: Setup, network: Network) -> Self {
        let first = u128::from(setup.seed) * MATCHING + 1;
        let numbers = first..first + if search.finds { MATCHING } else { 0 };
        let mut matching: Vec<TraceId> =
            numbers.filter_map(|number| TraceId::from_slice(&number.to_be_bytes()).ok()).collect();
        matching.sort_by_key(|id| id.key());
        let idle = if setup.warm { usize::MAX / 2 } else { 0 };
        Self { search, setup, network, idle: Mutex::new(idle), shards: AtomicU64::new(0), matching }
    }

    /// How many shards were answered.
    pub(crate) fn shards(&self) -> u64 {
        self.shards.load(Ordering::Relaxed)
    }

    /// Seconds until the function runs, and those of them that are billed.
    fn start(&self) -> (f64, f64) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        match idle.checked_sub(1) {
            Some(left) => {
                *idle = left;
                (INVOKING, 0.0)
            }
            None => (INVOKING + self.network.lognormal(PLACING.0, PLACING.1) + STARTING, STARTING),
        }
    }

    /// Reads the shard's part of each object, some at a time over one network, and decodes on one processor what has come.
    /// It begins in so many seconds.
    fn scan(&self, shard: &Shard, begins: f64) -> Scanned {
        let mut readers = [0.0_f64; PARALLEL_READS];
        let (mut network_free, mut processor_free) = (0.0_f64, 0.0_f64);
        let mut total = Scanned { seconds: 0.0, spans: 0, counts: Counts::default() };
        for object in &shard.objects {
            let reader = readers.iter_mut().min_by(|a, b| a.total_cmp(b)).expect("there are readers");
            let share = share(object, shard.keys);
            let spans = spans(object.size) * share;
            let end = object.tail.unwrap_or_default();
            let columns = (spans * self.search.bytes_per_span) as u64;
            let whole_groups = (spans / ROW_GROUP_SPANS) as u32;
            let (cut_gets, cut_bytes) =
                if share < 1.0 { (self.search.cut_gets, self.search.cut_bytes) } else { (self.search.gets, 0) };
            let mut read = |after: f64, gets: u32, bytes: u64| {
                let first_byte = |_| self.network.first_byte_at(begins + after) - begins;
                let last = (0..gets).map(first_byte).fold(0.0, f64::max);
                network_free = network_free.max(last) + bytes as f64 / BYTES_PER_SECOND;
                network_free
            };
            // First the end, and then one row group after the other, of which the requests run side by side.
            let mut at = read(*reader, 1, end);
            let group_bytes = columns / u64::from(whole_groups + 1);
            for _ in 0..whole_groups {
                at = read(at, self.search.gets, group_bytes);
            }
            let read = read(at, cut_gets, group_bytes + cut_bytes);
            let work = spans / 1e6 * self.search.seconds_per_million_spans;
            processor_free = processor_free.max(read) + work;
            *reader = processor_free;
            total.seconds = processor_free;
            total.spans += spans as u64;
            total.counts.gets += u64::from(1 + whole_groups * self.search.gets + cut_gets);
            total.counts.bytes_read += end + columns + cut_bytes;
        }
        total
    }

    /// What the shard finds: traces of its newest hour.
    fn found(&self, shard: &Shard) -> Vec<FoundTrace> {
        let Task::Search { limit, .. } = shard.task else { return Vec::new() };
        let newest = shard.objects.iter().map(|object| object.hours.last().start()).max().unwrap_or(Nanos::ZERO);
        let traces = self.matching.iter().filter(|id| shard.keys.contains(id.key()));
        let trace = |id: &TraceId| FoundTrace {
            trace_id: *id,
            start: newest,
            duration: Nanos::ZERO,
            root_service: String::new(),
            root_name: String::new(),
            services: Default::default(),
            spansets: Vec::new(),
        };
        traces.take(limit).map(trace).collect()
    }
}

/// Which part of an object's keys a shard has.
fn share(object: &BlockRef, keys: KeyRange) -> f64 {
    let (from, to) = (object.keys.from.max(keys.from), object.keys.to.min(keys.to));
    to.0.saturating_sub(from.0) as f64 / (object.keys.to.0 - object.keys.from.0) as f64
}

#[async_trait]
impl Workers for Fleet {
    fn parallel(&self) -> usize {
        self.setup.workers
    }

    fn memory_mib(&self) -> u32 {
        MEMORY_MIB
    }

    async fn answer(&self, shard: Arc<Shard>) -> Result<Partial, Error> {
        let (until_begin, billed_start) = self.start();
        let scanned = self.scan(&shard, until_begin);
        tokio::time::sleep(Duration::from_secs_f64(until_begin + scanned.seconds)).await;
        *self.idle.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.shards.fetch_add(1, Ordering::Relaxed);
        let billed = Duration::from_secs_f64(billed_start + scanned.seconds);
        let spent = Spent::from(scanned.counts) + Spent::invocation(Architecture::of_this_build(), MEMORY_MIB, billed);
        let inspected = Inspected { spans: scanned.spans, bytes: scanned.counts.bytes_read, ..Inspected::default() };
        Ok(Partial { findings: Findings::Traces(self.found(&shard)), inspected, spent })
    }
}
