//! OTLP/JSON, as it should be and as it is.

use niente_model::{Nanos, SpanKind, StatusCode, Value};
use niente_receive::{ErrorKind, Format, Limits, Request};

use crate::vocabulary::{json_request, json_resource_spans, receive_json};

/// Two spellings of the same span.
fn check(variant: &str, canonical: &str) {
    let read = |fields| receive_json(&json_request(fields)).unwrap_or_else(|error| panic!("{fields}: {error}"));
    let (found, expected) = (read(variant), read(canonical));
    assert_eq!(found, expected, "{variant}");
    assert_eq!(found.spans.len(), 1, "{variant}");
}

/// A value as JSON spells it.
fn check_value(json: &str, expected: Value) {
    let body = json_request(&format!(r#""attributes":[{{"key":"k","value":{json}}}]"#));
    let batch = receive_json(&body).unwrap_or_else(|error| panic!("{json}: {error}"));
    assert_eq!(batch.spans[0].attributes.get("k"), Some(&expected), "{json}");
}

/// A body that is refused as a whole, with a message that has these words in it.
fn check_error(body: &str, words: &str) {
    let error = receive_json(body).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Undecodable);
    let message = error.to_string();
    assert!(message.starts_with("the body is no OTLP/JSON export request: "), "{message}");
    assert!(message.contains(words), "{message:?} has no {words:?}");
    assert!(message.len() < 1_000);
}

#[test]
fn every_field_is_read() {
    let body = r#"{"resourceSpans":[{
        "resource":{"attributes":[{"key":"service.name","value":{"stringValue":"cart"}}],"droppedAttributesCount":1},
        "schemaUrl":"resource schema",
        "scopeSpans":[{
            "scope":{"name":"lib","version":"1.2","attributes":[{"key":"s","value":{}}],"droppedAttributesCount":2},
            "schemaUrl":"scope schema",
            "spans":[{
                "traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"eee19b7ec3c1b174",
                "parentSpanId":"eee19b7ec3c1b173","traceState":"a=b","flags":257,"name":"GET /cart","kind":2,
                "startTimeUnixNano":"1793583999000000000","endTimeUnixNano":"1793584000000000000",
                "attributes":[{"key":"n","value":{"intValue":"5"}}],"droppedAttributesCount":3,
                "events":[{"timeUnixNano":"7","name":"e","attributes":[{"key":"b","value":{"boolValue":true}}],
                    "droppedAttributesCount":4}],"droppedEventsCount":5,
                "links":[{"traceId":"00","spanId":"ff01","traceState":"c=d","attributes":[],
                    "droppedAttributesCount":6,"flags":7}],"droppedLinksCount":8,
                "status":{"code":2,"message":"broken"}
            }]
        }]
    }]}"#;
    let span = receive_json(body).unwrap().spans.remove(0);
    assert_eq!(span.resource.attributes.get("service.name"), Some(&Value::from("cart")));
    assert_eq!((span.resource.dropped_attributes_count, &*span.resource.schema_url), (1, "resource schema"));
    assert_eq!((&*span.scope.name, &*span.scope.version, &*span.scope.schema_url), ("lib", "1.2", "scope schema"));
    assert_eq!((span.scope.attributes.get("s"), span.scope.dropped_attributes_count), (Some(&Value::Empty), 2));
    assert_eq!(span.trace_id.to_string(), "5b8efff798038103d269b633813fc60c");
    assert_eq!(span.span_id.to_string(), "eee19b7ec3c1b174");
    assert_eq!(span.parent_span_id.unwrap().to_string(), "eee19b7ec3c1b173");
    assert_eq!((&*span.trace_state, span.flags, &*span.name, span.kind), ("a=b", 257, "GET /cart", SpanKind::SERVER));
    assert_eq!((span.start.get(), span.duration), (1_793_583_999_000_000_000, Nanos::from_secs(1)));
    assert_eq!((span.attributes.get("n"), span.dropped_attributes_count), (Some(&Value::Int(5)), 3));
    let event = &span.events[0];
    assert_eq!((event.time.get(), &*event.name, event.dropped_attributes_count), (7, "e", 4));
    assert_eq!(event.attributes.get("b"), Some(&Value::Bool(true)));
    let link = &span.links[0];
    assert_eq!((&*link.trace_id, &*link.span_id, &*link.trace_state), ([0].as_slice(), [0xff, 1].as_slice(), "c=d"));
    assert_eq!((link.dropped_attributes_count, link.flags), (6, 7));
    assert_eq!((span.dropped_events_count, span.dropped_links_count), (5, 8));
    assert_eq!((span.status_code, &*span.status_message), (StatusCode::ERROR, "broken"));
}

