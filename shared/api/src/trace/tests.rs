use std::sync::Arc;

use http::StatusCode as HttpStatus;
use niente_engine::Inspected;
use niente_model::{
    Attributes, Event, Link, Nanos, Resource, Scope, Span, SpanId, SpanKind, StatusCode, TraceId, Value,
};
use niente_receive::proto::trace::v1::TracesData;
use prost::Message;
use serde_json::{Value as Json, json};

use super::{
    protobuf::{Status, TraceByIdMetrics, TraceByIdResponse},
    *,
};

fn attributes<const N: usize>(pairs: [(&str, Value); N]) -> Attributes {
    pairs.into_iter().map(|(key, value)| (key.into(), value)).collect()
}

/// A span with defaults in every field that may have one.
fn bare_span() -> Span {
    let trace_id = TraceId::from_slice(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x5b, 0x2f, 0x1c]).unwrap();
    let span_id = SpanId::from_slice(&[0, 0, 0, 0, 0, 0, 0, 0xa1]).unwrap();
    Span::new(trace_id, span_id, Nanos::from_secs(1_700_000_000))
}

/// A span with something in every field.
fn full_span() -> Span {
    Span {
        kind: SpanKind::SERVER,
        parent_span_id: Some(SpanId::from_slice(&[0, 0, 0, 0, 0, 0, 0, 0xa0]).unwrap()),
        duration: Nanos::new(120_500_000).unwrap(),
        name: "GET /cart".into(),
        status_code: StatusCode::ERROR,
        status_message: "bad".into(),
        trace_state: "a=b".into(),
        flags: 257,
        attributes: attributes([
            ("array", Value::Array(vec![1.into(), Value::Empty])),
            ("bool", false.into()),
            ("bytes", Value::Bytes(vec![0, 255])),
            ("double", 0.5.into()),
            ("empty", Value::Empty),
            ("huge", f64::INFINITY.into()),
            ("int", i64::MAX.into()),
            ("map", Value::Map(vec![("k".into(), "v".into())])),
            ("none", Value::Array(vec![])),
            ("string", "".into()),
        ]),
        dropped_attributes_count: 1,
        events: vec![Event {
            time: Nanos::new(1_700_000_000_000_000_010).unwrap(),
            name: "e".into(),
            attributes: attributes([("n", 1.into())]),
            dropped_attributes_count: 2,
        }],
        dropped_events_count: 3,
        links: vec![Link {
            trace_id: vec![1; 16],
            span_id: vec![],
            trace_state: "c=d".into(),
            attributes: attributes([("n", 2.into())]),
            dropped_attributes_count: 4,
            flags: 1,
        }],
        dropped_links_count: 5,
        scope: Arc::new(Scope {
            name: "lib".into(),
            version: "1.0".into(),
            attributes: attributes([("n", 3.into())]),
            dropped_attributes_count: 6,
            schema_url: "https://scope".into(),
        }),
        resource: Arc::new(Resource {
            attributes: attributes([("service.name", "shop".into())]),
            dropped_attributes_count: 7,
            schema_url: "https://resource".into(),
        }),
        ..bare_span()
    }
}

fn answer(spans: impl Into<Vec<Span>>, bytes: u64) -> TraceAnswer {
    TraceAnswer { spans: spans.into(), inspected: Inspected { bytes, ..Inspected::default() } }
}

#[track_caller]
fn json_of(response: &Response<Bytes>) -> Json {
    assert_eq!(response.status(), HttpStatus::OK);
    serde_json::from_slice(response.body()).unwrap()
}

