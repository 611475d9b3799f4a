//! What is too much, and how that is told.

use niente_model::{Nanos, Value};
use niente_receive::{
    Batch, Error, ErrorKind, Format, Limits, Request, TRUNCATED, Warnings,
    proto::{
        common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList, any_value::Value as Wire},
        resource::v1::Resource,
        trace::v1::span::{Event, Link},
    },
};

use crate::vocabulary::{NOW, attribute, good_span, receive, receive_span, request, text};

fn array(values: Vec<Wire>) -> Wire {
    Wire::ArrayValue(ArrayValue { values: values.into_iter().map(|value| AnyValue { value: Some(value) }).collect() })
}

fn map(pairs: Vec<(&str, Wire)>) -> Wire {
    Wire::KvlistValue(KeyValueList { values: pairs.into_iter().map(|(key, value)| attribute(key, value)).collect() })
}

/// A value that is sent, what is kept of it under a limit of 20 bytes and 2 levels, and whether that is marked.
fn check(sent: Wire, kept: Value, marked: bool) {
    let limits = Limits { value_bytes: 20, value_depth: 2, ..Limits::default() };
    let span = good_span_with(vec![attribute("k", sent.clone()), attribute("other", text("short"))]);
    let batch = receive(&request(vec![span]), &limits).unwrap();
    let attributes = &batch.spans[0].attributes;
    assert_eq!(attributes.get("k"), Some(&kept), "{sent:?}");
    assert_eq!(attributes.get("other"), Some(&Value::from("short")));
    let mark = Value::Array(vec![Value::from("k")]);
    assert_eq!(attributes.get(TRUNCATED), marked.then_some(&mark), "{sent:?}");
    assert_eq!(batch.warnings, Warnings { cut_values: usize::from(marked), ..Warnings::default() });
}

fn good_span_with(attributes: Vec<KeyValue>) -> niente_receive::proto::trace::v1::Span {
    let mut span = good_span();
    span.attributes = attributes;
    span
}

#[test]
fn long_texts_are_cut_at_a_characters_border() {
    check(text(&"x".repeat(20)), Value::Str("x".repeat(20)), false);
    check(text(&"x".repeat(21)), Value::Str("x".repeat(20)), true);
    check(text(&"ä".repeat(10)), Value::Str("ä".repeat(10)), false);
    check(text(&format!("x{}", "ä".repeat(10))), Value::Str(format!("x{}", "ä".repeat(9))), true);
    check(text(&"😀".repeat(6)), Value::Str("😀".repeat(5)), true);
    check(Wire::BytesValue(vec![1; 20]), Value::Bytes(vec![1; 20]), false);
    check(Wire::BytesValue(vec![1; 21]), Value::Bytes(vec![1; 20]), true);
}

#[test]
fn arrays_and_maps_are_cut_by_their_total_size() {
    let int = Wire::IntValue;
    check(array(vec![]), Value::Array(vec![]), false);
    check(array(vec![int(1), int(2)]), Value::Array(vec![Value::Int(1), Value::Int(2)]), false);
    check(array(vec![int(1), int(2), int(3)]), Value::Array(vec![Value::Int(1), Value::Int(2)]), true);
    check(array(vec![text("0123456789ab")]), Value::Array(vec![Value::from("0123456789ab")]), false);
    check(array(vec![text("0123456789abc")]), Value::Array(vec![Value::from("0123456789ab")]), true);
    check(array(vec![array(vec![int(1)])]), Value::Array(vec![Value::Array(vec![Value::Int(1)])]), false);
    check(array(vec![array(vec![int(1), int(2)])]), Value::Array(vec![Value::Array(vec![Value::Int(1)])]), true);
    check(map(vec![("a", text("0123456789a"))]), Value::Map(vec![("a".into(), Value::from("0123456789a"))]), false);
    check(map(vec![("a", text("0123456789ab"))]), Value::Map(vec![("a".into(), Value::from("0123456789a"))]), true);
    check(map(vec![("0123456789abc", int(1))]), Value::Map(vec![]), true);
}

