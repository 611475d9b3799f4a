//! Writing: who wins, what is refused, and that nobody sees half of it.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::join_all;
use tokio::sync::Barrier;

use super::{Order, Shared, assert_not_found, create, key, keys, noise};
use crate::{Action, Error, Result};

/// Runs as many tasks, which start at the same moment, and gives their results in order.
async fn race<T, F>(tasks: impl IntoIterator<Item = F>) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = tasks.into_iter().collect();
    let start = Arc::new(Barrier::new(tasks.len()));
    let running = tasks.into_iter().map(|task| {
        let start = Arc::clone(&start);
        tokio::spawn(async move {
            start.wait().await;
            task.await
        })
    });
    join_all(running).await.into_iter().map(|result| result.unwrap()).collect()
}

pub async fn odd_but_legal_keys_work(store: Shared, order: Order) {
    let tenant = "!-_.*'()aZ09";
    // With room for what the store may have above its keys.
    let longest = format!("{0}/{0}/{0}/{1}", "k".repeat(255), "k".repeat(180));
    let mut odd = vec![
        ".hidden",
        "...",
        "-rf",
        "~",
        "a b",
        "a/ ",
        "a+b&c=d?e#f%2e%2F",
        "<\">|:;,@$",
        "Ünïcödé/☃/\u{1F600}",
        "con.txt.",
        ".tmp/x",
        tenant,
        &longest,
    ];
    for name in &odd {
        let bytes = Bytes::from(name.to_string());
        let etag = create(&store, name, bytes.clone()).await;
        assert_eq!(store.get(&key(name)).await.unwrap().bytes, bytes);
        assert_eq!(store.head(&key(name)).await.unwrap().key, key(name));
        assert_eq!(keys(&store, name, None).await, [*name]);
        store.put_if_match(&key(name), bytes, &etag).await.unwrap();
    }
    odd.sort_by(|a, b| order.compare(a, b));
    assert_eq!(keys(&store, "", None).await, odd);
    for name in odd {
        store.delete(&key(name)).await.unwrap();
    }
    assert!(keys(&store, "", None).await.is_empty());
}

pub async fn an_object_is_created_once(store: Shared) {
    let etag = create(&store, "x", "first").await;
    for bytes in ["second", "first", ""] {
        let again = store.put_if_absent(&key("x"), bytes.into()).await;
        assert!(matches!(again, Err(Error::AlreadyExists { .. })), "{again:?}");
    }
    let read = store.get(&key("x")).await.unwrap();
    assert_eq!((&read.bytes[..], read.etag), (&b"first"[..], etag));
}

pub async fn one_of_many_creators_wins(store: Shared, contenders: usize) {
    for round in 0..8 {
        let name = format!("deep/{round}/x");
        let content = |n: u64| noise(n, 10_000 + n as usize);
        let results = race((0..contenders as u64).map(|n| {
            let (store, key) = (Arc::clone(&store), key(&name));
            async move { store.put_if_absent(&key, content(n)).await }
        }))
        .await;
        let winner = sole_winner(&results, |error| matches!(error, Error::AlreadyExists { .. }));
        let read = store.get(&key(&name)).await.unwrap();
        assert!(read.bytes == content(winner as u64), "the winner's bytes");
        assert_eq!(&read.etag, results[winner].as_ref().unwrap());
    }
}

pub async fn only_the_expected_version_is_replaced(store: Shared) {
    let x = key("x");
    let first = create(&store, "x", "first").await;
    let second = store.put_if_match(&x, "second".into(), &first).await.unwrap();
    assert_ne!(first, second);
    assert_eq!(store.get(&x).await.unwrap().etag, second);

    let stale = store.put_if_match(&x, "third".into(), &first).await;
    assert!(matches!(stale, Err(Error::Precondition { .. })), "{stale:?}");
    assert_eq!(store.get(&x).await.unwrap().bytes, "second");

    // Another object's version is not this one's.
    let other = create(&store, "y", "other").await;
    assert!(matches!(store.put_if_match(&x, "third".into(), &other).await, Err(Error::Precondition { .. })));
    assert_not_found(store.put_if_match(&key("missing"), "third".into(), &second).await);
    assert_not_found(store.get(&key("missing")).await);

    store.put_if_match(&x, "".into(), &second).await.unwrap();
    assert_eq!(store.get(&x).await.unwrap().bytes, "");
}

pub async fn one_of_many_replacements_wins(store: Shared, contenders: usize) {
    for round in 0..8 {
        let name = format!("x{round}");
        let expected = create(&store, &name, "before").await;
        let results = race((0..contenders.min(16)).map(|n| {
            let (store, key, expected) = (Arc::clone(&store), key(&name), expected.clone());
            async move { store.put_if_match(&key, format!("{n}").into(), &expected).await }
        }))
        .await;
        let winner = sole_winner(&results, |error| matches!(error, Error::Precondition { .. }));
        assert_eq!(store.get(&key(&name)).await.unwrap().bytes, format!("{winner}"));
    }
}

fn sole_winner<T>(results: &[Result<T>], lost: impl Fn(&Error) -> bool) -> usize {
    let winners: Vec<_> = (0..results.len()).filter(|n| results[*n].is_ok()).collect();
    for error in results.iter().filter_map(|result| result.as_ref().err()) {
        assert!(lost(error), "{error:?}");
    }
    assert_eq!(winners.len(), 1, "{winners:?}");
    winners[0]
}

pub async fn concurrent_increments_are_all_counted(store: Shared, contenders: usize) {
    let contenders = contenders.min(8);
    create(&store, "counter", "0").await;
    race((0..contenders).map(|_| {
        let store = Arc::clone(&store);
        async move {
            for _ in 0..10 {
                increment(&store, "counter").await;
            }
        }
    }))
    .await;
    assert_eq!(store.get(&key("counter")).await.unwrap().bytes, format!("{}", contenders * 10));
}

