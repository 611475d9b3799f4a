use std::error::Error as _;

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS},
};
use serde::Serialize;

use crate::{Error, json};

pub(crate) const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

/// The ways to show a token.
const CHALLENGES: &str = r#"Bearer realm="niente", Basic realm="niente""#;

/// 200 with a body of this content type.
pub(crate) fn ok(content_type: &'static str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

pub(crate) fn ok_text(text: &'static str) -> Response<Bytes> {
    ok(TEXT, text)
}

pub(crate) fn ok_json(answer: &impl Serialize) -> Response<Bytes> {
    ok(JSON, json::to_body(answer))
}

/// 404 without a word, as Tempo answers for a trace that isn't there.
pub(crate) fn missing() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// A failure's text as JSON, which is how Grafana's editors show those of requests that the browser sends itself.
pub(crate) fn error_in_json(mut response: Response<Bytes>) -> Response<Bytes> {
    if !response.status().is_success() {
        let text = String::from_utf8_lossy(response.body()).into_owned();
        *response.body_mut() = json::to_body(&Failure { error: &text, message: &text }).into();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    }
    response
}

/// The fields that different parts of Grafana look for.
#[derive(Serialize)]
struct Failure<'a> {
    error: &'a str,
    message: &'a str,
}

impl Error {
    /// The response: one line of plain text, which Grafana shows as it is.
    pub fn to_response(&self) -> Response<Bytes> {
        let status = self.status();
        if status.is_server_error() {
            tracing::error!(error = %self, causes = self.causes(), "request failed");
        }
        let line: String = self.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let mut response = ok(TEXT, line);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        // The text may quote what the sender wrote: no browser shall take it for HTML.
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Error::Method { allow } = self {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        if matches!(self, Error::Auth(_)) && status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGES));
        }
        if let Some(seconds) = self.retry_after() {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }

    /// What lies below the error, for the log: nothing that a sender needs to know.
    fn causes(&self) -> String {
        let causes = std::iter::successors(self.source(), |&error| error.source());
        causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }
}

#[cfg(test)]
mod tests {
    use niente_store::{Action, Error as StoreError};

    use super::*;

    #[test]
    fn errors_are_a_line_of_text_that_says_when_to_try_again() {
        let key = "acme/l0/line\nbreak".to_owned();
        let throttled = StoreError::Throttled { action: Action::List, key, source: None };
        let response = Error::Engine(throttled.into()).to_response();
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers()[RETRY_AFTER], "5");
        assert_eq!(response.headers()[CONTENT_TYPE], TEXT);
        assert_eq!(response.body(), "listing acme/l0/line break: the store asks to slow down; try again later");

        let response = Error::NoTenant.to_response();
        assert_eq!(response.headers().get(RETRY_AFTER), None);
    }

    #[test]
    fn the_log_says_what_lies_below() {
        let source = Some("connection reset".into());
        let unavailable = StoreError::Unavailable { action: Action::List, key: "x".into(), source };
        assert_eq!(Error::Engine(unavailable.into()).causes(), "connection reset");
        assert_eq!(Error::NoTenant.causes(), "");
    }
}
