//! A search over a day of 100 GB, of which nothing exists but what the planner is told.
//!
//! What plans and what sends shards out, hedges and tries again is the engine itself, over a [`Day`] that is a catalog of
//! blocks of their true sizes. What takes time is made up by figures that others have measured: the [`Network`], and the
//! workers' [`Fleet`]. All of it happens in Tokio's paused time, and the same seed gives the same figures.

mod day;
mod fleet;
mod network;

use std::{error::Error, sync::Arc, time::Duration};

use niente_catalog::Catalog;
use niente_cost::{Architecture, Dollars, Prices, Spent};
use niente_engine::{Engine, SearchQuestion, Settings, Terms};
use niente_model::Tenant;
use tokio::time::Instant;

use day::Day;
pub(crate) use day::{BLOCK_BYTES, BLOCKS, STORED_BYTES, spans};
use fleet::Fleet;
use network::Network;

/// Whatever may go wrong.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// A search, and what it takes: `simulated_day measure` tells it of a real block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Search {
    /// The query.
    pub(crate) text: &'static str,
    /// Bytes of the columns that it reads, for each span.
    pub(crate) bytes_per_span: f64,
    /// Requests for the columns of a row group that is read whole.
    pub(crate) gets: u32,
    /// Requests for those of one that a shard's keys cut, and the bytes that are read beside them: pages are read whole.
    pub(crate) cut_gets: u32,
    pub(crate) cut_bytes: u64,
    /// Seconds in which one processor decodes and evaluates a million spans.
    pub(crate) seconds_per_million_spans: f64,
    /// Whether traces are found, so that the first wave answers.
    pub(crate) finds: bool,
}

/// Who answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    /// So many workers at a time.
    pub(crate) workers: usize,
    /// What a shard reads.
    pub(crate) shard_bytes: u64,
    /// Whether all of them have just answered something else.
    pub(crate) warm: bool,
    /// What the dice are thrown by.
    pub(crate) seed: u64,
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Outcome {
    /// From the question to the answer.
    pub(crate) latency: Duration,
    /// What it took.
    pub(crate) spent: Spent,
    /// What that costs.
    pub(crate) dollars: Dollars,
    /// Shards of all waves.
    pub(crate) shards: u64,
    /// Traces in the answer.
    pub(crate) traces: usize,
}

/// The memory of the function `query`, which waits for the workers.
const QUERY_MIB: u32 = 1_769;

/// Asks once. Needs a runtime whose time is paused.
pub(crate) async fn ask(search: Search, setup: Setup) -> Result<Outcome, Failure> {
    let network = Network::new(setup.seed);
    let day = Arc::new(Day::new(search, network.clone()).await?);
    let fleet = Arc::new(Fleet::new(search, setup, network));
    let settings = Settings { shard_bytes: setup.shard_bytes, workers: Some(fleet.clone()), ..Settings::default() };
    let engine = Engine::with(Catalog::new(day), settings);
    let question = SearchQuestion {
        query: niente_traceql::parse(search.text)?,
        text: search.text.to_owned(),
        window: day::window(),
        limit: 20,
        spans_per_set: 3,
    };
    let asking = engine.on(Terms::default());
    let begun = Instant::now();
    let answer = asking.search(&Tenant::single(), &question).await?;
    let latency = begun.elapsed();
    let spent = asking.spent() + Spent::invocation(Architecture::of_this_build(), QUERY_MIB, latency);
    let dollars = Prices::default().of(&spent);
    Ok(Outcome { latency, spent, dollars, shards: fleet.shards(), traces: answer.traces.len() })
}
