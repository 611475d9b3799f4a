//! How much memory a protobuf request will take, found out before any of it is taken.
//!
//! prost decodes whatever it is given, and an empty span takes two bytes on the wire but some 350 in memory. So this
//! walks over the messages first, skipping what is in them, and adds up the elements of their lists. Texts aren't
//! counted: they are no longer in memory than on the wire.

use std::mem::size_of;

use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, EntityRef, KeyValue},
    trace::v1::{
        ResourceSpans, ScopeSpans, Span,
        span::{Event, Link},
    },
};

use crate::Error;

/// As deep as prost goes, too.
const MAX_DEPTH: usize = 100;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Message {
    Request,
    ResourceSpans,
    Resource,
    EntityRef,
    ScopeSpans,
    Scope,
    Span,
    Event,
    Link,
    KeyValue,
    AnyValue,
    ArrayValue,
    KeyValueList,
}

impl Message {
    /// The message in this field and the bytes that it takes in its list: none for what is no list. `None` for
    /// fields that neither hold messages nor are lists.
    fn field(self, number: u64) -> Option<(Option<Message>, usize)> {
        use Message as M;
        Some(match (self, number) {
            (M::Request, 1) => (Some(M::ResourceSpans), size_of::<ResourceSpans>()),
            (M::ResourceSpans, 1) => (Some(M::Resource), 0),
            (M::ResourceSpans, 2) => (Some(M::ScopeSpans), size_of::<ScopeSpans>()),
            (M::Resource, 3) => (Some(M::EntityRef), size_of::<EntityRef>()),
            (M::EntityRef, 3 | 4) => (None, size_of::<String>()),
            (M::ScopeSpans, 1) => (Some(M::Scope), 0),
            (M::ScopeSpans, 2) => (Some(M::Span), size_of::<Span>()),
            (M::Span, 11) => (Some(M::Event), size_of::<Event>()),
            (M::Span, 13) => (Some(M::Link), size_of::<Link>()),
            (M::Resource, 1) | (M::Scope, 3) | (M::Span, 9) | (M::Event, 3) | (M::Link, 4) | (M::KeyValueList, 1) => {
                (Some(M::KeyValue), size_of::<KeyValue>())
            }
            (M::KeyValue, 2) => (Some(M::AnyValue), 0),
            (M::AnyValue, 5) => (Some(M::ArrayValue), 0),
            (M::AnyValue, 6) => (Some(M::KeyValueList), 0),
            (M::ArrayValue, 1) => (Some(M::AnyValue), size_of::<AnyValue>()),
            _ => return None,
        })
    }
}

/// The bytes of memory that the lists of a request will take once it is decoded.
pub(crate) fn decoded_size(body: &[u8]) -> Result<usize, Error> {
    message_size(Message::Request, Reader { body, at: 0 }, 1)
        .map_err(|Malformed { reason, at }| Error::Wire { reason, at })
}

fn message_size(message: Message, mut reader: Reader<'_>, depth: usize) -> Result<usize, Malformed> {
    if depth > MAX_DEPTH {
        return Err(reader.error("messages nested more than 100 deep"));
    }
    let mut size = 0;
    while !reader.is_at_end() {
        let key = reader.varint()?;
        match (key & 7, message.field(key >> 3)) {
            (Reader::LENGTH_DELIMITED, Some((inner, list_element))) => {
                let content = reader.length_delimited()?;
                size += list_element;
                if let Some(inner) = inner {
                    size += message_size(inner, content, depth + 1)?;
                }
            }
            (wire_type, _) => reader.skip(wire_type)?,
        }
    }
    Ok(size)
}

/// Where the wire format is broken: smaller than an [`Error`], for it is returned for every field.
struct Malformed {
    reason: &'static str,
    at: usize,
}

