//! OTLP over gRPC: `TraceService/Export`.
//!
//! Messages are taken from the wire as bytes and decoded by `niente-receive`, as those over HTTP are: its limits look
//! at how much memory a message would take before that memory is taken, which generated code does not.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
};

use axum::{
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::post,
};
use bytes::{Buf, BufMut, Bytes};
use http::{StatusCode, header};
use niente_receive::{Format, encode_response};
use tonic::{
    Code, Status,
    codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder},
};

use super::{
    App,
    body::{self, BodyError},
};

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
/// What gRPC puts before a message: a flag and its length.
const FRAME_HEADER: usize = 5;

/// The trace service, and an answer in gRPC's terms to all other calls.
pub(super) fn router(app: Arc<App>) -> axum::Router {
    axum::Router::new().route(EXPORT, post(export)).fallback(unknown).with_state(app)
}

async fn export(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let _room = app.admission.body(body::announced(&body)).await;
    let body = match body::read(body, app.limits.body_bytes.saturating_add(FRAME_HEADER), false).await {
        Ok(body) => body,
        Err(error) => return refusal(&error).into_http(),
    };
    tonic::server::Grpc::new(Plain)
        .accept_compressed(CompressionEncoding::Gzip)
        .accept_compressed(CompressionEncoding::Zstd)
        .max_decoding_message_size(app.limits.body_bytes)
        .unary(Export(app), Request::from_parts(parts, Body::from(body)))
        .await
        .map(Body::new)
}

async fn unknown(request: Request) -> Response {
    let content_type = request.headers().get(header::CONTENT_TYPE).map(|value| value.as_bytes());
    if content_type.is_some_and(|value| value.starts_with(b"application/grpc")) {
        return Status::unimplemented(format!("the only call here is {EXPORT}")).into_http();
    }
    (StatusCode::NOT_FOUND, "this port speaks gRPC: send OTLP over HTTP to the port of --otlp-http").into_response()
}

fn refusal(error: &BodyError) -> Status {
    let code = match error {
        BodyError::TooLarge { .. } => Code::ResourceExhausted,
        BodyError::TooSlow => Code::DeadlineExceeded,
        BodyError::Broken(_) => Code::Cancelled,
    };
    Status::new(code, error.to_string())
}

/// An export request's message to its response's.
struct Export(Arc<App>);

impl tonic::server::UnaryService<Bytes> for Export {
    type Response = Bytes;
    type Future = Pin<Box<dyn Future<Output = Result<tonic::Response<Bytes>, Status>> + Send>>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let app = self.0.clone();
        Box::pin(async move {
            let turn = app.admission.export().await;
            // A task of its own for the same reason as over HTTP.
            let export = tokio::spawn(async move {
                let stored = store(&app, request).await;
                drop(turn);
                stored
            });
            export.await.map_err(|error| {
                tracing::error!(%error, "an export was given up");
                Status::internal("the export was given up: see the server's log")
            })?
        })
    }
}

async fn store(app: &App, request: tonic::Request<Bytes>) -> Result<tonic::Response<Bytes>, Status> {
    let (metadata, _, message) = request.into_parts();
    let tenant = app.api.tenant(&metadata.into_headers()).map_err(|error| status(&error))?;
    let decoded = niente_receive::Request::decode(&message, Format::Protobuf, &app.limits);
    drop(message);
    let decoded = decoded.map_err(|error| status(&error.into()))?;
    let response = app.api.ingest(&tenant, decoded).await.map_err(|error| status(&error))?;
    Ok(tonic::Response::new(encode_response(&response, Format::Protobuf).into()))
}

/// The status of gRPC that tells a sender the same as HTTP's would: above all, whether to send again.
fn status(error: &niente_api::Error) -> Status {
    let code = match error.status() {
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        // OTLP senders take this for a reason to try again only if it comes with the time to wait: it doesn't.
        StatusCode::PAYLOAD_TOO_LARGE => Code::ResourceExhausted,
        // And this always.
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Code::Unavailable,
        status if status.is_client_error() => Code::InvalidArgument,
        _ => Code::Internal,
    };
    if error.status().is_server_error() {
        tracing::error!(%error, "an export failed");
    }
    Status::new(code, error.to_string())
}

/// Messages as the bytes that they are.
#[derive(Clone, Copy, Debug)]
struct Plain;

impl Codec for Plain {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Plain;
    type Decoder = Plain;

    fn encoder(&mut self) -> Plain {
        Plain
    }

    fn decoder(&mut self) -> Plain {
        Plain
    }
}

impl Encoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(message);
        Ok(())
    }
}

impl Decoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
