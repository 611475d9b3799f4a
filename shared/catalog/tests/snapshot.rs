//! What a snapshot shows, against spans written as ingest would, and days compacted as compaction would.

#![allow(clippy::unwrap_used)] // in the helpers too

mod vocabulary;

use bytes::Bytes;
use niente_catalog::{BlockRef, Catalog, Change, Commit, ContentHash, L0Name, Name, Snapshot, TenantConfig, commit};
use niente_model::{Nanos, Tenant, TimeRange};
use niente_store::{Counting, MemoryStore, ObjectKey, Store};
use proptest::prelude::*;
use std::sync::Arc;

use vocabulary::{at, block};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

fn window(start: u64, end: u64) -> TimeRange {
    TimeRange::new(at(start), at(end)).unwrap()
}

fn name(start: u64, end: u64) -> L0Name {
    L0Name::new(at(start).hour(), at(end), ContentHash::of([start.to_le_bytes(), end.to_le_bytes()]))
}

async fn write(store: &dyn Store, tenant: &Tenant, start: u64, end: u64) -> ObjectKey {
    let key = name(start, end).key(tenant);
    store.put_if_absent(&key, Bytes::from_static(b"Parquet")).await.unwrap();
    key
}

async fn snapshot(store: &Arc<MemoryStore>, tenant: &Tenant, window: TimeRange) -> Snapshot {
    Catalog::new(store.clone()).snapshot(tenant, window).await.unwrap()
}

fn keys(snapshot: &Snapshot) -> Vec<&ObjectKey> {
    snapshot.objects.iter().map(|object| &object.key).collect()
}

fn stored() -> (Arc<MemoryStore>, Tenant) {
    (Arc::new(MemoryStore::new()), Tenant::single())
}

#[tokio::test]
async fn level_0_is_pruned_by_the_hour_in_which_its_spans_start() {
    let (store, tenant) = stored();
    let short = write(&*store, &tenant, 10, 20).await;
    let long = write(&*store, &tenant, 30, 5 * HOUR).await;
    let later = write(&*store, &tenant, 2 * HOUR + 5, 2 * HOUR + 6).await;
    for (from, to, expected) in [
        (0, 10 * HOUR, vec![&short, &long, &later]),
        (15, 15, vec![&short, &long]),
        (HOUR - 1, 2 * HOUR - 1, vec![&short, &long]),
        (HOUR, 2 * HOUR - 1, vec![]),
        (HOUR, 2 * HOUR, vec![&later]), // somewhere in that hour its spans start
        (3 * HOUR, 9 * HOUR, vec![]),
    ] {
        assert_eq!(keys(&snapshot(&store, &tenant, window(from, to)).await), expected, "{from} to {to}");
    }
}

#[tokio::test]
async fn tenants_see_their_own() {
    let (store, tenant) = stored();
    let ours = write(&*store, &tenant, 1, 2).await;
    let other = Tenant::new("single-tenant2").unwrap();
    let theirs = write(&*store, &other, 1, 2).await;
    for everything in [TimeRange::ALL, window(0, HOUR)] {
        assert_eq!(keys(&snapshot(&store, &tenant, everything).await), [&ours]);
        assert_eq!(keys(&snapshot(&store, &other, everything).await), [&theirs]);
        assert!(snapshot(&store, &Tenant::new("nobody").unwrap(), everything).await.objects.is_empty());
    }
}

#[tokio::test]
async fn foreign_objects_are_reported_and_others_of_ours_are_not_seen() {
    let (store, tenant) = stored();
    let ours = write(&*store, &tenant, 1, 2).await;
    for key in ["l0/+", "l0/2024-10-04T00-zz.parquet", "l0/README", "blocks/2024-10-04/x.parquet"] {
        let key = ObjectKey::new(&format!("{tenant}/{key}")).unwrap();
        store.put_if_absent(&key, Bytes::new()).await.unwrap();
    }
    for (window, unknown) in [
        (TimeRange::ALL, &["single-tenant/l0/+", "single-tenant/l0/2024-10-04T00-zz.parquet"][..]),
        // What sorts outside of the window's hours is not listed.
        (window(0, HOUR), &["single-tenant/l0/2024-10-04T00-zz.parquet"]),
    ] {
        let snapshot = snapshot(&store, &tenant, window).await;
        assert_eq!(snapshot.unknown, unknown);
        assert_eq!(keys(&snapshot), [&ours]);
    }
}

