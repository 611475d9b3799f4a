//! What merging makes of spans.

#![allow(clippy::unwrap_used)]

mod vocabulary;

use std::sync::Arc;

use futures::TryStreamExt;
use niente_catalog::{Catalog, Commit, DayCatalog, Name, ObjectId, TenantConfig};
use niente_compact::{Compactor, Event, Gc, Policy, Scope, Work};
use niente_model::{Key, Nanos, Span, Tenant, Value};
use niente_store::{MemoryStore, Store, list_all};
use proptest::prelude::*;

use vocabulary::{DAY, HOUR, at, compactor, rows, span, trace, write};

async fn everything(store: &Arc<MemoryStore>, policy: Policy) {
    compactor(store.clone(), policy).sweep(&Tenant::single(), Scope::Everything, &mut |_| {}).await.unwrap();
}

/// Of records of one span the first in canonical order.
fn collapsed(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort();
    spans.dedup_by(|later, first| first.same_identity(later));
    spans
}

async fn keys(store: &MemoryStore, prefix: &str) -> Vec<String> {
    list_all(store, prefix, None).map_ok(|meta| meta.key.to_string()).try_collect().await.unwrap()
}

fn some_span() -> impl Strategy<Value = Span> {
    let second = prop_oneof![0..3 * HOUR, DAY - 5..DAY + 5, Just(3 * DAY)];
    (1..20u64, 1..6u64, second, 0..3u8).prop_map(|(trace, id, second, variant)| {
        let mut span = span(trace, id, second);
        // Records of one span that differ.
        span.status_message = "x".repeat(variant.into());
        span
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_span_comes_out_once_whatever_the_stages(
        requests in prop::collection::vec(prop::collection::vec(some_span(), 1..30), 1..12),
        late in prop::collection::vec(some_span(), 0..20),
        block_bytes in prop_oneof![Just(1), Just(40_000), Just(256 << 20)],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let store = Arc::new(MemoryStore::new());
            store.set_now(at(0));
            let mut all = late.clone();
            for request in &requests {
                all.extend(request.iter().cloned());
                write(&*store, request.clone()).await;
            }
            // While the hours are open; then closed, with more to come; then the days.
            let open = Policy { level_0_objects: 2, level_0_age: Nanos::ZERO, block_bytes, ..Policy::default() };
            everything(&store, open.clone()).await;
            store.set_now(at(2 * HOUR));
            everything(&store, open.clone()).await;
            if !late.is_empty() {
                write(&*store, late.clone()).await;
            }
            everything(&store, Policy { block_bytes, ..Policy::everything() }).await;
            let found = rows(store.clone()).await;
            // Records of one span stay apart only in blocks that are too large for being merged with each other.
            assert!(block_bytes < 256 << 20 || found.len() == collapsed(all.clone()).len());
            assert!(collapsed(found) == collapsed(all));
            assert!(keys(&store, "single-tenant/l0/").await.len() > 1);

            // What was replaced goes, and nothing else.
            store.set_now(at(10 * DAY));
            let gc = Gc { grace: Nanos::from_secs(60), dry_run: false, retention_days: None };
            let before = rows(store.clone()).await;
            gc.run(&Catalog::new(store.clone()), &Tenant::single(), &mut |_| {}).await.unwrap();
            assert_eq!(rows(store.clone()).await, before);
            assert_eq!(keys(&store, "single-tenant/l0/").await, [""; 0]);
        });
    }
}

