//! `niente query`: the newest traces that a query finds, or the series that it measures, as a table.

mod answer;
mod series;
mod table;

use crate::{
    Failure,
    clock::Stopwatch,
    logs,
    question::{Kind, QuestionArgs},
    terminal, units,
};

/// Search for traces, or measure spans, with TraceQL
///
/// Prints the newest traces in which the query selects spans; or, of a metrics query, a line for each series. Asks a server that runs on this machine unless --url
/// names another one, or --data a folder or --store a bucket, which need no server.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  niente query '{ status = error }'
  niente query '{ resource.service.name = \"checkout\" && duration > 500ms }' --since 15m
  niente query '{ span.http.route =~ \"/api/.*\" } | count() > 3' --limit 100
  niente query '{ name = \"charge\" } << { kind = server }' --data ./data
  niente query '{ } | rate() by (resource.service.name)' --since 6h
  niente query '({ status = error } | rate()) / ({ } | rate())'
  niente query '{}' --since 7d --store s3://bucket/traces
  niente query '{}' --json | jq '.traces[].traceID'

Times are UTC. docs/traceql.md describes the language.")]
pub(crate) struct Args {
    // First: see `StorageArgs`.
    #[command(flatten)]
    question: QuestionArgs,
}

pub(crate) fn run(Args { question }: Args) -> Result<(), Failure> {
    logs::warnings();
    let watch = Stopwatch::start();
    let kind = question.kind()?;
    let body = question.ask(match kind {
        Kind::Search => "/api/search",
        Kind::Metrics => "/api/metrics/query_range",
    })?;
    if question.asked.json {
        return terminal::print(&(String::from_utf8_lossy(&body).trim_end().to_owned() + "\n"));
    }
    match kind {
        Kind::Search => {
            let found = answer::Found::read(&body)?;
            if !found.traces.is_empty() {
                terminal::print(&table::of(&found.traces))?;
            }
            eprintln!("{}", summary(&found, &question, watch));
        }
        Kind::Metrics => {
            let measured = series::Measured::read(&body)?;
            terminal::print(&measured.table())?;
            eprintln!("{}", measured.summary(question.asked.since, watch));
        }
    }
    Ok(())
}

fn summary(found: &answer::Found, args: &QuestionArgs, watch: Stopwatch) -> String {
    let traces = found.traces.len() as u64;
    let what = match traces {
        0 => "no traces".to_owned(),
        _ if traces == u64::from(args.limit) => format!("the newest {}", units::counted(traces, "trace")),
        _ => units::counted(traces, "trace"),
    };
    format!(
        "{what} of the last {}; looked at {} and {} in {}",
        humantime::format_duration(args.asked.since),
        units::counted(found.metrics.inspected_traces, "trace"),
        units::bytes(found.metrics.inspected_bytes),
        units::duration(watch.elapsed()),
    )
}
