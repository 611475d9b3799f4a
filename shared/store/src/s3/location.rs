use std::{fmt, str::FromStr};

use crate::{InvalidKey, ObjectKey};

/// Where in S3 a store lies: a bucket, and what all keys in it begin with.
///
/// ```
/// use niente_store::S3Location;
///
/// let location: S3Location = "s3://traces/prod/eu".parse()?;
/// assert_eq!((&*location.bucket, &*location.prefix), ("traces", "prod/eu"));
/// assert_eq!(location.to_string(), "s3://traces/prod/eu");
/// # Ok::<(), niente_store::InvalidLocation>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct S3Location {
    /// The bucket's name.
    pub bucket: String,
    /// What comes before each key, without a slash at either end; empty if the store has the bucket to itself.
    pub prefix: String,
}

/// Why some text is no place in S3.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidLocation {
    /// It doesn't begin with `s3://`.
    #[error("{text:?} is no S3 location: write s3://bucket or s3://bucket/prefix")]
    Scheme {
        /// The text.
        text: String,
    },
    /// S3 allows no bucket of that name.
    #[error("{bucket:?} is no bucket's name: {reason}")]
    Bucket {
        /// The name.
        bucket: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No object's key can begin so.
    #[error("the prefix {prefix:?} can't begin an object's key: {source}")]
    Prefix {
        /// The prefix.
        prefix: String,
        /// What is wrong with it.
        source: InvalidKey,
    },
}

impl S3Location {
    /// The place in `bucket` below `prefix`, which may be empty and may end at a slash.
    pub fn new(bucket: &str, prefix: &str) -> Result<Self, InvalidLocation> {
        check_bucket(bucket).map_err(|reason| InvalidLocation::Bucket { bucket: bucket.to_owned(), reason })?;
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        if !prefix.is_empty() {
            let invalid = |source| InvalidLocation::Prefix { prefix: prefix.to_owned(), source };
            ObjectKey::new(prefix).map_err(invalid)?;
        }
        Ok(Self { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }

    /// What comes before each key: the prefix with a slash at its end, or nothing.
    pub(super) fn above(&self) -> String {
        if self.prefix.is_empty() { String::new() } else { format!("{}/", self.prefix) }
    }
}

/// The rules of general purpose buckets, as far as the name alone can break them.
fn check_bucket(name: &str) -> Result<(), &'static str> {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if !(3..=63).contains(&name.len()) {
        Err("it must have 3 to 63 characters")
    } else if !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.') {
        Err("only lower-case letters, digits, dots and hyphens are allowed")
    } else if !edge(name.chars().next()) || !edge(name.chars().last()) {
        Err("it must begin and end with a letter or a digit")
    } else if name.contains("..") {
        Err("two dots in a row are not allowed")
    } else if name.split('.').count() == 4 && name.split('.').all(|part| part.parse::<u8>().is_ok()) {
        Err("it must not look like an IP address")
    } else {
        Ok(())
    }
}

impl FromStr for S3Location {
    type Err = InvalidLocation;

    fn from_str(text: &str) -> Result<Self, InvalidLocation> {
        let Some(rest) = text.strip_prefix("s3://") else {
            return Err(InvalidLocation::Scheme { text: text.to_owned() });
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        Self::new(bucket, prefix)
    }
}

impl fmt::Display for S3Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}", self.bucket)?;
        if !self.prefix.is_empty() {
            write!(f, "/{}", self.prefix)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_a_bucket_and_a_prefix() {
        for (text, read) in [
            ("s3://abc", Ok(("abc", ""))),
            ("s3://abc/", Ok(("abc", ""))),
            ("s3://a.b-c.9/x/y z/", Ok(("a.b-c.9", "x/y z"))),
            ("S3://abc", Err("\"S3://abc\" is no S3 location: write s3://bucket or s3://bucket/prefix")),
            ("abc/x", Err("\"abc/x\" is no S3 location: write s3://bucket or s3://bucket/prefix")),
            ("s3://", Err("\"\" is no bucket's name: it must have 3 to 63 characters")),
            ("s3://ab/x", Err("\"ab\" is no bucket's name: it must have 3 to 63 characters")),
            (
                "s3://Traces",
                Err("\"Traces\" is no bucket's name: only lower-case letters, digits, dots and hyphens are allowed"),
            ),
            ("s3://-abc", Err("\"-abc\" is no bucket's name: it must begin and end with a letter or a digit")),
            ("s3://a..b", Err("\"a..b\" is no bucket's name: two dots in a row are not allowed")),
            ("s3://10.0.0.1", Err("\"10.0.0.1\" is no bucket's name: it must not look like an IP address")),
            (
                "s3://abc//x",
                Err(
                    "the prefix \"/x\" can't begin an object's key: the object key \"/x\" has an empty segment: remove \
                     the slash at its end or the doubled one",
                ),
            ),
            (
                "s3://abc/x/../y",
                Err(
                    "the prefix \"x/../y\" can't begin an object's key: the object key \"x/../y\" has the segment '.' \
                     or '..'",
                ),
            ),
        ] {
            let location = text.parse::<S3Location>();
            let found = location.as_ref().map(|l| (&*l.bucket, &*l.prefix)).map_err(ToString::to_string);
            assert_eq!(found, read.map_err(str::to_owned), "{text}");
        }
    }
}
