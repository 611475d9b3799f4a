//! From a file to the export requests in it: what it is, its content tells.

use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};

use flate2::read::MultiGzDecoder;
use niente_receive::Format;
use serde::de::IgnoredAny;

use super::destination::Rejected;

/// One request as it stood in a file, uncompressed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Export {
    /// Where, for people: nothing for the whole of a file, else ` line 3` or ` request 3`.
    pub(super) place: String,
    pub(super) format: Format,
    pub(super) body: Vec<u8>,
}

/// The requests of a file, one after the other.
pub(super) struct Exports<'f> {
    reader: Box<dyn BufRead + 'f>,
    kind: Kind,
    /// The most bytes of one request.
    limit: usize,
    /// How many lines or requests were read.
    read: usize,
    /// Whether a request in JSON was met.
    started: bool,
    ended: bool,
}

/// As much of a file's beginning as it takes to tell what it is.
const HEAD: u64 = 256;

/// How requests lie in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// One request in protobuf.
    Protobuf,
    /// Requests in protobuf, each after its length in four bytes, the first of them the highest: what the file
    /// exporter of the collector writes.
    Framed,
    /// JSON: one request a line, or one over several lines.
    Json,
}

impl Kind {
    /// What begins so.
    fn of(head: &[u8]) -> Self {
        // Protobuf begins with a field's number times eight, JSON with a brace. A length is below 2^27 for any limit
        // that makes sense here.
        match head.first() {
            Some(0..8) => Kind::Framed,
            // The tag of the only field that a request has is also a line break.
            Some(b'\n') if is_field(head) => Kind::Protobuf,
            _ if head.trim_ascii_start().starts_with(b"{") => Kind::Json,
            _ => Kind::Protobuf,
        }
    }
}

/// Whether field 1, whose tag comes first, is as long as it says: what follows is the same field or the end.
///
/// JSON that begins with a line break seems to be a field of at most 123 bytes, for then comes a space or a brace.
fn is_field(head: &[u8]) -> bool {
    let end = match head.get(1) {
        Some(length) if *length < 0x80 => 2 + usize::from(*length),
        _ => return true,
    };
    end <= head.len() && head.get(end).is_none_or(|next| *next == b'\n')
}

impl<'f> Exports<'f> {
    /// Looks at what a file begins with.
    pub(super) fn open(file: impl Read + 'f, limit: usize) -> io::Result<Self> {
        let mut decompressed = decompressed(file)?;
        let head = head(&mut decompressed, HEAD)?;
        let kind = Kind::of(&head);
        let reader = Box::new(BufReader::with_capacity(64 << 10, Cursor::new(head).chain(decompressed)));
        Ok(Self { reader, kind, limit, read: 0, started: false, ended: false })
    }

    fn next_export(&mut self) -> io::Result<Option<Export>> {
        match self.kind {
            Kind::Protobuf => self.whole(Vec::new(), Format::Protobuf),
            Kind::Framed => self.framed(),
            Kind::Json => self.json(),
        }
    }

    /// What is left, after what has been read of it already.
    fn whole(&mut self, mut body: Vec<u8>, format: Format) -> io::Result<Option<Export>> {
        self.ended = true;
        let room = self.limit.saturating_sub(body.len()) as u64;
        (&mut self.reader).take(room.saturating_add(1)).read_to_end(&mut body)?;
        self.check(body.len())?;
        Ok(Some(Export { place: String::new(), format, body }))
    }

    fn framed(&mut self) -> io::Result<Option<Export>> {
        if self.reader.fill_buf()?.is_empty() {
            return Ok(None);
        }
        self.read += 1;
        let mut length = [0; 4];
        self.reader.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length) as usize;
        self.check(length)?;
        let mut body = Vec::new();
        (&mut self.reader).take(length as u64).read_to_end(&mut body)?;
        if body.len() < length {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(Some(Export { place: format!(" request {}", self.read), format: Format::Protobuf, body }))
    }

    fn json(&mut self) -> io::Result<Option<Export>> {
        loop {
            let mut line = Vec::new();
            let room = self.limit as u64 + 1;
            if (&mut self.reader).take(room).read_until(b'\n', &mut line)? == 0 {
                return Ok(None);
            }
            self.read += 1;
            self.check(line.trim_ascii_end().len())?;
            if line.trim_ascii().is_empty() {
                continue;
            }
            // A first line that is no JSON by itself is the beginning of one request over several lines.
            let first = !std::mem::replace(&mut self.started, true);
            if first && serde_json::from_slice::<IgnoredAny>(&line).is_err() {
                return self.whole(line, Format::Json);
            }
            return Ok(Some(Export { place: format!(" line {}", self.read), format: Format::Json, body: line }));
        }
    }

    fn check(&self, length: usize) -> io::Result<()> {
        if length <= self.limit {
            return Ok(());
        }
        let reason = format!("a request of more than {} bytes is too large: split it", self.limit);
        Err(io::Error::new(ErrorKind::InvalidData, reason))
    }
}

impl Iterator for Exports<'_> {
    type Item = Result<Export, Rejected>;

    /// After something that can't be read nothing more comes: where the next request begins is not known.
    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.next_export();
        self.ended |= !matches!(next, Ok(Some(_)));
        next.map_err(|error| Rejected { place: self.place(), reason: reason(&error) }).transpose()
    }
}

impl Exports<'_> {
    fn place(&self) -> String {
        match self.kind {
            Kind::Protobuf => String::new(),
            Kind::Framed => format!(" request {}", self.read),
            Kind::Json => format!(" line {}", self.read),
        }
    }
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::UnexpectedEof => "the file is cut off".to_owned(),
        _ => error.to_string(),
    }
}

