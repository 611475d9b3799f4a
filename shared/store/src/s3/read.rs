//! Reading an object, all or some of it, exactly.

use std::ops::Range;

use aws_sdk_s3::{operation::get_object::GetObjectOutput, primitives::ByteStream};
use bytes::{Bytes, BytesMut};

use super::{S3Store, fault};
use crate::{Action, ETag, Error, ObjectKey, Result, Source};

/// The greatest number that servers read in a range: objects are far smaller.
const LARGEST: u64 = i64::MAX as u64;

/// What is wanted of an object.
#[derive(Debug)]
pub(super) enum Wanted<'a> {
    /// All of it.
    Whole,
    /// All of it, unless it is this version.
    Unless(&'a ETag),
    /// These bytes; at least one.
    Range(Range<u64>),
    /// So many bytes of its end; at least one.
    Suffix(u64),
}

/// What a `GET` gives.
#[derive(Debug)]
pub(super) enum Got {
    /// What was wanted.
    Bytes {
        /// The bytes.
        bytes: Bytes,
        /// The version that they are of.
        etag: ETag,
        /// The size of the whole object.
        size: u64,
    },
    /// It still is the version that is known.
    NotModified,
    /// It has no such bytes.
    Unsatisfiable {
        /// How many it has, if the store tells.
        size: Option<u64>,
        /// The store's own words.
        source: Option<Source>,
    },
}

impl Wanted<'_> {
    fn header(&self) -> Option<String> {
        match self {
            Wanted::Whole | Wanted::Unless(_) => None,
            Wanted::Range(range) => {
                let last = (range.end - 1).min(LARGEST);
                Some(format!("bytes={}-{last}", range.start.min(last)))
            }
            Wanted::Suffix(length) => Some(format!("bytes=-{}", (*length).min(LARGEST))),
        }
    }
}

impl S3Store {
    /// One `GET`, repeated if its body breaks off. (The SDK repeats what fails before the body begins.)
    pub(super) async fn fetch(&self, key: &ObjectKey, wanted: Wanted<'_>) -> Result<Got> {
        let full = self.full(key)?;
        let _turn = self.turn().await;
        let mut attempt = 1;
        loop {
            let request =
                self.client.get_object().bucket(self.bucket()).key(&full).set_range(wanted.header()).set_if_none_match(
                    match wanted {
                        Wanted::Unless(known) => Some(known.as_str().to_owned()),
                        _ => None,
                    },
                );
            let answer = match request.send().await {
                Ok(answer) => answer,
                Err(error) => match fault::status(&error) {
                    Some(304) => return Ok(Got::NotModified),
                    Some(416) => {
                        let size = fault::size(&error);
                        return Ok(Got::Unsatisfiable { size, source: Some(Box::new(error)) });
                    }
                    _ => return Err(self.site.explain(Action::Read, key.as_str(), error)),
                },
            };
            let (size, expected) = self.extent(key, &wanted, &answer)?;
            let Some(expected) = expected else { return Ok(Got::Unsatisfiable { size: Some(size), source: None }) };
            let Some(etag) = answer.e_tag().map(ETag::new) else {
                return Err(self.site.malformed(Action::Read, key.as_str(), "an ETag"));
            };
            match tokio::time::timeout(self.options.time_for(expected), collect(answer.body, expected)).await {
                Ok(Ok(bytes)) => return Ok(Got::Bytes { bytes, etag, size }),
                Ok(Err(error)) if attempt >= self.options.attempts => {
                    return Err(self.site.broken_off(Action::Read, key.as_str(), error));
                }
                Err(error) if attempt >= self.options.attempts => {
                    return Err(self.site.broken_off(Action::Read, key.as_str(), Box::new(error)));
                }
                Ok(Err(reason)) => tracing::debug!(%key, attempt, %reason, "a body broke off and is read again"),
                Err(reason) => tracing::debug!(%key, attempt, %reason, "a body came too slowly and is read again"),
            }
            attempt += 1;
        }
    }

