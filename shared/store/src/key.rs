use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

/// An object's key: a relative path of segments between slashes that every backend can hold.
///
/// Not blank, and at most 1024 bytes (S3's limit) in segments of 1 to 255 bytes (a file system's). No segment is `.` or `..`, and no
/// character is a control character or a backslash. Whatever a [`Tenant`](niente_model::Tenant) may be called is a
/// legal segment. Keys are ordered by their bytes, as listings are.
///
/// ```
/// use niente_store::ObjectKey;
///
/// assert!(ObjectKey::new("acme/l0/x.parquet").is_ok());
/// assert!(ObjectKey::new("acme/../other/x").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ObjectKey(Arc<str>);

/// Why some text is no object's key, or no key of this store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidKey {
    /// No key at all, or only blanks, which the AWS SDK takes for none.
    #[error("an object's key must not be empty or blank")]
    Empty,
    /// Longer than [`ObjectKey::MAX_LENGTH`].
    #[error("an object's key of {0} bytes is too long, at most {max} are allowed", max = ObjectKey::MAX_LENGTH)]
    TooLong(usize),
    /// A segment longer than [`ObjectKey::MAX_SEGMENT`].
    #[error(
        "the object key {key:?} has a segment of {bytes} bytes, at most {max} are allowed",
        max = ObjectKey::MAX_SEGMENT
    )]
    SegmentTooLong {
        /// The key.
        key: String,
        /// The segment's length.
        bytes: usize,
    },
    /// A slash at either end, or two in a row.
    #[error("the object key {key:?} has an empty segment: remove the slash at its end or the doubled one")]
    EmptySegment {
        /// The key.
        key: String,
    },
    /// `.` and `..` would lead out of the store's folder.
    #[error("the object key {key:?} has the segment '.' or '..'")]
    Dots {
        /// The key.
        key: String,
    },
    /// A control character or a backslash.
    #[error("the object key {key:?} has the character {character:?}, which is not allowed")]
    Character {
        /// The key.
        key: String,
        /// The first such character.
        character: char,
    },
    /// A key that leaves too little room for what comes before it in this store.
    #[error(
        "the object key {key:?} is too long below the prefix {prefix:?}: both together may have {max} bytes",
        max = ObjectKey::MAX_LENGTH
    )]
    TooLongBelow {
        /// The key.
        key: String,
        /// What comes before it, with a slash at its end.
        prefix: String,
    },
    /// What is to be searched for folders is none.
    #[error("the prefix {prefix:?} is no folder: it must be empty or end at a slash")]
    NoFolder {
        /// The prefix.
        prefix: String,
    },
    /// A key that a folder can't hold though a bucket can: below the folder store's own files, or below another
    /// object, or with other objects below it.
    #[error("the object key {key:?} can't be a file in this folder: {reason}")]
    NotInFolder {
        /// The key.
        key: String,
        /// What stands in its way.
        reason: &'static str,
    },
}

impl From<ObjectKey> for String {
    fn from(key: ObjectKey) -> Self {
        key.as_str().to_owned()
    }
}

impl TryFrom<String> for ObjectKey {
    type Error = InvalidKey;

    fn try_from(key: String) -> Result<Self, InvalidKey> {
        Self::new(&key)
    }
}

impl ObjectKey {
    /// The longest key, in bytes.
    pub const MAX_LENGTH: usize = 1024;
    /// The longest segment, in bytes.
    pub const MAX_SEGMENT: usize = 255;

    /// The key with this text, if it is one.
    pub fn new(text: &str) -> Result<Self, InvalidKey> {
        if text.trim().is_empty() {
            return Err(InvalidKey::Empty);
        }
        if text.len() > Self::MAX_LENGTH {
            return Err(InvalidKey::TooLong(text.len()));
        }
        let key = || text.to_owned();
        if let Some(character) = text.chars().find(|c| c.is_control() || *c == '\\') {
            return Err(InvalidKey::Character { key: key(), character });
        }
        for segment in text.split('/') {
            match segment {
                "" => return Err(InvalidKey::EmptySegment { key: key() }),
                "." | ".." => return Err(InvalidKey::Dots { key: key() }),
                long if long.len() > Self::MAX_SEGMENT => {
                    return Err(InvalidKey::SegmentTooLong { key: key(), bytes: long.len() });
                }
                _ => {}
            }
        }
        Ok(Self(text.into()))
    }

    /// The key's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ObjectKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        Self::new(text)
    }
}

impl AsRef<str> for ObjectKey {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ObjectKey {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use niente_model::Tenant;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_paths_that_every_backend_can_hold_are_keys() {
        let segment = "s".repeat(255);
        for text in ["a", "a/b", ".hidden/..x/...", "a b/ü/☃", &segment] {
            assert_eq!(ObjectKey::new(text).unwrap().as_str(), text);
        }
        let longest = format!("{segment}/{segment}/{segment}/{segment}/");
        assert!(ObjectKey::new(&longest[..1023]).is_ok());
        for text in [
            "", " ", "\u{3000}", "/", "/a", "a/", "a//b", ".", "..", "a/./b", "a/..", "a\\b", "a\0", "a\n", "a\u{7f}",
            "a\u{85}",
        ] {
            assert!(ObjectKey::new(text).is_err(), "{text:?}");
        }
        assert_eq!(ObjectKey::new(&format!("{longest}s")), Err(InvalidKey::TooLong(1025)));
        assert!(matches!(ObjectKey::new(&"s".repeat(256)), Err(InvalidKey::SegmentTooLong { bytes: 256, .. })));
    }

    proptest! {
        #[test]
        fn whatever_a_tenant_may_be_called_is_a_segment(name in "[a-zA-Z0-9!_.*'()-]{1,150}") {
            if let Ok(tenant) = Tenant::new(&name) {
                let key = format!("{tenant}/l0/x");
                prop_assert!(ObjectKey::new(&key).is_ok());
            }
        }
    }
}
