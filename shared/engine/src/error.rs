use niente_store::ErrorKind;

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store didn't do what it was asked.
    #[error(transparent)]
    Store(#[from] niente_store::Error),
    /// A block could not be read.
    #[error("reading {object}: {source}")]
    Block {
        /// The object.
        object: String,
        /// What is wrong with it.
        source: niente_block::Error,
    },
    /// An object that a worker was to read is gone: the snapshot is outdated.
    #[error("{object} is gone")]
    Stale {
        /// The object.
        object: String,
    },
    /// An object may not be read by the worker that was to read it.
    #[error("{reason}")]
    Denied {
        /// The object.
        object: String,
        /// What the store said.
        reason: String,
    },
    /// Objects kept vanishing while they were read: more than one compaction finished meanwhile.
    #[error("the objects of this time range were replaced {0} times while they were read; try again")]
    Moving(u32),
    /// The catalog could not be read.
    #[error(transparent)]
    Catalog(niente_catalog::Error),
    /// A thread of this process died.
    #[error("a part of the question was given up: {0}")]
    Worker(String),
    /// A shard was not answered by whom it was sent to.
    #[error("a part of the question was not answered: {reason}")]
    Shard {
        /// Why.
        reason: String,
        /// Whether another try may help.
        again: bool,
    },
    /// It took too long.
    #[error("the query took too long and was ended; choose a shorter time range or a smaller limit, or try again")]
    Deadline,
    /// It would cost more than it may.
    #[error(transparent)]
    OverBudget(#[from] niente_cost::OverBudget),
}

impl Error {
    /// Whether the same request may succeed if it is sent again.
    pub fn may_pass(&self) -> bool {
        match self {
            Error::Store(error) | Error::Catalog(niente_catalog::Error::Store(error)) => {
                matches!(error.kind(), ErrorKind::Retry)
            }
            Error::Shard { again, .. } => *again,
            Error::Moving(_) => true,
            Error::Block { .. }
            | Error::Stale { .. }
            | Error::Denied { .. }
            | Error::Catalog(_)
            | Error::Worker(_)
            | Error::Deadline
            | Error::OverBudget(_) => false,
        }
    }

    /// A worker answered another question than it was asked.
    pub(crate) fn mismatch() -> Self {
        Error::Shard { reason: "a worker answered another question".to_owned(), again: false }
    }
}

impl From<niente_catalog::Error> for Error {
    fn from(error: niente_catalog::Error) -> Self {
        match error {
            niente_catalog::Error::Store(error) => Error::Store(error),
            niente_catalog::Error::Block { key, source } => Error::Block { object: key, source },
            other => Error::Catalog(other),
        }
    }
}
