//! Answers that reach the client while the function still works.

use std::io;

use bytes::{Bytes, BytesMut};
use futures::stream;
use http::{HeaderMap, HeaderValue, Response, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use serde_json::{Value, json};

use super::proxy;
use crate::{answer::Stream, http_server::ResponseBody};

/// What stands between a prelude and the body.
const DELIMITER: [u8; 8] = [0; 8];
/// A prelude that is longer is none.
const MAX_PRELUDE: usize = 1 << 20;

/// The answer as it comes, unless its prelude is malformed. When the function fails in the middle, the client's
/// connection breaks.
pub(super) async fn answer(mut stream: Stream) -> io::Result<Option<Response<ResponseBody>>> {
    let (prelude, first) = match stream.has_prelude {
        true => match prelude(&mut stream).await {
            Some(parted) => parted,
            None => return Ok(None),
        },
        false => (json!({ "statusCode": 200 }), Bytes::new()),
    };
    let Some((status, headers)) = proxy::status(&prelude).zip(headers(&prelude)) else { return Ok(None) };

    let first = stream::iter((!first.is_empty()).then(|| Ok(Frame::data(first))));
    let rest = stream::unfold(stream, |mut stream| async move {
        let chunk = stream.chunks.recv().await?;
        if chunk.is_err() {
            // What came before still goes out: a connection that breaks sends nothing more.
            tokio::task::yield_now().await;
        }
        let frame = chunk.map(Frame::data).map_err(|failure| io::Error::other(failure.kind));
        Some((frame, stream))
    });
    let body = StreamBody::new(futures::StreamExt::chain(first, rest));
    let mut response = Response::new(body.boxed_unsync());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(Some(response))
}

fn headers(prelude: &Value) -> Option<HeaderMap> {
    let octets = HeaderValue::from_static("application/octet-stream");
    let mut headers = HeaderMap::from_iter([(header::CONTENT_TYPE, octets)]);
    headers.extend(proxy::headers(&prelude["headers"])?);
    headers.remove(header::CONTENT_LENGTH);
    for cookie in prelude["cookies"].as_array().into_iter().flatten() {
        headers.append(header::SET_COOKIE, HeaderValue::try_from(cookie.as_str()?).ok()?);
    }
    Some(headers)
}

/// The prelude, and what of the body came along with it.
async fn prelude(stream: &mut Stream) -> Option<(Value, Bytes)> {
    let mut begun = BytesMut::new();
    loop {
        begun.extend_from_slice(&stream.chunks.recv().await?.ok()?);
        if let Some(at) = begun.windows(DELIMITER.len()).position(|window| window == DELIMITER) {
            let prelude = serde_json::from_slice(&begun[..at]).ok()?;
            return Some((prelude, begun.freeze().slice(at + DELIMITER.len()..)));
        }
        if begun.len() > MAX_PRELUDE {
            return None;
        }
    }
}