#[test]
fn json_of_every_field() {
    let batch = json!({
        "resource": {
            "attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}],
            "droppedAttributesCount": 7,
        },
        "scopeSpans": [{
            "scope": {
                "name": "lib", "version": "1.0", "attributes": [{"key": "n", "value": {"intValue": "3"}}],
                "droppedAttributesCount": 6,
            },
            "spans": [{
                "traceId": "AAAAAAAAAAAAAAAAAFsvHA==", "spanId": "AAAAAAAAAKE=", "traceState": "a=b",
                "parentSpanId": "AAAAAAAAAKA=", "flags": 257, "name": "GET /cart", "kind": "SPAN_KIND_SERVER",
                "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000000120500000",
                "attributes": [
                    {"key": "array", "value": {"arrayValue": {"values": [{"intValue": "1"}, {}]}}},
                    {"key": "bool", "value": {"boolValue": false}},
                    {"key": "bytes", "value": {"bytesValue": "AP8="}},
                    {"key": "double", "value": {"doubleValue": 0.5}},
                    {"key": "empty", "value": {}},
                    {"key": "huge", "value": {"doubleValue": "Infinity"}},
                    {"key": "int", "value": {"intValue": "9223372036854775807"}},
                    {"key": "map", "value": {"kvlistValue": {"values": [{"key": "k", "value": {"stringValue": "v"}}]}}},
                    {"key": "none", "value": {"arrayValue": {}}},
                    {"key": "string", "value": {"stringValue": ""}},
                ],
                "droppedAttributesCount": 1,
                "events": [{
                    "timeUnixNano": "1700000000000000010", "name": "e",
                    "attributes": [{"key": "n", "value": {"intValue": "1"}}], "droppedAttributesCount": 2,
                }],
                "droppedEventsCount": 3,
                "links": [{
                    "traceId": "AQEBAQEBAQEBAQEBAQEBAQ==", "traceState": "c=d",
                    "attributes": [{"key": "n", "value": {"intValue": "2"}}], "droppedAttributesCount": 4, "flags": 1,
                }],
                "droppedLinksCount": 5,
                "status": {"message": "bad", "code": "STATUS_CODE_ERROR"},
            }],
            "schemaUrl": "https://scope",
        }],
        "schemaUrl": "https://resource",
    });
    let answer = answer([full_span()], 25_200);
    assert_eq!(json_of(&respond_v1(&answer, Form::Json)), json!({ "batches": [batch] }));
    assert_eq!(
        json_of(&respond_v2(&answer, Form::Json, Room::default())),
        json!({"trace": {"resourceSpans": [batch]}, "metrics": {"inspectedBytes": "25200"}})
    );
}

#[test]
fn json_leaves_out_defaults_and_keeps_messages() {
    let response = respond_v1(&answer([bare_span()], 0), Form::Json);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(
        response.body(),
        concat!(
            r#"{"batches":[{"resource":{},"scopeSpans":[{"scope":{},"spans":[{"traceId":"AAAAAAAAAAAAAAAAAFsvHA==","#,
            r#""spanId":"AAAAAAAAAKE=","startTimeUnixNano":"1700000000000000000","#,
            r#""endTimeUnixNano":"1700000000000000000","status":{}}]}]}]}"#
        )
    );
}

#[test]
fn enums_without_a_name_are_numbers() {
    let span = Span { kind: SpanKind(9), status_code: StatusCode(-1), ..bare_span() };
    let body = json_of(&respond_v1(&answer([span], 0), Form::Json));
    let span = &body["batches"][0]["scopeSpans"][0]["spans"][0];
    assert_eq!((&span["kind"], &span["status"]["code"]), (&json!(9), &json!(-1)));
}

