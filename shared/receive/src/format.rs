use std::{fmt, str::FromStr};

use crate::{Error, error::shortened};

/// How a request's messages are written: what its `Content-Type` header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Binary protobuf.
    Protobuf,
    /// OTLP/JSON.
    Json,
}

impl Format {
    /// The content type of answers in this format.
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Protobuf => "application/x-protobuf",
            Format::Json => "application/json",
        }
    }
}

impl FromStr for Format {
    type Err = Error;

    /// Reads the header's value: `application/x-protobuf`, `application/protobuf` or `application/json`, in any case
    /// and with any parameters.
    fn from_str(header: &str) -> Result<Self, Error> {
        let media_type = header.split_once(';').map_or(header, |(media_type, _)| media_type);
        match media_type.trim().to_ascii_lowercase().as_str() {
            "application/x-protobuf" | "application/protobuf" => Ok(Format::Protobuf),
            "application/json" => Ok(Format::Json),
            _ => Err(Error::UnknownFormat { given: shortened(header) }),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Protobuf => "protobuf",
            Format::Json => "JSON",
        })
    }
}

/// The requests of a file that holds one OTLP/JSON request a line, with their 1-based line numbers. Empty lines are
/// skipped.
pub fn json_lines(file: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let lines = file.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    (1..).zip(lines).filter(|(_, line)| !line.is_empty())
}
