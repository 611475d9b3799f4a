//! HTTP over events, whichever front they come through.

use std::convert::Infallible;

use aws_config::SdkConfig;
use bytes::Bytes;
use http::{Response, StatusCode, header::CONTENT_TYPE};
use lambda_runtime::{Context, FunctionResponse, MetadataPrelude, StreamResponse};
use niente_api::{Api, Deadline, MostBytes, Price, Settings};
use serde_json::Value;
use tokio::time::Duration;
use tokio_stream::{Iter, iter};

use crate::{Cors, Environment, Front, HttpAnswer, HttpEvent, InvalidEnvironment, Secret, metrics, now, system_clock};

/// A handler of HTTP as a function.
#[derive(Debug)]
pub struct HttpFunction {
    /// The handler.
    pub api: Api,
    /// Which pages may send.
    pub cors: Cors,
    /// Whether the function's URL streams answers.
    pub streams: bool,
}

/// What is sent back: whole, or as a stream.
pub type Sent = FunctionResponse<HttpAnswer, Iter<std::vec::IntoIter<Result<Bytes, Infallible>>>>;

/// What remains of an invocation's time when its answer has to be ready.
const SPARE: Duration = Duration::from_millis(1_500);
/// An answer has 6 MB as JSON, and its body stands in it as base64 or with escapes: this fits at any rate.
const MOST_BYTES: usize = 4_400_000;
/// A load balancer takes 1 MB.
const MOST_BYTES_OF_LOAD_BALANCER: usize = 720_000;
/// A stream has 200 MB.
const MOST_BYTES_OF_STREAM: usize = 200_000_000;
/// Streams are sent in pieces of this size.
const PIECE: usize = 64 << 10;

impl HttpFunction {
    /// The API over the store that `NIENTE_STORE` names, for those whose tokens `NIENTE_TOKENS` has. No page may send, and
    /// nothing streams.
    ///
    /// # Errors
    /// [`InvalidEnvironment`].
    pub fn new(environment: &Environment, aws: &SdkConfig, settings: Settings) -> Result<Self, InvalidEnvironment> {
        let (store, gate) = (environment.store("NIENTE_STORE", aws)?, Secret::gate(environment, aws)?);
        let api = Api::new(store, settings, gate, system_clock());
        Ok(Self { api, cors: Cors::default(), streams: false })
    }

    /// Answers an event, which is one of HTTP.
    pub async fn answer(&self, event: Value, context: &Context) -> Sent {
        match HttpEvent::read(event) {
            Ok(event) => self.respond(event, context).await,
            Err(error) => {
                let mut response = Response::new(Bytes::from(error.to_string()));
                *response.status_mut() = StatusCode::BAD_REQUEST;
                response
                    .headers_mut()
                    .insert(CONTENT_TYPE, http::HeaderValue::from_static("text/plain; charset=utf-8"));
                self.send(response, Front::Url)
            }
        }
    }

    async fn respond(&self, HttpEvent { mut request, front }: HttpEvent, context: &Context) -> Sent {
        if let Some(preflight) = self.cors.preflight(&request) {
            return self.send(preflight, front);
        }
        request.extensions_mut().insert(Deadline(crate::deadline(context.deadline, SPARE)));
        request.extensions_mut().insert(MostBytes(self.most_bytes(front)));
        let asked = request.headers().clone();
        let response = self.cors.on(&asked, self.api.handle(request).await);
        if let Some(price) = response.extensions().get::<Price>() {
            println!("{}", metrics::of_query(now(), price));
        }
        self.send(response, front)
    }

    fn most_bytes(&self, front: Front) -> usize {
        match front {
            Front::LoadBalancer { .. } => MOST_BYTES_OF_LOAD_BALANCER,
            Front::Url if self.streams => MOST_BYTES_OF_STREAM,
            Front::Url => MOST_BYTES,
        }
    }

    fn send(&self, response: Response<Bytes>, front: Front) -> Sent {
        if !self.streams || front != Front::Url {
            return FunctionResponse::BufferedResponse(HttpAnswer::new(&response, front));
        }
        let (parts, body) = response.into_parts();
        let pieces: Vec<_> =
            (0..body.len()).step_by(PIECE).map(|at| Ok(body.slice(at..(at + PIECE).min(body.len())))).collect();
        let metadata_prelude =
            MetadataPrelude { status_code: parts.status, headers: parts.headers, cookies: Vec::new() };
        FunctionResponse::StreamingResponse(StreamResponse { metadata_prelude, stream: iter(pieces) })
    }
}
