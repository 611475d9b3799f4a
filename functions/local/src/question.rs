//! A question about traces or series, as the command line asks it: of a server, or of a store.
//!
//! A store is asked through the same handler as a server: either way the answer is the API's.

use std::time::Duration;

use bytes::Bytes;
use niente_api::{Api, Gate, Settings};
use niente_model::{Nanos, Tenant};
use niente_traceql::ErrorKind;

use crate::{
    Failure, clock, complaint,
    http_client::{self, Answer, Client, TokenArgs},
    runtime,
    storage::{Place, StorageArgs},
};

/// What traces are asked for, and whom.
#[derive(clap::Args, Debug)]
pub(crate) struct QuestionArgs {
    // First: see `StorageArgs`.
    #[command(flatten)]
    pub(crate) asked: AskedArgs,
    /// The query, in quotes so that the shell leaves it alone
    #[arg(value_name = "TRACEQL", allow_hyphen_values = true)]
    query: String,
    /// The most traces, or series, to find
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: u32,
}

/// Whom to ask, and of what time.
#[derive(clap::Args, Debug)]
pub(crate) struct AskedArgs {
    // First: see `StorageArgs`.
    #[command(flatten)]
    storage: StorageArgs,
    /// How far back to look: 90s, 15m, 1h, 7d
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = humantime::parse_duration)]
    pub(crate) since: Duration,
    /// The server to ask
    #[arg(long, value_name = "URL", env = "NIENTE_HTTP", default_value = "http://127.0.0.1:3200")]
    url: String,
    /// Whose traces, several with a bar between them: the header X-Scope-OrgID
    #[arg(long, value_name = "NAME", env = "NIENTE_TENANT", value_parser = Tenant::new, value_delimiter = '|')]
    tenant: Vec<Tenant>,
    #[command(flatten)]
    token: TokenArgs,
    /// Print the answer of the API as it is
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a query asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Traces.
    Search,
    /// Series.
    Metrics,
}

impl QuestionArgs {
    /// What the query asks for.
    pub(crate) fn kind(&self) -> Result<Kind, Failure> {
        match niente_traceql::parse_metrics(&self.query) {
            Ok(_) => Ok(Kind::Metrics),
            Err(error) if error.kind == ErrorKind::NoMetrics => {
                let search = niente_traceql::parse(&self.query).map(|_| Kind::Search);
                search.map_err(|error| complaint::about(&self.query, &error))
            }
            Err(error) => Err(complaint::about(&self.query, &error)),
        }
    }

    /// The body of the API's answer at this path.
    pub(crate) fn ask(&self, path: &str) -> Result<Vec<u8>, Failure> {
        self.asked.ask(path, Some(&self.query), Some(self.limit))
    }
}

impl AskedArgs {
    /// The body of the API's answer at this path.
    pub(crate) fn ask(&self, path: &str, query: Option<&str>, limit: Option<u32>) -> Result<Vec<u8>, Failure> {
        let target = self.target(path, query, limit, clock::now());
        let (answer, server) = match self.storage.place() {
            Some(place) => (self.ask_store(place, &target)?, "the search".to_owned()),
            None => {
                let client = Client::new(&self.url, &self.tenant, &self.token)?;
                (client.get(&target)?, client.base().to_owned())
            }
        };
        answer.into_success(&server)
    }

    fn target(&self, path: &str, query: Option<&str>, limit: Option<u32>, now: Nanos) -> String {
        let since = Nanos::from_secs(self.since.as_secs().max(1));
        // Up to the end of this second, for spans that have only just come.
        let (start, end) = (now.saturating_sub(since).as_secs().to_string(), (now.as_secs() + 1).to_string());
        let parameters = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(query.map(|query| ("q", query)))
            .extend_pairs([("start", start), ("end", end)])
            .extend_pairs(limit.map(|limit| ("limit", limit.to_string())))
            .extend_pairs(limit.map(|limit| ("maxSeries", limit.to_string())))
            .finish();
        format!("{path}?{parameters}")
    }

    fn ask_store(&self, place: &Place, target: &str) -> Result<Answer, Failure> {
        let mut request = http::Request::get(target);
        if let Some(tenants) = http_client::tenants(&self.tenant) {
            request = request.header("x-scope-orgid", tenants);
        }
        let request = request.body(Bytes::new()).map_err(|error| Failure::because("the query", &error))?;
        runtime::run(async {
            // Who may read the files needs no token.
            let api = Api::new(place.open_existing().await?, Settings::default(), Gate::Open, clock::system());
            let response = api.handle(request).await;
            Ok(Answer { status: response.status().as_u16(), body: response.into_body().into() })
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: QuestionArgs,
    }

    #[test]
    fn the_range_ends_after_this_second() {
        let line = Line::parse_from(["query", r#"{ .a = "b&c" }"#, "--since", "1m", "--limit", "5"]);
        let now = Nanos::new(1_000_000_000_000_000_001).unwrap();
        assert_eq!(
            line.args.asked.target("/api/search", Some(&line.args.query), Some(line.args.limit), now),
            "/api/search?q=%7B+.a+%3D+%22b%26c%22+%7D&start=999999940&end=1000000001&limit=5&maxSeries=5"
        );
    }
}
