//! `/api/search`: from parameters to the engine's question, and from its answer to JSON.

mod answer;
mod columns;
mod logfmt;
mod request;
mod tags;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Response,
    header::{USER_AGENT, VARY},
};
use niente_engine::SearchAnswer;

use columns::Client;

pub(crate) use request::{SearchRequest, seconds_range, window};

use crate::response;

/// What an answer tells of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Its spansets too: the answer to TraceQL.
    Spansets,
    /// That it is there: the answer to legacy tags.
    Trace,
}

pub(crate) fn respond(answer: &SearchAnswer, detail: Detail, headers: &HeaderMap) -> Response<Bytes> {
    let agent = headers.get(USER_AGENT).map(HeaderValue::as_bytes).unwrap_or_default();
    let client = if agent.starts_with(b"Grafana/") { Client::Grafana } else { Client::Other };
    let mut response = response::ok("application/json", answer::to_json(answer, detail, client));
    response.headers_mut().insert(VARY, HeaderValue::from_static("user-agent"));
    response
}
