//! OTLP over gRPC: `TraceService/Export`.
//!
//! Messages are taken from the wire as bytes and decoded by `niente-receive`, as those over HTTP are: its limits look
//! at how much memory a message would take before that memory is taken, which generated code does not.

use std::{future::Future, pin::Pin, sync::Arc};

use axum::{
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::post,
};
use bytes::{Buf, BufMut, Bytes};
use http::{StatusCode, header};
use niente_api::Right;
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
    // Who isn't let in takes up no room that others wait for.
    if let Err(error) = app.api.authenticate(&parts.headers).await {
        return status(&error).into_http();
    }
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
    let access = app.api.access(&metadata.into_headers(), Right::Ingest).await.map_err(|error| status(&error))?;
    let tenant = access.tenant().map_err(|error| status(&error))?;
    let decoded = niente_receive::Request::decode(&message, Format::Protobuf, &app.limits);
    drop(message);
    let decoded = decoded.map_err(|error| status(&error.into()))?;
    let response = app.api.ingest(tenant, decoded).await.map_err(|error| status(&error))?;
    app.arrivals.tell();
    Ok(tonic::Response::new(encode_response(&response, Format::Protobuf).into()))
}

/// The status of gRPC that tells a sender the same as HTTP's would: above all, whether to send again.
fn status(error: &niente_api::Error) -> Status {
    let code = match error.status() {
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::FORBIDDEN => Code::PermissionDenied,
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

#[cfg(test)]
mod tests {
    use axum::body::HttpBody;
    use niente_api::{Api, Clock, Gate, Settings, TenantScope, Token, TokenDocument, TokenEntry};
    use niente_cost::Budget;
    use niente_model::{Nanos, Tenant};
    use niente_receive::{
        Limits,
        proto::{
            collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
            trace::v1::{ResourceSpans, ScopeSpans, Span},
        },
    };
    use niente_store::MemoryStore;
    use prost::Message;
    use tonic::codegen::Service;

    use super::{super::Arrivals, *};
    use crate::{serve::admission::Admission, token::FileTokens};

    const NOW: Nanos = Nanos::from_secs(1_793_577_600);

    fn service(body_bytes: usize, require_tenant: bool) -> axum::Router {
        service_behind(Gate::Open, body_bytes, require_tenant)
    }

    fn service_behind(gate: Gate, body_bytes: usize, require_tenant: bool) -> axum::Router {
        let limits = Limits { body_bytes, ..Limits::default() };
        let settings = Settings { limits, require_tenant, ..Settings::default() };
        let api = Api::new(Arc::new(MemoryStore::new()), settings, gate, Clock::new(|| NOW));
        router(Arc::new(App {
            api,
            admission: Admission::new(body_bytes, 1, 1),
            arrivals: Arrivals::default(),
            limits,
        }))
    }

    fn message(trace_ids: &[&[u8]]) -> Vec<u8> {
        let span = |id: &&[u8]| Span {
            trace_id: id.to_vec(),
            span_id: vec![1; 8],
            start_time_unix_nano: NOW.get(),
            end_time_unix_nano: NOW.get(),
            ..Span::default()
        };
        let scope_spans = ScopeSpans { spans: trace_ids.iter().map(span).collect(), ..ScopeSpans::default() };
        let resource_spans = ResourceSpans { scope_spans: vec![scope_spans], ..ResourceSpans::default() };
        ExportTraceServiceRequest { resource_spans: vec![resource_spans] }.encode_to_vec()
    }

    fn frame(flag: u8, message: &[u8]) -> Vec<u8> {
        [&[flag][..], &(message.len() as u32).to_be_bytes(), message].concat()
    }

    /// Calls, and gives the status and the response's message.
    async fn call(mut service: axum::Router, headers: &[(&str, &str)], body: Vec<u8>) -> (Code, Bytes) {
        let mut request = Request::post(EXPORT).header("content-type", "application/grpc");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = service.call(request.body(Body::from(body)).unwrap()).await.unwrap();
        let (parts, mut body) = response.into_parts();
        let mut trailers = parts.headers;
        let mut data = Vec::new();
        while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            match frame.unwrap().into_data() {
                Ok(bytes) => data.extend(bytes),
                Err(frame) => trailers = frame.into_trailers().unwrap(),
            }
        }
        let status = Status::from_header_map(&trailers).unwrap();
        // Failures have no message.
        (status.code(), data.split_off(FRAME_HEADER.min(data.len())).into())
    }

    fn rejected(message: Bytes) -> Option<i64> {
        Some(ExportTraceServiceResponse::decode(message).unwrap().partial_success?.rejected_spans)
    }

    #[tokio::test]
    async fn exports_are_taken_plain_and_compressed() {
        let export = message(&[&[1; 16], &[2; 16]]);
        let (code, answer) = call(service(1_000, false), &[], frame(0, &export)).await;
        assert_eq!((code, rejected(answer)), (Code::Ok, None));
        let zstd = frame(1, &zstd::encode_all(&*export, 1).unwrap());
        let (code, answer) = call(service(1_000, false), &[("grpc-encoding", "zstd")], zstd).await;
        assert_eq!((code, rejected(answer)), (Code::Ok, None));
    }

    #[tokio::test]
    async fn bad_spans_are_a_partial_success() {
        let export = message(&[&[1; 16], &[2; 3]]);
        let (code, answer) = call(service(1_000, false), &[], frame(0, &export)).await;
        assert_eq!((code, rejected(answer)), (Code::Ok, Some(1)));
    }

    #[tokio::test]
    async fn other_faults_are_statuses() {
        let export = message(&[&[1; 16]]);
        let check = async |service, headers: &[(&str, &str)], body, expected| {
            assert_eq!(call(service, headers, body).await.0, expected);
        };
        check(service(1_000, true), &[], frame(0, &export), Code::Unauthenticated).await;
        check(service(1_000, true), &[("x-scope-orgid", "a/b")], frame(0, &export), Code::InvalidArgument).await;
        check(service(1_000, true), &[("x-scope-orgid", "acme")], frame(0, &export), Code::Ok).await;
        check(service(1_000, false), &[], frame(0, b"\xff\xff"), Code::InvalidArgument).await;
        check(service(10, false), &[], frame(0, &export), Code::ResourceExhausted).await;
        let bomb = frame(1, &zstd::encode_all(&*vec![0; 1 << 20], 1).unwrap());
        check(service(1_000, false), &[("grpc-encoding", "zstd")], bomb, Code::ResourceExhausted).await;
    }

    #[tokio::test]
    async fn tokens_are_looked_at() {
        let [collector, grafana] = [1, 2].map(|byte| Token::from_random([byte; Token::RANDOM_BYTES]));
        let mut document = TokenDocument::default();
        for (token, right) in [(&collector, Right::Ingest), (&grafana, Right::Query)] {
            let entry = TokenEntry {
                id: token.id(),
                name: "x".to_owned(),
                hash: token.hash(),
                tenants: TenantScope::Only([Tenant::new("acme").unwrap()].into()),
                rights: [right].into_iter().collect(),
                expires: None,
                budget: Budget::UNLIMITED,
            };
            document.add(entry).unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        std::fs::write(&path, document.encode()).unwrap();
        let gate = Gate::guarded(Arc::new(FileTokens::open(&path).unwrap()));
        let check = async |headers: &[(&str, &str)], expected| {
            let body = frame(0, &message(&[&[1; 16]]));
            assert_eq!(call(service_behind(gate.clone(), 1_000, false), headers, body).await.0, expected);
        };
        let bearer = |token: &Token| format!("Bearer {}", token.reveal());
        let (good, other) = (bearer(&collector), bearer(&grafana));
        check(&[], Code::Unauthenticated).await;
        check(&[("authorization", "Bearer x")], Code::Unauthenticated).await;
        check(&[("authorization", &other)], Code::PermissionDenied).await;
        check(&[("authorization", &good), ("x-scope-orgid", "acme2")], Code::PermissionDenied).await;
        check(&[("authorization", &good), ("authorization", &good)], Code::InvalidArgument).await;
        check(&[("authorization", &good)], Code::Ok).await;
        check(&[("authorization", &good), ("x-scope-orgid", "acme")], Code::Ok).await;
    }

    #[tokio::test]
    async fn other_calls_are_told_what_there_is() {
        let get = Request::get("/v1/traces").body(Body::empty()).unwrap();
        assert_eq!(service(1_000, false).call(get).await.unwrap().status(), StatusCode::NOT_FOUND);
        let logs = Request::post("/opentelemetry.proto.collector.logs.v1.LogsService/Export")
            .header("content-type", "application/grpc+proto")
            .body(Body::empty())
            .unwrap();
        let response = service(1_000, false).call(logs).await.unwrap();
        assert_eq!(Status::from_header_map(response.headers()).unwrap().code(), Code::Unimplemented);
    }
}
