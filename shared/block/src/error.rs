/// Why a block could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes are no Parquet, or damaged.
    #[error("damaged block: {0}")]
    Damaged(String),
    /// Written by a newer Niente.
    #[error(
        "the block has format version {found} and wants a reader of version {needed} or newer; this one reads up to \
         version {ours}. Upgrade the readers before the writers"
    )]
    TooNew {
        /// The block's version.
        found: u32,
        /// The least reader that understands it.
        needed: u32,
        /// What this build reads.
        ours: u32,
    },
    /// A Parquet object that Niente didn't write.
    #[error("not a Niente block: {0}")]
    Foreign(String),
    /// A block without spans was to be finished.
    #[error("a block without spans")]
    Empty,
    /// Arrow or Parquet refused while writing: a defect of ours.
    #[error("could not encode a block: {0}")]
    Encode(#[source] parquet::errors::ParquetError),
}

impl Error {
    pub(crate) fn damaged(what: impl std::fmt::Display) -> Self {
        Error::Damaged(what.to_string())
    }
}

/// Decodes something that came from storage.
///
/// The Parquet crate panics on some damaged pages. A damaged object must be an error that names it, not the end of
/// a process that serves other questions.
pub(crate) fn decode<T>(decode: impl FnOnce() -> Result<T, parquet::errors::ParquetError>) -> Result<T, Error> {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(decode)) {
        Ok(decoded) => decoded.map_err(Error::damaged),
        Err(_) => Err(Error::damaged("the Parquet decoder gave up on it")),
    }
}
