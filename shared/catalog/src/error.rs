use niente_store::ErrorKind;

use crate::encoding::DecodeError;

/// Why the catalog gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] niente_store::Error),
    /// A day's catalog can't be read.
    #[error("reading {key}: {source}")]
    Decode {
        /// The object.
        key: String,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// A tenant's configuration can't be read.
    #[error("reading {key}: {reason}")]
    Unreadable {
        /// The object.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A block can't be read.
    #[error("reading {key}: {source}")]
    Block {
        /// The object.
        key: String,
        /// What is wrong with it.
        source: niente_block::Error,
    },
    /// Others kept changing an object.
    #[error("replacing {key}: others changed it {attempts} times in a row; try again")]
    Contended {
        /// The object.
        key: String,
        /// How often it was tried.
        attempts: u32,
    },
}

impl Error {
    /// What the caller should do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Store(error) => error.kind(),
            Error::Contended { .. } => ErrorKind::Retry,
            Error::Decode { .. } | Error::Unreadable { .. } | Error::Block { .. } => ErrorKind::GiveUp,
        }
    }
}
