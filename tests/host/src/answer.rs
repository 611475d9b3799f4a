//! What comes of an invocation.

use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// What a function answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The bytes that it returned, or the error's JSON. Of a streamed answer everything, with its prelude.
    pub payload: Bytes,
    /// The error's type where the invocation failed: the function's own, or `Runtime.ExitError`, `Sandbox.Timedout`,
    /// `Function.ResponseSizeTooLarge`.
    pub error: Option<String>,
}

impl Answer {
    /// The payload as JSON.
    ///
    /// # Panics
    /// If it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).expect("a buffered answer is JSON")
    }
}

/// Why an invocation came to no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// No function has that name.
    #[error("Function not found: {0}")]
    NotFound(String),
    /// As many run as may.
    #[error("Rate Exceeded.")]
    Throttled,
    /// The payload is larger than the limit.
    #[error("Request must be smaller than {0} bytes for the InvokeFunction operation")]
    TooLarge(usize),
    /// The payload isn't JSON.
    #[error("Could not parse request body into json: {0}")]
    NotJson(String),
    /// A fault: it ran, and nobody will know.
    #[error("the connection broke before the answer came")]
    AnswerLost,
}

/// A function error, before it is worded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: String,
    pub(crate) payload: Bytes,
}

impl Failure {
    /// One that Lambda found, and words.
    pub(crate) fn new(kind: &str, message: &str) -> Self {
        let payload = json!({ "errorType": kind, "errorMessage": message }).to_string().into();
        Self { kind: kind.to_owned(), payload }
    }

    /// One that the function reported: its JSON goes to the caller as it is.
    pub(crate) fn reported(payload: Bytes, header: Option<&str>) -> Self {
        let body: Value = serde_json::from_slice(&payload).unwrap_or_default();
        let kind = body["errorType"].as_str().or(header).unwrap_or("Unhandled").to_owned();
        Self { kind, payload }
    }
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Self {
        Self { payload: failure.payload, error: Some(failure.kind) }
    }
}

/// What the caller gets from the function, as it comes.
#[derive(Debug)]
pub(crate) enum Reply {
    Whole(Answer),
    Stream(Stream),
    /// Nothing: the connection breaks.
    Lost,
}

/// An answer that arrives in pieces. An error ends it in the middle.
#[derive(Debug)]
pub(crate) struct Stream {
    /// Whether it begins with JSON about the HTTP answer and eight NUL bytes.
    pub(crate) has_prelude: bool,
    pub(crate) chunks: mpsc::UnboundedReceiver<Result<Bytes, Failure>>,
}

/// The largest answer that isn't streamed: 6 MB and a little.
pub(crate) const MAX_RESPONSE: usize = (6 << 20) + 100;

pub(crate) fn too_large() -> Failure {
    let message = format!("Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE} bytes).");
    Failure::new("Function.ResponseSizeTooLarge", &message)
}

impl Reply {
    /// The answer in one piece, for those who can't take a stream.
    pub(crate) async fn whole(self) -> Result<Answer, InvokeError> {
        match self {
            Reply::Whole(answer) => Ok(answer),
            Reply::Lost => Err(InvokeError::AnswerLost),
            Reply::Stream(mut stream) => {
                let mut payload = BytesMut::new();
                while let Some(chunk) = stream.chunks.recv().await {
                    match chunk {
                        Ok(chunk) => payload.extend_from_slice(&chunk),
                        Err(failure) => return Ok(failure.into()),
                    }
                }
                if payload.len() > MAX_RESPONSE {
                    return Ok(too_large().into());
                }
                Ok(Answer { payload: payload.freeze(), error: None })
            }
        }
    }
}
