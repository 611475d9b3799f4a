use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

/// A trace's ID: 16 bytes, not all zero. 64-bit IDs of older tracers have eight leading zero bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "[u8; 16]", try_from = "[u8; 16]")]
pub struct TraceId([u8; 16]);

/// A span's ID: 8 bytes, not all zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "[u8; 8]", try_from = "[u8; 8]")]
pub struct SpanId([u8; 8]);

/// XXH64 (seed 0) of a trace ID.
///
/// IDs in the wild are not uniform: AWS X-Ray's begin with the time, 64-bit ones with zeros. The key is, so that
/// sorting by it spreads traces evenly and a key's position in a sorted array can be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TraceKey(pub u64);

/// Why some bytes or text are no trace or span ID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// Not the length that this kind of ID has.
    #[error("{kind} ID has {bytes} bytes, it must have {expected}")]
    Length {
        /// `trace` or `span`.
        kind: &'static str,
        /// What was given.
        bytes: usize,
        /// What would be right.
        expected: &'static str,
    },
    /// OTLP and W3C Trace Context forbid the all-zero ID.
    #[error("{kind} ID is all zeros")]
    Zero {
        /// `trace` or `span`.
        kind: &'static str,
    },
    /// Text longer than the ID can be.
    #[error("{kind} ID has {digits} characters, at most {expected} hexadecimal digits are allowed")]
    TooLong {
        /// `trace` or `span`.
        kind: &'static str,
        /// What was given.
        digits: usize,
        /// The most that are allowed.
        expected: usize,
    },
    /// Text with something else than hexadecimal digits.
    #[error("{kind} ID has the character {character:?} at position {position}, only hexadecimal digits are allowed")]
    NotHex {
        /// `trace` or `span`.
        kind: &'static str,
        /// The offending character.
        character: char,
        /// Its 1-based position.
        position: usize,
    },
}

macro_rules! as_bytes {
    ($($id:ident: $length:literal),*) => {
        $(impl From<$id> for [u8; $length] {
            fn from(id: $id) -> Self {
                id.0
            }
        }

        impl TryFrom<[u8; $length]> for $id {
            type Error = InvalidId;

            fn try_from(bytes: [u8; $length]) -> Result<Self, InvalidId> {
                Self::from_slice(&bytes)
            }
        })*
    };
}
as_bytes!(TraceId: 16, SpanId: 8);

impl TraceId {
    /// The ID with these bytes: 16, or 8 for the 64-bit IDs of older tracers, which are padded with zeros in front.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, InvalidId> {
        let mut id = [0; 16];
        match bytes.len() {
            16 => id.copy_from_slice(bytes),
            8 => id[8..].copy_from_slice(bytes),
            n => return Err(InvalidId::Length { kind: "trace", bytes: n, expected: "16 (or 8 for a 64-bit ID)" }),
        }
        if id == [0; 16] {
            return Err(InvalidId::Zero { kind: "trace" });
        }
        Ok(Self(id))
    }

    /// The ID's bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The hash by which traces are sorted, sharded and indexed.
    pub fn key(&self) -> TraceKey {
        TraceKey(XxHash64::oneshot(0, &self.0))
    }

    /// Lower-case hexadecimal without leading zeros, as Tempo's search answers spell it.
    pub fn to_trimmed_hex(&self) -> String {
        hex::encode(self.0).trim_start_matches('0').to_owned()
    }
}

impl FromStr for TraceId {
    type Err = InvalidId;

    /// Reads 1 to 32 hexadecimal digits of either case; shorter ones are padded with zeros in front.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        parse_hex::<16>("trace", text).map(Self)
    }
}

impl SpanId {
    /// The ID with these 8 bytes.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, InvalidId> {
        let id: [u8; 8] =
            bytes.try_into().map_err(|_| InvalidId::Length { kind: "span", bytes: bytes.len(), expected: "8" })?;
        if id == [0; 8] {
            return Err(InvalidId::Zero { kind: "span" });
        }
        Ok(Self(id))
    }

    /// A parent's ID: none where the bytes are absent or all zero, as OTLP decoders have it.
    pub fn parent_from_slice(bytes: &[u8]) -> Result<Option<Self>, InvalidId> {
        if bytes.iter().all(|b| *b == 0) && bytes.len() <= 8 {
            return Ok(None);
        }
        Self::from_slice(bytes).map(Some)
    }

    /// The ID's bytes.
    pub fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl FromStr for SpanId {
    type Err = InvalidId;

    /// Reads 1 to 16 hexadecimal digits of either case; shorter ones are padded with zeros in front.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        parse_hex::<8>("span", text).map(Self)
    }
}

fn parse_hex<const N: usize>(kind: &'static str, text: &str) -> Result<[u8; N], InvalidId> {
    if let Some((position, character)) = text.chars().enumerate().find(|(_, c)| !c.is_ascii_hexdigit()) {
        return Err(InvalidId::NotHex { kind, character, position: position + 1 });
    }
    if text.len() > 2 * N {
        return Err(InvalidId::TooLong { kind, digits: text.len(), expected: 2 * N });
    }
    let padded = format!("{text:0>width$}", width = 2 * N);
    let mut id = [0; N];
    hex::decode_to_slice(padded, &mut id).expect("2·N hexadecimal digits are N bytes");
    if id == [0; N] {
        return Err(InvalidId::Zero { kind });
    }
    Ok(id)
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_of_any_length_and_case_is_padded() {
        for (text, printed) in [
            ("1", "00000000000000000000000000000001"),
            ("ABC", "00000000000000000000000000000abc"),
            ("4283fefc63f0cd0e", "00000000000000004283fefc63f0cd0e"),
            ("f82bab83460a0bab705e83faf65aceec", "f82bab83460a0bab705e83faf65aceec"),
        ] {
            let id: TraceId = text.parse().unwrap();
            assert_eq!(id.to_string(), printed);
            assert_eq!(id.to_trimmed_hex(), text.to_lowercase().trim_start_matches('0'));
        }
    }

    #[test]
    fn what_is_no_id_is_refused_with_its_reason() {
        for (text, reason) in [
            ("0", "trace ID is all zeros"),
            ("", "trace ID is all zeros"),
            ("nothex", "trace ID has the character 'n' at position 1, only hexadecimal digits are allowed"),
            ("12é", "trace ID has the character 'é' at position 3, only hexadecimal digits are allowed"),
            (&"1".repeat(33), "trace ID has 33 characters, at most 32 hexadecimal digits are allowed"),
        ] {
            assert_eq!(text.parse::<TraceId>().unwrap_err().to_string(), reason);
        }
        assert!(TraceId::from_slice(&[1; 15]).is_err());
        assert!(SpanId::from_slice(&[0; 8]).is_err());
        assert!(SpanId::from_slice(&[1; 16]).is_err());
        assert!(SpanId::parent_from_slice(&[1; 3]).is_err());
    }

    #[test]
    fn a_parent_of_no_bytes_or_zeros_is_no_parent() {
        assert_eq!(SpanId::parent_from_slice(&[]), Ok(None));
        assert_eq!(SpanId::parent_from_slice(&[0; 8]), Ok(None));
        assert_eq!(SpanId::parent_from_slice(&[7; 8]), Ok(Some(SpanId([7; 8]))));
    }

    #[test]
    fn the_key_is_xxh64_with_seed_zero() {
        // Every stored object is sorted by this hash: it can never change.
        let id = TraceId::from_slice(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]).unwrap();
        assert_eq!(id.key(), TraceKey(XxHash64::oneshot(0, id.as_bytes())));
    }
}