#[test]
fn values_below_the_deepest_level_become_empty() {
    let deep = array(vec![array(vec![array(vec![])]), Wire::IntValue(1)]);
    check(array(vec![array(vec![])]), Value::Array(vec![Value::Array(vec![])]), false);
    // Three elements of 8 bytes are too many as well, so of the second level the neighbour is left out.
    check(deep, Value::Array(vec![Value::Array(vec![Value::Empty])]), true);
    check(map(vec![("a", map(vec![]))]), Value::Map(vec![("a".into(), Value::Map(vec![]))]), false);
}

#[test]
fn marks_of_an_earlier_cut_stay() {
    let limits = Limits { value_bytes: 40, ..Limits::default() };
    let earlier = array(vec![text("first"), text("k")]);
    let long = || text(&"x".repeat(41));
    let sent = vec![attribute("k", long()), attribute("l", long()), attribute(TRUNCATED, earlier)];
    let (span, _) = receive_span(good_span_with(sent), &limits);
    let keys = ["first", "k", "l"].map(Value::from).to_vec();
    assert_eq!(span.unwrap().attributes.get(TRUNCATED), Some(&Value::Array(keys)));
}

#[test]
fn a_megabyte_in_one_attribute_is_cut_wherever_it_is() {
    let limits = Limits::default();
    let long = || vec![attribute("k", text(&"x".repeat(1 << 20)))];
    let mut span = good_span_with(long());
    span.events.push(Event { attributes: long(), ..Event::default() });
    span.links.push(Link { attributes: long(), ..Link::default() });
    let mut message = request(vec![span]);
    message.resource_spans[0].resource = Some(Resource { attributes: long(), ..Resource::default() });
    message.resource_spans[0].scope_spans[0].scope.get_or_insert_default().attributes = long();
    let Batch { spans, warnings, .. } = receive(&message, &limits).unwrap();
    let span = &spans[0];
    for attributes in [
        &span.attributes,
        &span.events[0].attributes,
        &span.links[0].attributes,
        &span.resource.attributes,
        &span.scope.attributes,
    ] {
        assert_eq!(attributes.get("k"), Some(&Value::Str("x".repeat(65_536))));
        assert_eq!(attributes.get(TRUNCATED), Some(&Value::Array(vec![Value::from("k")])));
    }
    assert_eq!(warnings.cut_values, 5);
}

#[test]
fn a_hundred_thousand_attributes_leave_the_first_and_a_count() {
    let sent = (0..100_000).map(|n| attribute(&format!("key {n}"), Wire::IntValue(n))).collect();
    let mut span = good_span_with(sent);
    span.dropped_attributes_count = 7;
    let (span, answer) = receive_span(span, &Limits::default());
    let span = span.unwrap();
    assert_eq!(span.attributes.len(), 1_024);
    assert_eq!(span.attributes.get("key 1023"), Some(&Value::Int(1_023)));
    assert_eq!(span.dropped_attributes_count, 98_976 + 7);
    let words = "taken with changes: attributes were dropped, their list had too many (98976)";
    assert_eq!(answer, words);
}

#[test]
fn attributes_with_long_keys_are_dropped_and_counted() {
    let sent = vec![attribute(&"k".repeat(1_025), text("a")), attribute(&"k".repeat(1_024), text("b"))];
    let (span, answer) = receive_span(good_span_with(sent), &Limits::default());
    let span = span.unwrap();
    assert_eq!(span.attributes.len(), 1);
    assert_eq!(span.attributes.get(&"k".repeat(1_024)), Some(&Value::from("b")));
    assert_eq!(span.dropped_attributes_count, 1);
    assert_eq!(answer, "taken with changes: attributes were dropped, their key was too long (1)");
}

