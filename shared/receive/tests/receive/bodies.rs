//! Headers and compression.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use niente_receive::{Encoding, Error, ErrorKind, Format, decompress, json_lines};

const LIMIT: usize = 1 << 20;

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn zstd(body: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(body, 1).unwrap()
}

/// As a streaming sender writes it, without the size in the frame's header.
fn zstd_with_window(body: &[u8], window_log: u32) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(window_log).unwrap();
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn check(encoding: Encoding, compressed: &[u8], expected: Result<&[u8], ErrorKind>) {
    let found = decompress(compressed, encoding, LIMIT);
    assert_eq!(found.as_deref().map_err(Error::kind), expected, "{encoding} of {} bytes", compressed.len());
}

#[test]
fn bodies_are_decompressed() {
    let body = b"some body, some body, some body".as_slice();
    check(Encoding::Identity, body, Ok(body));
    check(Encoding::Gzip, &gzip(body), Ok(body));
    check(Encoding::Zstd, &zstd(body), Ok(body));
    for empty in [gzip(b""), [gzip(b""), gzip(b"")].concat()] {
        check(Encoding::Gzip, &empty, Ok(b""));
    }
    check(Encoding::Zstd, &zstd(b""), Ok(b""));
}

#[test]
fn several_members_and_frames_are_one_body() {
    check(Encoding::Gzip, &[gzip(b"one, "), gzip(b"two")].concat(), Ok(b"one, two"));
    check(Encoding::Zstd, &[zstd(b"one, "), zstd(b"two")].concat(), Ok(b"one, two"));
}

#[test]
fn a_body_of_exactly_the_limit_is_taken_and_one_byte_more_is_too_large() {
    let full = vec![7; LIMIT];
    check(Encoding::Identity, &full, Ok(&full));
    check(Encoding::Gzip, &gzip(&full), Ok(&full));
    check(Encoding::Zstd, &zstd(&full), Ok(&full));
    let over = vec![7; LIMIT + 1];
    check(Encoding::Identity, &over, Err(ErrorKind::TooLarge));
    check(Encoding::Gzip, &gzip(&over), Err(ErrorKind::TooLarge));
    check(Encoding::Zstd, &zstd(&over), Err(ErrorKind::TooLarge));
}

#[test]
fn bombs_are_left_before_their_end() {
    // What follows the bomb is corrupt, so whoever reads on finds another error.
    let zeros = vec![0; 16 * LIMIT];
    check(Encoding::Gzip, &[gzip(&zeros), b"garbage".to_vec()].concat(), Err(ErrorKind::TooLarge));
    check(Encoding::Zstd, &[zstd(&zeros), b"garbage".to_vec()].concat(), Err(ErrorKind::TooLarge));
}

#[test]
fn a_zstd_window_may_be_8_mib_or_as_large_as_the_limit() {
    check(Encoding::Zstd, &zstd_with_window(b"body", 23), Ok(b"body"));
    check(Encoding::Zstd, &zstd_with_window(b"body", 24), Err(ErrorKind::Undecodable));
    check(Encoding::Zstd, &zstd_with_window(b"body", 27), Err(ErrorKind::Undecodable));
    assert!(decompress(&zstd_with_window(b"body", 24), Encoding::Zstd, (8 << 20) + 1).is_ok());
    assert!(decompress(&zstd_with_window(b"body", 27), Encoding::Zstd, usize::MAX).is_ok());
}

#[test]
fn no_prefix_of_a_compressed_body_is_taken_for_the_whole() {
    let body: Vec<u8> = (0..200).collect();
    for (encoding, compressed) in [(Encoding::Gzip, gzip(&body)), (Encoding::Zstd, zstd(&body))] {
        for end in 0..compressed.len() {
            check(encoding, &compressed[..end], Err(ErrorKind::Undecodable));
        }
    }
}

#[test]
fn what_is_no_compressed_body_says_so() {
    for encoding in [Encoding::Gzip, Encoding::Zstd] {
        let error = decompress(b"{\"resourceSpans\":[]}", encoding, LIMIT).unwrap_err();
        assert!(error.to_string().starts_with(&format!("the body can't be decompressed as {encoding}: ")), "{error}");
        check(encoding, b"", Err(ErrorKind::Undecodable));
    }
    check(Encoding::Gzip, &[gzip(b"body"), b"garbage".to_vec()].concat(), Err(ErrorKind::Undecodable));
    check(Encoding::Zstd, &[zstd(b"body"), b"garbage".to_vec()].concat(), Err(ErrorKind::Undecodable));
}

#[test]
fn a_flipped_byte_of_a_gzip_body_is_found_by_its_checksum() {
    let mut compressed = gzip(b"some body");
    let middle = compressed.len() - 12;
    compressed[middle] ^= 1;
    check(Encoding::Gzip, &compressed, Err(ErrorKind::Undecodable));
}

#[test]
fn content_encodings_are_read() {
    for (header, expected) in [
        ("gzip", Encoding::Gzip),
        (" GZip ", Encoding::Gzip),
        ("x-gzip", Encoding::Gzip),
        ("zstd", Encoding::Zstd),
        ("identity", Encoding::Identity),
        ("", Encoding::Identity),
    ] {
        assert_eq!(header.parse::<Encoding>().unwrap(), expected, "{header:?}");
    }
    for header in ["deflate", "br", "gzip, zstd", "snappy"] {
        let error = header.parse::<Encoding>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnsupportedMediaType);
        let message = format!("content encoding {header:?} is not supported: use identity, gzip or zstd");
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn content_types_are_read() {
    for (header, expected) in [
        ("application/x-protobuf", Format::Protobuf),
        ("application/protobuf", Format::Protobuf),
        ("application/json", Format::Json),
        ("Application/JSON; charset=utf-8", Format::Json),
        ("application/x-protobuf;proto=x", Format::Protobuf),
    ] {
        assert_eq!(header.parse::<Format>().unwrap(), expected, "{header:?}");
    }
    for header in ["", "text/plain", "application/grpc", "application/jsonl", "json"] {
        let error = header.parse::<Format>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnsupportedMediaType);
        let message = format!(
            "content type {header:?} is not supported: \
             use application/x-protobuf, application/protobuf or application/json"
        );
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn long_headers_make_no_long_messages() {
    assert!("é".repeat(100_000).parse::<Format>().unwrap_err().to_string().len() < 600);
    assert!("é".repeat(100_000).parse::<Encoding>().unwrap_err().to_string().len() < 600);
}

#[test]
fn lines_are_numbered_and_empty_ones_skipped() {
    let lines: Vec<_> = json_lines(b"{}\n\n \r\n{ }\r\n{}").collect();
    assert_eq!(lines, [(1, b"{}".as_slice()), (4, b"{ }"), (5, b"{}")]);
    assert_eq!(json_lines(b"").count(), 0);
}
