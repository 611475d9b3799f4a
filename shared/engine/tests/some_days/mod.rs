//! Some days of traces, and how to compact them.

#![allow(dead_code, reason = "each test file uses some of it")]

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use niente_catalog::{Catalog, encode_level0, put_level0};
use niente_compact::{Compactor, Policy, Scope};
use niente_model::{Attributes, Key, Nanos, Span, SpanId, Tenant, TraceId, Value};
use niente_store::{MemoryStore, Store};

pub(crate) const START: u64 = 1_793_577_600; // midnight
pub(crate) const HOUR: u64 = 3_600;
pub(crate) const DAY: u64 = 24 * HOUR;

pub(crate) fn trace(number: u64) -> TraceId {
    TraceId::from_slice(&number.to_be_bytes()).unwrap()
}

pub(crate) fn span(number: u64, id: u64, second: u64) -> Span {
    let id = SpanId::from_slice(&id.to_be_bytes()).unwrap();
    let mut span = Span::new(trace(number), id, Nanos::from_secs(START + second));
    // Something that doesn't compress.
    let text = format!("{:x}{:x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15), second.wrapping_mul(0xc2b2_ae3d));
    span.attributes = Attributes::from_iter([(Key::from("user.id"), Value::Str(text))]);
    span
}

pub(crate) async fn write(store: &dyn Store, spans: Vec<Span>) {
    put_level0(store, &Tenant::single(), encode_level0(spans).unwrap()).await.unwrap();
}

pub(crate) async fn compact(store: &Arc<MemoryStore>, policy: Policy) {
    store.set_now(Nanos::from_secs(START + 100 * DAY));
    let counter = AtomicU64::new(1);
    let random = Arc::new(move || u128::from(counter.fetch_add(1, Ordering::Relaxed)));
    let compactor = Compactor::new(Catalog::new(store.clone()), policy, random);
    compactor.sweep(&Tenant::single(), Scope::Everything, &mut |_| {}).await.unwrap();
}

/// So many days; in each hour ten traces of their own, and a trace that is in two hours of each of three days.
pub(crate) async fn days(days: u64) -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::new());
    for hour in 0..days * 24 {
        let mut spans: Vec<Span> = (0..10).map(|n| span(1_000 + hour * 10 + n, 1, hour * HOUR + n)).collect();
        if matches!(hour, 77 | 79 | 200 | 203 | 501 | 502) {
            spans.push(span(7, hour, hour * HOUR + 30));
        }
        write(&*store, spans).await;
    }
    store
}