fn decompressed<'f>(mut file: impl Read + 'f) -> io::Result<Box<dyn Read + 'f>> {
    let head = head(&mut file, 4)?;
    let gzip = head.starts_with(&[0x1f, 0x8b]);
    let zstd = head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]);
    let file = Cursor::new(head).chain(file);
    Ok(match (gzip, zstd) {
        (true, _) => Box::new(MultiGzDecoder::new(BufReader::new(file))),
        (_, true) => Box::new(zstd::stream::read::Decoder::new(file)?),
        _ => Box::new(file),
    })
}

/// The first bytes, fewer only at the end.
fn head(reader: &mut impl Read, length: u64) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    reader.take(length).read_to_end(&mut head)?;
    Ok(head)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use niente_receive::proto::{
        collector::trace::v1::ExportTraceServiceRequest,
        trace::v1::{ResourceSpans, ScopeSpans, Span},
    };
    use prost::Message;

    use super::*;

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    /// The requests of a file with this content, plain and compressed: their places, or the reason for their end.
    fn check(content: &[u8], format: Format, expected: &[Result<(&str, &[u8]), &str>]) {
        for file in [content.to_vec(), gzip(content), zstd::encode_all(content, 1).unwrap()] {
            let read: Vec<_> = Exports::open(&*file, 1_000).unwrap().collect();
            assert_eq!(read.len(), expected.len(), "{read:?}");
            for (read, expected) in read.iter().zip(expected) {
                match (read, expected) {
                    (Ok(export), Ok((place, body))) => {
                        assert_eq!((export.place.as_str(), export.format), (*place, format));
                        assert_eq!(export.body.trim_ascii_end(), body.trim_ascii_end());
                    }
                    (Err(rejected), Err(reason)) => assert_eq!(format!("file{rejected}"), *reason),
                    (read, expected) => panic!("{read:?} instead of {expected:?}"),
                }
            }
        }
    }

    /// A request of exactly so many bytes.
    fn protobuf(length: usize) -> Vec<u8> {
        let request = |name: usize| {
            let span = Span { name: "n".repeat(name), ..Span::default() };
            let scope_spans = vec![ScopeSpans { spans: vec![span], ..ScopeSpans::default() }];
            let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
            ExportTraceServiceRequest { resource_spans }.encode_to_vec()
        };
        (1..).map(request).find(|body| body.len() >= length).unwrap()
    }

    #[test]
    fn json_is_one_request_a_line_or_one_over_many() {
        check(b"{\"a\":1}", Format::Json, &[Ok((" line 1", b"{\"a\":1}"))]);
        check(
            b"{\"a\":1}\n\n  {\"b\":2}\r\n{\"c\":",
            Format::Json,
            &[Ok((" line 1", b"{\"a\":1}")), Ok((" line 3", b"  {\"b\":2}")), Ok((" line 4", b"{\"c\":"))],
        );
        for whole in [&b"{\n  \"a\": 1\n}\n"[..], b"\n\n{\n\"a\":1}", b" {\"a\":\n\n1}"] {
            let body = whole.trim_ascii_start();
            let body = if whole.starts_with(b" ") { whole } else { body };
            check(whole, Format::Json, &[Ok(("", body))]);
        }
    }

    #[test]
    fn protobuf_is_told_from_json_though_it_begins_with_a_line_break() {
        // 123 bytes: the length is an opening brace.
        for length in [10, 34, 125, 126, 200, 900] {
            let body = protobuf(length);
            check(&body, Format::Protobuf, &[Ok(("", &body))]);
        }
        assert_eq!(protobuf(125)[..2], *b"\n{");
        let twice = [protobuf(125), protobuf(125)].concat();
        check(&twice, Format::Protobuf, &[Ok(("", &twice))]);
    }

    #[test]
    fn framed_protobuf_is_cut_at_its_lengths() {
        let (a, b) = (protobuf(20), protobuf(300));
        let mut file = Vec::new();
        for body in [&a, &b] {
            file.extend((body.len() as u32).to_be_bytes());
            file.extend(body);
        }
        let (first, second) = (Ok((" request 1", &*a)), Ok((" request 2", &*b)));
        check(&file, Format::Protobuf, &[first, second]);
        file.pop();
        check(&file, Format::Protobuf, &[first, Err("file request 2: the file is cut off")]);
    }

    #[test]
    fn what_is_too_large_is_not_read_to_its_end() {
        let reason = "a request of more than 1000 bytes is too large: split it";
        let mut lines = b"{}\n{\"a\":\"".to_vec();
        lines.extend([b'x'; 5_000]);
        check(&lines, Format::Json, &[Ok((" line 1", b"{}")), Err(&format!("file line 2: {reason}"))]);
        check(&protobuf(5_000), Format::Protobuf, &[Err(&format!("file: {reason}"))]);
        let framed = [&5_000_u32.to_be_bytes()[..], &protobuf(5_000)].concat();
        check(&framed, Format::Protobuf, &[Err(&format!("file request 1: {reason}"))]);
    }

    #[test]
    fn damaged_archives_are_told() {
        let cut = gzip(&protobuf(500));
        let read: Vec<_> = Exports::open(&cut[..cut.len() - 4], 1_000).unwrap().collect();
        assert_eq!(read[0].as_ref().unwrap_err().to_string(), ": the file is cut off");
        assert!(Exports::open(&[][..], 10).unwrap().next().is_some());
    }
}
