//! A trace in JSON as Tempo writes it: OTLP's messages, but with IDs in base64.
//!
//! These are proto3's own rules for JSON, which OTLP departs from for IDs. What has its default is left out, apart
//! from messages that are there.

use niente_receive::proto::{
    common::v1::{self as common, any_value},
    trace::v1 as trace,
};
use serde::Serialize;

use crate::{
    inspection::{InspectedBytes, Partial},
    json::{as_base64, as_double, as_text, is_default},
};

/// The body of the older answer.
pub(crate) fn v1(spans: &[trace::ResourceSpans]) -> impl Serialize {
    Batches { batches: resource_spans(spans) }
}

/// The body of the newer answer; a partial one says what it lacks.
pub(crate) fn v2(spans: &[trace::ResourceSpans], inspected_bytes: u64, lacks: Option<String>) -> impl Serialize {
    let trace = Trace { resource_spans: resource_spans(spans) };
    Response { trace, metrics: InspectedBytes { inspected_bytes }, partial: Partial::of(lacks) }
}

#[derive(Serialize)]
struct Batches<'a> {
    batches: Vec<ResourceSpans<'a>>,
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resource_spans: Vec<ResourceSpans<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpans<'a> {
    resource: Resource<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scope_spans: Vec<ScopeSpans<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    schema_url: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Resource<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attributes: Vec<KeyValue<'a>>,
    #[serde(skip_serializing_if = "is_default")]
    dropped_attributes_count: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ScopeSpans<'a> {
    scope: Scope<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    spans: Vec<Span<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    schema_url: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Scope<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    version: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attributes: Vec<KeyValue<'a>>,
    #[serde(skip_serializing_if = "is_default")]
    dropped_attributes_count: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Span<'a> {
    #[serde(serialize_with = "as_base64")]
    trace_id: &'a [u8],
    #[serde(serialize_with = "as_base64")]
    span_id: &'a [u8],
    #[serde(skip_serializing_if = "str::is_empty")]
    trace_state: &'a str,
    #[serde(serialize_with = "as_base64", skip_serializing_if = "<[_]>::is_empty")]
    parent_span_id: &'a [u8],
    #[serde(skip_serializing_if = "is_default")]
    flags: u32,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<Enum>,
    #[serde(serialize_with = "as_text", skip_serializing_if = "is_default")]
    start_time_unix_nano: u64,
    #[serde(serialize_with = "as_text", skip_serializing_if = "is_default")]
    end_time_unix_nano: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attributes: Vec<KeyValue<'a>>,
    #[serde(skip_serializing_if = "is_default")]
    dropped_attributes_count: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    events: Vec<Event<'a>>,
    #[serde(skip_serializing_if = "is_default")]
    dropped_events_count: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link<'a>>,
    #[serde(skip_serializing_if = "is_default")]
    dropped_links_count: u32,
    status: Status<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    #[serde(serialize_with = "as_text", skip_serializing_if = "is_default")]
    time_unix_nano: u64,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attributes: Vec<KeyValue<'a>>,
    #[serde(skip_serializing_if = "is_default")]
    dropped_attributes_count: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Link<'a> {
    #[serde(serialize_with = "as_base64", skip_serializing_if = "<[_]>::is_empty")]
    trace_id: &'a [u8],
    #[serde(serialize_with = "as_base64", skip_serializing_if = "<[_]>::is_empty")]
    span_id: &'a [u8],
    #[serde(skip_serializing_if = "str::is_empty")]
    trace_state: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attributes: Vec<KeyValue<'a>>,
    #[serde(skip_serializing_if = "is_default")]
    dropped_attributes_count: u32,
    #[serde(skip_serializing_if = "is_default")]
    flags: u32,
}

#[derive(Serialize)]
pub(crate) struct Status<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<Enum>,
}

/// An enum's value: its full name, or its number if OTLP has no name for it.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Enum {
    Name(&'static str),
    Number(i32),
}

#[derive(Serialize)]
struct KeyValue<'a> {
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<AnyValue<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum AnyValue<'a> {
    Empty {},
    Some(Typed<'a>),
}

