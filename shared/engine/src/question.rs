use std::{collections::BTreeMap, fmt};

use niente_model::{Nanos, Span, SpanId, SpanKind, StatusCode, TimeRange, TraceId, Value};
use niente_traceql::{Kind, Query, Status, format_duration};
use serde::{Deserialize, Serialize};

/// A search: which traces have spans that a query selects.
#[derive(Clone, Debug)]
pub struct SearchQuestion {
    /// What to look for. A metrics stage is passed over.
    pub query: Query,
    /// The query as it was asked, which reads as `query`: what workers are sent. (A canonical print may nest deeper than is
    /// read.)
    pub text: String,
    /// Traces that overlap this time are looked at, whole.
    pub window: TimeRange,
    /// How many traces to answer, the newest first.
    pub limit: usize,
    /// How many spans of each spanset to answer.
    pub spans_per_set: usize,
}

/// A search's answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchAnswer {
    /// By trace start, the newest first; ties by trace ID.
    pub traces: Vec<FoundTrace>,
    /// What was looked at to find them.
    pub inspected: Inspected,
}

/// A trace that a search found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoundTrace {
    /// Its ID.
    pub trace_id: TraceId,
    /// Its first start.
    pub start: Nanos,
    /// From its first start to its last end.
    pub duration: Nanos,
    /// The service of its root span; empty if there is no root or it has no service.
    pub root_service: String,
    /// The name of its root span; empty if there is no root.
    pub root_name: String,
    /// How many spans and errors each service has in it.
    pub services: BTreeMap<String, ServiceStats>,
    /// The spansets that the query made of it; at least one.
    pub spansets: Vec<FoundSpanset>,
}

/// What a service has in a trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceStats {
    /// Spans.
    pub spans: u32,
    /// Spans with status `error`.
    pub errors: u32,
}

/// Spans of one trace that a query selected together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoundSpanset {
    /// How many spans it has.
    pub matched: usize,
    /// The first of them, by start, as many as were asked for.
    pub spans: Vec<FoundSpan>,
    /// Values of `by(…)` and aggregates, in the order of the pipeline.
    pub attributes: Vec<(String, Shown)>,
}

/// A span in an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoundSpan {
    /// Its ID.
    pub span_id: SpanId,
    /// Its name, if the query speaks of names.
    pub name: Option<String>,
    /// When it began.
    pub start: Nanos,
    /// How long it took.
    pub duration: Nanos,
    /// Fields that the query speaks of, by their names without scope.
    pub attributes: Vec<(String, Shown)>,
}

/// A value in an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Shown {
    /// The value of an absent attribute.
    Nil,
    /// Text.
    Str(String),
    /// An integer.
    Int(i64),
    /// A double.
    Float(f64),
    /// A boolean.
    Bool(bool),
    /// Nanoseconds.
    Duration(i64),
    /// A status.
    Status(StatusCode),
    /// A kind.
    Kind(SpanKind),
    /// An array of strings, integers, doubles or booleans.
    Array(Vec<Value>),
}

/// As text: durations, statuses and kinds as the language has them, other things as they are.
impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shown::Nil => f.write_str("nil"),
            Shown::Str(text) => f.write_str(text),
            Shown::Int(number) => number.fmt(f),
            Shown::Float(f64::INFINITY) => f.write_str("Infinity"),
            Shown::Float(f64::NEG_INFINITY) => f.write_str("-Infinity"),
            Shown::Float(number) => number.fmt(f),
            Shown::Bool(truth) => truth.fmt(f),
            Shown::Duration(nanos) => f.write_str(&format_duration(*nanos)),
            // For a number of its own the language has no word.
            Shown::Status(status) => match status_word(*status) {
                Some(word) => f.write_str(word),
                None => status.0.fmt(f),
            },
            Shown::Kind(kind) => match kind_word(*kind) {
                Some(word) => f.write_str(word),
                None => kind.0.fmt(f),
            },
            Shown::Array(values) => f.debug_list().entries(values).finish(),
        }
    }
}

/// The language's word for a status; none for one that OTLP doesn't know.
pub(crate) fn status_word(status: StatusCode) -> Option<&'static str> {
    let known = match status {
        StatusCode::UNSET => Status::Unset,
        StatusCode::OK => Status::Ok,
        StatusCode::ERROR => Status::Error,
        _ => return None,
    };
    Some(known.spelling())
}

/// The language's word for a kind; none for one that OTLP doesn't know.
pub(crate) fn kind_word(kind: SpanKind) -> Option<&'static str> {
    let known = match kind {
        SpanKind::UNSPECIFIED => Kind::Unspecified,
        SpanKind::INTERNAL => Kind::Internal,
        SpanKind::SERVER => Kind::Server,
        SpanKind::CLIENT => Kind::Client,
        SpanKind::PRODUCER => Kind::Producer,
        SpanKind::CONSUMER => Kind::Consumer,
        _ => return None,
    };
    Some(known.spelling())
}

/// A trace by its ID.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TraceAnswer {
    /// All its spans, by start and then by span ID; none if there is no such trace.
    pub spans: Vec<Span>,
    /// What was looked at to find them.
    pub inspected: Inspected,
}

/// What was looked at for an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspected {
    /// Traces that were evaluated.
    pub traces: u64,
    /// Spans that were evaluated.
    pub spans: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// Objects that were read.
    pub objects: u64,
    /// Bytes that those objects have.
    pub object_bytes: u64,
}

impl std::ops::AddAssign for Inspected {
    fn add_assign(&mut self, other: Self) {
        self.traces += other.traces;
        self.spans += other.spans;
        self.bytes += other.bytes;
        self.objects += other.objects;
        self.object_bytes += other.object_bytes;
    }
}
