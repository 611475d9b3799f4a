use std::collections::BTreeMap;

use niente_engine::{FoundSpan, FoundSpanset, FoundTrace, SearchAnswer, Shown};
use serde::Serialize;

use super::{
    Detail,
    columns::{AnyValue, Client, Columns},
};
use crate::{
    inspection::{Inspection, saturated},
    json::{as_text, is_default, to_body},
};

/// What stands for the service of a root span that isn't there, or doesn't say. A constant of Tempo's API.
const NO_ROOT: &str = "<root span not yet received>";

/// The body of a search's answer.
///
/// Grafana 12.4 and later refuse an answer with any other field than these structs have: what is to be said beyond
/// them belongs into headers.
pub(crate) fn to_json(answer: &SearchAnswer, detail: Detail, client: Client) -> Vec<u8> {
    let spansets = || answer.traces.iter().flat_map(|trace| &trace.spansets);
    let spans = || spansets().flat_map(|spanset| &spanset.spans);
    let columns = SpansetColumns {
        spansets: Columns::of(spansets().flat_map(|spanset| &spanset.attributes), client),
        spans: Columns::of(spans().flat_map(|span| &span.attributes), client),
    };
    let span_sets: Vec<Vec<SpanSet<'_>>> = match detail {
        Detail::Spansets => answer.traces.iter().map(|trace| columns.spansets(&trace.spansets)).collect(),
        Detail::Trace => Vec::new(),
    };
    let span_sets = span_sets.iter().map(Vec::as_slice).chain(std::iter::repeat(&[] as &[SpanSet<'_>]));
    let traces = answer.traces.iter().zip(span_sets);
    to_body(&Answer {
        traces: traces.map(|(trace, span_sets)| Trace::new(trace, span_sets, detail)).collect(),
        metrics: Inspection::from(answer.inspected),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    traces: Vec<Trace<'a>>,
    metrics: Inspection,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Trace<'a> {
    #[serde(rename = "traceID")]
    trace_id: String,
    root_service_name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    root_trace_name: &'a str,
    #[serde(serialize_with = "as_text")]
    start_time_unix_nano: u64,
    #[serde(skip_serializing_if = "is_default")]
    duration_ms: u32,
    /// Deprecated; where it is, Grafana's table of traces shows it alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    span_set: Option<&'a SpanSet<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    span_sets: &'a [SpanSet<'a>],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    service_stats: BTreeMap<&'a str, ServiceStats>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ServiceStats {
    #[serde(skip_serializing_if = "is_default")]
    span_count: u32,
    #[serde(skip_serializing_if = "is_default")]
    error_count: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SpanSet<'a> {
    /// There even when empty: Grafana up to 12.3 goes through it unasked.
    spans: Vec<Span<'a>>,
    #[serde(skip_serializing_if = "is_default")]
    matched: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attributes: Vec<KeyValue<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Span<'a> {
    #[serde(rename = "spanID")]
    span_id: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(serialize_with = "as_text")]
    start_time_unix_nano: u64,
    #[serde(serialize_with = "as_text", skip_serializing_if = "is_default")]
    duration_nanos: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attributes: Vec<KeyValue<'a>>,
}

#[derive(Serialize)]
struct KeyValue<'a> {
    key: &'a str,
    value: AnyValue,
}

impl<'a> Trace<'a> {
    fn new(trace: &'a FoundTrace, span_sets: &'a [SpanSet<'a>], detail: Detail) -> Self {
        let stats = match detail {
            Detail::Spansets => Some(&trace.services),
            Detail::Trace => None,
        };
        let stats = stats.into_iter().flatten().map(|(service, stats)| {
            (service.as_str(), ServiceStats { span_count: stats.spans, error_count: stats.errors })
        });
        Self {
            trace_id: trace.trace_id.to_trimmed_hex(),
            root_service_name: if trace.root_service.is_empty() { NO_ROOT } else { &trace.root_service },
            root_trace_name: &trace.root_name,
            start_time_unix_nano: trace.start.get(),
            duration_ms: saturated(trace.duration.get() / 1_000_000),
            span_set: match span_sets {
                [only] => Some(only),
                _ => None,
            },
            span_sets,
            service_stats: stats.collect(),
        }
    }
}

/// The types of the attributes of spansets, `by(…)` and aggregates, and of those of spans.
struct SpansetColumns<'a> {
    spansets: Columns<'a>,
    spans: Columns<'a>,
}

impl SpansetColumns<'_> {
    fn spansets<'a>(&self, spansets: &'a [FoundSpanset]) -> Vec<SpanSet<'a>> {
        let spanset = |spanset: &'a FoundSpanset| SpanSet {
            spans: spanset.spans.iter().map(|span| self.span(span)).collect(),
            matched: saturated(spanset.matched as u64),
            attributes: key_values(&spanset.attributes, &self.spansets),
        };
        spansets.iter().map(spanset).collect()
    }

    fn span<'a>(&self, span: &'a FoundSpan) -> Span<'a> {
        Span {
            span_id: span.span_id.to_string(),
            name: span.name.as_deref().unwrap_or_default(),
            start_time_unix_nano: span.start.get(),
            duration_nanos: span.duration.get(),
            attributes: key_values(&span.attributes, &self.spans),
        }
    }
}

fn key_values<'a>(attributes: &'a [(String, Shown)], columns: &Columns<'_>) -> Vec<KeyValue<'a>> {
    attributes.iter().filter_map(|(key, value)| Some(KeyValue { key, value: columns.write(key, value)? })).collect()
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
