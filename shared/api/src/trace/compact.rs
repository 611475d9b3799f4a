//! A trace in JSON with fewer layers: attributes as plain objects, IDs in hexadecimal.

use std::collections::BTreeMap;

use niente_model::{Attributes, Span, TraceId, Value};
use serde::{Serialize, Serializer};

use super::json::{Enum, Status};
use crate::{
    inspection::{InspectedBytes, Partial},
    json::{as_text, plain},
};

/// The body of the newer answer. Services and their scopes are sorted by name, spans stand as they come.
pub(crate) fn v2(spans: &[Span], inspected_bytes: u64, lacks: Option<String>) -> impl Serialize {
    let mut services: BTreeMap<String, BTreeMap<(&str, &str), Vec<CompactSpan<'_>>>> = BTreeMap::new();
    for span in spans {
        let scopes = services.entry(service_name(span)).or_default();
        scopes.entry((&span.scope.name, &span.scope.version)).or_default().push(span.into());
    }
    let scope = |((name, version), spans)| Scope { name, version, spans };
    let service = |(service_name, scopes): (_, BTreeMap<_, _>)| Service {
        service_name,
        scopes: scopes.into_iter().map(scope).collect(),
    };
    let trace = Trace {
        trace_id: spans.first().map(|span| span.trace_id),
        services: services.into_iter().map(service).collect(),
    };
    Response { trace, metrics: InspectedBytes { inspected_bytes }, partial: Partial::of(lacks) }
}

fn service_name(span: &Span) -> String {
    match span.resource.attributes.get("service.name") {
        Some(Value::Str(name)) => name.clone(),
        Some(other) => plain(other).to_string(),
        None => String::new(),
    }
}

#[derive(Serialize)]
struct Response<'a> {
    trace: Trace<'a>,
    metrics: InspectedBytes,
    #[serde(flatten)]
    partial: Partial,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Trace<'a> {
    #[serde(serialize_with = "as_hex", skip_serializing_if = "Option::is_none")]
    trace_id: Option<TraceId>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    services: Vec<Service<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Service<'a> {
    service_name: String,
    scopes: Vec<Scope<'a>>,
}

#[derive(Serialize)]
struct Scope<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    version: &'a str,
    spans: Vec<CompactSpan<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CompactSpan<'a> {
    #[serde(serialize_with = "as_text")]
    span_id: niente_model::SpanId,
    #[serde(serialize_with = "as_hex", skip_serializing_if = "Option::is_none")]
    parent_span_id: Option<niente_model::SpanId>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<Enum>,
    #[serde(serialize_with = "as_text")]
    start_time_unix_nano: u64,
    #[serde(serialize_with = "as_text")]
    end_time_unix_nano: u64,
    duration_ms: f64,
    #[serde(serialize_with = "as_object", skip_serializing_if = "Attributes::is_empty")]
    attributes: &'a Attributes,
    status: Status<'a>,
}

impl<'a> From<&'a Span> for CompactSpan<'a> {
    fn from(span: &'a Span) -> Self {
        Self {
            span_id: span.span_id,
            parent_span_id: span.parent_span_id,
            name: &span.name,
            kind: Enum::kind(span.kind.0),
            start_time_unix_nano: span.start.get(),
            end_time_unix_nano: span.end().get(),
            duration_ms: span.duration.get() as f64 / 1e6,
            attributes: &span.attributes,
            status: Status { message: &span.status_message, code: Enum::status(span.status_code.0) },
        }
    }
}

fn as_hex<S: Serializer>(id: &Option<impl std::fmt::Display>, serializer: S) -> Result<S::Ok, S::Error> {
    match id {
        Some(id) => serializer.collect_str(id),
        None => serializer.serialize_none(),
    }
}

fn as_object<S: Serializer>(attributes: &Attributes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(attributes.iter().map(|(key, value)| (&**key, plain(value))))
}
