//! `/api/search`: from parameters to the engine's question, and from its answer to JSON.

mod answer;
mod columns;
mod logfmt;
mod request;
mod tags;

use bytes::Bytes;
use http::Response;
use niente_engine::SearchAnswer;

pub(crate) use request::{SearchRequest, seconds_range};

use crate::response;

/// What an answer tells of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Its spansets too: the answer to TraceQL.
    Spansets,
    /// That it is there: the answer to legacy tags.
    Trace,
}

pub(crate) fn respond(answer: &SearchAnswer, detail: Detail) -> Response<Bytes> {
    response::ok("application/json", answer::to_json(answer, detail))
}
