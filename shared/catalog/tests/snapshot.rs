//! What a snapshot shows, against spans written as ingest would.

#![allow(clippy::unwrap_used)] // in the helpers too

use std::{
    ops::Range,
    sync::atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;
use niente_catalog::{BlockRef, ContentHash, L0Name, Snapshot};
use niente_model::{Nanos, Tenant, TimeRange};
use niente_store::{ETag, MemoryStore, Object, ObjectKey, ObjectMeta, Page, Result, Store, Suffix};
use proptest::prelude::*;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Seconds into a day of which midnight is an hour's border.
fn at(seconds: u64) -> Nanos {
    Nanos::from_secs(20_000 * DAY + seconds)
}

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

async fn keys(store: &dyn Store, tenant: &Tenant, window: TimeRange) -> Vec<ObjectKey> {
    let snapshot = Snapshot::read(store, tenant, window).await.unwrap();
    snapshot.objects.into_iter().map(|object| object.key).collect()
}

#[tokio::test]
async fn objects_are_pruned_by_hour_and_end() {
    let (store, tenant) = (MemoryStore::new(), Tenant::single());
    let short = write(&store, &tenant, 10, 20).await;
    let long = write(&store, &tenant, 30, 5 * HOUR).await;
    let later = write(&store, &tenant, 2 * HOUR + 5, 2 * HOUR + 6).await;

    for (from, to, expected) in [
        (0, 10 * HOUR, vec![&short, &long, &later]),
        (15, 15, vec![&short, &long]),
        (20, 20, vec![&short, &long]),
        (21, 21, vec![&long]),
        (HOUR, 2 * HOUR - 1, vec![&long]),
        (HOUR, 2 * HOUR, vec![&long, &later]), // somewhere in that hour its spans start
        (5 * HOUR, 9 * HOUR, vec![&long]),
        (5 * HOUR + 1, 9 * HOUR, vec![]),
    ] {
        let found = keys(&store, &tenant, window(from, to)).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{from} to {to}");
    }
    let all = Snapshot::read(&store, &tenant, TimeRange::ALL).await.unwrap();
    assert_eq!(all.objects[0], BlockRef { key: short, size: 7, level: 0, times: window(0, 20) });
    assert_eq!(all.unknown, [""; 0]);
}

#[tokio::test]
async fn tenants_whose_names_begin_alike_are_apart() {
    let store = MemoryStore::new();
    let tenants = ["a", "a-b", "a.l0", "A", "l0"].map(|name| Tenant::new(name).unwrap());
    for tenant in &tenants {
        write(&store, tenant, 1, 2).await;
    }
    for tenant in &tenants {
        assert_eq!(keys(&store, tenant, TimeRange::ALL).await, [name(1, 2).key(tenant)]);
    }
    let nobody = Tenant::new("nobody").unwrap();
    assert_eq!(Snapshot::read(&store, &nobody, TimeRange::ALL).await.unwrap(), Snapshot::default());
}

#[tokio::test]
async fn foreign_objects_are_reported_and_others_of_ours_are_not_seen() {
    let (store, tenant) = (MemoryStore::new(), Tenant::single());
    let ours = write(&store, &tenant, 1, 2).await;
    for key in ["l0/+", "l0/2024-10-04T00-zz.parquet", "l0/README", "blocks/2024-10-04/x.parquet", "config"] {
        let key = ObjectKey::new(&format!("{tenant}/{key}")).unwrap();
        store.put_if_absent(&key, Bytes::new()).await.unwrap();
    }
    for (window, unknown) in [
        (TimeRange::ALL, &["single-tenant/l0/+", "single-tenant/l0/2024-10-04T00-zz.parquet"][..]),
        // What sorts after the window's last hour is not listed.
        (TimeRange::new(Nanos::ZERO, at(0).saturating_sub(Nanos::from_secs(1))).unwrap(), &["single-tenant/l0/+"]),
    ] {
        let snapshot = Snapshot::read(&store, &tenant, window).await.unwrap();
        assert_eq!(snapshot.unknown, unknown);
        assert!(snapshot.objects.iter().all(|object| object.key == ours));
    }
}

proptest! {
    #[test]
    fn no_span_of_the_window_is_missing(
        spans in prop::collection::vec((0..4 * HOUR, prop_oneof![0..5_u64, 0..3 * HOUR]), 0..30),
        from in 0..8 * HOUR,
        length in prop_oneof![0..5_u64, 0..5 * HOUR],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let window = window(from, from + length);
        let found = runtime.block_on(async {
            let (store, tenant) = (MemoryStore::new(), Tenant::single());
            for (start, length) in &spans {
                // The same span again is the same object.
                let key = name(*start, start + length).key(&tenant);
                let _ = store.put_if_absent(&key, Bytes::new()).await;
            }
            keys(&store, &tenant, window).await
        });
        prop_assert!(found.is_sorted());
        for (start, length) in spans {
            let key = name(start, start + length).key(&Tenant::single());
            let times = TimeRange::new(at(start), at(start + length)).unwrap();
            prop_assert!(!times.overlaps(window) || found.contains(&key), "{key}");
            // Nor is what the name rules out.
            let widest = TimeRange::new(at(start).hour().start(), at(start + length)).unwrap();
            prop_assert!(widest.overlaps(window) || !found.contains(&key), "{key}");
        }
    }
}

#[tokio::test]
async fn later_hours_are_not_listed() {
    let (store, tenant) = (CountingPages::default(), Tenant::single());
    for n in 0..3_500 {
        write(&store, &tenant, n * MINUTE, n * MINUTE).await;
    }
    for (end, pages) in [(0, 1), (900 * MINUTE, 1), (1_900 * MINUTE, 2), (3_499 * MINUTE, 4)] {
        store.pages.store(0, Ordering::Relaxed);
        keys(&store, &tenant, window(0, end)).await;
        assert_eq!(store.pages.load(Ordering::Relaxed), pages, "{end}");
    }
}

/// A store that counts the pages of its listings.
#[derive(Debug, Default)]
struct CountingPages {
    inner: MemoryStore,
    pages: AtomicUsize,
}

#[async_trait]
impl Store for CountingPages {
    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Page> {
        self.pages.fetch_add(1, Ordering::Relaxed);
        self.inner.list(prefix, start_after).await
    }

    async fn put_if_absent(&self, key: &ObjectKey, bytes: Bytes) -> Result<ETag> {
        self.inner.put_if_absent(key, bytes).await
    }

    async fn get(&self, _: &ObjectKey) -> Result<Object> {
        unreachable!("a snapshot lists")
    }

    async fn get_if_none_match(&self, _: &ObjectKey, _: &ETag) -> Result<Option<Object>> {
        unreachable!("a snapshot lists")
    }

    async fn get_range(&self, _: &ObjectKey, _: Range<u64>) -> Result<Bytes> {
        unreachable!("a snapshot lists")
    }

    async fn get_suffix(&self, _: &ObjectKey, _: u64) -> Result<Suffix> {
        unreachable!("a snapshot lists")
    }

    async fn head(&self, _: &ObjectKey) -> Result<ObjectMeta> {
        unreachable!("a snapshot lists")
    }

    async fn put_if_match(&self, _: &ObjectKey, _: Bytes, _: &ETag) -> Result<ETag> {
        unreachable!("a snapshot lists")
    }

    async fn delete(&self, _: &ObjectKey) -> Result<()> {
        unreachable!("a snapshot lists")
    }

    async fn now(&self) -> Result<Nanos> {
        unreachable!("a snapshot lists")
    }
}