#[tokio::test]
async fn blocks_of_one_run_have_keys_of_their_own() {
    let store = Arc::new(MemoryStore::new());
    for request in 0..20 {
        write(&*store, (0..4_000).map(|n| span(1 + request * 4_000 + n, 1, n % 3_000)).collect()).await;
    }
    everything(&store, Policy { block_bytes: 300_000, ..Policy::everything() }).await;
    let (day, _) = DayCatalog::read(&*store, &Tenant::single(), at(0).hour().day()).await.unwrap();
    let mut keys: Vec<_> = day.blocks().map(|block| block.keys).collect();
    keys.sort_by_key(|range| range.from);
    assert!(keys.len() > 1, "{} blocks", keys.len());
    assert!(keys.windows(2).all(|pair| pair[0].to < pair[1].from), "{keys:?}");
    assert_eq!(day.blocks().map(|block| block.rows).sum::<u64>(), 80_000);
    assert!(day.blocks().all(|block| block.indexed && block.attributes.is_some()));
}

#[tokio::test]
async fn a_trace_too_long_for_memory_is_merged_all_the_same() {
    let store = Arc::new(MemoryStore::new());
    let long = |id: u64| {
        let mut span = span(7, 1 + id, id);
        span.attributes = [(Key::from("text"), Value::Str(format!("{id} ").repeat(20_000)))].into_iter().collect();
        span
    };
    // Two hundred megabytes of one trace, with a part that was sent twice, among others.
    let mut expected = Vec::new();
    for part in 0..4 {
        let spans: Vec<_> =
            (part * 500..part * 500 + 600).map(long).chain([span(6, part + 1, 1), span(8, part + 1, 1)]).collect();
        expected.extend(spans.clone());
        write(&*store, spans).await;
    }
    everything(&store, Policy::everything()).await;
    assert!(rows(store).await == collapsed(expected));
}

#[tokio::test]
async fn a_redacted_trace_leaves_every_object() {
    let store = Arc::new(MemoryStore::new());
    let requests: Vec<Vec<Span>> =
        (0..6).map(|hour| (0..20).map(|n| span(1 + n % 4, 1 + hour * 20 + n, hour * HOUR + n)).collect()).collect();
    for (hour, request) in requests.iter().enumerate() {
        write(&*store, request.clone()).await;
        if hour == 2 {
            everything(&store, Policy::everything()).await;
        }
    }
    let compactor = compactor(store.clone(), Policy::default());
    let mut rewritten = 0;
    let mut count = |event: Event<'_>| {
        if let Event::Ended(_, done) = event
            && let Work::Purged { rewritten: some, .. } = done.work
        {
            rewritten += some;
        }
    };
    compactor.redact(&Tenant::single(), trace(2), &mut count).await.unwrap();
    // One block of three hours, and three level-0 objects.
    assert_eq!(rewritten, 4);
    let expected = |left: &dyn Fn(&Span) -> bool| {
        collapsed(requests.iter().flatten().filter(|span| left(span)).cloned().collect())
    };
    assert_eq!(rows(store.clone()).await, expected(&|span| span.trace_id != trace(2)));

    // A retry that comes late is stored, hidden, and gone with the next merge.
    write(&*store, requests[3].clone()).await;
    everything(&store, Policy::everything()).await;
    assert_eq!(rows(store.clone()).await, expected(&|span| span.trace_id != trace(2)));
    // Nobody has to look again.
    let states = compactor.survey(&Tenant::single(), Scope::Everything).await.unwrap();
    assert!(states.iter().all(|state| state.suspects().is_empty()));
    // Asking again is harmless.
    compactor.redact(&Tenant::single(), trace(2), &mut |_| {}).await.unwrap();
    let (config, _) = TenantConfig::read(&*store, &Tenant::single()).await.unwrap();
    assert_eq!((config.redactions.len(), config.last_redaction), (1, 1));
}

