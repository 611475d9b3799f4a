//! What questions over compacted days cost in requests and in dependent steps.

#![allow(clippy::unwrap_used)]

mod some_days;

use std::{sync::Arc, time::Duration};

use niente_catalog::Catalog;
use niente_compact::Policy;
use niente_engine::{Engine, SearchQuestion};
use niente_model::{Nanos, Tenant, TimeRange};
use niente_store::{
    Counting, Counts, MemoryStore,
    testing::{Fault, Faulty},
};

use some_days::{DAY, HOUR, START, compact, days, span, trace, write};

/// Every request takes a millisecond: the time of a question is the number of its dependent steps.
struct Measured {
    counting: Counting,
    engine: Engine,
}

impl Measured {
    fn new(store: Arc<MemoryStore>) -> Self {
        let slow = Faulty::new(store, |_| Fault::Delay(Duration::from_millis(1)));
        let counting = Counting::new(Arc::new(slow));
        let engine = Engine::new(Catalog::new(Arc::new(counting.clone())));
        Self { counting, engine }
    }

    async fn cost<T>(&self, question: impl Future<Output = T>) -> (T, Counts, u128) {
        let (before, start) = (self.counting.counts(), tokio::time::Instant::now());
        let answer = question.await;
        (answer, self.counting.counts() - before, start.elapsed().as_millis())
    }
}

#[tokio::test(start_paused = true)]
async fn a_trace_by_id_among_thirty_compacted_days() {
    let store = days(30).await;
    // Blocks so small that the hours stay apart.
    compact(&store, Policy { block_bytes: 10_000, ..Policy::everything() }).await;
    let snapshot = Catalog::new(store.clone()).snapshot(&Tenant::single(), TimeRange::ALL).await.unwrap();
    assert_eq!(snapshot.objects.len(), 30 * 24);

    let measured = Measured::new(store);
    for round in ["cold", "warm"] {
        let tenant = Tenant::single();
        let question = measured.engine.find_trace(&tenant, trace(7), TimeRange::ALL);
        let (answer, spent, steps) = measured.cost(question).await;
        assert_eq!(answer.unwrap().spans.len(), 6);
        assert_eq!((spent.lists, spent.puts, spent.heads), (1, 0, 0), "{round}");
        // Each day's catalog and index; of each of the six blocks its end and its pages.
        assert!(spent.gets <= 2 * 30 + 2 * 6, "{round}: {spent:?}");
        assert!(steps <= 5, "{round}: {steps} steps");
    }
    // What isn't there is told by the indexes alone.
    let (answer, spent, steps) =
        measured.cost(measured.engine.find_trace(&Tenant::single(), trace(8), TimeRange::ALL)).await;
    assert!(answer.unwrap().spans.is_empty());
    assert_eq!((spent.lists, spent.gets, steps), (1, 2 * 30, 3));
    // A range leaves out what is beyond: four days and the configuration.
    let range = TimeRange::new(Nanos::from_secs(START + 3 * DAY), Nanos::from_secs(START + 4 * DAY)).unwrap();
    let (answer, spent, _) = measured.cost(measured.engine.find_trace(&Tenant::single(), trace(7), range)).await;
    assert_eq!(answer.unwrap().spans.len(), 2);
    assert!(spent.lists == 1 && spent.gets <= 2 * 4 + 1 + 2 * 2, "{spent:?}");
}

#[tokio::test(start_paused = true)]
async fn a_search_over_one_compacted_day() {
    let store = Arc::new(MemoryStore::new());
    for hour in 0..24 {
        write(&*store, (0..3_500).map(|n| span(1 + n / 3, 1 + hour * 3_500 + n, hour * HOUR + n)).collect()).await;
    }
    compact(&store, Policy::everything()).await;
    let window = TimeRange::lasting(Nanos::from_secs(START), Nanos::from_secs(DAY - 1));
    let snapshot = Catalog::new(store.clone()).snapshot(&Tenant::single(), window).await.unwrap();
    assert_eq!(snapshot.objects.len(), 1);
    assert!(snapshot.objects[0].size > 1 << 20, "{:?}", snapshot.objects);

    let query = niente_traceql::parse(r#"{ span.user.id = "none" } | count() > 2"#).unwrap();
    let text = query.to_string();
    let question = SearchQuestion { query, text, window, limit: 20, spans_per_set: 3 };
    let measured = Measured::new(store);
    // The listing; then the day with its neighbours and the configuration; the block's end, unless it is known; and
    // the columns, of which those that lie near each other come together.
    for (round, gets, most_steps) in [("cold", 4 + 1, 4), ("warm", 4, 3)] {
        let (answer, spent, steps) = measured.cost(measured.engine.search(&Tenant::single(), &question)).await;
        assert!(answer.unwrap().traces.is_empty());
        assert_eq!(spent.lists, 1, "{round}");
        assert!((gets + 1..=gets + 3).contains(&spent.gets), "{round}: {spent:?}");
        assert!(steps <= most_steps, "{round}: {steps} steps");
    }
}
