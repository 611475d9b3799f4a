//! A question about traces, as the command line asks it: of a server, or of a store.
//!
//! A store is asked through the same handler as a server: either way the answer is the API's.

use std::time::Duration;

use bytes::Bytes;
use niente_api::{Api, Gate, Settings};
use niente_model::{Nanos, Tenant};

use crate::{
    Failure, clock, complaint,
    http_client::{self, Answer, Client, TokenArgs},
    runtime,
    storage::{Place, StorageArgs},
};

/// What is asked, and whom.
#[derive(clap::Args, Debug)]
pub(crate) struct QuestionArgs {
    // First: see `StorageArgs`.
    #[command(flatten)]
    storage: StorageArgs,
    /// The query, in quotes so that the shell leaves it alone
    #[arg(value_name = "TRACEQL", allow_hyphen_values = true)]
    query: String,
    /// How far back to look: 90s, 15m, 1h, 7d
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = humantime::parse_duration)]
    pub(crate) since: Duration,
    /// The most traces to find
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: u32,
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

impl QuestionArgs {
    /// The body of the API's answer at this path.
    pub(crate) fn ask(&self, path: &str) -> Result<Vec<u8>, Failure> {
        niente_traceql::parse(&self.query).map_err(|error| complaint::about(&self.query, &error))?;
        let target = self.target(path, clock::now());
        let (answer, server) = match self.storage.place() {
            Some(place) => (self.ask_store(place, &target)?, "the search".to_owned()),
            None => {
                let client = Client::new(&self.url, &self.tenant, &self.token)?;
                (client.get(&target)?, client.base().to_owned())
            }
        };
        answer.into_success(&server)
    }

    fn target(&self, path: &str, now: Nanos) -> String {
        let since = Nanos::from_secs(self.since.as_secs().max(1));
        let parameters = form_urlencoded::Serializer::new(format!("{path}?"))
            .append_pair("q", &self.query)
            .append_pair("start", &now.saturating_sub(since).as_secs().to_string())
            // Up to the end of this second, for spans that have only just come.
            .append_pair("end", &(now.as_secs() + 1).to_string())
            .append_pair("limit", &self.limit.to_string())
            .finish();
        parameters.replacen("?&", "?", 1)
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
            line.args.target("/api/search", now),
            "/api/search?q=%7B+.a+%3D+%22b%26c%22+%7D&start=999999940&end=1000000001&limit=5"
        );
    }
}
