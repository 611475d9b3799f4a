//! What the layers do: count what S3 would bill, hedge slow reads, fail as planned.

#![allow(clippy::unwrap_used)] // in the helpers too

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use niente_store::{
    Action, Counting, Counts, ETag, Error, Hedged, MemoryStore, ObjectKey, Store,
    testing::{Failure, Fault, Faulty, S3Server},
};
use tokio::time::Instant;

fn key(text: &str) -> ObjectKey {
    ObjectKey::new(text).unwrap()
}

/// What is asked, and what it costs.
async fn ask(store: &dyn Store, question: &str) {
    let (x, etag) = (key("x"), ETag::new("\"0\""));
    const K: u64 = 1 << 10;
    match question {
        "create" => drop(store.put_if_absent(&x, vec![7; 1 << 20].into()).await),
        "replace" => drop(store.put_if_match(&x, "lost".into(), &etag).await),
        "get" => drop(store.get(&x).await),
        "get missing" => drop(store.get(&key("y")).await),
        "get known" => drop(store.get_if_none_match(&x, &etag).await),
        "range" => drop(store.get_range(&x, 5..9).await),
        "empty range" => drop(store.get_range(&x, 5..5).await),
        "far ranges" => drop(store.get_ranges(&x, &[900 * K..901 * K, 0..K, 7..7]).await),
        "near ranges" => drop(store.get_ranges(&x, &[0..10, 110..120]).await),
        "suffix" => drop(store.get_suffix(&x, 8).await),
        "empty suffix" => drop(store.get_suffix(&x, 0).await),
        "head" => drop(store.head(&x).await),
        "list" => drop(store.list("", None).await),
        "folders" => drop(store.list_folders("", None).await),
        "delete version" => drop(store.delete_if_match(&x, &etag).await),
        "delete" => drop(store.delete(&x).await),
        _ => panic!("{question}"),
    }
}

#[tokio::test]
async fn a_question_costs_the_same_wherever_it_is_asked() {
    let server = S3Server::start().await;
    let s3 = Counting::new(Arc::new(server.store("").await));
    let memory = Counting::new(Arc::new(MemoryStore::new()));
    let megabyte = 1 << 20;
    for (question, cost) in [
        ("create", Counts { puts: 1, bytes_written: megabyte, ..Counts::default() }),
        ("create", Counts { puts: 1, bytes_written: megabyte, ..Counts::default() }),
        ("replace", Counts { puts: 1, bytes_written: 4, ..Counts::default() }),
        ("get", Counts { gets: 1, bytes_read: megabyte, ..Counts::default() }),
        ("get missing", Counts { gets: 1, ..Counts::default() }),
        ("get known", Counts { gets: 1, bytes_read: megabyte, ..Counts::default() }),
        ("range", Counts { gets: 1, bytes_read: 4, ..Counts::default() }),
        ("empty range", Counts::default()),
        ("far ranges", Counts { gets: 2, bytes_read: 2 << 10, ..Counts::default() }),
        ("near ranges", Counts { gets: 1, bytes_read: 120, ..Counts::default() }),
        ("suffix", Counts { gets: 1, bytes_read: 8, ..Counts::default() }),
        ("empty suffix", Counts { heads: 1, ..Counts::default() }),
        ("head", Counts { heads: 1, ..Counts::default() }),
        ("list", Counts { lists: 1, ..Counts::default() }),
        ("folders", Counts { lists: 1, ..Counts::default() }),
        ("delete version", Counts { deletes: 1, ..Counts::default() }),
        ("delete", Counts { deletes: 1, ..Counts::default() }),
    ] {
        for store in [&s3, &memory] {
            let before = store.counts();
            ask(store, question).await;
            let spent = store.counts() - before;
            assert_eq!(Counts { time: Duration::ZERO, ..spent }, cost, "{question}");
        }
    }
}

#[tokio::test]
async fn the_server_gets_as_many_requests_as_are_counted() {
    let server = S3Server::start().await;
    let store = Counting::new(Arc::new(server.store("").await));
    ask(&store, "create").await;
    for question in
        ["get", "get missing", "range", "empty range", "far ranges", "near ranges", "suffix", "empty suffix", "list"]
    {
        let before = store.counts();
        server.take_requests();
        ask(&store, question).await;
        assert_eq!((store.counts() - before).requests(), server.take_requests().len() as u64, "{question}");
    }
}

#[tokio::test(start_paused = true)]
async fn time_is_what_was_waited() {
    let slow = Faulty::new(Arc::new(MemoryStore::new()), |_| Fault::Delay(Duration::from_millis(30)));
    let store = Counting::new(Arc::new(slow));
    let x = key("x");
    let _ = futures::join!(store.get(&x), store.head(&x), store.list("", None));
    assert_eq!(store.counts().to_string(), "1 GET, 1 HEAD, 1 LIST, 0.090 s waited");
    let clone = store.clone();
    clone.put_if_absent(&x, vec![0; 2_500_000].into()).await.unwrap();
    clone.get_range(&x, 0..1_500).await.unwrap();
    clone.delete(&x).await.unwrap();
    assert_eq!(
        store.counts().to_string(),
        "2 GET, 1 HEAD, 1 LIST, 1 PUT, 1 DELETE, 1.5 kB read, 2.5 MB written, 0.180 s waited"
    );
    assert_eq!(Counts::default().to_string(), "no requests, 0.000 s waited");
}