#[tokio::test]
async fn whole_days_expire() {
    let store = Arc::new(MemoryStore::new());
    for day in 0..4 {
        write(&*store, vec![span(1, 1 + day, day * DAY + 5)]).await;
    }
    // Two compacted, two as they came.
    let compactor = compactor(store.clone(), Policy::everything());
    for state in compactor.survey(&Tenant::single(), Scope::Everything).await.unwrap().iter().take(2) {
        for job in state.plan(&Policy::everything()) {
            compactor.run(state, &job).await.unwrap();
        }
    }
    let tenant = Tenant::single();
    TenantConfig::update(&*store, &tenant, |config| config.retention_days = Some(10)).await.unwrap();
    let gc = |grace, dry_run| Gc { grace: Nanos::from_secs(grace), dry_run, retention_days: None };
    let run = async |gc: Gc| {
        let mut found = 0;
        gc.run(&Catalog::new(store.clone()), &tenant, &mut |_| found += 1).await.unwrap();
        found
    };
    let left = async || rows(store.clone()).await.len();

    store.set_now(at(11 * DAY).saturating_sub(Nanos::from_secs(1)));
    run(gc(3_600, false)).await;
    assert_eq!(left().await, 4);
    // The first two days and the third, of which nothing is compacted, in two steps.
    store.set_now(at(12 * DAY));
    assert!(run(gc(3_600, true)).await > 0);
    assert_eq!(left().await, 4);
    run(gc(3_600, false)).await;
    assert_eq!(left().await, 2);
    store.set_now(at(13 * DAY));
    run(gc(3_600, false)).await;
    assert_eq!(left().await, 1);
    store.set_now(at(13 * DAY + 2 * HOUR));
    run(gc(3_600, false)).await;
    assert_eq!(keys(&store, "single-tenant/catalog/").await, [""; 0]);
    assert_eq!(keys(&store, "single-tenant/blocks/").await, [""; 0]);
    assert_eq!(keys(&store, "single-tenant/l0/").await.len(), 1);
}

#[tokio::test]
async fn orphans_go_after_a_day_and_tenants_apart() {
    let store = Arc::new(MemoryStore::new());
    let tenant = Tenant::single();
    write(&*store, vec![span(1, 1, 1)]).await;
    everything(&store, Policy::everything()).await;
    let orphan = Name::Block(ObjectId::new(at(0), 99)).key(&tenant, at(0).hour().day());
    store.set_now(at(0));
    store.put_if_absent(&orphan, "litter".into()).await.unwrap();
    let gc = Gc { grace: Nanos::ZERO, dry_run: false, retention_days: None };
    for (now, there) in [(at(DAY - 1), true), (at(DAY), false)] {
        store.set_now(now);
        gc.run(&Catalog::new(store.clone()), &Tenant::new("other").unwrap(), &mut |_| {}).await.unwrap();
        gc.run(&Catalog::new(store.clone()), &tenant, &mut |_| {}).await.unwrap();
        assert_eq!(store.head(&orphan).await.is_ok(), there);
        assert_eq!(rows(store.clone()).await.len(), 1);
    }
}

#[tokio::test]
async fn of_two_compactors_one_is_outrun_and_nothing_is_lost() {
    let store = Arc::new(MemoryStore::new());
    let mut expected = Vec::new();
    for request in 0..5 {
        let spans: Vec<_> = (0..10).map(|n| span(1 + n, 1 + request, n)).collect();
        expected.extend(spans.clone());
        write(&*store, spans).await;
    }
    let (one, two) = (compactor(store.clone(), Policy::everything()), compactor(store.clone(), Policy::everything()));
    let state = async |compactor: &Compactor| {
        let states = compactor.survey(&Tenant::single(), Scope::Recent).await.unwrap();
        states.into_iter().find(|state| !state.level_0.is_empty()).unwrap()
    };
    let (first, second) = (state(&one).await, state(&two).await);
    let (jobs, same) = (first.plan(&Policy::everything()), second.plan(&Policy::everything()));
    assert_eq!(jobs, same);
    let commits = [one.run(&first, &jobs[0]).await.unwrap().commit, two.run(&second, &same[0]).await.unwrap().commit];
    assert_eq!(commits, [Commit::Done, Commit::Stale]);
    assert_eq!(rows(store).await, collapsed(expected));
}
