//! How an answer's body is sent: compressed or not, and no larger than what can carry it.

use std::io::Write;

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{
    HeaderMap, HeaderValue, Request, Response,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING, VARY},
};

use crate::{Error, Settings};

/// The most bytes that a response's body may have: an extension of requests, set by hosts that can carry no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MostBytes(pub usize);

/// What there is room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Room {
    gzip: bool,
    most: Option<usize>,
}

/// Smaller bodies are not worth compressing.
const WORTH_IT: usize = 1_024;

impl Room {
    /// The room for the answer to a request.
    pub(crate) fn of<B>(request: &Request<B>, settings: &Settings) -> Self {
        Self {
            gzip: settings.compress && accepts_gzip(request.headers()),
            most: request.extensions().get::<MostBytes>().map(|most| most.0),
        }
    }

    #[cfg(test)]
    pub(crate) fn up_to(bytes: usize) -> Self {
        Self { gzip: false, most: Some(bytes) }
    }

    /// The response as it is sent, if it fits.
    pub(crate) fn try_fit(self, response: Response<Bytes>) -> Result<Response<Bytes>, TooLarge> {
        let response = if self.gzip { compressed(response) } else { response };
        match self.most {
            Some(most) if response.body().len() > most => Err(TooLarge { bytes: response.body().len(), most }),
            _ => Ok(response),
        }
    }

    /// The response as it is sent, or the error that says that it doesn't fit.
    pub(crate) fn fit(self, response: Response<Bytes>) -> Response<Bytes> {
        self.try_fit(response)
            .unwrap_or_else(|TooLarge { bytes, most }| Error::AnswerTooLarge { bytes, most }.to_response())
    }
}

/// A body that doesn't fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge {
    pub(crate) bytes: usize,
    pub(crate) most: usize,
}

/// Whether gzip is among the encodings that are accepted, and not with a weight of zero.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|encoding| {
        let mut parts = encoding.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip") || name == "*");
        named && !parts.any(|part| part.trim_start_matches("q=").parse() == Ok(0.0_f32))
    })
}

fn compressed(mut response: Response<Bytes>) -> Response<Bytes> {
    let vary = HeaderValue::from_static("accept-encoding");
    response.headers_mut().append(VARY, vary);
    if response.body().len() < WORTH_IT || response.headers().contains_key(CONTENT_ENCODING) {
        return response;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let body = encoder.write_all(response.body()).and_then(|()| encoder.finish());
    *response.body_mut() = body.expect("memory takes whatever is written to it").into();
    response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    response
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    /// A body of this length, to a client that accepts this.
    fn check(accepts: &str, length: usize, most: Option<usize>) -> Result<Response<Bytes>, TooLarge> {
        let mut request = Request::builder().header(ACCEPT_ENCODING, accepts).body(()).unwrap();
        if let Some(most) = most {
            request.extensions_mut().insert(MostBytes(most));
        }
        let settings = Settings { compress: true, ..Settings::default() };
        Room::of(&request, &settings).try_fit(Response::new(vec![b'x'; length].into()))
    }

    #[test]
    fn large_bodies_are_compressed_for_those_who_accept_it() {
        for (accepts, length, gzip) in [
            ("gzip", 5_000, true),
            ("deflate, GZIP;q=0.5", 5_000, true),
            ("*", 5_000, true),
            ("gzip", 100, false),
            ("gzip;q=0", 5_000, false),
            ("identity", 5_000, false),
        ] {
            let response = check(accepts, length, None).unwrap();
            assert_eq!(response.headers().contains_key(CONTENT_ENCODING), gzip, "{accepts} {length}");
            let mut body = Vec::new();
            match gzip {
                true => _ = flate2::read::GzDecoder::new(&**response.body()).read_to_end(&mut body).unwrap(),
                false => body.extend_from_slice(response.body()),
            }
            assert_eq!(body, vec![b'x'; length]);
        }
    }

    #[test]
    fn what_counts_is_the_size_that_is_sent() {
        assert_eq!(check("identity", 5_000, Some(4_999)).unwrap_err(), TooLarge { bytes: 5_000, most: 4_999 });
        assert!(check("identity", 5_000, Some(5_000)).is_ok());
        assert!(check("gzip", 5_000, Some(100)).is_ok());
    }
}
