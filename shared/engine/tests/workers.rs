//! Questions that are cut into shards and waves: the same answers, whoever gives them, or none.

#![allow(clippy::unwrap_used)]

mod remote;
mod some_days;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use niente_block::KeyRange;
use niente_catalog::Catalog;
use niente_compact::Policy;
use niente_cost::{Budget, Dollars, Spent};
use niente_engine::{
    Engine, Error, Partial, Reply, SearchAnswer, SearchQuestion, Settings, Shard, Task, Terms, Workers,
};
use niente_model::{Nanos, Tenant, TimeRange};
use niente_store::{
    Action, Error as StoreError, MemoryStore, ObjectKey,
    testing::{Fault, Faulty},
};
use tokio::time::Instant;

use remote::{Fate, Outcome, Remote, cut};
use some_days::{DAY, HOUR, START, compact, days, span, trace, write};

fn question(query: &str, window: TimeRange, limit: usize) -> SearchQuestion {
    SearchQuestion {
        query: niente_traceql::parse(query).unwrap(),
        text: query.to_owned(),
        window,
        limit,
        spans_per_set: 3,
    }
}

fn all_days() -> TimeRange {
    TimeRange::lasting(Nanos::from_secs(START), Nanos::from_secs(5 * DAY))
}

/// Four days of hours that stay apart.
async fn compacted_days() -> Arc<MemoryStore> {
    let store = days(4).await;
    compact(&store, Policy { block_bytes: 10_000, ..Policy::everything() }).await;
    store
}

#[tokio::test(start_paused = true)]
async fn shards_and_waves_change_no_answer() {
    let store = compacted_days().await;
    // What has only just come, and a trace that began hours before.
    write(&*store, (0..40).map(|n| span(20_000 + n / 4, 900_000 + n, 4 * DAY + n)).collect()).await;
    write(&*store, vec![span(20_000, 1, 4 * DAY - 5 * HOUR)]).await;
    let whole = Engine::new(Catalog::new(store.clone()));
    let (in_place, _) = cut(&store, None);
    let (remote, asked) = cut(&store, Some(|_| Outcome::Answered));
    for query in
        ["{ }", "{ } | count() > 3", "{ } | count() = 5", "{ span.user.id =~ `.*7` }", "{ span.user.id = `none` }"]
    {
        for limit in [1, 20, 100_000] {
            let question = question(query, all_days(), limit);
            let expected = whole.search(&Tenant::single(), &question).await.unwrap().traces;
            for (name, engine) in [("in place", &in_place), ("by workers", &remote)] {
                let answer = engine.search(&Tenant::single(), &question).await.unwrap();
                assert_eq!(answer.traces, expected, "{query} {limit} {name}");
            }
        }
    }
    assert!(asked.unwrap().asked.load(Ordering::Relaxed) > 100);
    for number in [7, 8, 1_000, 20_000] {
        let expected = whole.find_trace(&Tenant::single(), trace(number), TimeRange::ALL).await.unwrap();
        let found = remote.find_trace(&Tenant::single(), trace(number), TimeRange::ALL).await.unwrap();
        assert_eq!(found.spans, expected.spans);
    }
}

#[tokio::test(start_paused = true)]
async fn the_newest_traces_are_found_in_the_newest_objects() {
    let store = compacted_days().await;
    let spent_on = async |query: &str, limit| -> (SearchAnswer, Spent) {
        let (engine, _) = cut(&store, None);
        let asking = engine.on(Terms::default());
        let answer = asking.search(&Tenant::single(), &question(query, all_days(), limit)).await.unwrap();
        (answer, asking.spent())
    };
    let (newest, little) = spent_on("{ }", 5).await;
    let (none, all) = spent_on("{ span.user.id = `none` }", 5).await;
    assert_eq!((newest.traces.len(), none.traces.len()), (5, 0));
    assert!(little.store.bytes_read * 3 < all.store.bytes_read, "{little}\n{all}");
    // Waves that found nothing are a third more at most, and what tells whether their traces are whole.
    let at_once = spent_on("{ span.user.id = `none` }", 1_000).await.1;
    assert!(all.store.bytes_read < at_once.store.bytes_read * 3 / 2, "{all}\n{at_once}");
}

#[tokio::test(start_paused = true)]
async fn workers_may_die_and_be_late_and_the_answer_is_right() {
    let store = compacted_days().await;
    let question = question("{ } | count() > 3", all_days(), 1_000);
    let expected = Engine::new(Catalog::new(store.clone())).search(&Tenant::single(), &question).await.unwrap();
    let fate: Fate = |number| match number % 12 {
        3 => Outcome::Killed,
        6 => Outcome::Throttled,
        9 => Outcome::Late,
        _ => Outcome::Answered,
    };
    let (engine, remote) = cut(&store, Some(fate));
    let asking = engine.on(Terms::default());
    let answer = asking.search(&Tenant::single(), &question).await.unwrap();
    assert_eq!(answer.traces, expected.traces);
    let asked = remote.unwrap().asked.load(Ordering::Relaxed);
    assert!(asked > 12, "{asked}");
    // Those that died are billed as well; one that was late and not needed only once it was given up.
    assert!(asking.spent().invocations.abs_diff(asked) <= 1, "{asked} {}", asking.spent());
}

