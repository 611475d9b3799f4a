//! Words to say it with.

#![allow(dead_code)] // not each test file uses all of them

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use niente_catalog::{BlockReader, Catalog, encode_level0, put_level0};
use niente_compact::{Compactor, Policy};
use niente_model::{Attributes, Key, Nanos, Span, SpanId, Tenant, TimeRange, TraceId, Value};
use niente_store::Store;

pub(crate) const HOUR: u64 = 3_600;
pub(crate) const DAY: u64 = 24 * HOUR;

/// Seconds into a day.
pub(crate) fn at(second: u64) -> Nanos {
    Nanos::from_secs(20_000 * DAY + second)
}

pub(crate) fn trace(number: u64) -> TraceId {
    TraceId::from_slice(&number.to_be_bytes()).unwrap()
}

/// A span of a trace, at a second of the day.
pub(crate) fn span(trace_number: u64, id: u64, second: u64) -> Span {
    let id = SpanId::from_slice(&id.to_be_bytes()).unwrap();
    let mut span = Span::new(trace(trace_number), id, at(second));
    span.name = format!("name {}", id.as_bytes()[7] % 5);
    span.attributes = Attributes::from_iter([(Key::from("n"), Value::Int(second as i64))]);
    span
}

pub(crate) async fn write(store: &dyn Store, spans: Vec<Span>) {
    put_level0(store, &Tenant::single(), encode_level0(spans).unwrap()).await.unwrap();
}

pub(crate) fn compactor(store: Arc<dyn Store>, policy: Policy) -> Compactor {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let random = Arc::new(|| u128::from(NEXT.fetch_add(1, Ordering::Relaxed)));
    Compactor::new(Catalog::new(store), policy, random)
}

/// All rows of all objects, as a fresh reader finds them.
pub(crate) async fn rows(store: Arc<dyn Store>) -> Vec<Span> {
    let catalog = Catalog::new(store);
    let snapshot = catalog.snapshot(&Tenant::single(), TimeRange::ALL).await.unwrap();
    let mut spans = Vec::new();
    for object in &snapshot.objects {
        for rows in BlockReader::new(&catalog, object).spans(niente_block::KeyRange::ALL).await.unwrap() {
            spans.extend(rows.into_spans().unwrap());
        }
    }
    spans.sort();
    spans
}
