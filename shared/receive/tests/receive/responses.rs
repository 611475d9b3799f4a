//! What is answered.

use niente_receive::{Format, Limits, encode_response, proto::collector::trace::v1::ExportTraceServiceResponse};
use prost::Message;

use crate::vocabulary::{good_span, receive, request};

fn check(spans: Vec<niente_receive::proto::trace::v1::Span>, expected_json: &str) {
    let response = receive(&request(spans), &Limits::default()).unwrap().response();
    assert_eq!(String::from_utf8(encode_response(&response, Format::Json)).unwrap(), expected_json);
    let protobuf = encode_response(&response, Format::Protobuf);
    assert_eq!(ExportTraceServiceResponse::decode(protobuf.as_slice()).unwrap(), response);
}

#[test]
fn answers_say_what_was_refused_and_changed() {
    let short_id = || {
        let mut span = good_span();
        span.trace_id.truncate(3);
        span
    };
    let backwards = || {
        let mut span = good_span();
        span.end_time_unix_nano = 0;
        span
    };
    check(vec![], "{}");
    check(vec![good_span()], "{}");
    check(
        vec![short_id(), good_span(), short_id()],
        r#"{"partialSuccess":{"errorMessage":"2 spans refused: trace ID has 3 bytes, it must have 16 (or 8 for a 64-bit ID) (2)","rejectedSpans":"2"}}"#,
    );
    check(
        vec![backwards()],
        r#"{"partialSuccess":{"errorMessage":"taken with changes: spans ended before they started, their duration is set to 0 (1)","rejectedSpans":"0"}}"#,
    );
    check(
        vec![short_id(), backwards()],
        r#"{"partialSuccess":{"errorMessage":"1 span refused: trace ID has 3 bytes, it must have 16 (or 8 for a 64-bit ID) (1). taken with changes: spans ended before they started, their duration is set to 0 (1)","rejectedSpans":"1"}}"#,
    );
}
