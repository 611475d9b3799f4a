use std::time::Duration;

use niente_cost::Budget;
use niente_model::Nanos;
use niente_receive::Limits;

/// What an operator may choose. The defaults are Tempo's where Tempo has any.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How much an OTLP request may hold. [`Limits::default`].
    pub limits: Limits,
    /// Whether requests are refused whose tenant neither `X-Scope-OrgID` nor a token of one tenant says. Unless they
    /// are, they belong to the tenant `single-tenant`. Default: no.
    pub require_tenant: bool,
    /// What paths may begin with, such as `/tempo`, where a gateway passes its own prefix on. Paths without it are
    /// served too: gateways differ in what they strip, and health checks come past them. Default: empty.
    pub path_prefix: String,
    /// The longest time range of a search; none for any. Default: none, where Tempo has 168 hours. A search that may
    /// look at everything costs more, but it is still an answer.
    pub max_range: Option<Nanos>,
    /// The longest time range of a metrics query; none for any. Default: none, where Tempo has 24 hours.
    pub max_metrics_range: Option<Nanos>,
    /// How many series a metrics query answers; none for as many as
    /// [`most_samples`](niente_engine::Settings::most_samples) has room for. Default: none.
    pub max_series: Option<usize>,
    /// How many exemplars a metrics query answers, unless it asks for fewer. Default: 100.
    pub max_exemplars: u32,
    /// How many traces a search answers that doesn't say `limit`. Default: 20, which Grafana shows and doesn't send.
    pub default_limit: u32,
    /// How many spans of each spanset a search answers that doesn't say `spss`. Default: 3, likewise.
    pub default_spans_per_spanset: u32,
    /// The most bytes that the names of a scope's attributes, or the values of one, have in an answer: the first in
    /// their order. Default: 1,000,000, as in Tempo.
    pub max_tag_bytes: u64,
    /// How queries are cut, answered and priced. Default: in this process.
    pub engine: niente_engine::Settings,
    /// What a query may cost, whoever asks. Default: anything.
    pub budget: Budget,
    /// How long a query may take where its request has no [`Deadline`](crate::Deadline). Default: as long as it
    /// takes.
    pub query_timeout: Option<Duration>,
    /// The memory in MiB of the function that answers, whose time is a part of the price. Default: none, since a
    /// process that runs anyway costs nothing more.
    pub memory_mib: Option<u32>,
    /// Whether answers are compressed for clients that accept it. Default: no, for those on the same machine.
    pub compress: bool,
    /// Where ingest learns how long a tenant's spans are kept. Default: from its configuration.
    pub retention: Retention,
}

/// Where ingest learns how long spans are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// From the tenant's configuration in the store.
    Configured,
    /// From the operator: for a function that may not read. None is for ever.
    Fixed(Option<Nanos>),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            require_tenant: false,
            path_prefix: String::new(),
            max_range: None,
            max_metrics_range: None,
            max_series: None,
            max_exemplars: 100,
            default_limit: 20,
            default_spans_per_spanset: 3,
            max_tag_bytes: 1_000_000,
            engine: niente_engine::Settings::default(),
            budget: Budget::default(),
            query_timeout: None,
            memory_mib: None,
            compress: false,
            retention: Retention::Configured,
        }
    }
}
