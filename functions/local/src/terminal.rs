//! Standard output, and what is known about who reads it.

use std::io::{self, ErrorKind, Write};

use crate::Failure;

/// Writes text to standard output, at once.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Failure::NobodyReads),
        Err(error) => Err(Failure::because("writing to standard output", &error)),
    }
}

/// Writes text to standard output for who may be reading: a server goes on if nobody is.
pub(crate) fn announce(text: &str) -> Result<(), Failure> {
    match print(text) {
        Err(Failure::NobodyReads) => Ok(()),
        printed => printed,
    }
}
