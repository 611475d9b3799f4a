//! Tag names and values: from parameters to the engine's questions, and from its answers to JSON.
//!
//! Grafana completes what people type with these, on nearly every key: so whatever can be understood of a request is
//! answered, and an unknown tag has no values.

mod answer;
mod request;

use bytes::Bytes;
use http::Response;
use niente_engine::{TagNames, TagValues};

pub(crate) use request::{NamesRequest, ValuesRequest, Version};

impl NamesRequest {
    pub(crate) fn respond(&self, version: Version, answer: &TagNames) -> Response<Bytes> {
        match version {
            Version::V1 => answer::names_v1(answer, self.intrinsics, self.question.bounds.values),
            Version::V2 => answer::names_v2(answer, self.intrinsics),
        }
    }
}

impl ValuesRequest {
    pub(crate) fn respond(&self, version: Version, answer: &TagValues) -> Response<Bytes> {
        match version {
            Version::V1 => answer::values_v1(answer),
            Version::V2 => answer::values_v2(answer, &self.question.field),
        }
    }
}
