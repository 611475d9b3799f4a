//! What all events of HTTP requests have in common.

use std::net::SocketAddr;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header, request::Parts};

use crate::ids::trace_id;

/// A request that was read to its end.
pub(super) struct Incoming {
    pub(super) parts: Parts,
    pub(super) body: Bytes,
    pub(super) peer: SocketAddr,
}

impl Incoming {
    /// The path as the client sent it.
    pub(super) fn path(&self) -> &str {
        self.parts.uri.path()
    }

    /// The query string as the client sent it, without its question mark.
    pub(super) fn query(&self) -> &str {
        self.parts.uri.query().unwrap_or_default()
    }

    /// The headers, in lower case, with those that AWS adds on the way.
    pub(super) fn headers(&self) -> HeaderMap {
        let mut headers = self.parts.headers.clone();
        let peer = HeaderValue::try_from(self.peer.ip().to_string()).expect("an address is a legal header");
        headers.append("x-forwarded-for", peer);
        headers.insert("x-forwarded-port", HeaderValue::from_static("443"));
        headers.insert("x-forwarded-proto", HeaderValue::from_static("https"));
        if !headers.contains_key("x-amzn-trace-id") {
            let trace_id = HeaderValue::try_from(trace_id()).expect("a trace ID is a legal header");
            headers.insert("x-amzn-trace-id", trace_id);
        }
        headers
    }

    /// The body as the event carries it, and whether that is base64: text is what a text type says it is, and nothing
    /// that is compressed.
    pub(super) fn body(&self) -> (String, bool) {
        let content_type = self.parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let compressed = self.parts.headers.contains_key(header::CONTENT_ENCODING);
        let text = std::str::from_utf8(&self.body).ok().filter(|_| !compressed && is_text(content_type));
        match text {
            _ if self.body.is_empty() => (String::new(), false),
            Some(text) => (text.to_owned(), false),
            None => (BASE64_STANDARD.encode(&self.body), true),
        }
    }
}

fn is_text(content_type: Option<&str>) -> bool {
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    essence.starts_with("text/")
        || matches!(essence.as_str(), "application/json" | "application/javascript" | "application/xml")
}

/// A header's value as text.
pub(super) fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}
