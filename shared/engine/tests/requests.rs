//! What a question costs in requests, and what it says when storage misbehaves.

#![allow(clippy::unwrap_used)]

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use niente_catalog::write_level0;
use niente_engine::{Engine, Error, SearchQuestion};
use niente_model::{Nanos, Span, SpanId, Tenant, TimeRange, TraceId};
use niente_store::{ETag, MemoryStore, Object, ObjectKey, ObjectMeta, Page, Result, Store, Suffix};

/// A store that counts requests, and loses or damages an object when it is told to.
#[derive(Debug, Default)]
struct Watched {
    store: MemoryStore,
    lists: AtomicUsize,
    reads: AtomicUsize,
    /// The next so many reads find their object gone.
    vanish: AtomicUsize,
}

#[async_trait]
impl Store for Watched {
    async fn get(&self, key: &ObjectKey) -> Result<Object> {
        self.store.get(key).await
    }

    async fn get_if_none_match(&self, key: &ObjectKey, known: &ETag) -> Result<Option<Object>> {
        self.store.get_if_none_match(key, known).await
    }

    async fn get_range(&self, key: &ObjectKey, range: Range<u64>) -> Result<Bytes> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let vanish = self.vanish.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if vanish.is_ok() {
            return self.store.get_range(&ObjectKey::new("nowhere")?, range).await;
        }
        self.store.get_range(key, range).await
    }

    async fn get_suffix(&self, key: &ObjectKey, length: u64) -> Result<Suffix> {
        self.store.get_suffix(key, length).await
    }

    async fn head(&self, key: &ObjectKey) -> Result<ObjectMeta> {
        self.store.head(key).await
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Page> {
        self.lists.fetch_add(1, Ordering::Relaxed);
        self.store.list(prefix, start_after).await
    }

    async fn put_if_absent(&self, key: &ObjectKey, bytes: Bytes) -> Result<ETag> {
        self.store.put_if_absent(key, bytes).await
    }

    async fn put_if_match(&self, key: &ObjectKey, bytes: Bytes, expected: &ETag) -> Result<ETag> {
        self.store.put_if_match(key, bytes, expected).await
    }

    async fn delete(&self, key: &ObjectKey) -> Result<()> {
        self.store.delete(key).await
    }

    async fn now(&self) -> Result<Nanos> {
        self.store.now().await
    }
}

impl Watched {
    /// Listings and reads since the last time.
    fn counted(&self) -> (usize, usize) {
        (self.lists.swap(0, Ordering::Relaxed), self.reads.swap(0, Ordering::Relaxed))
    }
}

const START: u64 = 1_793_577_600;

/// Ten requests of ten spans, each a part of the same ten traces, in the same hour.
async fn watched() -> (Arc<Watched>, Engine) {
    let store = Arc::new(Watched::default());
    for request in 0..10 {
        let spans = (0..10).map(|trace| span(trace + 1, request + 1)).collect();
        write_level0(&*store, &Tenant::single(), spans).await.unwrap();
    }
    store.counted();
    let engine = Engine::new(store.clone());
    (store, engine)
}

fn span(trace: u64, number: u64) -> Span {
    let trace_id = TraceId::from_slice(&trace.to_be_bytes()).unwrap();
    let span_id = SpanId::from_slice(&number.to_be_bytes()).unwrap();
    Span::new(trace_id, span_id, Nanos::from_secs(START + number))
}

fn question(query: &str) -> SearchQuestion {
    let window = TimeRange::new(Nanos::from_secs(START), Nanos::from_secs(START + 3_600)).unwrap();
    SearchQuestion { query: niente_traceql::parse(query).unwrap(), window, limit: 20, spans_per_set: 3 }
}

#[tokio::test]
async fn a_search_costs_a_listing_and_one_read_an_object() {
    let (store, engine) = watched().await;
    let answer = engine.search(&Tenant::single(), &question("{ } | count() = 10")).await.unwrap();
    assert_eq!(answer.traces.len(), 10);
    assert_eq!(store.counted(), (1, 10));
    assert_eq!((answer.inspected.objects, answer.inspected.spans, answer.inspected.traces), (10, 100, 10));
}

#[tokio::test]
async fn a_trace_by_id_costs_a_listing_and_one_read_an_object() {
    let (store, engine) = watched().await;
    let id = TraceId::from_slice(&3u64.to_be_bytes()).unwrap();
    let answer = engine.find_trace(&Tenant::single(), id, TimeRange::ALL).await.unwrap();
    assert_eq!(answer.spans.len(), 10);
    assert_eq!(store.counted(), (1, 10));
}

#[tokio::test]
async fn objects_of_other_days_are_not_read() {
    let (store, engine) = watched().await;
    let mut question = question("{ }");
    let later = |hours: u64| Nanos::from_secs(START + hours * 3_600);
    question.window = TimeRange::new(later(26), later(27)).unwrap();
    assert!(engine.search(&Tenant::single(), &question).await.unwrap().traces.is_empty());
    assert_eq!(store.counted(), (1, 0));
}

#[tokio::test]
async fn spans_that_came_twice_cost_one_more_read_an_object_and_count_once() {
    let (store, engine) = watched().await;
    let again = (0..10).map(|number| span(1, number + 1)).collect();
    write_level0(&*store, &Tenant::single(), again).await.unwrap();
    store.counted();
    let answer = engine.search(&Tenant::single(), &question("{ } | count() = 10")).await.unwrap();
    assert_eq!(answer.traces.len(), 10);
    assert_eq!(store.counted(), (1, 11 + 11));
}

#[tokio::test]
async fn an_object_that_vanished_means_a_new_snapshot_and_never_a_shorter_answer() {
    let (store, engine) = watched().await;
    store.vanish.store(1, Ordering::Relaxed);
    let answer = engine.search(&Tenant::single(), &question("{ } | count() = 10")).await.unwrap();
    assert_eq!(answer.traces.len(), 10);
    assert_eq!(store.counted().0, 2);

    store.vanish.store(usize::MAX, Ordering::Relaxed);
    let error = engine.search(&Tenant::single(), &question("{ }")).await.unwrap_err();
    assert!(matches!(error, Error::Moving(_)), "{error}");
}

#[tokio::test]
async fn a_damaged_object_is_an_error_that_names_it() {
    let (store, engine) = watched().await;
    let key = "single-tenant/l0/2026-11-02T00-1793577700-00000000000000000000000000000000.parquet";
    store.put_if_absent(&ObjectKey::new(key).unwrap(), "no Parquet".into()).await.unwrap();
    for error in [
        engine.search(&Tenant::single(), &question("{ }")).await.unwrap_err(),
        engine.find_trace(&Tenant::single(), TraceId::from_slice(&[1; 16]).unwrap(), TimeRange::ALL).await.unwrap_err(),
    ] {
        assert!(error.to_string().contains(key), "{error}");
    }
}