#[test]
fn a_missing_trace_is_404_in_v1_and_empty_in_v2() {
    let none = answer([], 0);
    for form in [Form::Json, Form::Protobuf, Form::Compact] {
        let response = respond_v1(&none, form);
        assert_eq!(response.status(), HttpStatus::NOT_FOUND);
        assert!(response.body().is_empty() && response.headers().is_empty());
    }
    assert_eq!(respond_v2(&none, Form::Json, Room::default()).body(), r#"{"trace":{},"metrics":{}}"#);
    assert_eq!(respond_v2(&none, Form::Compact, Room::default()).body(), r#"{"trace":{},"metrics":{}}"#);

    let body = respond_v2(&none, Form::Protobuf, Room::default()).into_body();
    assert!(!body.is_empty(), "a body of no bytes has no trace, on which Grafana panics");
    let response = TraceByIdResponse::decode(body).unwrap();
    assert_eq!(response.trace, Some(TracesData::default()));
}

/// Both protobuf answers of these spans, which must hold the same trace.
fn protobuf_of(spans: &[Span]) -> TracesData {
    let answer = answer(spans, 7);
    let v1 = respond_v1(&answer, Form::Protobuf);
    let v2 = respond_v2(&answer, Form::Protobuf, Room::default());
    assert_eq!(v1.headers()["content-type"], "application/protobuf");
    assert_eq!(v2.headers()["content-type"], "application/protobuf");
    let v1 = TracesData::decode(v1.into_body()).unwrap();
    let v2 = TraceByIdResponse::decode(v2.into_body()).unwrap();
    assert_eq!(v2.metrics, Some(TraceByIdMetrics { inspected_bytes: 7 }));
    assert_eq!((v2.status(), &*v2.message), (Status::Complete, ""));
    assert_eq!(v2.trace, Some(v1.clone()));
    v1
}

#[test]
fn protobuf_has_every_message_that_grafana_takes_for_granted() {
    let trace = protobuf_of(&[bare_span(), full_span()]);
    assert_eq!(trace.resource_spans.len(), 2);
    for resource_spans in &trace.resource_spans {
        let resource = resource_spans.resource.as_ref().expect("a resource");
        assert!(!resource.attributes.is_empty(), "Grafana drops the spans of a resource without attributes");
        for scope_spans in &resource_spans.scope_spans {
            assert!(scope_spans.scope.is_some());
            assert!(scope_spans.spans.iter().all(|span| span.status.is_some()));
        }
    }
    let root = &trace.resource_spans[0].scope_spans[0].spans[0];
    assert!(root.parent_span_id.is_empty(), "eight zeros would be an orphan's parent");
}

#[test]
fn protobuf_holds_the_spans_as_they_are() {
    let trace = protobuf_of(&[full_span()]);
    assert_eq!(trace.resource_spans, to_resource_spans(&[full_span()]));

    let bare = protobuf_of(&[bare_span()]);
    let service = &bare.resource_spans[0].resource.as_ref().unwrap().attributes;
    assert_eq!(service.len(), 1);
    assert_eq!(service[0].key, "service.name");
}

#[test]
fn the_compact_form_has_plain_attributes() {
    let answer = answer([Span { scope: Arc::default(), resource: Arc::default(), ..full_span() }, full_span()], 9);
    let response = respond_v2(&answer, Form::Compact, Room::default());
    assert_eq!(response.headers()["content-type"], "application/vnd.grafana.llm");
    let body = json_of(&response);
    let span = json!({
        "spanId": "00000000000000a1", "parentSpanId": "00000000000000a0", "name": "GET /cart",
        "kind": "SPAN_KIND_SERVER", "startTimeUnixNano": "1700000000000000000",
        "endTimeUnixNano": "1700000000120500000", "durationMs": 120.5,
        "attributes": {
            "array": [1, null], "bool": false, "bytes": "AP8=", "double": 0.5, "empty": null, "int": i64::MAX,
            "map": {"k": "v"}, "huge": "Infinity", "none": [], "string": "",
        },
        "status": {"message": "bad", "code": "STATUS_CODE_ERROR"},
    });
    let expected = json!({
        "trace": {"traceId": "000000000000000000000000005b2f1c", "services": [
            {"serviceName": "", "scopes": [{"spans": [span]}]},
            {"serviceName": "shop", "scopes": [{"name": "lib", "version": "1.0", "spans": [span]}]},
        ]},
        "metrics": {"inspectedBytes": "9"},
    });
    assert_eq!(body, expected);
}

#[test]
fn a_trace_that_there_is_no_room_for_is_cut_and_marked() {
    let spans = (1..=200_u64).map(|n| {
        let id = SpanId::from_slice(&n.to_be_bytes()).unwrap();
        Span::new("1".parse().unwrap(), id, Nanos::from_secs(n))
    });
    let answer = TraceAnswer { spans: spans.collect(), ..TraceAnswer::default() };
    for form in [Form::Json, Form::Compact, Form::Protobuf] {
        let whole = respond_v2(&answer, form, Room::default()).into_body().len();
        let cut = respond_v2(&answer, form, Room::up_to(whole / 2)).into_body();
        assert!((whole / 3..=whole / 2).contains(&cut.len()), "{form:?}: {} of {whole} bytes", cut.len());
        let text = String::from_utf8_lossy(&cut);
        assert!(text.contains("of 200 spans: more can't be sent here"), "{form:?}");
        assert_eq!(text.contains(r#""status":"PARTIAL""#), form != Form::Protobuf);
        assert_eq!(respond_v2(&answer, form, Room::up_to(1)).status(), 422);
    }
}
