//! What the backends have to agree on: ranges, pages and folders.

use std::ops::Range;

use crate::{Error, InvalidKey, ObjectKey, Result};

/// The most objects that a page of a listing has: S3's.
pub(crate) const PAGE: usize = 1000;

/// Refuses a range that is reversed or ends beyond an object of `size` bytes.
pub(crate) fn checked(key: &ObjectKey, range: &Range<u64>, size: u64) -> Result<()> {
    if range.start > range.end || range.end > size {
        return Err(Error::OutOfRange { key: key.to_string(), range: range.clone(), size: Some(size), source: None });
    }
    Ok(())
}

/// Refuses a prefix that neither is empty nor ends at a slash.
pub(crate) fn folder(prefix: &str) -> Result<()> {
    if !prefix.is_empty() && !prefix.ends_with('/') {
        return Err(InvalidKey::NoFolder { prefix: prefix.to_owned() }.into());
    }
    Ok(())
}

/// Whether a key can begin with `prefix`. Where none can, there is nothing to list; some servers would read `a//` as `a/`.
pub(crate) fn can_begin(prefix: &str) -> bool {
    prefix.rsplit_once('/').is_none_or(|(folder, _)| ObjectKey::new(&format!("{folder}/x")).is_ok())
}

/// A text after every key in the folder `prefix` + `name` and before every key after it, be it in the order of bytes or
/// of segments. (Only a key whose name in that folder began with the last of all code points, which is no character,
/// would come after it.)
pub(crate) fn after_folder(prefix: &str, name: &str) -> String {
    format!("{prefix}{name}/\u{10ffff}")
}

/// Whether something can be a folder's name: one legal segment.
pub(crate) fn is_segment(name: &str) -> bool {
    !name.contains('/') && ObjectKey::new(name).is_ok()
}

/// Where the last `length` bytes of an object of `size` bytes begin.
pub(crate) fn suffix_start(length: u64, size: u64) -> u64 {
    size.saturating_sub(length)
}
