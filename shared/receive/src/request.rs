use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use crate::{Error, Format, Limits, Refusals, json, wire};

/// A decoded export request: well-formed, but nothing in it is checked yet.
///
/// Next comes [`Request::check`]. A request that another library has decoded, as gRPC servers do, is turned into one
/// with `From`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    pub(crate) message: ExportTraceServiceRequest,
    /// Spans that protobuf's messages have no place for: their IDs in JSON are no bytes.
    pub(crate) refused: Refusals,
}

impl Request {
    /// Reads an uncompressed body.
    ///
    /// # Errors
    ///
    /// [`Error::MessagesTooLarge`], found before that memory is taken; of the kind `Undecodable` for a body that is
    /// not what the format says, or whose values are nested deeper than its decoder goes (some 30 levels, more than
    /// [`Limits::value_depth`] keeps).
    pub fn decode(body: &[u8], format: Format, limits: &Limits) -> Result<Self, Error> {
        match format {
            Format::Protobuf => {
                let limit = limits.message_bytes;
                if wire::decoded_size(body)? > limit {
                    return Err(Error::MessagesTooLarge { limit });
                }
                Ok(ExportTraceServiceRequest::decode(body)?.into())
            }
            Format::Json => json::decode(body, limits.message_bytes),
        }
    }
}

impl From<ExportTraceServiceRequest> for Request {
    fn from(message: ExportTraceServiceRequest) -> Self {
        Self { message, refused: Refusals::default() }
    }
}