#[tokio::test(start_paused = true)]
async fn a_lost_shard_is_an_error_and_never_a_hole() {
    let store = compacted_days().await;
    for (fate, message) in [
        ((|number| if number == 2 { Outcome::Refused } else { Outcome::Answered }) as Fate, "no such function"),
        (|_| Outcome::Throttled, "throttled"),
    ] {
        let (engine, _) = cut(&store, Some(fate));
        let asking = engine.on(Terms::default());
        let error = asking.search(&Tenant::single(), &question("{ }", all_days(), 1_000)).await.unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
        assert!(asking.spent().store.lists > 0);
    }
}

#[tokio::test(start_paused = true)]
async fn deadlines_and_budgets_end_a_search_with_a_reason() {
    let store = compacted_days().await;
    let (engine, _) = cut(&store, Some(|_| Outcome::Late));
    let question = question("{ }", all_days(), 1_000);
    let terms = Terms { deadline: Some(Instant::now() + Duration::from_secs(2)), ..Terms::default() };
    let begun = Instant::now();
    let error = engine.on(terms).search(&Tenant::single(), &question).await.unwrap_err();
    assert!(matches!(error, Error::Deadline), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(3));

    let (engine, remote) = cut(&store, Some(|_| Outcome::Answered));
    let explained = engine.on(Terms::default()).explain(&Tenant::single(), &question).await.unwrap();
    for budget in [
        Budget { bytes: Some(10_000), ..Budget::UNLIMITED },
        Budget { dollars: Some(Dollars::from_picodollars(1_000_000)), ..Budget::UNLIMITED },
    ] {
        let error =
            engine.on(Terms { budget, ..Terms::default() }).search(&Tenant::single(), &question).await.unwrap_err();
        assert!(matches!(error, Error::OverBudget(_)), "{error}");
    }
    assert_eq!(remote.unwrap().asked.load(Ordering::Relaxed), 0, "refused before any work");
    // What is explained is what it takes, within the half.
    let asking = engine.on(Terms::default());
    asking.search(&Tenant::single(), &question).await.unwrap();
    let (told, taken) = (explained.most.spent, asking.spent());
    assert_eq!(told.invocations, taken.invocations);
    let within_half = |told: u64, taken: u64| told <= taken * 3 / 2 && taken <= told * 3 / 2;
    assert!(within_half(told.store.bytes_read, taken.store.bytes_read), "{told}\n{taken}");
    assert!(within_half(told.store.gets, taken.store.gets), "{told}\n{taken}");
}

/// Workers that may not list are told 403 of an object that is gone.
#[derive(Debug)]
struct Denied {
    object: ObjectKey,
    asked: AtomicU64,
    inner: Remote,
}

#[async_trait]
impl Workers for Denied {
    fn parallel(&self) -> usize {
        4
    }

    fn memory_mib(&self) -> u32 {
        1_769
    }

    async fn answer(&self, shard: Arc<Shard>) -> Result<Partial, Error> {
        if self.asked.fetch_add(1, Ordering::Relaxed) > 0 {
            return self.inner.answer(shard).await;
        }
        let (key, advice) = (self.object.to_string(), "".into());
        let denied = StoreError::PermissionDenied { action: Action::Read, key, advice, source: None };
        Reply::decode(&Reply::of(Err(denied.into())).encode()).unwrap().into_result()
    }
}

#[tokio::test(start_paused = true)]
async fn an_object_that_may_not_be_read_is_gone_or_an_error() {
    let store = compacted_days().await;
    let snapshot = Catalog::new(store.clone()).snapshot(&Tenant::single(), all_days()).await.unwrap();
    let there = snapshot.objects[0].key.clone();
    for (object, is_error) in [(ObjectKey::new("single-tenant/blocks/gone").unwrap(), false), (there, true)] {
        let inner = Remote { store: store.clone(), fate: |_| Outcome::Answered, asked: AtomicU64::new(0) };
        let workers = Arc::new(Denied { object, asked: AtomicU64::new(0), inner });
        let settings = Settings { shard_bytes: 100_000, workers: Some(workers), ..Settings::default() };
        let engine = Engine::with(Catalog::new(store.clone()), settings);
        let answer = engine.search(&Tenant::single(), &question("{ }", all_days(), 1_000)).await;
        assert_eq!(answer.is_err(), is_error, "{:?}", answer.err());
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_gives_up_when_its_answer_is_of_no_use() {
    let store = compacted_days().await;
    let object = Catalog::new(store.clone()).snapshot(&Tenant::single(), all_days()).await.unwrap().objects.remove(0);
    let slow = Faulty::new(store, |_| Fault::Delay(Duration::from_secs(5)));
    let shard = |patience| Shard {
        tenant: Tenant::single(),
        task: Task::Trace { id: trace(1_000) },
        keys: KeyRange::ALL,
        objects: vec![object.clone()],
        reach: TimeRange::ALL,
        redacted: Vec::new(),
        patience,
    };
    let engine = Engine::new(Catalog::new(Arc::new(slow)));
    let begun = Instant::now();
    let gave_up = engine.answer(shard(Some(Duration::from_secs(2)))).await.unwrap_err();
    assert!(matches!(gave_up, Error::Deadline) && begun.elapsed() < Duration::from_secs(3), "{gave_up}");
    assert!(engine.answer(shard(None)).await.is_ok());
}
