use std::io;

use crate::Encoding;

/// Why a whole request could not be received.
///
/// [`Error::kind`] says what the sender should do about it; the message says it in words. Single bad spans are no
/// error: they are refused one by one, see [`Refusals`](crate::Refusals).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A `Content-Encoding` that nobody here can undo.
    #[error("content encoding {given:?} is not supported: use identity, gzip or zstd")]
    UnknownEncoding {
        /// The header's value, shortened.
        given: String,
    },
    /// A `Content-Type` that is no OTLP.
    #[error(
        "content type {given:?} is not supported: use application/x-protobuf, application/protobuf or application/json"
    )]
    UnknownFormat {
        /// The header's value, shortened.
        given: String,
    },
    /// A body beyond [`Limits::body_bytes`](crate::Limits::body_bytes).
    #[error("the uncompressed body is larger than the {limit} bytes that are allowed: send fewer spans at a time")]
    BodyTooLarge {
        /// The most that is allowed, in bytes.
        limit: usize,
    },
    /// Messages beyond [`Limits::message_bytes`](crate::Limits::message_bytes).
    #[error(
        "the body's messages would take more than the {limit} bytes of memory that are allowed: send fewer spans, attributes or array elements at a time"
    )]
    MessagesTooLarge {
        /// The most that is allowed, in bytes.
        limit: usize,
    },
    /// More spans than [`Limits::spans`](crate::Limits::spans).
    #[error("the request has {spans} spans, at most {limit} are allowed: send fewer spans at a time")]
    TooManySpans {
        /// What was sent.
        spans: usize,
        /// The most that are allowed.
        limit: usize,
    },
    /// A body that is not compressed in the way that its header says, or cut off.
    #[error("the body can't be decompressed as {encoding}: {source}")]
    Decompress {
        /// What the header says.
        encoding: Encoding,
        /// What the decompressor says.
        source: io::Error,
    },
    /// Bytes that don't follow protobuf's wire format.
    #[error("the body is no protobuf export request: {reason} at byte {at}")]
    Wire {
        /// What is wrong.
        reason: &'static str,
        /// Where, counted from the start of the uncompressed body.
        at: usize,
    },
    /// Protobuf, but no `ExportTraceServiceRequest`.
    #[error("the body is no protobuf export request: {0}")]
    Protobuf(#[from] prost::DecodeError),
    /// No JSON, or JSON that is no `ExportTraceServiceRequest`.
    #[error("the body is no OTLP/JSON export request: {reason}")]
    Json {
        /// What is wrong and where, shortened.
        reason: String,
    },
}

/// What a sender should do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Send another content type or encoding: HTTP 415.
    UnsupportedMediaType,
    /// Send less at a time: HTTP 413.
    TooLarge,
    /// Mend the request, repeating it is no use: HTTP 400.
    Undecodable,
}

impl Error {
    /// What the sender should do.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::UnknownEncoding { .. } | Error::UnknownFormat { .. } => ErrorKind::UnsupportedMediaType,
            Error::BodyTooLarge { .. } | Error::MessagesTooLarge { .. } | Error::TooManySpans { .. } => {
                ErrorKind::TooLarge
            }
            Error::Decompress { .. } | Error::Wire { .. } | Error::Protobuf(_) | Error::Json { .. } => {
                ErrorKind::Undecodable
            }
        }
    }
}

/// The first 200 characters: what a sender wrote goes into messages and logs, but not megabytes of it.
pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