#[test]
fn surplus_events_and_links_are_dropped_and_counted() {
    let limits = Limits { events: 2, links: 1, ..Limits::default() };
    let mut span = good_span();
    span.events = (1..=5).map(|n| Event { time_unix_nano: n, ..Event::default() }).collect();
    span.dropped_events_count = u32::MAX - 1;
    span.links = vec![Link::default(); 3];
    let (span, answer) = receive_span(span, &limits);
    let span = span.unwrap();
    assert_eq!(span.events.iter().map(|event| event.time).collect::<Vec<_>>(), [1, 2].map(|n| Nanos::new(n).unwrap()));
    assert_eq!((span.dropped_events_count, span.links.len(), span.dropped_links_count), (u32::MAX, 1, 2));
    let words = "taken with changes: events were dropped, their span had too many (3); \
                 links were dropped, their span had too many (2)";
    assert_eq!(answer, words);
}

#[test]
fn too_many_spans_fail_the_request() {
    let limits = Limits { spans: 3, ..Limits::default() };
    assert!(receive(&request(vec![good_span(); 3]), &limits).is_ok());
    let error = receive(&request(vec![good_span(); 4]), &limits).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(error.to_string(), "the request has 4 spans, at most 3 are allowed: send fewer spans at a time");

    // Also the ones that are refused while they are read.
    let body = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"x"},{"traceId":"x"},{},{}]}]}]}"#;
    let request = Request::decode(body.as_bytes(), Format::Json, &limits).unwrap();
    assert!(matches!(request.check(&limits, NOW, None), Err(Error::TooManySpans { spans: 4, limit: 3 })));
}

/// Wraps protobuf `content` into fields, the innermost first.
fn wrapped(content: &[u8], fields: &[u8]) -> Vec<u8> {
    fields.iter().fold(content.to_vec(), |content, field| {
        let mut message = vec![field << 3 | 2];
        prost::encode_length_delimiter(content.len(), &mut message).unwrap();
        message.extend(content);
        message
    })
}

#[test]
fn messages_that_are_small_only_on_the_wire_are_refused_before_they_take_memory() {
    const EMPTY_ONES: usize = 200_000;
    let limits = Limits { message_bytes: 4 << 20, ..Limits::default() };
    for (what, repeated, around) in [
        ("resource spans", 1, [].as_slice()),
        ("scope spans", 2, &[1]),
        ("spans", 2, &[2, 1]),
        ("span attributes", 9, &[2, 2, 1]),
        ("events", 11, &[2, 2, 1]),
        ("links", 13, &[2, 2, 1]),
        ("event attributes", 3, &[11, 2, 2, 1]),
        ("link attributes", 4, &[13, 2, 2, 1]),
        ("scope attributes", 3, &[1, 2, 1]),
        ("resource attributes", 1, &[1, 1]),
        ("entity references", 3, &[1, 1]),
        ("keys of an entity", 3, &[3, 1, 1]),
        ("array elements", 1, &[5, 2, 9, 2, 2, 1]),
        ("map entries", 1, &[6, 2, 9, 2, 2, 1]),
    ] {
        let body = wrapped(&[repeated << 3 | 2, 0].repeat(EMPTY_ONES), around);
        let error = Request::decode(&body, Format::Protobuf, &limits).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{what}: {error}");
        assert!(Request::decode(&body, Format::Protobuf, &Limits::default()).is_ok(), "{what}");
    }
    let spans = |list: &str| format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{list}]}}]}}]}}"#);
    for (what, around, empty) in [
        ("spans", spans("?"), "{}"),
        ("events", spans(r#"{"events":[?]}"#), "{}"),
        ("links", spans(r#"{"links":[?]}"#), "{}"),
        ("attributes", spans(r#"{"attributes":[?]}"#), "{}"),
        ("nulls", spans(r#"{"attributes":[?]}"#), "null"),
        ("elements", spans(r#"{"attributes":[{"value":{"arrayValue":{"values":[?]}}}]}"#), "{}"),
    ] {
        let body = around.replace('?', &vec![empty; EMPTY_ONES].join(","));
        let error = Request::decode(body.as_bytes(), Format::Json, &limits).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{what}: {error}");
        assert!(Request::decode(body.as_bytes(), Format::Json, &Limits::default()).is_ok(), "{what}");
    }
}
