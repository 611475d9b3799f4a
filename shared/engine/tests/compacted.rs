//! What questions over compacted days cost in requests and in dependent steps.

#![allow(clippy::unwrap_used)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use niente_catalog::{Catalog, encode_level0, put_level0};
use niente_compact::{Compactor, Policy, Scope};
use niente_engine::{Engine, SearchQuestion};
use niente_model::{Attributes, Key, Nanos, Span, SpanId, Tenant, TimeRange, TraceId, Value};
use niente_store::{
    Counting, Counts, MemoryStore, Store,
    testing::{Fault, Faulty},
};

const START: u64 = 1_793_577_600; // midnight
const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

fn trace(number: u64) -> TraceId {
    TraceId::from_slice(&number.to_be_bytes()).unwrap()
}

fn span(number: u64, id: u64, second: u64) -> Span {
    let id = SpanId::from_slice(&id.to_be_bytes()).unwrap();
    let mut span = Span::new(trace(number), id, Nanos::from_secs(START + second));
    // Something that doesn't compress.
    let text = format!("{:x}{:x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15), second.wrapping_mul(0xc2b2_ae3d));
    span.attributes = Attributes::from_iter([(Key::from("user.id"), Value::Str(text))]);
    span
}

async fn write(store: &dyn Store, spans: Vec<Span>) {
    put_level0(store, &Tenant::single(), encode_level0(spans).unwrap()).await.unwrap();
}

async fn compact(store: &Arc<MemoryStore>, policy: Policy) {
    store.set_now(Nanos::from_secs(START + 100 * DAY));
    let counter = AtomicU64::new(1);
    let random = Arc::new(move || u128::from(counter.fetch_add(1, Ordering::Relaxed)));
    let compactor = Compactor::new(Catalog::new(store.clone()), policy, random);
    compactor.sweep(&Tenant::single(), Scope::Everything, &mut |_| {}).await.unwrap();
}

/// Every request takes a millisecond: the time of a question is the number of its dependent steps.
struct Measured {
    counting: Counting,
    engine: Engine,
}

impl Measured {
    fn new(store: Arc<MemoryStore>) -> Self {
        let slow = Faulty::new(store, |_| Fault::Delay(Duration::from_millis(1)));
        let counting = Counting::new(Arc::new(slow));
        let engine = Engine::new(Catalog::new(Arc::new(counting.clone())));
        Self { counting, engine }
    }

    async fn cost<T>(&self, question: impl Future<Output = T>) -> (T, Counts, u128) {
        let (before, start) = (self.counting.counts(), tokio::time::Instant::now());
        let answer = question.await;
        (answer, self.counting.counts() - before, start.elapsed().as_millis())
    }
}

/// Thirty days; in each hour ten traces of their own, and a trace that is in two hours of each of three days.
async fn a_month() -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::new());
    for hour in 0..30 * 24 {
        let mut spans: Vec<Span> = (0..10).map(|n| span(1_000 + hour * 10 + n, 1, hour * HOUR + n)).collect();
        if matches!(hour, 77 | 79 | 200 | 203 | 501 | 502) {
            spans.push(span(7, hour, hour * HOUR + 30));
        }
        write(&*store, spans).await;
    }
    store
}

#[tokio::test(start_paused = true)]
async fn a_trace_by_id_among_thirty_compacted_days() {
    let store = a_month().await;
    // Blocks so small that the hours stay apart.
    compact(&store, Policy { block_bytes: 10_000, ..Policy::everything() }).await;
    let snapshot = Catalog::new(store.clone()).snapshot(&Tenant::single(), TimeRange::ALL).await.unwrap();
    assert_eq!(snapshot.objects.len(), 30 * 24);

    let measured = Measured::new(store);
    for round in ["cold", "warm"] {
        let tenant = Tenant::single();
        let question = measured.engine.find_trace(&tenant, trace(7), TimeRange::ALL);
        let (answer, spent, steps) = measured.cost(question).await;
        assert_eq!(answer.unwrap().spans.len(), 6);
        assert_eq!((spent.lists, spent.puts, spent.heads), (1, 0, 0), "{round}");
        // Each day's catalog and index; of each of the six blocks its end and its pages.
        assert!(spent.gets <= 2 * 30 + 2 * 6, "{round}: {spent:?}");
        assert!(steps <= 5, "{round}: {steps} steps");
    }
    // What isn't there is told by the indexes alone.
    let (answer, spent, steps) =
        measured.cost(measured.engine.find_trace(&Tenant::single(), trace(8), TimeRange::ALL)).await;
    assert!(answer.unwrap().spans.is_empty());
    assert_eq!((spent.lists, spent.gets, steps), (1, 2 * 30, 3));
    // A range leaves out what is beyond: four days and the configuration.
    let range = TimeRange::new(Nanos::from_secs(START + 3 * DAY), Nanos::from_secs(START + 4 * DAY)).unwrap();
    let (answer, spent, _) = measured.cost(measured.engine.find_trace(&Tenant::single(), trace(7), range)).await;
    assert_eq!(answer.unwrap().spans.len(), 2);
    assert!(spent.lists == 1 && spent.gets <= 2 * 4 + 1 + 2 * 2, "{spent:?}");
}

#[tokio::test(start_paused = true)]
async fn a_search_over_one_compacted_day() {
    let store = Arc::new(MemoryStore::new());
    for hour in 0..24 {
        write(&*store, (0..3_500).map(|n| span(1 + n / 3, 1 + hour * 3_500 + n, hour * HOUR + n)).collect()).await;
    }
    compact(&store, Policy::everything()).await;
    let window = TimeRange::lasting(Nanos::from_secs(START), Nanos::from_secs(DAY - 1));
    let snapshot = Catalog::new(store.clone()).snapshot(&Tenant::single(), window).await.unwrap();
    assert_eq!(snapshot.objects.len(), 1);
    assert!(snapshot.objects[0].size > 1 << 20, "{:?}", snapshot.objects);

    let query = niente_traceql::parse(r#"{ span.user.id = "none" } | count() > 2"#).unwrap();
    let question = SearchQuestion { query, window, limit: 20, spans_per_set: 3 };
    let measured = Measured::new(store);
    // The listing; then the day with its neighbours and the configuration; the block's end, unless it is known; and
    // the columns, of which those that lie near each other come together.
    for (round, gets, most_steps) in [("cold", 4 + 1, 4), ("warm", 4, 3)] {
        let (answer, spent, steps) = measured.cost(measured.engine.search(&Tenant::single(), &question)).await;
        assert!(answer.unwrap().traces.is_empty());
        assert_eq!(spent.lists, 1, "{round}");
        assert!((gets + 1..=gets + 3).contains(&spent.gets), "{round}: {spent:?}");
        assert!(steps <= most_steps, "{round}: {steps} steps");
    }
}
