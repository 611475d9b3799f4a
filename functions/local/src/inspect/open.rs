//! Files as blocks: the footer says which ranges it needs, here they are read.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
    path::Path,
};

use bytes::Bytes;
use niente_block::{Footer, Opened};

use crate::Failure;

/// A file of which ranges are read.
#[derive(Debug)]
pub(super) struct BlockFile {
    file: File,
    pub(super) footer: Footer,
}

impl BlockFile {
    /// Opens a block.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let unreadable = |error: io::Error| Failure::because(path.display(), &error);
        let mut file = File::open(path).map_err(unreadable)?;
        let size = file.metadata().map_err(unreadable)?.len();
        let mut wanted = size.saturating_sub(Footer::FIRST_READ)..size;
        loop {
            let tail = read_range(&mut file, wanted).map_err(unreadable)?;
            match Footer::open(size, tail).map_err(|error| Failure::because(path.display(), &error))? {
                Opened::Footer(footer) => return Ok(Self { file, footer }),
                Opened::Needs(range) => wanted = range,
            }
        }
    }

    /// Reads the ranges that a scan asks for.
    pub(super) fn read(&mut self, ranges: &[Range<u64>]) -> io::Result<Vec<Bytes>> {
        ranges.iter().map(|range| read_range(&mut self.file, range.clone())).collect()
    }
}

fn read_range(file: &mut File, range: Range<u64>) -> io::Result<Bytes> {
    file.seek(SeekFrom::Start(range.start))?;
    let length = range.end - range.start;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    if (bytes.len() as u64) < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes.into())
}