/// A store whose reads take 10 ms, but for those whose number `slow` picks: they take 10 s, or fail.
fn uneven(slow: impl Fn(u64) -> Option<Fault> + Send + Sync + 'static) -> (Hedged, Arc<AtomicU64>) {
    let count = Arc::new(AtomicU64::new(0));
    let counting = Arc::clone(&count);
    let store = Faulty::new(Arc::new(MemoryStore::new()), move |request| match request.action {
        Action::Read | Action::Head | Action::List => {
            let number = counting.fetch_add(1, Ordering::Relaxed);
            slow(number).unwrap_or(Fault::Delay(Duration::from_millis(10)))
        }
        _ => Fault::None,
    });
    (Hedged::new(Arc::new(store)), count)
}

const SLOW: Option<Fault> = Some(Fault::Delay(Duration::from_secs(10)));

#[tokio::test(start_paused = true)]
async fn a_slow_read_is_sent_again() {
    for (name, read) in [("get", 0), ("range", 1), ("ranges", 2), ("suffix", 3), ("head", 4), ("list", 5), ("known", 6)]
    {
        let (store, count) = uneven(|number| if number == 100 { SLOW } else { None });
        let x = key("x");
        let etag = store.put_if_absent(&x, vec![7; 1_000].into()).await.unwrap();
        let ask = async || match read {
            0 => store.get(&x).await.map(drop),
            1 => store.get_range(&x, 0..9).await.map(drop),
            2 => store.get_ranges(&x, &[0..9, 20..30]).await.map(drop),
            3 => store.get_suffix(&x, 9).await.map(drop),
            4 => store.head(&x).await.map(drop),
            5 => store.list("", None).await.map(drop),
            _ => store.get_if_none_match(&x, &etag).await.map(drop),
        };
        for _ in 0..100 {
            ask().await.unwrap();
        }
        let start = Instant::now();
        ask().await.unwrap();
        // Not before 50 ms, though all others took 10.
        assert_eq!(start.elapsed().as_millis(), 60, "{name}");
        assert_eq!(count.load(Ordering::Relaxed), 102, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn hedging_has_its_limits() {
    // All slow from the hundredth on: only one in twenty is sent again.
    let (store, count) = uneven(|number| if number >= 100 { SLOW } else { None });
    let x = key("x");
    for _ in 0..200 {
        let _ = store.head(&x).await;
    }
    assert_eq!(count.load(Ordering::Relaxed), 200, "what is missing is no sample");

    let (store, count) = uneven(|number| if number >= 100 { SLOW } else { None });
    store.put_if_absent(&x, "x".into()).await.unwrap();
    for _ in 0..200 {
        store.head(&x).await.unwrap();
    }
    let sent_again = count.load(Ordering::Relaxed) - 200;
    assert!((1..=10).contains(&sent_again), "{sent_again}");

    // Nothing is known at the beginning.
    let (store, count) = uneven(|number| if number == 3 { SLOW } else { None });
    store.put_if_absent(&x, "x".into()).await.unwrap();
    for _ in 0..5 {
        store.head(&x).await.unwrap();
    }
    assert_eq!(count.load(Ordering::Relaxed), 5);
}

#[tokio::test(start_paused = true)]
async fn the_first_success_wins() {
    // The one that was sent again fails in a way that passes: the first is waited for.
    let (store, _) = uneven(|number| match number {
        100 => Some(Fault::Delay(Duration::from_millis(200))),
        101 => Some(Fault::Before(Failure::SlowDown)),
        _ => None,
    });
    store.put_if_absent(&key("x"), "x".into()).await.unwrap();
    for _ in 0..100 {
        store.head(&key("x")).await.unwrap();
    }
    let start = Instant::now();
    store.head(&key("x")).await.unwrap();
    assert_eq!(start.elapsed().as_millis(), 200);
}

/// Polls once: without a runtime, what needs no waiting is done then.
fn at_once<T>(work: impl Future<Output = T>) -> T {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("it waits"),
    }
}

#[test]
fn faults_come_as_planned_and_without_a_runtime() {
    for (fault, done, said) in [
        (Fault::None, true, ""),
        (Fault::Before(Failure::SlowDown), false, "writing a/x: the store asks to slow down; try again later"),
        (Fault::Before(Failure::Reset), false, "writing a/x: the store did not answer; try again"),
        (Fault::Before(Failure::Conflict), false, "writing a/x: the store did not answer; try again"),
        (Fault::After(Failure::TimedOut), true, "writing a/x: the store did not answer; try again"),
        (Fault::After(Failure::SlowDown), true, "writing a/x: the store asks to slow down; try again later"),
    ] {
        let memory = Arc::new(MemoryStore::new());
        let store = Faulty::new(memory.clone(), move |request| {
            if request.action == Action::Write && request.key == "a/x" { fault } else { Fault::None }
        });
        let result = at_once(store.put_if_absent(&key("a/x"), "x".into()));
        assert_eq!(result.map(drop).map_err(|error| error.to_string()).err().unwrap_or_default(), said, "{fault:?}");
        assert_eq!(at_once(store.head(&key("a/x"))).is_ok(), done, "{fault:?}");
        at_once(store.put_if_absent(&key("a/y"), "y".into())).unwrap();
    }
}

#[test]
fn a_broken_body_is_no_answer() {
    let memory = Arc::new(MemoryStore::new());
    at_once(memory.put_if_absent(&key("x"), "x".into())).unwrap();
    let store = Faulty::new(memory, |_| Fault::After(Failure::Truncated));
    for error in [
        at_once(store.get(&key("x"))).map(drop),
        at_once(store.get_ranges(&key("x"), &[0..1, 0..1])).map(drop),
        at_once(store.get_suffix(&key("x"), 1)).map(drop),
    ] {
        assert!(matches!(error, Err(Error::Unavailable { action: Action::Read, .. })), "{error:?}");
    }
}
