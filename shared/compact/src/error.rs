use niente_store::ErrorKind;

/// Why a job was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store or the catalog failed.
    #[error(transparent)]
    Catalog(#[from] niente_catalog::Error),
    /// Others kept changing objects that hold a redacted trace.
    #[error(
        "removing trace {trace}: others kept rewriting objects that hold it; no answer has it any more, but run this again to remove its bytes"
    )]
    Outrun {
        /// The trace.
        trace: niente_model::TraceId,
    },
    /// A block could not be written: a defect of ours.
    #[error("writing a block: {0}")]
    Encode(#[from] niente_block::Error),
}

impl Error {
    /// What the caller should do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Catalog(error) => error.kind(),
            Error::Outrun { .. } => ErrorKind::Retry,
            Error::Encode(_) => ErrorKind::GiveUp,
        }
    }
}

impl From<niente_store::Error> for Error {
    fn from(error: niente_store::Error) -> Self {
        Error::Catalog(error.into())
    }
}
