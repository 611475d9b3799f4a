//! What a question costs in requests, and what it says when storage misbehaves.

#![allow(clippy::unwrap_used)]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use niente_catalog::{Catalog, write_level0};
use niente_engine::{Engine, Error, SearchQuestion};
use niente_model::{Nanos, Span, SpanId, Tenant, TimeRange, TraceId};
use niente_store::{
    Action, Counting, Counts, MemoryStore, ObjectKey, Store,
    testing::{Failure, Fault, Faulty},
};

/// A store whose requests are counted, and which loses objects when it is told to.
struct Watched {
    store: Arc<MemoryStore>,
    counting: Counting,
    /// The next so many reads of blocks find their object gone.
    vanish: Arc<AtomicUsize>,
}

impl Watched {
    fn new() -> Self {
        let (store, vanish) = (Arc::new(MemoryStore::new()), Arc::new(AtomicUsize::new(0)));
        let left = vanish.clone();
        let faulty = Faulty::new(store.clone(), move |request| {
            let block = request.action == Action::Read && request.key.ends_with(".parquet");
            let lost = |left: usize| left.checked_sub(1);
            if block && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, lost).is_ok() {
                return Fault::Before(Failure::Gone);
            }
            Fault::None
        });
        Self { store, counting: Counting::new(Arc::new(faulty)), vanish }
    }

    fn engine(&self) -> Engine {
        Engine::new(Catalog::new(Arc::new(self.counting.clone())))
    }

    /// Requests since then: listings and reads.
    fn since(&self, before: Counts) -> (u64, u64) {
        let spent = self.counting.counts() - before;
        assert_eq!((spent.puts, spent.heads, spent.deletes), (0, 0, 0));
        (spent.lists, spent.gets)
    }
}

/// What a snapshot of a window within one day reads beside the listing: three days, and the configuration.
const SNAPSHOT: u64 = 4;

const START: u64 = 1_793_577_600;

/// Ten requests of ten spans, each a part of the same ten traces, in the same hour.
async fn watched() -> (Watched, Engine) {
    let watched = Watched::new();
    for request in 0..10 {
        let spans = (0..10).map(|trace| span(trace + 1, request + 1)).collect();
        write_level0(&*watched.store, &Tenant::single(), spans).await.unwrap();
    }
    let engine = watched.engine();
    (watched, engine)
}

fn span(trace: u64, number: u64) -> Span {
    let trace_id = TraceId::from_slice(&trace.to_be_bytes()).unwrap();
    let span_id = SpanId::from_slice(&number.to_be_bytes()).unwrap();
    Span::new(trace_id, span_id, Nanos::from_secs(START + number))
}

fn question(query: &str) -> SearchQuestion {
    let window = TimeRange::new(Nanos::from_secs(START), Nanos::from_secs(START + 3_600)).unwrap();
    SearchQuestion {
        query: niente_traceql::parse(query).unwrap(),
        text: query.to_owned(),
        window,
        limit: 20,
        spans_per_set: 3,
    }
}

#[tokio::test]
async fn a_search_costs_a_listing_and_one_read_an_object() {
    let (watched, engine) = watched().await;
    let before = watched.counting.counts();
    let answer = engine.search(&Tenant::single(), &question("{ } | count() = 10")).await.unwrap();
    assert_eq!(answer.traces.len(), 10);
    assert_eq!(watched.since(before), (1, SNAPSHOT + 10));
    assert_eq!((answer.inspected.objects, answer.inspected.spans, answer.inspected.traces), (10, 100, 10));
}

#[tokio::test]
async fn a_trace_by_id_costs_a_listing_and_one_read_an_object() {
    let (watched, engine) = watched().await;
    let before = watched.counting.counts();
    let id = TraceId::from_slice(&3u64.to_be_bytes()).unwrap();
    let answer = engine.find_trace(&Tenant::single(), id, TimeRange::ALL).await.unwrap();
    assert_eq!(answer.spans.len(), 10);
    assert_eq!(watched.since(before), (1, 10));
}

#[tokio::test]
async fn objects_of_other_days_are_not_read() {
    let (watched, engine) = watched().await;
    let before = watched.counting.counts();
    let mut question = question("{ }");
    let later = |hours: u64| Nanos::from_secs(START + hours * 3_600);
    question.window = TimeRange::new(later(26), later(27)).unwrap();
    assert!(engine.search(&Tenant::single(), &question).await.unwrap().traces.is_empty());
    assert_eq!(watched.since(before), (1, SNAPSHOT));
}

#[tokio::test]
async fn spans_that_came_twice_cost_one_more_read_an_object_and_count_once() {
    let (watched, engine) = watched().await;
    let before = watched.counting.counts();
    let again = (0..10).map(|number| span(1, number + 1)).collect();
    write_level0(&*watched.store, &Tenant::single(), again).await.unwrap();
    let answer = engine.search(&Tenant::single(), &question("{ } | count() = 10")).await.unwrap();
    assert_eq!(answer.traces.len(), 10);
    assert_eq!(watched.since(before), (1, SNAPSHOT + 11 + 11));
}

#[tokio::test]
async fn an_object_that_vanished_means_a_new_snapshot_and_never_a_shorter_answer() {
    let (watched, engine) = watched().await;
    let before = watched.counting.counts();
    watched.vanish.store(1, Ordering::Relaxed);
    let answer = engine.search(&Tenant::single(), &question("{ } | count() = 10")).await.unwrap();
    assert_eq!(answer.traces.len(), 10);
    assert_eq!(watched.since(before).0, 2);

    watched.vanish.store(usize::MAX, Ordering::Relaxed);
    let error = engine.search(&Tenant::single(), &question("{ }")).await.unwrap_err();
    assert!(matches!(error, Error::Moving(_)), "{error}");
}

#[tokio::test]
async fn a_damaged_object_is_an_error_that_names_it() {
    let (watched, engine) = watched().await;
    let key = "single-tenant/l0/2026-11-02T00-1793577700-00000000000000000000000000000000.parquet";
    watched.store.put_if_absent(&ObjectKey::new(key).unwrap(), "no Parquet".into()).await.unwrap();
    for error in [
        engine.search(&Tenant::single(), &question("{ }")).await.unwrap_err(),
        engine.find_trace(&Tenant::single(), TraceId::from_slice(&[1; 16]).unwrap(), TimeRange::ALL).await.unwrap_err(),
    ] {
        assert!(error.to_string().contains(key), "{error}");
    }
}
