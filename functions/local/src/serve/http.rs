//! HTTP: from a connection's request to the handler's and back.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, Uri, header};

use super::{
    App,
    body::{self, BodyError},
};

/// Tempo's API and OTLP over HTTP.
pub(super) fn router(app: Arc<App>) -> axum::Router {
    axum::Router::new().fallback(answer).with_state(app)
}

async fn answer(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    // Who isn't let in takes up no room that others wait for. Who looks whether the server lives sends no body.
    if is_probe(&parts.uri) {
        return handle(&app, Request::from_parts(parts, Bytes::new())).await.map(Body::from);
    }
    let asked_to_continue = parts.headers.contains_key(header::EXPECT);
    if let Err(error) = app.api.authenticate(&parts.headers).await {
        if !asked_to_continue {
            body::discard(body).await;
        }
        return error.to_response().map(Body::from);
    }
    let _room = app.admission.body(body::announced(&body)).await;
    match body::read(body, app.limits.body_bytes, asked_to_continue).await {
        Ok(body) => handle(&app, Request::from_parts(parts, body)).await.map(Body::from),
        Err(error) => refusal(&error),
    }
}

async fn handle(app: &Arc<App>, request: Request<Bytes>) -> Response<Bytes> {
    // Who asks whether the server lives must not wait for others' queries.
    if is_probe(request.uri()) {
        return app.api.handle(request).await;
    }
    let turn = match *request.method() {
        Method::POST => app.admission.export().await,
        _ => app.admission.query().await,
    };
    let working = app.clone();
    // A task of its own, which goes on when the client leaves: its place is free again when the work is done, and not
    // while threads are still encoding or evaluating.
    let work = tokio::spawn(async move {
        let arrives = *request.method() == Method::POST;
        let response = working.api.handle(request).await;
        if arrives && response.status().is_success() {
            working.arrivals.tell();
        }
        drop(turn);
        response
    });
    work.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a request was given up");
        let mut response = Response::new(Bytes::from_static(b"the request was given up: see the server's log"));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

fn is_probe(uri: &Uri) -> bool {
    uri.path().ends_with("/ready")
}

/// The answer where a body was not read to its end.
fn refusal(error: &BodyError) -> Response {
    let mut response = Response::new(Body::from(error.to_string()));
    *response.status_mut() = match error {
        BodyError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        BodyError::TooSlow => StatusCode::REQUEST_TIMEOUT,
        BodyError::Broken(_) => StatusCode::BAD_REQUEST,
    };
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
