//! `niente explain`: what a query would read and cost, and why.

use serde::Deserialize;

use crate::{Failure, logs, question::QuestionArgs, terminal, units};

/// Tell what a query would read and cost, without running it
///
/// Reads what it takes to plan the query: the list of objects, the days' catalogs, some footers. Tells what is left
/// out and why, in how many steps the rest would be read, and what the least and the most is that it would cost on AWS.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  niente explain '{ status = error }' --since 7d
  niente explain '{ } | rate() by (resource.service.name)' --since 1d
  niente explain '{ span.user.id = \"42\" }' --store s3://bucket/traces --since 30d
  niente explain '{}' --json | jq .most.usd

A search begins with the newest objects and stops as soon as it has the newest traces that match, so that the least is
what a query for something frequent costs and the most what one for something rare does. A metrics query reads everything
of its time range.")]
pub(crate) struct Args {
    // First: see `StorageArgs`.
    #[command(flatten)]
    question: QuestionArgs,
}

pub(crate) fn run(Args { question }: Args) -> Result<(), Failure> {
    logs::warnings();
    question.kind()?;
    let body = question.ask("/api/explain")?;
    if question.asked.json {
        return terminal::print(&(String::from_utf8_lossy(&body).trim_end().to_owned() + "\n"));
    }
    let explained: Explained = serde_json::from_slice(&body)
        .map_err(|error| Failure::because("reading the answer: is that a server of this version?", &error))?;
    terminal::print(&explained.text())
}

/// The answer of `/api/explain`.
#[derive(Debug, Deserialize)]
struct Explained {
    query: String,
    reads: Vec<Reads>,
    pruned: Vec<Pruned>,
    waves: Vec<Wave>,
    least: Costs,
    most: Costs,
}

#[derive(Debug, Deserialize)]
struct Reads {
    level: u8,
    objects: u64,
    bytes: u64,
}

#[derive(Debug, Deserialize)]
struct Pruned {
    because: String,
    objects: u64,
    bytes: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wave {
    tenant: Option<String>,
    since: Option<String>,
    objects: u64,
    shards: u64,
    bytes_to_read: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Costs {
    requests: u64,
    bytes: u64,
    invocations: u64,
    gb_seconds: f64,
    usd: f64,
}

impl Explained {
    fn text(&self) -> String {
        let objects = |what: String, objects: u64, bytes: u64| {
            [what, units::count(objects), if bytes == 0 { "-".to_owned() } else { units::bytes(bytes) }]
        };
        let reads = self.reads.iter().map(|reads| {
            let what = match reads.level {
                0 => "read: as ingest wrote them".to_owned(),
                level => format!("read: blocks of level {level}"),
            };
            objects(what, reads.objects, reads.bytes)
        });
        let pruned = self
            .pruned
            .iter()
            .map(|pruned| objects(format!("left out: {}", pruned.because), pruned.objects, pruned.bytes));
        let waves = self.waves.iter().enumerate().map(|(at, wave)| {
            let since = wave.since.as_ref().map_or("everything".to_owned(), |hour| format!("since {hour}"));
            let since = wave.tenant.iter().fold(since, |since, tenant| format!("{tenant}: {since}"));
            let (objects, shards) = (units::count(wave.objects), units::count(wave.shards));
            [(at + 1).to_string(), since, objects, shards, units::bytes(wave.bytes_to_read)]
        });
        let costs = [("at least", &self.least), ("at most", &self.most)].map(|(what, costs)| {
            [
                what.to_owned(),
                units::count(costs.requests),
                units::bytes(costs.bytes),
                units::count(costs.invocations),
                format!("{:.3}", costs.gb_seconds),
                format!("${:.7}", costs.usd),
            ]
        });
        let tables = [
            terminal::table(["OBJECTS", "COUNT>", "SIZE>"], reads.chain(pruned)),
            terminal::table(["STEP>", "LOOKS AT", "OBJECTS>", "SHARDS>", "READS ABOUT>"], waves),
            terminal::table(["COSTS", "REQUESTS>", "READS>", "INVOCATIONS>", "GB-S>", "DOLLARS>"], costs),
        ];
        format!("{}\n\n{}", self.query, tables.join("\n"))
    }
}
