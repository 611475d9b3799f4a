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
    /// Objects kept vanishing while they were read: more than one compaction finished meanwhile.
    #[error("the objects of this time range were replaced {0} times while they were read; try again")]
    Moving(u32),
    /// The catalog could not be read.
    #[error(transparent)]
    Catalog(niente_catalog::Error),
    /// A worker of this process died.
    #[error("a part of the question was given up: {0}")]
    Worker(String),
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
