//! How fast and how dear a search over 100 GB of spans is, by the number of workers and by the size of their shards.
//!
//! `cargo run --release -p niente-engine --example simulated_day -- docs/simulated-day.svg`
//!
//! prints the tables of docs/performance.md and draws its plot. The day is simulated (see `simulation`); the engine that
//! plans, sends and merges is not. What a worker needs for its part comes from a real block of a million spans:
//!
//! `cargo run --release -p niente-engine --example simulated_day -- measure FOLDER`

mod measure;
mod plot;
mod report;
mod simulation;

use std::{env, fs};

use simulation::{Failure, Search};

/// The searches, with what `measure` tells of the block of docs/performance.md.
const RARE: Search = Search {
    text: r#"{ span.user.id = "nobody" }"#,
    bytes_per_span: 25.1,
    gets: 4,
    cut_gets: 11,
    cut_bytes: 770_000,
    seconds_per_million_spans: 0.13,
    finds: false,
};
const FREQUENT: Search = Search {
    text: "{ status = error }",
    bytes_per_span: 24.5,
    gets: 3,
    cut_gets: 10,
    cut_bytes: 630_000,
    seconds_per_million_spans: 0.09,
    finds: true,
};

fn main() -> Result<(), Failure> {
    let mut arguments = env::args().skip(1);
    let runtime = |paused| tokio::runtime::Builder::new_current_thread().enable_all().start_paused(paused).build();
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("measure"), Some(folder)) => runtime(false)?.block_on(measure::measure(folder.as_ref())),
        (Some(plot), None) => {
            let report = runtime(true)?.block_on(report::Report::new(RARE, FREQUENT))?;
            print!("{}", report.tables());
            Ok(fs::write(plot, report.plot())?)
        }
        _ => Err("usage: simulated_day PLOT.svg | simulated_day measure FOLDER".into()),
    }
}
