use http::StatusCode;
use niente_catalog::WriteError;
use niente_model::{InvalidId, InvalidTenant, Nanos};
use niente_receive::ErrorKind as ReceiveKind;
use niente_store::ErrorKind as StoreKind;
use niente_traceql::{ErrorKind, QueryError, format_duration};

use crate::{AuthError, route};

/// Why a request got no answer.
///
/// The display is a line for the sender: it becomes the response's body, which Grafana shows as it is.
/// [`Error::status`] says whose fault it is, as HTTP has it, and so what the sender should do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A path that nothing is served at.
    #[error("there is nothing at {path}; what there is: {}", route::listing())]
    UnknownPath {
        /// The path, in quotes and shortened.
        path: String,
    },
    /// A path with another method than it takes.
    #[error("this path takes {allow} only")]
    Method {
        /// The methods that it takes, as the `Allow` header lists them.
        allow: &'static str,
    },
    /// No tenant where one is needed.
    #[error("the header X-Scope-OrgID is missing: it has to name a tenant")]
    NoTenant,
    /// Several tenants in as many headers.
    #[error("the header X-Scope-OrgID is there {0} times: it has to be there once")]
    SeveralTenants(usize),
    /// Spans for several tenants at once.
    #[error("the header X-Scope-OrgID names several tenants: spans go to one")]
    OneTenantOnly,
    /// A question about more tenants than are asked for one answer.
    #[error("the header X-Scope-OrgID names more than {0} tenants: ask for fewer at a time")]
    TooManyTenants(usize),
    /// A sender who is not let in, or not let do what it wants.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// A name that no tenant can have.
    #[error("header X-Scope-OrgID: {0}")]
    Tenant(#[from] InvalidTenant),
    /// A parameter, or parameters, that make no sense.
    #[error("parameter {name}: {reason}")]
    Parameter {
        /// Which.
        name: &'static str,
        /// What is wrong with it, and what would be right.
        reason: String,
    },
    /// A time range beyond [`Settings::max_range`](crate::Settings::max_range).
    // Grafana knows this sentence by `range specified by start and end.*exceeds` and says it in its own words.
    #[error("range specified by start and end ({}) exceeds {}: choose a shorter one", length(*.range), length(*.limit))]
    RangeTooLong {
        /// How long it is.
        range: Nanos,
        /// How long it may be.
        limit: Nanos,
    },
    /// A time range of metrics beyond [`Settings::max_metrics_range`](crate::Settings::max_metrics_range).
    // Grafana knows this sentence by its beginning, up to `of`.
    #[error(
        "metrics query time range exceeds the maximum allowed duration of {}: it is {}, choose a shorter one",
        length(*.limit),
        length(*.range)
    )]
    MetricsRangeTooLong {
        /// How long it is.
        range: Nanos,
        /// How long it may be.
        limit: Nanos,
    },
    /// A query for metrics that is no TraceQL, or measures nothing.
    #[error("{}{_0}", if matches!(_0.kind, ErrorKind::Invalid | ErrorKind::Unsupported) { "compiling query: " } else { "" })]
    MetricsQuery(QueryError),
    /// A query that is no TraceQL, or none that means anything.
    // The prefix is a constant of Tempo's API that clients look for.
    #[error("invalid TraceQL query: {0}")]
    Query(#[from] QueryError),
    /// A trace ID in a path that is none.
    #[error(transparent)]
    TraceId(#[from] InvalidId),
    /// An answer that is too large for what would carry it.
    #[error(
        "the answer has {bytes} bytes, and {most} can be sent here: lower limit or spss, narrow the time range, accept \
         gzip, or have the function's URL stream"
    )]
    AnswerTooLarge {
        /// How large it is, as it would be sent.
        bytes: usize,
        /// How large it may be.
        most: usize,
    },
    /// Spans that can't be received.
    #[error(transparent)]
    Receive(#[from] niente_receive::Error),
    /// Spans that were not stored.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A tenant's configuration that could not be read.
    #[error(transparent)]
    Catalog(#[from] niente_catalog::Error),
    /// A question that the engine could not answer.
    #[error(transparent)]
    Engine(#[from] niente_engine::Error),
}

impl Error {
    /// The HTTP status.
    ///
    /// A storage that asks to slow down is 429, and one that fails in a way that passes is 503. Spans that could not
    /// be stored for want of permission or room are 503 as well, for on any other status an OpenTelemetry collector
    /// throws them away, and they are good: it is the storage that somebody has to mend.
    pub fn status(&self) -> StatusCode {
        match self {
            Error::UnknownPath { .. } => StatusCode::NOT_FOUND,
            Error::AnswerTooLarge { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Error::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Error::NoTenant => StatusCode::UNAUTHORIZED,
            Error::Auth(error) => error.status(),
            Error::SeveralTenants(_)
            | Error::OneTenantOnly
            | Error::TooManyTenants(_)
            | Error::Tenant(_)
            | Error::Parameter { .. }
            | Error::RangeTooLong { .. }
            | Error::MetricsRangeTooLong { .. }
            | Error::MetricsQuery(_)
            | Error::Query(_)
            | Error::TraceId(_) => StatusCode::BAD_REQUEST,
            Error::Receive(error) => match error.kind() {
                ReceiveKind::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
                ReceiveKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                ReceiveKind::Undecodable => StatusCode::BAD_REQUEST,
            },
            Error::Write(WriteError::Store(error)) | Error::Catalog(niente_catalog::Error::Store(error))
                if error.kind() == StoreKind::GiveUp =>
            {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Error::Write(WriteError::Store(error))
            | Error::Engine(niente_engine::Error::Store(error))
            | Error::Catalog(niente_catalog::Error::Store(error)) => store_status(error),
            Error::Engine(niente_engine::Error::OverBudget(_)) => StatusCode::UNPROCESSABLE_ENTITY,
            Error::Engine(niente_engine::Error::Deadline) => StatusCode::GATEWAY_TIMEOUT,
            Error::Engine(error) if error.may_pass() => StatusCode::SERVICE_UNAVAILABLE,
            Error::Write(_) | Error::Engine(_) | Error::Catalog(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// After how many seconds the same request is worth another try; none if it isn't.
    pub fn retry_after(&self) -> Option<u32> {
        // Object storages get over throttling in seconds.
        const SECONDS: u32 = 5;

        let passes = matches!(self.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        passes.then_some(SECONDS)
    }

    pub(crate) fn parameter(name: &'static str, reason: impl Into<String>) -> Self {
        Error::Parameter { name, reason: reason.into() }
    }
}

fn store_status(error: &niente_store::Error) -> StatusCode {
    match error.kind() {
        StoreKind::Retry if matches!(error, niente_store::Error::Throttled { .. }) => StatusCode::TOO_MANY_REQUESTS,
        StoreKind::Retry | StoreKind::Refresh => StatusCode::SERVICE_UNAVAILABLE,
        StoreKind::FixRequest | StoreKind::GiveUp => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn length(nanos: Nanos) -> String {
    format_duration(nanos.as_i64())
}

/// What a sender wrote, in quotes, without line breaks and at most 100 characters of it.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 100;

    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use niente_store::{Action, Error as StoreError};

    use super::*;

    #[test]
    fn faults_of_the_storage_say_whether_to_try_again() {
        let (action, key) = (Action::Write, || "acme/l0/x".to_owned());
        for (error, written, read) in [
            (StoreError::Throttled { action, key: key(), source: None }, 429, 429),
            (StoreError::Unavailable { action, key: key(), source: None }, 503, 503),
            (StoreError::NotFound { action, key: key(), source: None }, 503, 503),
            (StoreError::Full { action, key: key(), source: None }, 503, 500),
            (StoreError::PermissionDenied { action, key: key(), advice: "".into(), source: None }, 503, 500),
            (StoreError::OutOfRange { key: key(), range: 0..1, size: None, source: None }, 500, 500),
        ] {
            let message = error.to_string();
            let on_write = Error::Write(WriteError::Store(error));
            assert_eq!(on_write.status().as_u16(), written, "{message}");
            assert_eq!(on_write.retry_after().is_some(), written != 500, "{message}");
            let Error::Write(WriteError::Store(error)) = on_write else { unreachable!() };
            assert_eq!(Error::Engine(error.into()).status().as_u16(), read, "{message}");
        }
        assert_eq!(Error::Engine(niente_engine::Error::Moving(3)).status().as_u16(), 503);
        assert_eq!(Error::Engine(niente_engine::Error::Worker("x".into())).status().as_u16(), 500);
    }

    #[test]
    fn what_senders_wrote_is_quoted_in_one_short_line() {
        assert_eq!(quoted("a\"b\n"), r#""a\"b\n""#);
        assert_eq!(quoted(&"é".repeat(101)), format!("\"{}\"…", "é".repeat(100)));
    }
}