/// Reads protobuf's wire format; `body` ends where the message does.
struct Reader<'a> {
    body: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    const VARINT: u64 = 0;
    const FIXED_64: u64 = 1;
    const LENGTH_DELIMITED: u64 = 2;
    const GROUP_START: u64 = 3;
    const GROUP_END: u64 = 4;
    const FIXED_32: u64 = 5;

    fn is_at_end(&self) -> bool {
        self.at == self.body.len()
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, Malformed> {
        match self.body.get(self.at) {
            Some(byte) if *byte < 0x80 => {
                self.at += 1;
                Ok(u64::from(*byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, Malformed> {
        let mut number = 0;
        for shift in (0..70).step_by(7) {
            let Some(byte) = self.body.get(self.at) else { return Err(self.error("the body ends inside a number")) };
            self.at += 1;
            number |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if *byte < 0x80 {
                return Ok(number);
            }
        }
        Err(self.error("a number longer than 10 bytes"))
    }

    fn length_delimited(&mut self) -> Result<Reader<'a>, Malformed> {
        let length = self.varint()?;
        let at = self.at;
        self.advance(length)?;
        Ok(Reader { body: &self.body[..self.at], at })
    }

    fn advance(&mut self, bytes: u64) -> Result<(), Malformed> {
        match usize::try_from(bytes).ok().and_then(|bytes| self.at.checked_add(bytes)) {
            Some(end) if end <= self.body.len() => self.at = end,
            _ => return Err(self.error("a field is longer than the message around it")),
        }
        Ok(())
    }

    /// Skips a field, of groups, which OTLP doesn't use, all that is inside.
    fn skip(&mut self, wire_type: u64) -> Result<(), Malformed> {
        let mut open_groups = 0_usize;
        let mut wire_type = wire_type;
        loop {
            match wire_type {
                Self::VARINT => _ = self.varint()?,
                Self::FIXED_64 => self.advance(8)?,
                Self::LENGTH_DELIMITED => _ = self.length_delimited()?,
                Self::FIXED_32 => self.advance(4)?,
                Self::GROUP_START => open_groups += 1,
                Self::GROUP_END if open_groups > 0 => open_groups -= 1,
                _ => return Err(self.error("an unknown wire type")),
            }
            if open_groups == 0 {
                return Ok(());
            }
            wire_type = self.varint()? & 7;
        }
    }

    fn error(&self, reason: &'static str) -> Malformed {
        Malformed { reason, at: self.at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fields in hexadecimal, spaces for the eye.
    fn check(body: &str, expected: Result<usize, &str>) {
        let bytes = hex::decode(body.replace(' ', "")).unwrap();
        match (decoded_size(&bytes), expected) {
            (Ok(size), Ok(expected)) => assert_eq!(size, expected, "{body}"),
            (Err(error), Err(expected)) => {
                let start = "the body is no protobuf export request: ";
                assert_eq!(error.to_string(), format!("{start}{expected}"), "{body}");
            }
            (found, expected) => panic!("{body}: {found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn list_elements_are_counted_and_all_else_is_skipped() {
        const RESOURCE: usize = size_of::<ResourceSpans>();
        check("", Ok(0));
        check("0a00", Ok(RESOURCE));
        check("0a00 0a00", Ok(2 * RESOURCE));
        // a resource with one attribute, then a schema URL
        check("0a09 0a04 0a02 0a00 1a01 41", Ok(RESOURCE + size_of::<KeyValue>()));
        // two spans under one scope
        check("0a06 1204 1200 1200", Ok(RESOURCE + size_of::<ScopeSpans>() + 2 * size_of::<Span>()));
        // fields of tomorrow, one of each wire type: they could hold anything
        check("7801 79 0102030405060708 7a02 ffff 7b 7b 7801 7c 7c 7d 01020304", Ok(0));
    }

    #[test]
    fn broken_wire_format_is_told_with_its_place() {
        check("0a", Err("the body ends inside a number at byte 1"));
        check("0a05 1200", Err("a field is longer than the message around it at byte 2"));
        check("0a02 1201", Err("a field is longer than the message around it at byte 4"));
        check("79 01", Err("a field is longer than the message around it at byte 1"));
        check("7aff ffff ffff ffff ffff 01", Err("a field is longer than the message around it at byte 11"));
        check("ffff ffff ffff ffff ffff ff", Err("a number longer than 10 bytes at byte 10"));
        check("7b 7801", Err("the body ends inside a number at byte 3"));
        check("7c", Err("an unknown wire type at byte 1"));
        check("7e", Err("an unknown wire type at byte 1"));
    }
}
