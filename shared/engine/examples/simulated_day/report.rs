//! Many simulated searches, as tables and as a plot.

use std::{fmt::Write, time::Duration};

use niente_cost::Dollars;

use crate::{
    plot::{Panel, Series, page},
    simulation::{self, BLOCK_BYTES, BLOCKS, Failure, Outcome, STORED_BYTES, Search, Setup, spans},
};

/// So many searches with dice of their own stand behind each figure, which is their median.
const RUNS: u64 = 9;
const WORKERS: [usize; 8] = [8, 16, 32, 64, 128, 256, 512, 1_024];
const SHARD_MIB: [u64; 5] = [16, 32, 64, 128, 256];
/// What is deployed.
const DEPLOYED_SHARD_MIB: u64 = 64;
const DEPLOYED_WORKERS: usize = 64;

/// What was found out.
pub(crate) struct Report {
    searches: [Search; 2],
    by_workers: Vec<Row>,
    by_shard: Vec<Row>,
}

/// One setup and both searches.
struct Row {
    /// The number of workers, or the MiB of a shard.
    at: u64,
    rare: Figures,
    frequent: Figures,
}

/// Medians.
struct Figures {
    shards: u64,
    cold: Duration,
    warm: Duration,
    dollars: Dollars,
}

impl Report {
    /// Asks and asks. Needs a runtime whose time is paused.
    pub(crate) async fn new(rare: Search, frequent: Search) -> Result<Self, Failure> {
        let row = async |at, workers, mib: u64| {
            let (rare, frequent) = (figures(rare, workers, mib).await?, figures(frequent, workers, mib).await?);
            Ok::<_, Failure>(Row { at, rare, frequent })
        };
        let (mut by_workers, mut by_shard) = (Vec::new(), Vec::new());
        for workers in WORKERS {
            by_workers.push(row(workers as u64, workers, DEPLOYED_SHARD_MIB).await?);
        }
        for mib in SHARD_MIB {
            by_shard.push(row(mib, DEPLOYED_WORKERS, mib).await?);
        }
        Ok(Self { searches: [rare, frequent], by_workers, by_shard })
    }

    /// The tables, in Markdown.
    pub(crate) fn tables(&self) -> String {
        let mut text = format!(
            "{} GB in {BLOCKS} blocks of {} MB are {:.2} billion spans.\n\n",
            STORED_BYTES / 1_000_000_000,
            BLOCK_BYTES / 1_000_000,
            spans(STORED_BYTES) / 1e9
        );
        for search in &self.searches {
            let share = search.bytes_per_span * spans(BLOCK_BYTES) / BLOCK_BYTES as f64;
            _ = writeln!(text, "* `{}` reads {:.0} % of a block's bytes", search.text, share * 100.0);
        }
        table(&mut text, "workers", &self.by_workers);
        table(&mut text, "MiB a shard", &self.by_shard);
        text
    }

    /// The plot: latency and price, by workers and by shard.
    pub(crate) fn plot(&self) -> String {
        let panel = |title, unit, x, rows: &[Row], rare: fn(&Figures) -> f64| {
            let series = |name, figures: fn(&Row) -> &Figures| Series {
                name,
                points: rows.iter().map(|row| (row.at as f64, rare(figures(row)))).collect(),
            };
            let series = vec![series("nothing found", |row| &row.rare), series("first wave", |row| &row.frequent)];
            Panel { title, unit, x, series }
        };
        let seconds: fn(&Figures) -> f64 = |figures| figures.cold.as_secs_f64();
        let dollars: fn(&Figures) -> f64 = |figures| figures.dollars.as_f64();
        page(&[
            panel("Latency by workers", "s", "workers, with shards of 64 MiB", &self.by_workers, seconds),
            panel("Price by workers", "$", "workers, with shards of 64 MiB", &self.by_workers, dollars),
            panel("Latency by shard", "s", "MiB a shard, with 64 workers", &self.by_shard, seconds),
            panel("Price by shard", "$", "MiB a shard, with 64 workers", &self.by_shard, dollars),
        ])
    }
}

fn table(text: &mut String, what: &str, rows: &[Row]) {
    let columns = ["nothing found: ", "first wave: "].map(|search| format!("{search}shards | cold | warm | price"));
    _ = writeln!(text, "\n| {what} | {} |", columns.join(" | "));
    _ = writeln!(text, "|---|---|---|---|---|---|---|---|---|");
    for Row { at, rare, frequent } in rows {
        let cells = [rare, frequent].map(|Figures { shards, cold, warm, dollars }| {
            format!("{shards} | {:.1} s | {:.1} s | {dollars}", cold.as_secs_f64(), warm.as_secs_f64())
        });
        _ = writeln!(text, "| {at} | {} |", cells.join(" | "));
    }
}

async fn figures(search: Search, workers: usize, mib: u64) -> Result<Figures, Failure> {
    let runs = async |warm| {
        let mut outcomes: Vec<Outcome> = Vec::new();
        for seed in 0..RUNS {
            outcomes.push(simulation::ask(search, Setup { workers, shard_bytes: mib << 20, warm, seed }).await?);
        }
        Ok::<_, Failure>(outcomes)
    };
    let (cold, warm) = (runs(false).await?, runs(true).await?);
    let mut dollars: Vec<_> = cold.iter().map(|outcome| outcome.dollars).collect();
    dollars.sort_unstable();
    Ok(Figures {
        shards: cold[0].shards,
        cold: median(&cold),
        warm: median(&warm),
        dollars: dollars[dollars.len() / 2],
    })
}

fn median(outcomes: &[Outcome]) -> Duration {
    let mut latencies: Vec<_> = outcomes.iter().map(|outcome| outcome.latency).collect();
    latencies.sort_unstable();
    latencies[latencies.len() / 2]
}
