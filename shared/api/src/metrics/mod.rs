//! `/api/metrics/query_range` and `/api/metrics/query`: from parameters to the engine's question, and from its answer to
//! JSON.

mod answer;
mod request;
mod step;

use bytes::Bytes;
use http::Response;
use niente_engine::{MetricsAnswer, MetricsQuestion};

pub(crate) use request::{Kind, parse};

use crate::response;

pub(crate) fn respond(kind: Kind, question: &MetricsQuestion, answer: &MetricsAnswer) -> Response<Bytes> {
    let body = match kind {
        Kind::Range => answer::range(question, answer),
        Kind::Instant => answer::instant(answer),
    };
    response::ok(response::JSON, body)
}
