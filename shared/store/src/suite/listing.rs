//! Listing: order, prefixes, pages, and what happens meanwhile.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};

use super::{Order, Shared, create, key, keys};
use crate::{Error, InvalidKey, list_all};

/// Names around the slash in byte order (`!`, `-` and `.` come before it, `0` and letters after), so that walking
/// folders one by one would get the order wrong.
const NAMES: &[&str] = &[
    "a!/x",
    "a-b",
    "a-b-c",
    "a.b/x",
    "a/!",
    "a/-",
    "a/b",
    "a/b-c/d",
    "a/b.c",
    "a/c/d",
    "a/c/d-e",
    "a/c0",
    "a0",
    "a0/x",
    "aa",
    "b/c/d/e/f",
    "b/c/d/e0",
    "b/c/d0",
    "B",
    "é/ü",
    "é-ü",
    "☃",
];

pub async fn every_prefix_and_start_gives_what_a_sorted_map_gives(store: Shared, order: Order) {
    // Of keys that are each other's folder not every store can hold both.
    let all: BTreeSet<&str> =
        NAMES.iter().copied().filter(|a| !NAMES.iter().any(|b| b.starts_with(&format!("{a}/")))).collect();
    for name in &all {
        create(&store, name, "x").await;
    }
    let stems: BTreeSet<&str> =
        all.iter().flat_map(|name| name.char_indices().map(|(at, _)| &name[..at]).chain([*name])).collect();
    let starts: BTreeSet<&str> = match order {
        Order::Bytes => stems.iter().copied().chain(["A", "a/c/", "a/c/z", "zz", "\u{10ffff}"]).collect(),
        Order::Segments => all.clone(),
    };

    for prefix in stems.iter().copied().chain(["..", "/", "a//", "../..", "zz"]) {
        let usable = |start: &&str| order == Order::Bytes || start.starts_with(prefix);
        for start_after in starts.iter().copied().filter(usable).map(Some).chain([None]) {
            let after = |name: &str| start_after.is_none_or(|start| order.compare(name, start).is_gt());
            let mut expected: Vec<_> =
                all.iter().copied().filter(|name| name.starts_with(prefix) && after(name)).collect();
            expected.sort_by(|a, b| order.compare(a, b));
            assert_eq!(keys(&store, prefix, start_after).await, expected, "{prefix:?} after {start_after:?}");
        }
    }
}

pub async fn pages_join_without_gap_or_repetition(store: Shared) {
    const COUNT: usize = 2_345;
    let name = |n: usize| format!("t/{:02}/{n:05}", n / 100);
    create(&store, "s", "before").await;
    create(&store, "u", "after").await;
    let expected: Vec<_> = (0..COUNT).map(name).collect();
    stream::iter(&expected).for_each_concurrent(16, async |name| drop(create(&store, name, "x").await)).await;

    assert_eq!(keys(&store, "t/", None).await, expected);
    for start in [0, 1, 99, 100, 999, 1_000, 1_001, 2_000, COUNT - 1] {
        assert_eq!(keys(&store, "t/", Some(&expected[start])).await, expected[start + 1..], "{start}");
    }

    let (mut joined, mut next) = (Vec::new(), None);
    loop {
        let page = store.list("t/", next.as_deref()).await.unwrap();
        joined.extend(page.objects.into_iter().map(|meta| meta.key.to_string()));
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(joined, expected);
}

pub async fn what_stays_is_listed_while_other_objects_come_and_go(store: Shared) {
    let stays: Vec<_> = (0..50).map(|n| format!("t/{}/stays-{n:03}", n % 5)).collect();
    for name in &stays {
        create(&store, name, "x").await;
    }
    let churn = async {
        for round in 0..40 {
            let name = format!("t/{}/goes", round % 7);
            create(&store, &name, "x").await;
            store.delete(&key(&name)).await.unwrap();
        }
    };
    let list = async {
        let mut expected = stays.clone();
        expected.sort();
        for _ in 0..40 {
            let listed: Vec<_> = list_all(&*store, "t/", None)
                .map_ok(|meta| meta.key.to_string())
                .try_filter(|name| std::future::ready(!name.ends_with("goes")))
                .try_collect()
                .await
                .unwrap();
            assert_eq!(listed, expected);
        }
    };
    futures::join!(churn, list);
}

pub async fn folders_are_found_without_what_they_hold(store: Shared, order: Order) {
    for name in ["a-b/x", "a/x", "a/y/z", "a/y-z/1", "a0/x", "b", "c/d/e/f", "ü/x"] {
        create(&store, name, "x").await;
    }
    for (prefix, folders) in [
        ("", &["a-b", "a", "a0", "c", "ü"][..]),
        ("a/", &["y-z", "y"]),
        ("c/", &["d"]),
        ("c/d/e/", &[]),
        ("b/", &[]),
        ("d/", &[]),
        ("/", &[]),
        ("a//", &[]),
    ] {
        for start_after in [None, Some(""), Some("a"), Some("a-"), Some("a0"), Some("y"), Some("zz")] {
            let with_slash = |name: &str| format!("{name}/");
            let mut expected: Vec<_> = folders
                .iter()
                .copied()
                .filter(|name| {
                    start_after.is_none_or(|start| order.compare(&with_slash(name), &with_slash(start)).is_gt())
                })
                .collect();
            expected.sort_by(|a, b| order.compare(&with_slash(a), &with_slash(b)));
            let found = store.list_folders(prefix, start_after).await.unwrap();
            assert_eq!(found.names, expected, "{prefix:?} after {start_after:?}");
            assert_eq!(found.next, None);
        }
    }

    let wrong = store.list_folders("a", None).await;
    assert!(matches!(wrong, Err(Error::InvalidKey(InvalidKey::NoFolder { .. }))), "{wrong:?}");
}

pub async fn a_folder_lasts_as_long_as_what_lies_below_it(store: Shared, folders_go: bool) {
    create(&store, "c/d/e/f", "x").await;
    create(&store, "c/x", "x").await;
    assert_eq!(store.list_folders("c/", None).await.unwrap().names, ["d"]);
    store.delete(&key("c/d/e/f")).await.unwrap();
    if folders_go {
        assert_eq!(store.list_folders("c/", None).await.unwrap().names, [""; 0]);
    }
    assert_eq!(keys(&store, "c/", None).await, ["c/x"]);
}

pub async fn folders_join_without_gap_or_repetition(store: Shared) {
    const COUNT: usize = 1_234;
    let expected: Vec<_> = (0..COUNT).map(|n| format!("t{n:04}")).collect();
    let names = expected.iter().flat_map(|name| [format!("in/{name}/x"), format!("in/{name}/y")]);
    stream::iter(names).for_each_concurrent(16, async |name| drop(create(&store, &name, "x").await)).await;

    let (mut joined, mut next) = (Vec::new(), None);
    loop {
        let found = store.list_folders("in/", next.as_deref()).await.unwrap();
        joined.extend(found.names);
        next = found.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(joined, expected);
}
