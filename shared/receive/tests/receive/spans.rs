//! Arbitrary spans of the model, and a small encoder of OTLP/JSON for them.

use std::sync::Arc;

use niente_model::{
    Attributes, Event, Link, Nanos, Resource, Scope, Span, SpanId, SpanKind, StatusCode, TraceId, Value, value_to_json,
};
use proptest::{collection::vec, option, prelude::*};
use serde_json::{Value as Json, json};

use crate::vocabulary::NOW;

/// A few spans, some of which share resource and scope.
pub(crate) fn batches() -> impl Strategy<Value = Vec<Span>> {
    let parents = (vec(resource().prop_map(Arc::new), 1..3), vec(scope().prop_map(Arc::new), 1..3));
    let spans = vec((span(), any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..5);
    (parents, spans).prop_map(|((resources, scopes), spans)| {
        let with_parents = |(span, resource, scope): (Span, prop::sample::Index, prop::sample::Index)| Span {
            resource: Arc::clone(resource.get(&resources)),
            scope: Arc::clone(scope.get(&scopes)),
            ..span
        };
        spans.into_iter().map(with_parents).collect()
    })
}

fn span() -> impl Strategy<Value = Span> {
    let ids = (id::<16>(), id::<8>(), option::of(id::<8>()));
    let times = (1..=NOW.get(), 0..=3_600_000_000_000_u64);
    let words = (text(), text(), text(), any::<i32>(), any::<i32>(), any::<u32>());
    let lists = (attributes(), vec(event(), 0..3), vec(link(), 0..3), any::<[u32; 3]>());
    (ids, times, words, lists).prop_map(|(ids, times, words, lists)| {
        let (trace_id, span_id, parent_span_id) = ids;
        let (start, duration) = times;
        let (name, status_message, trace_state, kind, status_code, flags) = words;
        let (attributes, events, links, dropped) = lists;
        Span {
            trace_id: TraceId::from_slice(&trace_id).unwrap(),
            span_id: SpanId::from_slice(&span_id).unwrap(),
            parent_span_id: parent_span_id.map(|id| SpanId::from_slice(&id).unwrap()),
            start: Nanos::new(start).unwrap(),
            duration: Nanos::new(duration).unwrap(),
            kind: SpanKind(kind),
            name,
            status_code: StatusCode(status_code),
            status_message,
            trace_state,
            flags,
            attributes,
            dropped_attributes_count: dropped[0],
            events,
            dropped_events_count: dropped[1],
            links,
            dropped_links_count: dropped[2],
            scope: Arc::default(),
            resource: Arc::default(),
        }
    })
}

fn id<const N: usize>() -> impl Strategy<Value = [u8; N]> {
    any::<[u8; N]>().prop_filter("IDs are not all zero", |id| id.iter().any(|byte| *byte != 0))
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-z.]{1,8}", any::<String>()]
}

fn event() -> impl Strategy<Value = Event> {
    (0..=i64::MAX as u64, text(), attributes(), any::<u32>()).prop_map(
        |(time, name, attributes, dropped_attributes_count)| Event {
            time: Nanos::new(time).unwrap(),
            name,
            attributes,
            dropped_attributes_count,
        },
    )
}

fn link() -> impl Strategy<Value = Link> {
    (vec(any::<u8>(), 0..20), vec(any::<u8>(), 0..12), text(), attributes(), any::<[u32; 2]>()).prop_map(
        |(trace_id, span_id, trace_state, attributes, [dropped_attributes_count, flags])| Link {
            trace_id,
            span_id,
            trace_state,
            attributes,
            dropped_attributes_count,
            flags,
        },
    )
}

fn scope() -> impl Strategy<Value = Scope> {
    (text(), text(), attributes(), any::<u32>(), text()).prop_map(
        |(name, version, attributes, dropped_attributes_count, schema_url)| Scope {
            name,
            version,
            attributes,
            dropped_attributes_count,
            schema_url,
        },
    )
}

fn resource() -> impl Strategy<Value = Resource> {
    (attributes(), any::<u32>(), text()).prop_map(|(attributes, dropped_attributes_count, schema_url)| Resource {
        attributes,
        dropped_attributes_count,
        schema_url,
    })
}

fn attributes() -> impl Strategy<Value = Attributes> {
    vec((text().prop_map(Into::into), value()), 0..4).prop_map(Attributes::from_iter)
}

fn value() -> impl Strategy<Value = Value> {
    // JSON has one NaN.
    let float = any::<f64>().prop_map(|number| if number.is_nan() { f64::NAN } else { number });
    let leaf = prop_oneof![
        Just(Value::Empty),
        text().prop_map(Value::Str),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        float.prop_map(Value::Float),
        Just(Value::Float(f64::NEG_INFINITY)),
        Just(Value::Float(f64::NAN)),
        vec(any::<u8>(), 0..10).prop_map(Value::Bytes),
    ];
    leaf.prop_recursive(4, 12, 3, |inner| {
        prop_oneof![vec(inner.clone(), 0..3).prop_map(Value::Array), vec((text(), inner), 0..3).prop_map(Value::Map),]
    })
}

/// The spans as an OTLP/JSON request, each under a resource and scope of its own.
pub(crate) fn to_json(spans: &[Span]) -> String {
    json!({ "resourceSpans": spans.iter().map(|span| json!({
        "resource": {
            "attributes": attributes_to_json(&span.resource.attributes),
            "droppedAttributesCount": span.resource.dropped_attributes_count,
        },
        "schemaUrl": span.resource.schema_url,
        "scopeSpans": [{
            "scope": {
                "name": span.scope.name,
                "version": span.scope.version,
                "attributes": attributes_to_json(&span.scope.attributes),
                "droppedAttributesCount": span.scope.dropped_attributes_count,
            },
            "schemaUrl": span.scope.schema_url,
            "spans": [span_to_json(span)],
        }],
    })).collect::<Vec<_>>() })
    .to_string()
}

fn span_to_json(span: &Span) -> Json {
    json!({
        "traceId": span.trace_id.to_string(),
        "spanId": span.span_id.to_string(),
        "parentSpanId": span.parent_span_id.map(|id| id.to_string()),
        "traceState": span.trace_state,
        "flags": span.flags,
        "name": span.name,
        "kind": span.kind.0,
        "startTimeUnixNano": span.start.get().to_string(),
        "endTimeUnixNano": span.end().get().to_string(),
        "attributes": attributes_to_json(&span.attributes),
        "droppedAttributesCount": span.dropped_attributes_count,
        "events": span.events.iter().map(|event| json!({
            "timeUnixNano": event.time.get().to_string(),
            "name": event.name,
            "attributes": attributes_to_json(&event.attributes),
            "droppedAttributesCount": event.dropped_attributes_count,
        })).collect::<Vec<_>>(),
        "droppedEventsCount": span.dropped_events_count,
        "links": span.links.iter().map(|link| json!({
            "traceId": hex::encode(&link.trace_id),
            "spanId": hex::encode(&link.span_id),
            "traceState": link.trace_state,
            "attributes": attributes_to_json(&link.attributes),
            "droppedAttributesCount": link.dropped_attributes_count,
            "flags": link.flags,
        })).collect::<Vec<_>>(),
        "droppedLinksCount": span.dropped_links_count,
        "status": { "code": span.status_code.0, "message": span.status_message },
    })
}

fn attributes_to_json(attributes: &Attributes) -> Vec<Json> {
    attributes.iter().map(|(key, value)| json!({ "key": **key, "value": value_to_json(value) })).collect()
}
