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

use crate::{
    Error, response,
    room::{Room, TooLarge},
};

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
///
/// A trace that there is no room for is cut: its first spans, and the answer is marked as a partial one.
pub(crate) fn respond_v2(answer: &TraceAnswer, form: Form, room: Room) -> Response<Bytes> {
    let all = answer.spans.len();
    let mut count = all;
    loop {
        let spans = &answer.spans[..count];
        let lacks = (count < all).then(|| format!("the first {count} of {all} spans: more can't be sent here"));
        let inspected_bytes = answer.inspected.bytes;
        let response = match form {
            Form::Protobuf => response::ok(PROTOBUF, protobuf::v2(to_resource_spans(spans), inspected_bytes, lacks)),
            Form::Compact => response::ok(COMPACT, crate::json::to_body(&compact::v2(spans, inspected_bytes, lacks))),
            Form::Json => response::ok_json(&json::v2(&to_resource_spans(spans), inspected_bytes, lacks)),
        };
        match room.try_fit(response) {
            Ok(response) => return response,
            Err(TooLarge { bytes, most }) if count == 0 => return Error::AnswerTooLarge { bytes, most }.to_response(),
            // Spans differ in size: a little less than their mean says.
            Err(TooLarge { bytes, most }) => count = (count * most / bytes * 9 / 10).min(count - 1),
        }
    }
}

#[cfg(test)]
mod tests;
