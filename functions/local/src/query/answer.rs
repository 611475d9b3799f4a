//! The answer of `/api/search`, as far as a table tells it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::Failure;

/// A search's answer. Fields at their default are left out of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Found {
    pub(super) traces: Vec<Trace>,
    pub(super) metrics: Metrics,
}

/// One line of the table.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Trace {
    #[serde(rename = "traceID")]
    pub(super) trace_id: String,
    pub(super) root_service_name: String,
    pub(super) root_trace_name: String,
    #[serde(deserialize_with = "number")]
    pub(super) start_time_unix_nano: u64,
    pub(super) duration_ms: u64,
    pub(super) span_sets: Vec<SpanSet>,
    pub(super) service_stats: BTreeMap<String, ServiceStats>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SpanSet {
    pub(super) matched: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ServiceStats {
    pub(super) span_count: u64,
    pub(super) error_count: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Metrics {
    pub(super) inspected_traces: u64,
    #[serde(deserialize_with = "number")]
    pub(super) inspected_bytes: u64,
}

impl Found {
    /// Reads the body of an answer.
    pub(super) fn read(body: &[u8]) -> Result<Self, Failure> {
        serde_json::from_slice(body)
            .map_err(|error| Failure::because("the answer is not one of Tempo's API; is the URL right?", &error))
    }
}

/// A 64-bit number, which protobuf's JSON writes as text.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number {
        Number(u64),
        Text(String),
    }
    match Number::deserialize(deserializer)? {
        Number::Number(number) => Ok(number),
        Number::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}