#[derive(Serialize)]
enum Typed<'a> {
    #[serde(rename = "stringValue")]
    Str(&'a str),
    #[serde(rename = "boolValue")]
    Bool(bool),
    #[serde(rename = "intValue", serialize_with = "as_text")]
    Int(i64),
    #[serde(rename = "doubleValue", serialize_with = "as_double")]
    Float(f64),
    #[serde(rename = "bytesValue", serialize_with = "as_base64")]
    Bytes(&'a [u8]),
    #[serde(rename = "arrayValue")]
    Array(List<AnyValue<'a>>),
    #[serde(rename = "kvlistValue")]
    Map(List<KeyValue<'a>>),
}

#[derive(Serialize)]
struct List<T> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<T>,
}

impl Enum {
    /// A span's kind; none if it is unspecified, the default.
    pub(crate) fn kind(kind: i32) -> Option<Self> {
        let name = trace::span::SpanKind::try_from(kind).map(|kind| kind.as_str_name());
        (kind != 0).then(|| name.map_or(Enum::Number(kind), Enum::Name))
    }

    /// A status' code; none if it is unset, the default.
    pub(crate) fn status(code: i32) -> Option<Self> {
        let name = trace::status::StatusCode::try_from(code).map(|code| code.as_str_name());
        (code != 0).then(|| name.map_or(Enum::Number(code), Enum::Name))
    }
}

fn resource_spans(messages: &[trace::ResourceSpans]) -> Vec<ResourceSpans<'_>> {
    fn convert(message: &trace::ResourceSpans) -> ResourceSpans<'_> {
        let resource = message.resource.as_ref();
        ResourceSpans {
            resource: Resource {
                attributes: resource.map_or_else(Vec::new, |resource| key_values(&resource.attributes)),
                dropped_attributes_count: resource.map_or(0, |resource| resource.dropped_attributes_count),
            },
            scope_spans: message.scope_spans.iter().map(scope_spans).collect(),
            schema_url: &message.schema_url,
        }
    }
    messages.iter().map(convert).collect()
}

fn scope_spans(message: &trace::ScopeSpans) -> ScopeSpans<'_> {
    let scope = message.scope.as_ref();
    ScopeSpans {
        scope: Scope {
            name: scope.map_or("", |scope| &scope.name),
            version: scope.map_or("", |scope| &scope.version),
            attributes: scope.map_or_else(Vec::new, |scope| key_values(&scope.attributes)),
            dropped_attributes_count: scope.map_or(0, |scope| scope.dropped_attributes_count),
        },
        spans: message.spans.iter().map(span).collect(),
        schema_url: &message.schema_url,
    }
}

fn span(message: &trace::Span) -> Span<'_> {
    let status = message.status.as_ref();
    Span {
        trace_id: &message.trace_id,
        span_id: &message.span_id,
        trace_state: &message.trace_state,
        parent_span_id: &message.parent_span_id,
        flags: message.flags,
        name: &message.name,
        kind: Enum::kind(message.kind),
        start_time_unix_nano: message.start_time_unix_nano,
        end_time_unix_nano: message.end_time_unix_nano,
        attributes: key_values(&message.attributes),
        dropped_attributes_count: message.dropped_attributes_count,
        events: message.events.iter().map(event).collect(),
        dropped_events_count: message.dropped_events_count,
        links: message.links.iter().map(link).collect(),
        dropped_links_count: message.dropped_links_count,
        status: Status {
            message: status.map_or("", |status| &status.message),
            code: status.and_then(|status| Enum::status(status.code)),
        },
    }
}

fn event(message: &trace::span::Event) -> Event<'_> {
    Event {
        time_unix_nano: message.time_unix_nano,
        name: &message.name,
        attributes: key_values(&message.attributes),
        dropped_attributes_count: message.dropped_attributes_count,
    }
}

fn link(message: &trace::span::Link) -> Link<'_> {
    Link {
        trace_id: &message.trace_id,
        span_id: &message.span_id,
        trace_state: &message.trace_state,
        attributes: key_values(&message.attributes),
        dropped_attributes_count: message.dropped_attributes_count,
        flags: message.flags,
    }
}

fn key_values(messages: &[common::KeyValue]) -> Vec<KeyValue<'_>> {
    messages
        .iter()
        .map(|message| KeyValue { key: &message.key, value: message.value.as_ref().map(any_value) })
        .collect()
}

fn any_value(message: &common::AnyValue) -> AnyValue<'_> {
    use any_value::Value as Wire;
    AnyValue::Some(match &message.value {
        // The index of a string makes sense in profiles alone.
        None | Some(Wire::StringValueStrindex(_)) => return AnyValue::Empty {},
        Some(Wire::StringValue(text)) => Typed::Str(text),
        Some(Wire::BoolValue(truth)) => Typed::Bool(*truth),
        Some(Wire::IntValue(number)) => Typed::Int(*number),
        Some(Wire::DoubleValue(number)) => Typed::Float(*number),
        Some(Wire::BytesValue(bytes)) => Typed::Bytes(bytes),
        Some(Wire::ArrayValue(array)) => Typed::Array(List { values: array.values.iter().map(any_value).collect() }),
        Some(Wire::KvlistValue(map)) => Typed::Map(List { values: key_values(&map.values) }),
    })
}