    /// The object's size, and the body's if it is what was wanted.
    fn extent(&self, key: &ObjectKey, wanted: &Wanted<'_>, answer: &GetObjectOutput) -> Result<(u64, Option<u64>)> {
        let malformed = |lack| self.site.malformed(Action::Read, key.as_str(), lack);
        let length = answer.content_length().and_then(|length| u64::try_from(length).ok());
        let length = length.ok_or_else(|| malformed("the body's length"))?;
        // Of an empty object alone; MiniStack calls that the range `0--1`.
        if matches!(wanted, Wanted::Suffix(_)) && length == 0 {
            return Ok((0, Some(0)));
        }
        let part = answer.content_range().map(|text| content_range(text).ok_or_else(|| malformed("a legible range")));
        match (wanted, part.transpose()?) {
            (Wanted::Whole | Wanted::Unless(_), None) => Ok((length, Some(length))),
            // Some servers answer a suffix that is all of the object by all of it.
            (Wanted::Suffix(most), None) if length <= *most => Ok((length, Some(length))),
            (Wanted::Suffix(most), Some((part, size))) if part == (size.saturating_sub(*most)..size) => {
                Ok((size, Some(part.end - part.start)))
            }
            (Wanted::Range(range), Some((part, size))) if part == *range => Ok((size, Some(range.end - range.start))),
            (Wanted::Range(range), Some((_, size))) if range.end > size => Ok((size, None)),
            _ => Err(malformed("the range that was asked for")),
        }
    }

    /// The bytes of `range`, which holds at least one.
    pub(super) async fn fetch_range(&self, key: &ObjectKey, range: Range<u64>) -> Result<Bytes> {
        match self.fetch(key, Wanted::Range(range.clone())).await? {
            Got::Bytes { bytes, .. } => Ok(bytes),
            Got::Unsatisfiable { size, source } => Err(Error::OutOfRange { key: key.to_string(), range, size, source }),
            Got::NotModified => Err(self.site.malformed(Action::Read, key.as_str(), "a body")),
        }
    }
}

/// All of a body, which must have so many bytes.
async fn collect(mut body: ByteStream, expected: u64) -> Result<Bytes, Source> {
    let mut bytes = BytesMut::with_capacity(expected as usize);
    while let Some(chunk) = body.try_next().await? {
        bytes.extend_from_slice(&chunk);
    }
    if bytes.len() as u64 != expected {
        return Err(format!("the body has {} bytes instead of {expected}", bytes.len()).into());
    }
    Ok(bytes.freeze())
}

/// `bytes 2-5/10` as 2..6 of 10.
fn content_range(text: &str) -> Option<(Range<u64>, u64)> {
    let (part, size) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = part.split_once('-')?;
    let last: u64 = last.parse().ok()?;
    Some((first.parse().ok()?..last.checked_add(1)?, size.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_spelled_as_http_has_them() {
        for (wanted, header) in [
            (Wanted::Whole, None),
            (Wanted::Range(0..1), Some("bytes=0-0")),
            (Wanted::Range(5..10), Some("bytes=5-9")),
            (Wanted::Range(5..u64::MAX), Some("bytes=5-9223372036854775807")),
            (Wanted::Range(u64::MAX - 1..u64::MAX), Some("bytes=9223372036854775807-9223372036854775807")),
            (Wanted::Suffix(8), Some("bytes=-8")),
            (Wanted::Suffix(u64::MAX), Some("bytes=-9223372036854775807")),
        ] {
            assert_eq!(wanted.header().as_deref(), header, "{wanted:?}");
        }
    }

    #[test]
    fn the_range_of_an_answer_is_read() {
        for (text, read) in [
            ("bytes 0-0/1", Some((0..1, 1))),
            ("bytes 2-5/10", Some((2..6, 10))),
            ("bytes */10", None),
            ("bytes 2-5/*", None),
            ("bytes 2-5", None),
            ("2-5/10", None),
            ("bytes 2-18446744073709551615/10", None),
        ] {
            assert_eq!(content_range(text), read, "{text}");
        }
    }
}
