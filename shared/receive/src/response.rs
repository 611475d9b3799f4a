use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
use prost::Message;
use serde_json::json;

use crate::{Batch, Format};

impl Batch {
    /// What to answer once the spans are stored: empty when all were taken as they came, or else a partial success
    /// that counts the refused ones and says in words what was refused and changed.
    pub fn response(&self) -> ExportTraceServiceResponse {
        let error_message = match (self.refused.is_empty(), self.warnings.is_empty()) {
            (true, true) => return ExportTraceServiceResponse { partial_success: None },
            (false, true) => self.refused.to_string(),
            (true, false) => self.warnings.to_string(),
            (false, false) => format!("{}. {}", self.refused, self.warnings),
        };
        let rejected_spans = i64::try_from(self.refused.total()).unwrap_or(i64::MAX);
        ExportTraceServiceResponse {
            partial_success: Some(ExportTracePartialSuccess { rejected_spans, error_message }),
        }
    }
}

/// A response's body; OTLP wants it in the format of the request.
pub fn encode_response(response: &ExportTraceServiceResponse, format: Format) -> Vec<u8> {
    match (format, &response.partial_success) {
        (Format::Protobuf, _) => response.encode_to_vec(),
        (Format::Json, None) => b"{}".to_vec(),
        (Format::Json, Some(partial)) => json!({ "partialSuccess": {
            "rejectedSpans": partial.rejected_spans.to_string(),
            "errorMessage": partial.error_message,
        }})
        .to_string()
        .into_bytes(),
    }
}
