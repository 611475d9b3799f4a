//! A trace in protobuf: what Grafana reads.

use niente_receive::proto::{
    common::v1::{AnyValue, KeyValue, any_value::Value},
    trace::v1::{ResourceSpans, TracesData},
};
use prost::Message;

/// The body of Tempo's older answer: its message `Trace` has the layout of OTLP's.
pub(crate) fn v1(spans: Vec<ResourceSpans>) -> Vec<u8> {
    shown(spans).encode_to_vec()
}

/// The body of Tempo's newer answer; a partial one says what it lacks.
pub(crate) fn v2(spans: Vec<ResourceSpans>, inspected_bytes: u64, lacks: Option<String>) -> Vec<u8> {
    let metrics = TraceByIdMetrics { inspected_bytes };
    TraceByIdResponse {
        trace: Some(shown(spans)),
        metrics: Some(metrics),
        status: if lacks.is_some() { Status::Partial } else { Status::Complete }.into(),
        message: lacks.unwrap_or_default(),
    }
    .encode_to_vec()
}

/// Tempo's `TraceByIDResponse`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct TraceByIdResponse {
    /// Always there, if only as an empty one: Grafana's plugin panics without.
    #[prost(message, optional, tag = "1")]
    pub(crate) trace: Option<TracesData>,
    #[prost(message, optional, tag = "2")]
    pub(crate) metrics: Option<TraceByIdMetrics>,
    #[prost(enumeration = "Status", tag = "3")]
    pub(crate) status: i32,
    /// What a partial answer lacks, and why.
    #[prost(string, tag = "4")]
    pub(crate) message: String,
}

/// Tempo's `TraceByIDMetrics`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct TraceByIdMetrics {
    #[prost(uint64, tag = "1")]
    pub(crate) inspected_bytes: u64,
}

/// Tempo's `PartialStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum Status {
    /// All spans are there.
    Complete = 0,
    /// Some spans are missing.
    Partial = 1,
}

/// The trace such that Grafana shows all of it.
///
/// Grafana drops a resource without attributes together with its spans. OpenTelemetry's SDKs call a service
/// `unknown_service` that nobody named, so that is what such a resource gets. JSON isn't what Grafana reads, and so
/// says what is stored.
fn shown(mut resource_spans: Vec<ResourceSpans>) -> TracesData {
    for resource in resource_spans.iter_mut().map(|spans| spans.resource.get_or_insert_default()) {
        if resource.attributes.is_empty() {
            resource.attributes.push(KeyValue {
                key: "service.name".to_owned(),
                value: Some(AnyValue { value: Some(Value::StringValue("unknown_service".to_owned())) }),
                ..KeyValue::default()
            });
        }
    }
    TracesData { resource_spans }
}
