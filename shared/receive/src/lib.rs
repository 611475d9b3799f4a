//! OTLP's wire formats to the [model](niente_model) and back.
//!
//! This is the first crate that a span passes through. A request body comes in as its sender compressed and encoded
//! it, and leaves as a [`Batch`]: spans that every later crate can take as they are, for what OTLP forbids has been
//! refused here and what is too large has been cut here. There is no I/O and no clock; HTTP routes and status codes
//! belong to the crate that calls this one, which chooses them by [`ErrorKind`].
//!
//! The way takes three steps, each of which bounds the memory that the next one can take:
//!
//! 1. [`decompress`] undoes the [`Encoding`], up to [`Limits::body_bytes`].
//! 2. [`Request::decode`] reads the [`Format`], protobuf or OTLP/JSON, into protobuf's messages.
//! 3. [`Request::check`] looks at each span and makes a [`Span`](niente_model::Span) of it.
//!
//! A request fails as a whole, with an [`Error`], only if it can't be read or is too large. A span that breaks the
//! rules is refused alone and counted in [`Refusals`]; what is changed in a span that is kept is counted in
//! [`Warnings`]. Both go back to the sender with [`Batch::response`], as OTLP's partial success.
//!
//! [`to_resource_spans`] is the way back. Whatever [`Request::check`] made of a message, it makes the same of that
//! again: nothing that OTLP carries about a span is lost, but for the `entity_refs` of resources, which are still in
//! development.
//!
//! ```
//! use niente_model::{Nanos, Value};
//! use niente_receive::{Encoding, Error, Format, Limits, Request, decompress, encode_response, to_resource_spans};
//!
//! let body = br#"{"resourceSpans": [{
//!     "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "cart"}}]},
//!     "scopeSpans": [{"spans": [
//!         {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "GET /cart",
//!          "startTimeUnixNano": "1793583944810577219", "endTimeUnixNano": "1793583944815603900"},
//!         {"traceId": "5b8eff", "spanId": "eee19b7ec3c1b175", "name": "GET /cart",
//!          "startTimeUnixNano": "1793583944810577219", "endTimeUnixNano": "1793583944815603900"}
//!     ]}]
//! }]}"#;
//! let encoding: Encoding = "identity".parse()?;
//! let format: Format = "application/json; charset=utf-8".parse()?;
//! let limits = Limits::default();
//! let now = Nanos::from_secs(1_793_584_000);
//!
//! let body = decompress(body, encoding, limits.body_bytes)?;
//! let batch = Request::decode(&body, format, &limits)?.check(&limits, now, None)?;
//!
//! assert_eq!(batch.spans[0].resource.attributes.get("service.name"), Some(&Value::from("cart")));
//! assert_eq!(
//!     String::from_utf8_lossy(&encode_response(&batch.response(), format)),
//!     r#"{"partialSuccess":{"errorMessage":"1 span refused: trace ID has 3 bytes, it must have 16 (or 8 for a 64-bit ID) (1)","rejectedSpans":"1"}}"#,
//! );
//! assert_eq!(to_resource_spans(&batch.spans)[0].scope_spans[0].spans[0].name, "GET /cart");
//! # Ok::<(), Error>(())
//! ```

mod attributes;
mod check;
mod encoding;
mod error;
mod export;
mod format;
mod json;
mod limits;
mod refusal;
mod request;
mod response;
mod spans;
mod warnings;
mod wire;

pub use attributes::TRUNCATED;
pub use check::Batch;
pub use encoding::{Encoding, decompress};
pub use error::{Error, ErrorKind};
pub use export::to_resource_spans;
pub use format::{Format, json_lines};
pub use limits::Limits;
/// The messages that requests are decoded into, responses made of and [`to_resource_spans`] returns.
pub use opentelemetry_proto::tonic as proto;
pub use refusal::{Refusal, Refusals};
pub use request::Request;
pub use response::encode_response;
pub use warnings::Warnings;
