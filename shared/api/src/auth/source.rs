use std::fmt::Debug;

use async_trait::async_trait;
use bytes::Bytes;

/// Why a source could not be read. It is logged, so it must not say anything of what the document holds.
pub type SourceError = Box<dyn std::error::Error + Send + Sync>;

/// Where the tokens document lies: a file, a secret of a cloud.
///
/// A guarded [`Gate`](super::Gate) keeps what it has read and never reads twice at a time, so a source needs no cache
/// of its own. It should give up after some seconds: requests wait for it.
#[async_trait]
pub trait TokenSource: Debug + Send + Sync {
    /// The document as it is now.
    async fn read(&self) -> Result<Bytes, SourceError>;
}