#[tokio::test]
async fn what_was_replaced_is_left_out_and_what_replaced_it_is_there() {
    let (store, tenant) = stored();
    let first = write(&*store, &tenant, 1, 2).await;
    let other = write(&*store, &tenant, 3, 4).await;
    let day = at(0).hour().day();
    let catalog = Catalog::new(store.clone());
    let before = catalog.snapshot(&tenant, TimeRange::ALL).await.unwrap();
    assert_eq!(keys(&before), [&first, &other]);

    let made = block(1, at(0).hour());
    let change = Change::Replace { inputs: vec![Name::Level0(name(1, 2))], outputs: vec![made.clone()] };
    assert_eq!(commit(&*store, &tenant, day, &change, Nanos::ZERO).await.unwrap(), Commit::Done);
    let expected = [BlockRef::compacted(&tenant, day, &made).key, other.clone()];
    // By a catalog that remembers the day and by one that doesn't, whether the old object is still there or not.
    for _ in 0..2 {
        for catalog in [&catalog, &Catalog::new(store.clone())] {
            for everything in [TimeRange::ALL, window(0, 5)] {
                let after = catalog.snapshot(&tenant, everything).await.unwrap();
                assert_eq!(keys(&after), expected.iter().collect::<Vec<_>>());
            }
        }
        store.delete(&first).await.unwrap();
    }
    // Its spans start in another hour.
    assert!(catalog.snapshot(&tenant, window(HOUR, 2 * HOUR)).await.unwrap().objects.is_empty());
}

#[tokio::test]
async fn redactions_are_part_of_a_snapshot() {
    let (store, tenant) = stored();
    let id = "5".parse().unwrap();
    write(&*store, &tenant, 1, 2).await;
    TenantConfig::update(&*store, &tenant, |config| config.redact(id, at(0))).await.unwrap();
    for everything in [TimeRange::ALL, window(0, 5)] {
        let snapshot = snapshot(&store, &tenant, everything).await;
        assert!(snapshot.is_redacted(id) && !snapshot.is_redacted("6".parse().unwrap()));
    }
    assert!(!snapshot(&store, &Tenant::new("other").unwrap(), TimeRange::ALL).await.is_redacted(id));
}

#[tokio::test]
async fn a_snapshot_costs_a_listing_and_a_read_a_day() {
    let (store, tenant) = stored();
    for day in 0..40 {
        let hour = at(day * DAY).hour();
        let change = Change::Replace { inputs: vec![], outputs: vec![block(day as u128, hour)] };
        commit(&*store, &tenant, hour.day(), &change, Nanos::ZERO).await.unwrap();
    }
    let counting = Counting::new(store);
    let catalog = Catalog::new(Arc::new(counting.clone()));
    // Everything: what there is to read is listed, and there is no configuration. Then a window: each day is asked for.
    for (window, blocks, gets) in
        [(TimeRange::ALL, 40, 40), (window(0, 2 * DAY), 3, 4), (window(50 * DAY, 51 * DAY), 0, 3)]
    {
        for round in ["cold", "warm"] {
            let before = counting.counts();
            assert_eq!(catalog.snapshot(&tenant, window).await.unwrap().objects.len(), blocks);
            let spent = counting.counts() - before;
            assert_eq!((spent.lists, spent.gets, spent.puts), (1, gets, 0), "{window:?} {round}");
        }
    }
}

#[tokio::test]
async fn level_0_outside_of_the_window_is_not_listed() {
    let (store, tenant) = stored();
    for n in 0..3_500 {
        write(&*store, &tenant, n * MINUTE, n * MINUTE).await;
    }
    let counting = Counting::new(store);
    let catalog = Catalog::new(Arc::new(counting.clone()));
    for (start, end, pages) in
        [(0, 0, 1), (0, 900, 1), (0, 1_900, 2), (0, 3_499, 4), (3_000, 3_499, 1), (1_000, 2_900, 2)]
    {
        let before = counting.counts();
        catalog.snapshot(&tenant, window(start * MINUTE, end * MINUTE)).await.unwrap();
        assert_eq!((counting.counts() - before).lists, pages, "{start} to {end}");
    }
}

#[tokio::test]
async fn a_damaged_catalog_is_an_error_that_names_it() {
    let (store, tenant) = stored();
    let key = ObjectKey::new(&format!("{tenant}/catalog/{}", at(0).hour().day())).unwrap();
    store.put_if_absent(&key, "not one".into()).await.unwrap();
    let error = Catalog::new(store).snapshot(&tenant, window(0, 5)).await.unwrap_err();
    assert!(error.to_string().contains(key.as_str()), "{error}");
}

proptest! {
    #[test]
    fn no_span_that_starts_in_the_window_is_missing(
        spans in prop::collection::vec((0..4 * HOUR, prop_oneof![0..5_u64, 0..3 * HOUR]), 0..30),
        from in 0..8 * HOUR,
        length in prop_oneof![0..5_u64, 0..5 * HOUR],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let window = window(from, from + length);
        let found = runtime.block_on(async {
            let (store, tenant) = stored();
            for (start, length) in &spans {
                // The same span again is the same object.
                let key = name(*start, start + length).key(&tenant);
                let _ = store.put_if_absent(&key, Bytes::new()).await;
            }
            snapshot(&store, &tenant, window).await
        });
        let found = keys(&found);
        prop_assert!(found.is_sorted());
        for (start, length) in spans {
            let key = name(start, start + length).key(&Tenant::single());
            prop_assert!(!window.contains(at(start)) || found.contains(&&key), "{key}");
            // Nor is what the name rules out.
            let hour = at(start).hour();
            let widest = TimeRange::new(hour.start(), hour.end()).unwrap();
            prop_assert!(widest.overlaps(window) || !found.contains(&&key), "{key}");
        }
    }
}
