//! `niente query`: the newest traces that a query finds, as a table.
//!
//! A store is asked through the same handler as a server: either way the answer is Tempo's JSON, and [`table`] makes
//! it readable.

mod answer;
mod complaint;
mod table;

use std::time::Duration;

use bytes::Bytes;
use niente_api::{Api, Gate, Settings};
use niente_model::{Nanos, Tenant};

use crate::{
    Failure,
    clock::{self, Stopwatch},
    http_client::{Answer, Client, TokenArgs},
    logs, runtime,
    storage::{Place, StorageArgs},
    terminal, units,
};

/// Search for traces with TraceQL
///
/// Prints the newest traces in which the query selects spans. Asks a server that runs on this machine unless --url
/// names another one, or --data a folder or --store a bucket, which need no server.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  niente query '{ status = error }'
  niente query '{ resource.service.name = \"checkout\" && duration > 500ms }' --since 15m
  niente query '{ span.http.route =~ \"/api/.*\" } | count() > 3' --limit 100
  niente query '{ name = \"charge\" } << { kind = server }' --data ./data
  niente query '{}' --since 7d --store s3://bucket/traces
  niente query '{}' --json | jq '.traces[].traceID'

Times are UTC. The language is described at https://grafana.com/docs/tempo/latest/traceql/.")]
pub(crate) struct Args {
    // First: see `StorageArgs`.
    #[command(flatten)]
    storage: StorageArgs,
    /// The query, in quotes so that the shell leaves it alone
    #[arg(value_name = "TRACEQL", allow_hyphen_values = true)]
    query: String,
    /// How far back to look: 90s, 15m, 1h, 7d
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = humantime::parse_duration)]
    since: Duration,
    /// The most traces to print
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u32,
    /// The server to ask
    #[arg(long, value_name = "URL", env = "NIENTE_HTTP", default_value = "http://127.0.0.1:3200")]
    url: String,
    /// Whose traces: the header X-Scope-OrgID
    #[arg(long, value_name = "NAME", env = "NIENTE_TENANT", value_parser = Tenant::new)]
    tenant: Option<Tenant>,
    #[command(flatten)]
    token: TokenArgs,
    /// Print the answer of the API as it is
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> Result<(), Failure> {
    logs::warnings();
    niente_traceql::parse(&args.query).map_err(|error| complaint::about(&args.query, &error))?;
    let path = search_path(&args, clock::now());
    let watch = Stopwatch::start();
    let (answer, server) = match args.storage.place() {
        Some(place) => (ask_store(&args, place, &path)?, "the search".to_owned()),
        None => {
            let client = Client::new(&args.url, args.tenant.clone(), &args.token)?;
            (client.get(&path)?, client.base().to_owned())
        }
    };
    let body = answer.into_success(&server)?;
    if args.json {
        return terminal::print(&(String::from_utf8_lossy(&body).trim_end().to_owned() + "\n"));
    }
    let found = answer::Found::read(&body)?;
    if !found.traces.is_empty() {
        terminal::print(&table::of(&found.traces))?;
    }
    eprintln!("{}", summary(&found, &args, watch));
    Ok(())
}

fn search_path(args: &Args, now: Nanos) -> String {
    let since = Nanos::from_secs(args.since.as_secs().max(1));
    let parameters = form_urlencoded::Serializer::new(String::from("/api/search?"))
        .append_pair("q", &args.query)
        .append_pair("start", &now.saturating_sub(since).as_secs().to_string())
        // Up to the end of this second, for spans that have only just come.
        .append_pair("end", &(now.as_secs() + 1).to_string())
        .append_pair("limit", &args.limit.to_string())
        .finish();
    parameters.replacen("?&", "?", 1)
}

fn ask_store(args: &Args, place: &Place, path: &str) -> Result<Answer, Failure> {
    let mut request = http::Request::get(path);
    if let Some(tenant) = &args.tenant {
        request = request.header("x-scope-orgid", tenant.as_str());
    }
    let request = request.body(Bytes::new()).map_err(|error| Failure::because("the query", &error))?;
    runtime::run(async {
        // Who may read the files needs no token.
        let api = Api::new(place.open_existing().await?, Settings::default(), Gate::Open, clock::system());
        let response = api.handle(request).await;
        Ok(Answer { status: response.status().as_u16(), body: response.into_body().into() })
    })
}

fn summary(found: &answer::Found, args: &Args, watch: Stopwatch) -> String {
    let traces = found.traces.len() as u64;
    let what = match traces {
        0 => "no traces".to_owned(),
        _ if traces == u64::from(args.limit) => format!("the newest {}", units::counted(traces, "trace")),
        _ => units::counted(traces, "trace"),
    };
    format!(
        "{what} of the last {}; looked at {} and {} in {}",
        humantime::format_duration(args.since),
        units::counted(found.metrics.inspected_traces, "trace"),
        units::bytes(found.metrics.inspected_bytes),
        units::duration(watch.elapsed()),
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn the_range_ends_after_this_second() {
        let line = Line::parse_from(["query", r#"{ .a = "b&c" }"#, "--since", "1m", "--limit", "5"]);
        let now = Nanos::new(1_000_000_000_000_000_001).unwrap();
        assert_eq!(
            search_path(&line.args, now),
            "/api/search?q=%7B+.a+%3D+%22b%26c%22+%7D&start=999999940&end=1000000001&limit=5"
        );
    }
}
