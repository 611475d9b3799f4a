//! Protobuf bodies, whole and broken.

use niente_model::{Attributes, Nanos, Resource, Scope, SpanKind, StatusCode, Value};
use niente_receive::{
    Encoding, ErrorKind, Format, Limits, Request, decompress,
    proto::{
        collector::trace::v1::ExportTraceServiceRequest,
        common::v1::{AnyValue, ArrayValue, KeyValue, any_value::Value as Wire},
    },
    to_resource_spans,
};
use proptest::prelude::*;
use prost::Message;

use crate::{
    spans,
    vocabulary::{NOW, attribute, good_span, receive, receive_span, request, text},
};

#[test]
fn a_span_with_nothing_but_its_ids_and_times_is_taken() {
    let batch = receive(&request(vec![good_span()]), &Limits::default()).unwrap();
    let span = &batch.spans[0];
    assert_eq!(span.trace_id.to_string(), "5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b");
    assert_eq!((span.start, span.end()), (NOW.saturating_sub(Nanos::from_secs(1)), NOW));
    assert_eq!((span.kind, span.status_code, span.parent_span_id), (SpanKind::UNSPECIFIED, StatusCode::UNSET, None));
    assert_eq!((&*span.resource, &*span.scope), (&Resource::default(), &Scope::default()));
    assert!(batch.refused.is_empty() && batch.warnings.is_empty());
}

#[test]
fn trace_ids_of_64_bits_are_padded() {
    let mut span = good_span();
    span.trace_id = vec![0xab; 8];
    let (span, _) = receive_span(span, &Limits::default());
    assert_eq!(span.unwrap().trace_id.to_string(), "0000000000000000abababababababab");
}

#[test]
fn the_last_of_equal_keys_wins_and_valueless_attributes_stay() {
    let mut span = good_span();
    span.attributes = vec![
        attribute("k", text("first")),
        KeyValue { key: "nothing".to_owned(), value: None, key_strindex: 0 },
        KeyValue { key: "empty".to_owned(), value: Some(AnyValue { value: None }), key_strindex: 0 },
        attribute("from a profile", Wire::StringValueStrindex(3)),
        attribute("k", text("last")),
    ];
    let (span, answer) = receive_span(span, &Limits::default());
    let expected = Attributes::from_iter([
        ("k".into(), Value::from("last")),
        ("nothing".into(), Value::Empty),
        ("empty".into(), Value::Empty),
        ("from a profile".into(), Value::Empty),
    ]);
    assert_eq!((span.unwrap().attributes, answer.as_str()), (expected, ""));
}

#[test]
fn spans_share_their_resource_scope_and_keys() {
    let mut span = good_span();
    span.attributes = vec![attribute("k", text("v"))];
    let batch = receive(&request(vec![span.clone(), span]), &Limits::default()).unwrap();
    let [a, b] = &batch.spans[..] else { panic!("two spans") };
    assert!(std::sync::Arc::ptr_eq(&a.resource, &b.resource) && std::sync::Arc::ptr_eq(&a.scope, &b.scope));
    let key = |span: &niente_model::Span| span.attributes.iter().next().map(|(key, _)| key.as_ptr());
    assert_eq!(key(a), key(b));
}

#[test]
fn no_body_is_a_request_without_spans() {
    let batch = Request::decode(b"", Format::Protobuf, &Limits::default()).unwrap();
    assert!(batch.check(&Limits::default(), NOW, None).unwrap().spans.is_empty());
}

#[test]
fn depth_bombs_are_errors_not_stack_overflows() {
    let limits = Limits::default();
    let nested = |levels| {
        let innermost = AnyValue { value: Some(text("deep")) };
        (0..levels)
            .fold(innermost, |value, _| AnyValue { value: Some(Wire::ArrayValue(ArrayValue { values: vec![value] })) })
    };
    for (levels, decodable) in [(1, true), (30, true), (45, true), (60, false), (1_000, false)] {
        let mut span = good_span();
        span.attributes = vec![KeyValue { key: "k".to_owned(), value: Some(nested(levels)), key_strindex: 0 }];
        let body = request(vec![span]).encode_to_vec();
        let decoded = Request::decode(&body, Format::Protobuf, &limits).map(|_| ()).map_err(|error| error.kind());
        assert_eq!(decoded, if decodable { Ok(()) } else { Err(ErrorKind::Undecodable) }, "{levels}");
    }
    // Groups are long out of use, but prost still follows them.
    let groups = [vec![0x7b; 100_000], vec![0x7c; 100_000]].concat();
    assert!(Request::decode(&groups, Format::Protobuf, &limits).is_err());
}

#[test]
fn only_whole_resources_are_a_request() {
    let limits = Limits::default();
    let mut span = good_span();
    span.attributes = vec![attribute("k", Wire::ArrayValue(ArrayValue::default())), attribute("l", text("v"))];
    let one = request(vec![span, good_span()]).encode_to_vec();
    let two = one.repeat(2);
    for end in 0..=two.len() {
        let spans = match end {
            0 => Ok(0),
            _ if end == one.len() => Ok(2),
            _ if end == two.len() => Ok(4),
            _ => Err(ErrorKind::Undecodable),
        };
        let batch = Request::decode(&two[..end], Format::Protobuf, &limits)
            .and_then(|request| request.check(&limits, NOW, None))
            .map_err(|error| error.kind());
        assert_eq!(batch.map(|batch| batch.spans.len()), spans, "the first {end} bytes");
    }
}

#[test]
fn wrong_types_and_texts_are_errors() {
    let limits = Limits::default();
    // A name that is not UTF-8, and resource spans that are a number.
    for body in
        [b"\x0a\x07\x12\x05\x12\x03\x2a\x01\xff".as_slice(), b"\x08\x01", b"{\"resourceSpans\":[]}", b"\x1f\x8b"]
    {
        let error = Request::decode(body, Format::Protobuf, &limits).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Undecodable, "{error}");
    }
}

/// Takes the body through all steps in every way; only that it comes back matters.
fn survive(body: &[u8]) {
    let limits = Limits { body_bytes: 1 << 20, message_bytes: 1 << 20, ..Limits::default() };
    for encoding in [Encoding::Identity, Encoding::Gzip, Encoding::Zstd] {
        let Ok(body) = decompress(body, encoding, limits.body_bytes) else { continue };
        for format in [Format::Protobuf, Format::Json] {
            let request = Request::decode(&body, format, &limits);
            _ = request.and_then(|request| request.check(&limits, NOW, None)).map(|batch| batch.response());
        }
    }
}

proptest! {
    #[test]
    fn random_bytes_do_not_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        survive(&body);
    }

    #[test]
    fn damaged_requests_do_not_panic(
        spans in spans::batches(),
        damages in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let protobuf = ExportTraceServiceRequest { resource_spans: to_resource_spans(&spans) }.encode_to_vec();
        for mut body in [protobuf, spans::to_json(&spans).into_bytes()] {
            for (place, byte) in &damages {
                if !body.is_empty() {
                    let at = place.index(body.len());
                    body[at] = *byte;
                }
            }
            survive(&body);
        }
    }
}
