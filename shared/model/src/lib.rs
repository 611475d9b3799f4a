//! What every crate of Niente talks about: spans, attribute values, IDs and time.
//!
//! Nothing here does I/O, reads a clock or knows a wire format. Illegal states are kept out by types: a
//! [`TraceId`] is never all zeros, a [`Nanos`] always fits a signed 64-bit timestamp column, a [`Tenant`] is
//! always a safe path segment, [`Attributes`] are always sorted and hold each key once.
//!
//! The three types to know:
//!
//! * [`Span`]: one OpenTelemetry span with everything OTLP carries, its [`Resource`] and [`Scope`] shared.
//! * [`Value`]: an attribute's value with its type.
//! * [`TraceKey`]: the hash of a trace ID, by which everything is sorted, sharded and indexed.
//!
//! ```
//! use niente_model::{TraceId, Value, Attributes};
//!
//! let id: TraceId = "5b8efff798038103d269b633813fc60c".parse().unwrap();
//! assert_eq!(id.to_string(), "5b8efff798038103d269b633813fc60c");
//!
//! let attributes = Attributes::from_iter([("http.route".into(), Value::from("/cart"))]);
//! assert_eq!(attributes.get("http.route"), Some(&Value::from("/cart")));
//! ```

mod id;
mod json;
mod parent;
mod span;
mod tenant;
mod time;
mod value;

pub use id::{InvalidId, SpanId, TraceId, TraceKey};
pub use json::{InvalidValueJson, value_from_json, value_to_json};
pub use parent::Parents;
pub use span::{Event, Link, Resource, Scope, Span, SpanIdentity, SpanKind, StatusCode};
pub use tenant::{InvalidTenant, Tenant};
pub use time::{Day, Hour, Nanos, OutOfRange, Reversed, TimeRange};
pub use value::{Attributes, Key, Value};