#[test]
fn spellings_of_the_same() {
    for (variant, canonical) in [
        // numbers with and without quotes, and as floats that lose nothing
        (r#""startTimeUnixNano":1793583999000000001"#, r#""startTimeUnixNano":"1793583999000000001""#),
        (r#""startTimeUnixNano":1.793583999e18"#, r#""startTimeUnixNano":"1793583999000000000""#),
        (r#""startTimeUnixNano":"1.793583999e18""#, r#""startTimeUnixNano":"1793583999000000000""#),
        (r#""flags":"257","droppedEventsCount":"3""#, r#""flags":257,"droppedEventsCount":3"#),
        // enums by name
        (r#""kind":"SPAN_KIND_SERVER""#, r#""kind":2"#),
        (r#""kind":"SPAN_KIND_CONSUMER""#, r#""kind":5"#),
        (r#""kind":"3""#, r#""kind":3"#),
        (r#""status":{"code":"STATUS_CODE_ERROR"}"#, r#""status":{"code":2}"#),
        (r#""status":{"code":"STATUS_CODE_OK"}"#, r#""status":{"code":1}"#),
        // snake_case
        (
            r#""trace_id":"00000000000000000000000000000001","span_id":"0000000000000002","parent_span_id":"0000000000000003""#,
            r#""traceId":"00000000000000000000000000000001","spanId":"0000000000000002","parentSpanId":"0000000000000003""#,
        ),
        (
            r#""start_time_unix_nano":"5","end_time_unix_nano":"6","trace_state":"a=b""#,
            r#""startTimeUnixNano":"5","endTimeUnixNano":"6","traceState":"a=b""#,
        ),
        (
            r#""dropped_attributes_count":1,"dropped_events_count":2,"dropped_links_count":3"#,
            r#""droppedAttributesCount":1,"droppedEventsCount":2,"droppedLinksCount":3"#,
        ),
        (
            r#""events":[{"time_unix_nano":"5","dropped_attributes_count":1}],"links":[{"trace_id":"ab","span_id":"cd","trace_state":"x","dropped_attributes_count":2}]"#,
            r#""events":[{"timeUnixNano":"5","droppedAttributesCount":1}],"links":[{"traceId":"ab","spanId":"cd","traceState":"x","droppedAttributesCount":2}]"#,
        ),
        (
            r#""attributes":[{"key":"k","value":{"kvlist_value":{"values":[{"key":"a","value":{"array_value":{"values":[{"string_value":"s"},{"int_value":1},{"bool_value":true},{"double_value":2.5},{"bytes_value":"AA=="}]}}}]}}}]"#,
            r#""attributes":[{"key":"k","value":{"kvlistValue":{"values":[{"key":"a","value":{"arrayValue":{"values":[{"stringValue":"s"},{"intValue":1},{"boolValue":true},{"doubleValue":2.5},{"bytesValue":"AA=="}]}}}]}}}]"#,
        ),
        // null is absent
        (
            r#""parentSpanId":null,"name":null,"kind":null,"status":null,"attributes":null,"events":null,"links":null,"flags":null"#,
            "",
        ),
        (r#""status":{"code":null,"message":null}"#, r#""status":{}"#),
        (r#""attributes":[{"key":"k","value":null}]"#, r#""attributes":[{"key":"k"}]"#),
        (
            r#""attributes":[{"key":"k","value":{"stringValue":null,"intValue":"1"}}]"#,
            r#""attributes":[{"key":"k","value":{"intValue":"1"}}]"#,
        ),
        // roots
        (r#""parentSpanId":"""#, ""),
        (r#""parentSpanId":"0000000000000000""#, ""),
        // unknown fields of any shape
        (r#""of":1,"the":{"fu":[{"ture":null}]},"deep":[[[[{}]]]],"x":"y""#, ""),
        (
            r#""attributes":[{"key":"k","value":{"novelValue":{"a":[1]},"boolValue":true}}]"#,
            r#""attributes":[{"key":"k","value":{"boolValue":true}}]"#,
        ),
        // 64-bit trace IDs
        (r#""traceId":"4283fefc63f0cd0e""#, r#""traceId":"00000000000000004283fefc63f0cd0e""#),
        // names with escapes
        (r#""\u006eame":"a""#, r#""name":"a""#),
    ] {
        check(variant, canonical);
    }
}

#[test]
fn values_of_every_type() {
    for (json, expected) in [
        ("{}", Value::Empty),
        (r#"{"stringValue":""}"#, Value::from("")),
        (r#"{"stringValue":"\u00e4\ud83d\ude00\n"}"#, Value::from("ä😀\n")),
        (r#"{"stringValue":"cut here \ud83d"}"#, Value::from("cut here \u{fffd}\u{fffd}\u{fffd}")),
        (r#"{"boolValue":false}"#, Value::Bool(false)),
        (r#"{"intValue":"-9223372036854775808"}"#, Value::Int(i64::MIN)),
        (r#"{"intValue":9223372036854775807}"#, Value::Int(i64::MAX)),
        (r#"{"intValue":1e3}"#, Value::Int(1_000)),
        (r#"{"intValue":5.0}"#, Value::Int(5)),
        (r#"{"intValue":-0}"#, Value::Int(0)),
        (r#"{"doubleValue":0.1}"#, Value::Float(0.1)),
        (r#"{"doubleValue":5}"#, Value::Float(5.0)),
        (r#"{"doubleValue":"2.5"}"#, Value::Float(2.5)),
        (r#"{"doubleValue":"-0"}"#, Value::Float(-0.0)),
        (r#"{"doubleValue":-0.0}"#, Value::Float(-0.0)),
        (r#"{"doubleValue":1.7976931348623157e308}"#, Value::Float(f64::MAX)),
        (r#"{"doubleValue":"NaN"}"#, Value::Float(f64::NAN)),
        (r#"{"doubleValue":"Infinity"}"#, Value::Float(f64::INFINITY)),
        (r#"{"doubleValue":"-Infinity"}"#, Value::Float(f64::NEG_INFINITY)),
        (r#"{"bytesValue":""}"#, Value::Bytes(vec![])),
        (r#"{"bytesValue":"AP/+"}"#, Value::Bytes(vec![0, 255, 254])),
        (r#"{"bytesValue":"AP_-"}"#, Value::Bytes(vec![0, 255, 254])),
        (r#"{"bytesValue":"AA=="}"#, Value::Bytes(vec![0])),
        (r#"{"bytesValue":"AA"}"#, Value::Bytes(vec![0])),
        (r#"{"arrayValue":{}}"#, Value::Array(vec![])),
        (r#"{"arrayValue":{"values":null}}"#, Value::Array(vec![])),
        (
            r#"{"arrayValue":{"values":[{},null,{"intValue":1}]}}"#,
            Value::Array(vec![Value::Empty, Value::Empty, Value::Int(1)]),
        ),
        (r#"{"kvlistValue":{}}"#, Value::Map(vec![])),
        (
            r#"{"kvlistValue":{"values":[{"key":"b"},{"key":"a","value":{"boolValue":true}}]}}"#,
            Value::Map(vec![("b".into(), Value::Empty), ("a".into(), Value::Bool(true))]),
        ),
    ] {
        check_value(json, expected);
    }
}

#[test]
fn a_bad_id_refuses_its_span_alone() {
    for (fields, reason) in [
        (
            r#""traceId":"W47/95gDgQPSabYzgT/GDA==""#,
            "trace ID has the character 'W' at position 1, OTLP/JSON wants hexadecimal digits (no base64)",
        ),
        (
            r#""traceId":"5b8efff798038103d269b633813fc6é""#,
            "trace ID has the character 'é' at position 31, OTLP/JSON wants hexadecimal digits (no base64)",
        ),
        (r#""traceId":"5b8eff7""#, "trace ID has 7 hexadecimal digits, an odd number"),
        (r#""traceId":"5b8eff""#, "trace ID has 3 bytes, it must have 16 (or 8 for a 64-bit ID)"),
        (r#""traceId":"""#, "trace ID has 0 bytes, it must have 16 (or 8 for a 64-bit ID)"),
        (r#""traceId":null"#, "trace ID has 0 bytes, it must have 16 (or 8 for a 64-bit ID)"),
        (r#""traceId":"00000000000000000000000000000000""#, "trace ID is all zeros"),
        (
            r#""spanId":"7ubn5sPBsXQ=""#,
            "span ID has the character 'u' at position 2, OTLP/JSON wants hexadecimal digits (no base64)",
        ),
        (r#""spanId":"5b8efff798038103d269b633813fc60c""#, "span ID has 16 bytes, it must have 8"),
        (
            r#""parentSpanId":"root""#,
            "parent span ID has the character 'r' at position 1, OTLP/JSON wants hexadecimal digits (no base64)",
        ),
        (r#""parentSpanId":"abcd""#, "parent span ID has 2 bytes, it must have 8"),
        (
            r#""links":[{"traceId":"no"}]"#,
            "link's trace ID has the character 'n' at position 1, OTLP/JSON wants hexadecimal digits (no base64)",
        ),
        (r#""links":[{"spanId":"abc"}]"#, "link's span ID has 3 hexadecimal digits, an odd number"),
    ] {
        let (good, bad) = (json_resource_spans(""), json_resource_spans(fields));
        let body = format!(r#"{{"resourceSpans":[{bad},{good},{bad}]}}"#);
        let batch = receive_json(&body).unwrap();
        assert_eq!(batch.refused.to_string(), format!("2 spans refused: {reason} (2)"), "{fields}");
        assert_eq!(batch.spans.len(), 1);
        assert_eq!(batch.spans[0].trace_id.to_string(), "5b8efff798038103d269b633813fc60c");
    }
}

#[test]
fn other_json_is_an_error_that_says_what_and_where() {
    for (body, words) in [
        ("", "EOF while parsing a value at line 1"),
        ("null", "null instead of an object"),
        ("[]", "invalid type: sequence, expected an export request (an object)"),
        ("5", "invalid type: integer `5`, expected an export request"),
        ("\x0a\x05\x12\x03", "expected value at line 2"),
        ("{} {}", "trailing characters at line 1 column 4"),
        (r#"{"resourceSpans":{}}"#, "invalid type: map, expected a list, each element the spans of a resource"),
        (r#"{"resourceSpans":[[]]}"#, "invalid type: sequence, expected the spans of a resource (an object)"),
        (r#"{"resourceSpans":[{"resource":"x"}]}"#, "expected a resource (an object)"),
        (&json_request(r#""name":5"#), "invalid type: integer `5`, expected a string"),
        (&json_request(r#""name":[1]"#), "invalid type: sequence, expected a string"),
        (&json_request(r#""traceId":5"#), "invalid type: integer `5`, expected a string"),
        (&json_request(r#""kind":"SERVER""#), r#"invalid value: string "SERVER", expected an enum's number or name"#),
        (&json_request(r#""kind":{}"#), "invalid type: map, expected a number"),
        (
            &json_request(r#""startTimeUnixNano":"yesterday""#),
            r#"invalid value: string "yesterday", expected an integer"#,
        ),
        (&json_request(r#""startTimeUnixNano":-1"#), "the number -1 does not fit into 64 bits"),
        (&json_request(r#""startTimeUnixNano":1e30"#), "does not fit into 64 bits"),
        (&json_request(r#""startTimeUnixNano":"Infinity""#), "expected an integer"),
        (&json_request(r#""flags":4294967296"#), "the number 4294967296 does not fit into 32 bits"),
        (&json_request(r#""flags":0.5"#), "invalid value: floating point `0.5`, expected an integer"),
        (&json_request(r#""attributes":{"k":"v"}"#), "expected a list, each element a key with its value"),
        (
            &json_request(r#""attributes":[{"key":"k","value":"v"}]"#),
            r#"invalid type: string "v", expected a value (an object)"#,
        ),
        (
            &json_request(r#""attributes":[{"key":"k","value":{"intValue":"9223372036854775808"}}]"#),
            "the number 9223372036854775808 does not fit into 64 bits",
        ),
        (&json_request(r#""attributes":[{"key":"k","value":{"boolValue":"true"}}]"#), "expected a boolean"),
        (&json_request(r#""attributes":[{"key":"k","value":{"bytesValue":"?"}}]"#), "no base64"),
        (&json_request(&format!(r#""kind":"{}""#, "é".repeat(100_000))), "invalid value: string"),
    ] {
        check_error(body, words);
    }
    let latin1 = b"{\"resourceSpans\":[\xe9]}";
    let error = Request::decode(latin1, Format::Json, &Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "the body is no OTLP/JSON export request: not UTF-8 at byte 18");
}

#[test]
fn no_prefix_of_a_request_is_taken_for_the_whole() {
    let body = json_request(r#""attributes":[{"key":"k","value":{"arrayValue":{"values":[{"doubleValue":"NaN"}]}}}]"#);
    for end in 0..body.len() {
        assert_eq!(receive_json(&body[..end]).unwrap_err().kind(), ErrorKind::Undecodable, "{}", &body[..end]);
    }
}

#[test]
fn depth_bombs_are_errors_not_stack_overflows() {
    let nested = |levels: usize| {
        let (open, close) = (r#"{"arrayValue":{"values":["#.repeat(levels), "]}}".repeat(levels));
        json_request(&format!(r#""attributes":[{{"key":"k","value":{open}{close}}}]"#))
    };
    assert!(receive_json(&nested(30)).is_ok());
    check_error(&nested(50), "arrays and objects nested more than 128 deep at line");
    check_error(&nested(100_000), "arrays and objects nested more than 128 deep at line");
    check_error(&"[".repeat(100_000), "expected an export request");
    check_error(&r#"{"resourceSpans":["#.repeat(100_000), "");
    // What is skipped takes no stack.
    let unknown = json_request(&format!(r#""future":{}{}"#, "[".repeat(100_000), "]".repeat(100_000)));
    assert_eq!(receive_json(&unknown).unwrap().spans.len(), 1);
}
