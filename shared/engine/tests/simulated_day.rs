//! The example `simulated_day` at a few of its points: what docs/performance.md concludes from its tables must hold.

#![allow(clippy::unwrap_used)]

#[path = "../examples/simulated_day/simulation/mod.rs"]
mod simulation;

use simulation::{BLOCK_BYTES, BLOCKS, Outcome, STORED_BYTES, Search, Setup, spans};

const RARE: Search = Search {
    text: r#"{ span.user.id = "nobody" }"#,
    bytes_per_span: 25.0,
    gets: 4,
    cut_gets: 11,
    cut_bytes: 750_000,
    seconds_per_million_spans: 0.13,
    finds: false,
};
const FREQUENT: Search = Search { text: "{ status = error }", finds: true, ..RARE };

async fn ask(search: Search, workers: usize, mib: u64) -> Outcome {
    simulation::ask(search, Setup { workers, shard_bytes: mib << 20, warm: false, seed: 1 }).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_is_the_same_search() {
    let setup = |seed| Setup { workers: 64, shard_bytes: 64 << 20, warm: false, seed };
    let once = simulation::ask(RARE, setup(1)).await.unwrap();
    assert_eq!(simulation::ask(RARE, setup(1)).await.unwrap(), once);
    assert_ne!(simulation::ask(RARE, setup(2)).await.unwrap().latency, once.latency);
}

#[tokio::test(start_paused = true)]
async fn workers_buy_time_until_the_bucket_has_no_more_to_give() {
    let mut outcomes = Vec::new();
    for workers in [4, 16, 64] {
        outcomes.push(ask(RARE, workers, 64).await);
    }
    for pair in outcomes.windows(2) {
        let (few, many) = (pair[0].latency.as_secs_f64(), pair[1].latency.as_secs_f64());
        assert!(few / many > 3.0, "four times the workers: {few} s, {many} s");
        // All do the same work, and only their cold starts are more, and the time for which somebody waits is less.
        let (few, many) = (pair[0].dollars.as_f64(), pair[1].dollars.as_f64());
        assert!(many > few * 0.8 && many < few * 1.05, "{few} {many}");
    }
    // So many requests can't be had faster, and workers that wait for them are paid for.
    let (enough, more) = (ask(RARE, 256, 64).await, ask(RARE, 1_024, 64).await);
    let requests = enough.spent.store.gets as f64 / 5_500.0;
    assert!((requests..requests * 1.3).contains(&enough.latency.as_secs_f64()), "{requests} {:?}", enough.latency);
    assert!(more.latency > enough.latency * 9 / 10, "{:?} {:?}", more.latency, enough.latency);
    assert!(more.dollars.as_f64() > enough.dollars.as_f64() * 1.3, "{:?} {:?}", more.dollars, enough.dollars);
}

#[tokio::test(start_paused = true)]
async fn small_shards_ask_for_more() {
    let (small, large) = (ask(RARE, 64, 32).await, ask(RARE, 64, 256).await);
    // Each shard reads the ends of blocks of every hour, and asks for each of their columns.
    assert!(small.spent.store.gets > large.spent.store.gets * 4 && small.shards > large.shards * 6);
    assert!(small.dollars.as_f64() > large.dollars.as_f64() * 1.5, "{:?} {:?}", small.dollars, large.dollars);
    // All of the day is read, and besides of it what waves read twice.
    assert!(spans(STORED_BYTES) > 2e9 && BLOCK_BYTES * BLOCKS <= STORED_BYTES);
    let columns = spans(STORED_BYTES) * RARE.bytes_per_span;
    let read = large.spent.store.bytes_read as f64;
    assert!((columns..columns * 1.6).contains(&read), "{read} of {columns}");
}

#[tokio::test(start_paused = true)]
async fn what_is_frequent_is_found_in_the_first_wave() {
    let (rare, frequent) = (ask(RARE, 64, 64).await, ask(FREQUENT, 64, 64).await);
    assert_eq!((rare.traces, frequent.traces), (0, 20));
    // A day has 24 hours, and a third more is read twice.
    assert!(frequent.shards * 20 < rare.shards, "{} {}", frequent.shards, rare.shards);
    assert!(frequent.dollars.as_f64() * 15.0 < rare.dollars.as_f64());
    assert!(frequent.latency * 4 < rare.latency, "{:?} {:?}", frequent.latency, rare.latency);
}
