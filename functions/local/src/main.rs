//! `niente`: the whole of Niente in one process, and its command line.
//!
//! What runs as functions over a bucket elsewhere runs here over a bucket or a folder: the same handlers, the same
//! objects. The
//! command line is a thin rim around the libraries. Each subcommand is a module with its arguments, its help and one
//! `run`; `main` parses, runs, and turns what went wrong into one line and an exit code.
//!
//! * [`serve`] opens the ports: Tempo's API, OTLP over HTTP and over gRPC. It owns what only a server has to care
//!   about: sockets, how much may be in memory at once, signals, what is looked after in the background.
//! * [`demo`] is `serve` with a shop in it that sends traces, and tells a newcomer what to type.
//! * [`query`] asks a server, or a store, and prints a table. [`explain`] asks what that would read and cost, [`tags`]
//!   which attributes there are and what values they have.
//! * [`ingest`] sends files to a server, or into a store.
//! * [`inspect`] tells what a store or a block holds and weighs.
//! * [`compact`], [`gc`], [`redact`] and [`config`] look after a store: make few objects of many, delete what was
//!   replaced, remove a trace for good, set how long traces are kept.
//! * [`cost`] computes what a month would cost, here and elsewhere.
//! * [`token`] makes tokens, and is where a server looks them up.
//!
//! [`storage`] is where all of them learn which folder or bucket is meant.
//!
//! Rules that hold for all of them: standard output is for what was asked for and standard error for everything else;
//! nothing needs a terminal; the exit code is 0, 1 for a failure and 2 for a wrong command line; [`clock`] is the only
//! module of the project that reads a clock, and [`random`] the only one that draws random bits.

mod clock;
mod compact;
mod complaint;
mod config;
mod cost;
mod demo;
mod explain;
mod failure;
mod gc;
mod http_client;
mod ingest;
mod inspect;
mod logs;
mod query;
mod question;
mod random;
mod redact;
mod runtime;
mod serve;
mod storage;
mod tags;
mod tenants;
mod terminal;
mod token;
mod units;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;

/// Distributed tracing that fades to nothing when nobody is looking.
///
/// Niente stores OpenTelemetry traces as plain Parquet files and answers Grafana Tempo's HTTP API and TraceQL over
/// them. Start with `niente demo`: it serves a small shop's traces and tells what to open and to type.
#[derive(Debug, Parser)]
#[command(name = "niente", version, propagate_version = false, after_help = EXAMPLES, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  niente demo                                  a shop's traces to play with
  niente serve --data ./traces                 a server over a folder
  niente serve --store s3://bucket/traces      a server over a bucket
  niente query '{ status = error }'            the newest traces with errors
  niente ingest exported.jsonl --data ./traces
  niente inspect --store s3://bucket/traces    what is in there, day by day";

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Args),
    Demo(demo::Args),
    Query(query::Args),
    Explain(explain::Args),
    Tags(tags::Args),
    Ingest(ingest::Args),
    Inspect(inspect::Args),
    Compact(compact::Args),
    Gc(gc::Args),
    Redact(redact::Args),
    Config(config::Args),
    Cost(cost::Args),
    Token(token::Args),
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve(args) => serve::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Query(args) => query::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Tags(args) => tags::run(args),
        Command::Ingest(args) => ingest::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Compact(args) => compact::run(args),
        Command::Gc(args) => gc::run(args),
        Command::Redact(args) => redact::run(args),
        Command::Config(args) => config::run(args),
        Command::Cost(args) => cost::run(args),
        Command::Token(args) => token::run(args),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
