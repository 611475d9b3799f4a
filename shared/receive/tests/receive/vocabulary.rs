//! The words in which the tests are written: a good span, a request around it, and what becomes of that.

use niente_model::{Nanos, Span};
use niente_receive::{
    Batch, Error, Format, Limits, Request,
    proto::{
        collector::trace::v1::ExportTraceServiceRequest,
        common::v1::{AnyValue, KeyValue, any_value},
        trace::v1 as trace,
    },
};
use prost::Message;

/// 2026-11-02, when all requests of the tests are received.
pub(crate) const NOW: Nanos = Nanos::from_secs(1_793_584_000);
pub(crate) const SECOND: u64 = 1_000_000_000;

/// A span that nothing is wrong with, from the second before [`NOW`].
pub(crate) fn good_span() -> trace::Span {
    trace::Span {
        trace_id: vec![0x5b; 16],
        span_id: vec![0xee; 8],
        name: "GET /cart".to_owned(),
        start_time_unix_nano: NOW.get() - SECOND,
        end_time_unix_nano: NOW.get(),
        ..trace::Span::default()
    }
}

/// A request with these spans, of no resource or scope.
pub(crate) fn request(spans: Vec<trace::Span>) -> ExportTraceServiceRequest {
    let scope_spans = vec![trace::ScopeSpans { spans, ..trace::ScopeSpans::default() }];
    ExportTraceServiceRequest {
        resource_spans: vec![trace::ResourceSpans { scope_spans, ..trace::ResourceSpans::default() }],
    }
}

pub(crate) fn attribute(key: &str, value: any_value::Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), key_strindex: 0 }
}

pub(crate) fn text(text: &str) -> any_value::Value {
    any_value::Value::StringValue(text.to_owned())
}

/// What becomes of a protobuf request without retention.
pub(crate) fn receive(request: &ExportTraceServiceRequest, limits: &Limits) -> Result<Batch, Error> {
    Request::decode(&request.encode_to_vec(), Format::Protobuf, limits)?.check(limits, NOW, None)
}

/// What becomes of one span: itself and the words of the answer, which are empty when all is fine.
pub(crate) fn receive_span(span: trace::Span, limits: &Limits) -> (Option<Span>, String) {
    let batch = receive(&request(vec![span]), limits).unwrap();
    let answer = batch.response().partial_success.map(|partial| partial.error_message).unwrap_or_default();
    (batch.spans.into_iter().next(), answer)
}

/// What becomes of an OTLP/JSON request without retention.
pub(crate) fn receive_json(body: &str) -> Result<Batch, Error> {
    let limits = Limits::default();
    Request::decode(body.as_bytes(), Format::Json, &limits)?.check(&limits, NOW, None)
}

/// An OTLP/JSON request with one good span, to which `fields` are added or, where it has them, override its own.
pub(crate) fn json_request(fields: &str) -> String {
    format!(r#"{{"resourceSpans":[{}]}}"#, json_resource_spans(fields))
}

/// What such a request has in its list.
pub(crate) fn json_resource_spans(fields: &str) -> String {
    let comma = if fields.is_empty() { "" } else { "," };
    format!(
        r#"{{"scopeSpans":[{{"spans":[{{
            "traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174",
            "startTimeUnixNano":"1793583999000000000","endTimeUnixNano":"1793584000000000000"{comma}{fields}
        }}]}}]}}"#
    )
}
