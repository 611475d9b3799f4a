use niente_model::Nanos;
use niente_receive::Limits;

/// What an operator may choose. The defaults are Tempo's where Tempo has any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How much an OTLP request may hold. [`Limits::default`].
    pub limits: Limits,
    /// Whether requests without `X-Scope-OrgID` are refused with 401. Unless they are, they belong to the tenant
    /// `single-tenant`. Default: no.
    pub require_tenant: bool,
    /// What paths may begin with, such as `/tempo`, where a gateway passes its own prefix on. Paths without it are
    /// served too: gateways differ in what they strip, and health checks come past them. Default: empty.
    pub path_prefix: String,
    /// The longest time range of a search; none for any. Default: none, where Tempo has 168 hours. A search that may
    /// look at everything costs more, but it is still an answer.
    pub max_range: Option<Nanos>,
    /// How many traces a search answers that doesn't say `limit`. Default: 20, which Grafana shows and doesn't send.
    pub default_limit: u32,
    /// How many spans of each spanset a search answers that doesn't say `spss`. Default: 3, likewise.
    pub default_spans_per_spanset: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            require_tenant: false,
            path_prefix: String::new(),
            max_range: None,
            default_limit: 20,
            default_spans_per_spanset: 3,
        }
    }
}
