//! What the backends that hold bytes themselves have to agree on: ranges and pages.

use std::ops::Range;

use crate::{Error, ObjectKey, Result};

/// The most objects that a page of a listing has: S3's.
pub(crate) const PAGE: usize = 1000;

/// Refuses a range that is reversed or ends beyond an object of `size` bytes.
pub(crate) fn checked(key: &ObjectKey, range: &Range<u64>, size: u64) -> Result<()> {
    if range.start > range.end || range.end > size {
        return Err(Error::OutOfRange { key: key.to_string(), range: range.clone(), size: Some(size), source: None });
    }
    Ok(())
}

/// Where the last `length` bytes of an object of `size` bytes begin.
pub(crate) fn suffix_start(length: u64, size: u64) -> u64 {
    size.saturating_sub(length)
}
