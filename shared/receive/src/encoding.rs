use std::{
    borrow::Cow,
    fmt,
    io::{self, Read},
    str::FromStr,
};

use flate2::bufread::MultiGzDecoder;

use crate::{Error, error::shortened};

/// How a body is compressed: what its `Content-Encoding` header says. Without a header it is the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Not at all.
    #[default]
    Identity,
    /// RFC 1952, one member or several.
    Gzip,
    /// RFC 8878, one frame or several.
    Zstd,
}

impl FromStr for Encoding {
    type Err = Error;

    /// Reads the header's value: `gzip` (or its old name `x-gzip`), `zstd`, `identity` or nothing, in any case.
    fn from_str(header: &str) -> Result<Self, Error> {
        match header.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Encoding::Identity),
            "gzip" | "x-gzip" => Ok(Encoding::Gzip),
            "zstd" => Ok(Encoding::Zstd),
            other => Err(Error::UnknownEncoding { given: shortened(other) }),
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Encoding::Identity => "identity",
            Encoding::Gzip => "gzip",
            Encoding::Zstd => "zstd",
        })
    }
}

/// The body as it was before its sender compressed it, at most `limit` bytes.
///
/// Stops as soon as one byte too many has come out, so a bomb costs no more than a body of `limit` bytes does. Of a
/// zstd stream the window, which a decoder has to keep in memory, may be as large as the limit, but always 8 MiB,
/// the size that RFC 9659 grants to every sender.
///
/// # Errors
///
/// [`Error::BodyTooLarge`] beyond the limit; [`Error::Decompress`] for what is corrupt, cut off or followed by
/// something else.
pub fn decompress(body: &[u8], encoding: Encoding, limit: usize) -> Result<Cow<'_, [u8]>, Error> {
    let decompressed = match encoding {
        Encoding::Identity if body.len() > limit => return Err(Error::BodyTooLarge { limit }),
        Encoding::Identity => return Ok(Cow::Borrowed(body)),
        Encoding::Gzip => read_all(MultiGzDecoder::new(body), limit),
        Encoding::Zstd if body.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
        Encoding::Zstd => zstd_decoder(body, limit).and_then(|decoder| read_all(decoder, limit)),
    };
    match decompressed {
        Ok(Some(body)) => Ok(Cow::Owned(body)),
        Ok(None) => Err(Error::BodyTooLarge { limit }),
        Err(source) => Err(Error::Decompress { encoding, source }),
    }
}

fn zstd_decoder(body: &[u8], limit: usize) -> io::Result<zstd::stream::read::Decoder<'_, &[u8]>> {
    const RFC_9659_LOG: u32 = 23;
    const LIBZSTD_DEFAULT_LOG: u32 = 27;
    let mut decoder = zstd::stream::read::Decoder::with_buffer(body)?;
    let limit_log = limit.checked_next_power_of_two().map_or(LIBZSTD_DEFAULT_LOG, usize::trailing_zeros);
    decoder.window_log_max(limit_log.clamp(RFC_9659_LOG, LIBZSTD_DEFAULT_LOG))?;
    Ok(decoder)
}

/// Everything that comes out, or none if that is more than `limit` bytes.
fn read_all(decoder: impl Read, limit: usize) -> io::Result<Option<Vec<u8>>> {
    let one_too_many = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut body = Vec::new();
    decoder.take(one_too_many).read_to_end(&mut body)?;
    Ok((body.len() <= limit).then_some(body))
}
