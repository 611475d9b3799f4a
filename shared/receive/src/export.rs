use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use niente_model::{Attributes, Event, Link, Resource, Scope, Span, Value};
use opentelemetry_proto::tonic::{common::v1 as common, resource::v1 as resource, trace::v1 as trace};

/// Spans as OTLP's messages: the way back, for Tempo's trace-by-ID answers and for forwarding.
///
/// Spans of equal resources come together, and among these the ones of equal scopes. Groups stand in the order of
/// their first span, spans in the order given. Every resource, scope, status and value is there, if only an empty
/// one: Grafana panics where one is missing. A root's parent ID is empty.
pub fn to_resource_spans(spans: &[Span]) -> Vec<trace::ResourceSpans> {
    let mut messages: Vec<trace::ResourceSpans> = Vec::new();
    let mut resources = Groups::new();
    let mut scopes_by_resource: Vec<Groups<'_, Scope>> = Vec::new();
    for span in spans {
        let at = resources.place(&span.resource);
        if at == messages.len() {
            messages.push(resource_spans(&span.resource));
            scopes_by_resource.push(Groups::new());
        }
        let scope_messages = &mut messages[at].scope_spans;
        let at = scopes_by_resource[at].place(&span.scope);
        if at == scope_messages.len() {
            scope_messages.push(scope_spans(&span.scope));
        }
        scope_messages[at].spans.push(span_message(span));
    }
    messages
}

/// The places of equal things, in the order in which they first came up.
struct Groups<'a, T> {
    by_content: BTreeMap<&'a T, usize>,
    /// The same, without comparing: most spans share what they have in common.
    by_address: HashMap<*const T, usize>,
}

impl<'a, T: Ord> Groups<'a, T> {
    fn new() -> Self {
        Self { by_content: BTreeMap::new(), by_address: HashMap::new() }
    }

    /// Where the equals of `thing` are; one more than the places so far if it is the first of its kind.
    fn place(&mut self, thing: &'a Arc<T>) -> usize {
        let next = self.by_content.len();
        let by_content = &mut self.by_content;
        *self.by_address.entry(Arc::as_ptr(thing)).or_insert_with(|| *by_content.entry(thing).or_insert(next))
    }
}

fn resource_spans(resource: &Resource) -> trace::ResourceSpans {
    trace::ResourceSpans {
        resource: Some(resource::Resource {
            attributes: key_values(&resource.attributes),
            dropped_attributes_count: resource.dropped_attributes_count,
            entity_refs: Vec::new(),
        }),
        scope_spans: Vec::new(),
        schema_url: resource.schema_url.clone(),
    }
}

fn scope_spans(scope: &Scope) -> trace::ScopeSpans {
    trace::ScopeSpans {
        scope: Some(common::InstrumentationScope {
            name: scope.name.clone(),
            version: scope.version.clone(),
            attributes: key_values(&scope.attributes),
            dropped_attributes_count: scope.dropped_attributes_count,
        }),
        spans: Vec::new(),
        schema_url: scope.schema_url.clone(),
    }
}

fn span_message(span: &Span) -> trace::Span {
    trace::Span {
        trace_id: span.trace_id.as_bytes().to_vec(),
        span_id: span.span_id.as_bytes().to_vec(),
        trace_state: span.trace_state.clone(),
        parent_span_id: span.parent_span_id.map_or_else(Vec::new, |id| id.as_bytes().to_vec()),
        flags: span.flags,
        name: span.name.clone(),
        kind: span.kind.0,
        start_time_unix_nano: span.start.get(),
        end_time_unix_nano: span.end().get(),
        attributes: key_values(&span.attributes),
        dropped_attributes_count: span.dropped_attributes_count,
        events: span.events.iter().map(event).collect(),
        dropped_events_count: span.dropped_events_count,
        links: span.links.iter().map(link).collect(),
        dropped_links_count: span.dropped_links_count,
        status: Some(trace::Status { message: span.status_message.clone(), code: span.status_code.0 }),
    }
}

fn event(event: &Event) -> trace::span::Event {
    trace::span::Event {
        time_unix_nano: event.time.get(),
        name: event.name.clone(),
        attributes: key_values(&event.attributes),
        dropped_attributes_count: event.dropped_attributes_count,
    }
}

fn link(link: &Link) -> trace::span::Link {
    trace::span::Link {
        trace_id: link.trace_id.clone(),
        span_id: link.span_id.clone(),
        trace_state: link.trace_state.clone(),
        attributes: key_values(&link.attributes),
        dropped_attributes_count: link.dropped_attributes_count,
        flags: link.flags,
    }
}

fn key_values(attributes: &Attributes) -> Vec<common::KeyValue> {
    attributes.iter().map(|(key, value)| key_value(key, value)).collect()
}

fn key_value(key: &str, value: &Value) -> common::KeyValue {
    common::KeyValue { key: key.to_owned(), value: Some(any_value(value)), key_strindex: 0 }
}

fn any_value(value: &Value) -> common::AnyValue {
    use common::any_value::Value as Wire;
    let value = match value {
        Value::Empty => None,
        Value::Str(text) => Some(Wire::StringValue(text.clone())),
        Value::Bool(truth) => Some(Wire::BoolValue(*truth)),
        Value::Int(number) => Some(Wire::IntValue(*number)),
        Value::Float(number) => Some(Wire::DoubleValue(*number)),
        Value::Bytes(bytes) => Some(Wire::BytesValue(bytes.clone())),
        Value::Array(values) => {
            Some(Wire::ArrayValue(common::ArrayValue { values: values.iter().map(any_value).collect() }))
        }
        Value::Map(pairs) => Some(Wire::KvlistValue(common::KeyValueList {
            values: pairs.iter().map(|(key, value)| key_value(key, value)).collect(),
        })),
    };
    common::AnyValue { value }
}
