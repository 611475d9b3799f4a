//! `/api/traces/{id}` and `/api/v2/traces/{id}`: a trace by its ID.

mod compact;
mod json;
mod protobuf;
mod request;

use bytes::Bytes;
use http::Response;
use niente_engine::TraceAnswer;
use niente_receive::to_resource_spans;

pub(crate) use request::{Form, TraceRequest};

use crate::response;

const PROTOBUF: &str = "application/protobuf";
const COMPACT: &str = "application/vnd.grafana.llm";

/// The older answer: the trace alone, and 404 if there is none.
pub(crate) fn respond_v1(answer: &TraceAnswer, form: Form) -> Response<Bytes> {
    if answer.spans.is_empty() {
        return response::missing();
    }
    let spans = to_resource_spans(&answer.spans);
    match form {
        Form::Protobuf => response::ok(PROTOBUF, protobuf::v1(spans)),
        // Only the newer answer has a compact form.
        Form::Compact | Form::Json => response::ok_json(&json::v1(&spans)),
    }
}

/// The newer answer: the trace, which is empty if there is none, and what it took to find it.
pub(crate) fn respond_v2(answer: &TraceAnswer, form: Form) -> Response<Bytes> {
    let inspected_bytes = answer.inspected.bytes;
    match form {
        Form::Protobuf => response::ok(PROTOBUF, protobuf::v2(to_resource_spans(&answer.spans), inspected_bytes)),
        Form::Compact => response::ok(COMPACT, crate::json::to_body(&compact::v2(&answer.spans, inspected_bytes))),
        Form::Json => response::ok_json(&json::v2(&to_resource_spans(&answer.spans), inspected_bytes)),
    }
}

#[cfg(test)]
mod tests;
