//! The server's command line, shared by `serve` and `demo`.

use std::{thread, time::Duration};

use clap::Args;
use niente_api::Settings;
use niente_receive::Limits;

use super::admission::Admission;
use crate::units::{self, ByteSize};

/// Where to listen, for whom, and how much.
#[derive(Args, Clone, Debug)]
pub(crate) struct ServerArgs {
    /// Where Tempo's HTTP API listens; it takes OTLP over HTTP as well
    #[arg(long, value_name = "ADDR", env = "NIENTE_HTTP", default_value = "127.0.0.1:3200", help_heading = "Ports")]
    pub(super) http: String,
    /// Where OTLP over HTTP listens: POST /v1/traces, protobuf or JSON
    #[arg(
        long,
        value_name = "ADDR",
        env = "NIENTE_OTLP_HTTP",
        default_value = "127.0.0.1:4318",
        help_heading = "Ports"
    )]
    pub(super) otlp_http: String,
    /// Where OTLP over gRPC listens
    #[arg(
        long,
        value_name = "ADDR",
        env = "NIENTE_OTLP_GRPC",
        default_value = "127.0.0.1:4317",
        help_heading = "Ports"
    )]
    pub(super) otlp_grpc: String,

    /// Refuse requests without the header X-Scope-OrgID
    ///
    /// Without this option they belong to the tenant `single-tenant`. A token of one tenant says as much as the header.
    #[arg(long, env = "NIENTE_REQUIRE_TENANT", help_heading = "Requests")]
    pub(crate) require_tenant: bool,
    /// What paths may begin with, such as /tempo behind a gateway that passes its prefix on
    #[arg(long, value_name = "PATH", env = "NIENTE_PATH_PREFIX", default_value = "", help_heading = "Requests")]
    path_prefix: String,

    /// The largest body of an export, compressed and not
    #[arg(
        long,
        value_name = "BYTES",
        env = "NIENTE_MAX_BODY",
        default_value_t = ByteSize(Limits::default().body_bytes),
        help_heading = "Limits"
    )]
    max_body: ByteSize,
    /// The most spans of an export
    #[arg(
        long,
        value_name = "N",
        env = "NIENTE_MAX_SPANS",
        default_value_t = Limits::default().spans,
        help_heading = "Limits"
    )]
    max_spans: usize,
    /// The longest time range of a search, such as 7d; any if absent
    #[arg(
        long,
        value_name = "TIME",
        env = "NIENTE_MAX_RANGE",
        value_parser = humantime::parse_duration,
        help_heading = "Limits"
    )]
    max_range: Option<Duration>,
    /// The longest time range of a metrics query, such as 24h; any if absent
    #[arg(
        long,
        value_name = "TIME",
        env = "NIENTE_MAX_METRICS_RANGE",
        value_parser = humantime::parse_duration,
        help_heading = "Limits"
    )]
    max_metrics_range: Option<Duration>,
    /// How many series a metrics query answers; as many as there is room for if absent
    #[arg(long, value_name = "N", env = "NIENTE_MAX_SERIES", value_parser = at_least_one, help_heading = "Limits")]
    max_series: Option<usize>,
    /// How many exports are worked on at a time; others wait [default: one for each core]
    ///
    /// Each may take some ten times --max-body of memory at worst, and usually far less.
    #[arg(long, value_name = "N", env = "NIENTE_EXPORTS", value_parser = at_least_one, help_heading = "Limits")]
    exports: Option<usize>,
    /// How many queries are worked on at a time; others wait [default: two for each core]
    #[arg(long, value_name = "N", env = "NIENTE_QUERIES", value_parser = at_least_one, help_heading = "Limits")]
    queries: Option<usize>,
    /// How long requests may still run once the server is told to end
    #[arg(
        long,
        value_name = "TIME",
        env = "NIENTE_SHUTDOWN_TIMEOUT",
        default_value = "10s",
        value_parser = humantime::parse_duration,
        help_heading = "Limits"
    )]
    shutdown_timeout: Duration,
}

impl ServerArgs {
    /// What the handler has to know.
    pub(super) fn settings(&self) -> Settings {
        Settings {
            limits: Limits { body_bytes: self.max_body.0, spans: self.max_spans, ..Limits::default() },
            require_tenant: self.require_tenant,
            path_prefix: self.path_prefix.clone(),
            max_range: self.max_range.map(units::nanos),
            max_metrics_range: self.max_metrics_range.map(units::nanos),
            max_series: self.max_series,
            ..Settings::default()
        }
    }

    pub(super) fn admission(&self) -> Admission {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Admission::new(self.max_body.0, self.exports.unwrap_or(cores), self.queries.unwrap_or(2 * cores))
    }

    pub(super) fn shutdown_timeout(&self) -> Duration {
        self.shutdown_timeout
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("write a whole number from 1".to_owned()),
        Ok(number) => Ok(number),
    }
}
