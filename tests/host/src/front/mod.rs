//! What stands between HTTP and a function: a request becomes an event, and what the function returns an answer.

mod alb;
mod event;
mod payload_2;
mod proxy;
mod stream;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Answer, InvokeError,
    answer::Reply,
    http_server::{self, ResponseBody},
    invoke_api, pool,
    service::Lambda,
};

/// How a function is reached over HTTP. In JSON: `"url"`, `"streaming_url"`, `{"http_api": {"stage": "prod"}}`, `"alb"`,
/// `"alb_multi_value"`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Front {
    /// A function URL whose answers come in one piece.
    Url,
    /// A function URL whose invoke mode is `RESPONSE_STREAM`. An answer that the function does not stream reaches the
    /// client as the function returned it, status and headers being text like the rest.
    StreamingUrl,
    /// API Gateway's HTTP API, with one route for everything and payload format 2.0.
    HttpApi {
        /// The stage, which is the first segment of the path unless it is `$default`.
        stage: String,
        /// How long the function may take until the client gets 503: Amazon's 30 seconds, unless a test can't wait.
        #[serde(skip, default = "integration_timeout")]
        timeout: Duration,
    },
    /// An Application Load Balancer.
    Alb,
    /// An Application Load Balancer whose target group has multi-value headers enabled.
    AlbMultiValue,
}

impl Front {
    /// An HTTP API with this stage.
    pub fn http_api(stage: impl Into<String>) -> Self {
        Self::HttpApi { stage: stage.into(), timeout: integration_timeout() }
    }

    /// What its URL ends with.
    pub(crate) fn base_path(&self) -> String {
        match self {
            Self::HttpApi { stage, .. } if stage != "$default" => format!("/{stage}"),
            _ => String::new(),
        }
    }

    /// The largest body and the largest event that it takes.
    fn limits(&self) -> (usize, usize) {
        match self {
            Self::Url | Self::StreamingUrl => (Lambda::MAX_REQUEST, Lambda::MAX_REQUEST),
            Self::HttpApi { .. } => (10_000_000, Lambda::MAX_REQUEST),
            Self::Alb | Self::AlbMultiValue => (1 << 20, 1 << 20),
        }
    }

    fn timeout(&self) -> Duration {
        match self {
            Self::HttpApi { timeout, .. } => *timeout,
            _ => Duration::from_secs(900),
        }
    }

    /// The answer where the function gave none that is of use.
    fn bad_gateway(&self) -> Response<ResponseBody> {
        match self {
            Self::Url | Self::StreamingUrl => {
                http_server::answer(StatusCode::BAD_GATEWAY, "application/json", "Internal Server Error")
            }
            Self::HttpApi { .. } => message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
            Self::Alb | Self::AlbMultiValue => http_server::answer(
                StatusCode::BAD_GATEWAY,
                "text/html",
                "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
                 <center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n",
            ),
        }
    }

    /// The answer where the function was not even asked.
    fn refusal(&self, error: &InvokeError) -> io::Result<Response<ResponseBody>> {
        match (self, error) {
            (_, InvokeError::AnswerLost) | (Self::Url | Self::StreamingUrl, _) => invoke_api::refusal(error),
            (Self::HttpApi { .. }, InvokeError::TooLarge(_)) => {
                Ok(message(StatusCode::PAYLOAD_TOO_LARGE, "Request Too Long"))
            }
            (Self::HttpApi { .. }, _) => Ok(message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")),
            (_, InvokeError::TooLarge(_)) => {
                Ok(http_server::answer(StatusCode::PAYLOAD_TOO_LARGE, "text/html", "413 Payload Too Large"))
            }
            (Self::Alb | Self::AlbMultiValue, _) => Ok(self.bad_gateway()),
        }
    }
}

fn integration_timeout() -> Duration {
    Duration::from_secs(30)
}

fn message(status: StatusCode, text: &str) -> Response<ResponseBody> {
    http_server::json(status, &json!({ "message": text }))
}

/// A front, and the function behind it.
#[derive(Debug)]
pub(crate) struct Door {
    front: Front,
    function: String,
    lambda: Arc<Lambda>,
}

impl Door {
    pub(crate) fn new(front: Front, function: String, lambda: Arc<Lambda>) -> Self {
        Self { front, function, lambda }
    }

    /// Answers one request. An error closes the connection.
    pub(crate) async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> io::Result<Response<ResponseBody>> {
        let (largest_body, largest_event) = self.front.limits();
        let (parts, body) = request.into_parts();
        let too_large = InvokeError::TooLarge(largest_event);
        let Ok(body) = http_server::read(body, largest_body).await? else { return self.front.refusal(&too_large) };
        let request = event::Incoming { parts, body, peer };
        let Some(event) = self.event(&request) else { return Ok(message(StatusCode::NOT_FOUND, "Not Found")) };
        let payload = event.to_string();
        if payload.len() > largest_event {
            return self.front.refusal(&too_large);
        }
        let trace_id = event["headers"]["x-amzn-trace-id"].as_str().map(str::to_owned);
        let asked = pool::Request { payload: payload.into(), trace_id, client_context: None };
        match self.lambda.invoke(&self.function, asked) {
            Ok(reply) => match tokio::time::timeout(self.front.timeout(), reply).await {
                Ok(reply) => self.reply(reply.unwrap_or(Reply::Lost)).await,
                Err(_) => Ok(message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")),
            },
            Err(error) => self.front.refusal(&error),
        }
    }

    fn event(&self, request: &event::Incoming) -> Option<Value> {
        match &self.front {
            Front::Url | Front::StreamingUrl => Some(payload_2::function_url(request)),
            Front::HttpApi { stage, .. } => payload_2::http_api(request, stage),
            Front::Alb => Some(alb::event(request)),
            Front::AlbMultiValue => Some(alb::multi_value_event(request)),
        }
    }

    async fn reply(&self, reply: Reply) -> io::Result<Response<ResponseBody>> {
        if self.front == Front::StreamingUrl {
            return match reply {
                Reply::Stream(stream) => Ok(stream::answer(stream).await?.unwrap_or_else(|| self.front.bad_gateway())),
                Reply::Whole(Answer { payload, error: None }) => {
                    Ok(http_server::answer(StatusCode::OK, "application/octet-stream", payload))
                }
                Reply::Whole(_) => Ok(self.front.bad_gateway()),
                Reply::Lost => self.front.refusal(&InvokeError::AnswerLost),
            };
        }
        let answer = match reply.whole().await {
            Ok(answer) => answer,
            Err(error) => return self.front.refusal(&error),
        };
        let response = match (&self.front, answer.error) {
            (_, Some(_)) => None,
            (Front::Alb, None) => alb::response(&answer.payload, "headers"),
            (Front::AlbMultiValue, None) => alb::response(&answer.payload, "multiValueHeaders"),
            (_, None) => payload_2::response(&answer.payload),
        };
        Ok(response.unwrap_or_else(|| self.front.bad_gateway()))
    }
}
