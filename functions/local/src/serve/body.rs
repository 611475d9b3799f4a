//! Reading a request's body into memory, up to a limit.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};

/// How long a sender may take for a body: it occupies room that others wait for.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long what is left of a refused body is read and thrown away.
const DRAIN: Duration = Duration::from_secs(2);

/// Why a body was not read to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    /// More bytes than are allowed.
    #[error("the body is larger than the {limit} bytes that are allowed: send fewer spans at a time")]
    TooLarge {
        /// The most that is allowed.
        limit: usize,
    },
    /// It took too long.
    #[error("the body did not arrive within {} seconds", PATIENCE.as_secs())]
    TooSlow,
    /// The connection broke, or what came is no HTTP.
    #[error("the body could not be read: {0}")]
    Broken(axum::Error),
}

/// The size that the sender has announced, in bytes.
pub(super) fn announced(body: &Body) -> Option<u64> {
    body.size_hint().exact()
}

/// The whole body, at most `limit` bytes.
///
/// A client that asked for `100 Continue` gets it when the body is first read: one that announces too much is refused
/// unread, and never sends it. Of others the rest is read and thrown away for a moment: most clients send all before
/// they look for an answer, and one whose connection is cut on the way takes it for a fault of the network and tries
/// again.
pub(super) async fn read(body: Body, limit: usize, asked_to_continue: bool) -> Result<Bytes, BodyError> {
    let refused = body.size_hint().lower() > limit as u64;
    if refused && asked_to_continue {
        return Err(BodyError::TooLarge { limit });
    }
    let mut stream = body.into_data_stream();
    let read = if refused {
        Err(BodyError::TooLarge { limit })
    } else {
        let collected = tokio::time::timeout(PATIENCE, collect(&mut stream, limit)).await;
        collected.unwrap_or(Err(BodyError::TooSlow))
    };
    if let Err(BodyError::TooLarge { .. }) = read {
        drain(stream).await;
    }
    read
}

/// Throws a body away, for the same reason as what is left of one that is too large.
pub(super) async fn discard(body: Body) {
    drain(body.into_data_stream()).await;
}

async fn drain(stream: impl Stream<Item = Result<Bytes, axum::Error>>) {
    let _ = tokio::time::timeout(DRAIN, stream.for_each(|_| async {})).await;
}

async fn collect(
    stream: &mut (impl Stream<Item = Result<Bytes, axum::Error>> + Unpin),
    limit: usize,
) -> Result<Bytes, BodyError> {
    let mut collected = BytesMut::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(BodyError::Broken)?;
        if collected.len() + chunk.len() > limit {
            return Err(BodyError::TooLarge { limit });
        }
        collected.extend_from_slice(&chunk);
    }
    Ok(collected.freeze())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures::{FutureExt, stream};

    use super::*;

    fn chunks(sizes: &[usize]) -> Body {
        let chunks: Vec<_> = sizes.iter().map(|size| Ok::<_, Infallible>(Bytes::from(vec![7; *size]))).collect();
        Body::from_stream(stream::iter(chunks))
    }

    #[tokio::test]
    async fn bodies_are_read_up_to_the_limit() {
        assert_eq!(read(chunks(&[3, 4, 3]), 10, false).await.unwrap(), vec![7; 10]);
        assert_eq!(read(Body::empty(), 0, false).await.unwrap(), Bytes::new());
        assert!(matches!(read(chunks(&[3, 4, 4]), 10, false).await, Err(BodyError::TooLarge { limit: 10 })));
        assert!(matches!(read(Body::from("12345678901"), 10, false).await, Err(BodyError::TooLarge { .. })));
    }

    #[tokio::test]
    async fn a_client_that_waits_for_leave_never_sends_too_much() {
        let refused = read(Body::from_stream(stream::pending::<Result<Bytes, Infallible>>()), 0, true);
        assert!(refused.now_or_never().is_none(), "of unknown size: may be empty");
        let refused = read(Body::from("12345678901"), 10, true);
        assert!(matches!(refused.now_or_never(), Some(Err(BodyError::TooLarge { .. }))));
    }

    #[tokio::test]
    async fn a_broken_body_is_no_shorter_body() {
        let chunks = [Ok(Bytes::from_static(b"abc")), Err(std::io::Error::other("cut off"))];
        let read = read(Body::from_stream(stream::iter(chunks)), 10, false).await;
        assert!(matches!(read, Err(BodyError::Broken(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_sender_that_stops_is_given_up() {
        let body = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
        assert!(matches!(read(body, 10, false).await, Err(BodyError::TooSlow)));
    }
}
