//! HTTP/1.1 on a port of this machine, for the Runtime API, the Invoke API and the fronts.

use std::{io, net::SocketAddr};

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpListener,
    task::{AbortHandle, JoinSet},
};

/// An answer's body. An error breaks the connection.
pub(crate) type ResponseBody = UnsyncBoxBody<Bytes, io::Error>;

/// A server that accepts until it is dropped. Its open connections end with it.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    accepting: AbortHandle,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Answers what comes in. An error of the handler closes the connection without an answer.
pub(crate) fn serve<H, F>(listener: TcpListener, handler: H) -> io::Result<Server>
where
    H: Fn(Request<Incoming>, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = io::Result<Response<ResponseBody>>> + Send + 'static,
{
    let address = listener.local_addr()?;
    let accepting = tokio::spawn(accept(listener, handler)).abort_handle();
    Ok(Server { address, accepting })
}

async fn accept<H, F>(listener: TcpListener, handler: H)
where
    H: Fn(Request<Incoming>, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = io::Result<Response<ResponseBody>>> + Send + 'static,
{
    // (A set, so that the connections are dropped with this task.)
    let mut connections = JoinSet::new();
    // (A connection that ended before it was accepted is no reason to stop.)
    loop {
        let Ok((stream, peer)) = listener.accept().await else { continue };
        // Small answers go out at once. A connection that refuses is slower, no worse.
        let _ = stream.set_nodelay(true);
        let handler = handler.clone();
        connections.spawn(async move {
            let service = service_fn(move |request| handler(request, peer));
            // What clients and faults do to a connection is nobody's concern.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

/// A body that is larger than its limit.
#[derive(Debug)]
pub(crate) struct TooLarge;

/// The whole body. A larger one is read to its end and thrown away: a client that is still sending would not see the
/// answer otherwise.
pub(crate) async fn read(mut body: Incoming, limit: usize) -> io::Result<Result<Bytes, TooLarge>> {
    let mut whole = BytesMut::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(io::Error::other)?.into_data() {
            length += data.len();
            match length <= limit {
                true => whole.extend_from_slice(&data),
                false => whole.clear(),
            }
        }
    }
    Ok(if length <= limit { Ok(whole.freeze()) } else { Err(TooLarge) })
}

/// An answer in one piece.
pub(crate) fn answer(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<ResponseBody> {
    let mut response = Response::new(Full::new(body.into()).map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A JSON answer.
pub(crate) fn json(status: StatusCode, body: &serde_json::Value) -> Response<ResponseBody> {
    answer(status, "application/json", body.to_string())
}