/// Adds one to a number in decimal digits, however often others come first.
pub async fn increment(store: &Shared, name: &str) {
    loop {
        let read = store.get(&key(name)).await.unwrap();
        let number: u64 = std::str::from_utf8(&read.bytes).unwrap().parse().unwrap();
        match store.put_if_match(&key(name), (number + 1).to_string().into(), &read.etag).await {
            Ok(_) => return,
            Err(Error::Precondition { .. }) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

pub async fn readers_never_see_a_part_of_a_write(store: Shared) {
    const SIZE: usize = 200_000;
    let whole = |bytes: &[u8]| bytes.iter().all(|byte| *byte == bytes[0]);
    let mut etag = create(&store, "x", vec![0; SIZE]).await;

    let writing = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            for version in 1..=60_u8 {
                // Sizes differ too: a suffix must belong to the size it comes with.
                let bytes = vec![version; SIZE + usize::from(version)];
                etag = store.put_if_match(&key("x"), bytes.into(), &etag).await.unwrap();
            }
        }
    });
    let mut reads = 0;
    while !writing.is_finished() || reads == 0 {
        let read = store.get(&key("x")).await.unwrap();
        assert!(whole(&read.bytes) && read.bytes.len() == SIZE + usize::from(read.bytes[0]));
        assert!(whole(&store.get_range(&key("x"), 10..SIZE as u64).await.unwrap()));
        let suffix = store.get_suffix(&key("x"), SIZE as u64).await.unwrap();
        assert!(whole(&suffix.bytes) && suffix.size == SIZE as u64 + u64::from(suffix.bytes[0]));
        reads += 1;
    }
    writing.await.unwrap();
    assert_eq!(store.get(&key("x")).await.unwrap().bytes[0], 60);
}

pub async fn only_the_expected_version_is_deleted(store: Shared) {
    let x = key("a/x");
    let first = create(&store, "a/x", "first").await;
    let second = store.put_if_match(&x, "second".into(), &first).await.unwrap();

    let stale = store.delete_if_match(&x, &first).await;
    assert!(matches!(stale, Err(Error::Precondition { action: Action::Delete, .. })), "{stale:?}");
    assert_eq!(store.get(&x).await.unwrap().bytes, "second");

    store.delete_if_match(&x, &second).await.unwrap();
    assert_not_found(store.get(&x).await);
    assert_not_found(store.delete_if_match(&x, &second).await);
    assert_not_found(store.put_if_match(&x, "third".into(), &second).await);
    assert!(keys(&store, "", None).await.is_empty());
}

pub async fn one_of_many_deletions_wins(store: Shared, contenders: usize) {
    for round in 0..8 {
        // Of those who delete a version and those who replace it, one.
        let name = format!("deep/x{round}");
        let expected = create(&store, &name, "before").await;
        let results = race((0..contenders.min(16)).map(|n| {
            let (store, key, expected) = (Arc::clone(&store), key(&name), expected.clone());
            async move {
                match n % 2 {
                    0 => store.delete_if_match(&key, &expected).await,
                    _ => store.put_if_match(&key, format!("{n}").into(), &expected).await.map(drop),
                }
            }
        }))
        .await;
        let winner =
            sole_winner(&results, |error| matches!(error, Error::Precondition { .. } | Error::NotFound { .. }));
        match store.get(&key(&name)).await {
            Ok(read) => assert_eq!(read.bytes, format!("{winner}")),
            Err(error) => assert!(winner % 2 == 0 && matches!(error, Error::NotFound { .. }), "{winner}: {error:?}"),
        }
    }
}

pub async fn deletion_is_idempotent(store: Shared, folders_go: bool) {
    let x = key("a/b/x");
    store.delete(&x).await.unwrap();
    let etag = create(&store, "a/b/x", "first").await;
    store.delete(&x).await.unwrap();
    store.delete(&x).await.unwrap();
    assert_not_found(store.get(&x).await);
    assert_not_found(store.put_if_match(&x, "second".into(), &etag).await);
    assert!(keys(&store, "", None).await.is_empty());

    // What is gone can come again, also as what was its folder.
    create(&store, "a/b/x", "second").await;
    assert_eq!(store.get(&x).await.unwrap().bytes, "second");
    store.delete(&x).await.unwrap();
    if folders_go {
        create(&store, "a", "third").await;
        assert_eq!(keys(&store, "", None).await, ["a"]);
    }
}

pub async fn a_replacement_never_brings_a_deleted_object_back(store: Shared) {
    for round in 0..20 {
        let name = format!("x{round}");
        let etag = create(&store, &name, "before").await;
        let tasks = (0..4).map(|n| {
            let (store, key, etag) = (Arc::clone(&store), key(&name), etag.clone());
            async move {
                if n == 0 {
                    return store.delete(&key).await.unwrap();
                }
                match store.put_if_match(&key, format!("{n}").into(), &etag).await {
                    Ok(_) | Err(Error::NotFound { .. } | Error::Precondition { .. }) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        });
        race(tasks).await;
        assert_not_found(store.get(&key(&name)).await);
    }
}

pub async fn neighbours_come_and_go_independently(store: Shared) {
    // In a folder, a deletion that empties it meets a creation in it.
    race((0..8).map(|n| {
        let store = Arc::clone(&store);
        async move {
            for round in 0..15 {
                let name = format!("a/b/c/{n}");
                create(&store, &name, format!("{round}")).await;
                assert_eq!(store.get(&key(&name)).await.unwrap().bytes, format!("{round}"));
                store.delete(&key(&name)).await.unwrap();
            }
        }
    }))
    .await;
    assert!(keys(&store, "", None).await.is_empty());
}
