//! Reading: whole, in ranges, from the end, and by version.

use std::ops::Range;

use niente_model::Nanos;

use super::{Shared, assert_not_found, create, key, noise};
use crate::Error;

pub async fn objects_come_back_whole(store: Shared) {
    let every_byte: Vec<u8> = (0..=255).collect();
    for (name, bytes) in
        [("one", "x".into()), ("binary", every_byte.into()), ("text", "Ünïcödé ☃".into()), ("large", noise(1, 3 << 20))]
    {
        let etag = create(&store, name, bytes.clone()).await;
        let read = store.get(&key(name)).await.unwrap();
        assert!(read.bytes == bytes, "{name}: {} bytes, not {}", read.bytes.len(), bytes.len());
        assert_eq!(read.etag, etag, "{name}");
        assert_eq!(store.head(&key(name)).await.unwrap().size, bytes.len() as u64, "{name}");
    }
}

pub async fn an_empty_object_is_an_object(store: Shared) {
    let empty = key("a/empty");
    let etag = create(&store, "a/empty", "").await;
    assert_eq!(store.get(&empty).await.unwrap().bytes, "");
    assert_eq!(store.get(&empty).await.unwrap().etag, etag);
    assert_eq!(store.get_range(&empty, 0..0).await.unwrap(), "");
    assert_eq!(store.head(&empty).await.unwrap().size, 0);
    for length in [0, 1, 8] {
        let suffix = store.get_suffix(&empty, length).await.unwrap();
        assert_eq!((&suffix.bytes[..], suffix.size), (&b""[..], 0));
    }
    assert_refused(&store, "a/empty", 0..1).await;
}

pub async fn ranges_are_exact(store: Shared) {
    let bytes = noise(2, 100_000);
    create(&store, "x", bytes.clone()).await;
    for range in [0..1, 0..100_000, 99_999..100_000, 1..99_999, 4_095..4_097, 0..0, 5..5, 100_000..100_000] {
        let read = store.get_range(&key("x"), range.clone()).await.unwrap();
        assert!(read == bytes[range.start as usize..range.end as usize], "{range:?}");
    }
    // Nothing was asked for, so that there was nothing to look at.
    assert_eq!(store.get_range(&key("missing"), 7..7).await.unwrap(), "");
}

pub async fn ranges_beyond_the_object_are_refused(store: Shared) {
    create(&store, "x", noise(3, 10)).await;
    #[allow(clippy::reversed_empty_ranges)] // what is tested
    for range in [0..11, 9..12, 10..11, 11..12, 0..u64::MAX, u64::MAX - 1..u64::MAX, 3..2, 12..11] {
        assert_refused(&store, "x", range).await;
    }
}

async fn assert_refused(store: &Shared, name: &str, range: Range<u64>) {
    for result in [
        store.get_range(&key(name), range.clone()).await.map(|_| ()),
        store.get_ranges(&key(name), &[0..0, range.clone()]).await.map(|_| ()),
    ] {
        assert!(matches!(result, Err(Error::OutOfRange { .. })), "{range:?}: {result:?}");
    }
}

pub async fn several_ranges_come_in_the_order_they_are_named(store: Shared) {
    let bytes = noise(4, 50_000);
    create(&store, "x", bytes.clone()).await;
    let ranges = [40_000..50_000, 0..10, 5..15, 20..20, 0..10, 15..40_000];
    let read = store.get_ranges(&key("x"), &ranges).await.unwrap();
    assert_eq!(read.len(), ranges.len());
    for (read, range) in read.iter().zip(ranges) {
        assert!(read == &bytes[range.start as usize..range.end as usize], "{range:?}");
    }
    assert!(store.get_ranges(&key("x"), &[]).await.unwrap().is_empty());
}

pub async fn a_suffix_is_the_end_and_the_size(store: Shared) {
    let bytes = noise(5, 1_000);
    create(&store, "x", bytes.clone()).await;
    for (length, start) in [(1, 999), (8, 992), (999, 1), (1_000, 0), (1_001, 0), (u64::MAX, 0), (0, 1_000)] {
        let suffix = store.get_suffix(&key("x"), length).await.unwrap();
        assert_eq!(suffix.size, 1_000, "{length}");
        assert!(suffix.bytes == bytes[start..], "{length}: {} bytes", suffix.bytes.len());
    }
}

pub async fn what_is_missing_is_not_found(store: Shared) {
    let etag = create(&store, "a/b", "x").await;
    // Also where there is something nearby: a longer key, a shorter one, its folder.
    for name in ["a/c", "a/bc", "a", "a/b.", "b", "a/b/c"] {
        let key = key(name);
        assert_not_found(store.get(&key).await);
        assert_not_found(store.get_if_none_match(&key, &etag).await);
        assert_not_found(store.get_range(&key, 0..1).await);
        assert_not_found(store.get_ranges(&key, &[0..1, 0..2]).await);
        assert_not_found(store.get_suffix(&key, 8).await);
        assert_not_found(store.head(&key).await);
        assert_not_found(store.put_if_match(&key, "y".into(), &etag).await);
        store.delete(&key).await.unwrap();
    }
    assert_eq!(store.get(&key("a/b")).await.unwrap().bytes, "x");
}

pub async fn a_known_version_is_not_read_again(store: Shared) {
    let x = key("x");
    let first = create(&store, "x", "first").await;
    assert_eq!(store.get_if_none_match(&x, &first).await.unwrap(), None);

    let second = store.put_if_match(&x, "second".into(), &first).await.unwrap();
    let read = store.get_if_none_match(&x, &first).await.unwrap().unwrap();
    assert_eq!((&read.bytes[..], &read.etag), (&b"second"[..], &second));
    assert_eq!(store.get_if_none_match(&x, &second).await.unwrap(), None);
}

pub async fn size_and_age_are_told(store: Shared) {
    let before = store.now().await.unwrap();
    create(&store, "x", noise(6, 12_345)).await;
    let after = store.now().await.unwrap();
    let meta = store.head(&key("x")).await.unwrap();
    assert_eq!((meta.key.as_str(), meta.size), ("x", 12_345));
    assert_eq!(store.list("", None).await.unwrap().objects, std::slice::from_ref(&meta));

    // HTTP dates are whole seconds.
    let second = Nanos::from_secs(1);
    let window = before.saturating_sub(second)..=after.saturating_add(second);
    assert!(window.contains(&meta.modified), "{} is not in {window:?}", meta.modified);
}
