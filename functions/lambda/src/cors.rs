//! Cross-origin requests: exporters in browsers ask before they send.

use std::{convert::Infallible, str::FromStr};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
    },
};

/// Which origins' pages may send: none, unless some are named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cors {
    origins: Vec<String>,
}

impl FromStr for Cors {
    type Err = Infallible;

    /// Origins with commas between them, or `*` for every one.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let origins = text.split(',').map(str::trim).filter(|origin| !origin.is_empty());
        Ok(Self { origins: origins.map(|origin| origin.trim_end_matches('/').to_owned()).collect() })
    }
}

impl Cors {
    /// The answer to a browser that asks whether it may send; none if this is another request, or it may not.
    pub fn preflight(&self, request: &Request<Bytes>) -> Option<Response<Bytes>> {
        let asks = request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        let origin = self.allowed(request.headers()).filter(|_| asks)?;
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
        let allowed = "authorization, content-encoding, content-type, x-scope-orgid";
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(allowed));
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("7200"));
        headers.insert(VARY, HeaderValue::from_static("origin"));
        Some(response)
    }

    /// Lets the page read the answer to its request, if its origin is one of those named.
    pub fn on(&self, request: &HeaderMap, mut response: Response<Bytes>) -> Response<Bytes> {
        if let Some(origin) = self.allowed(request) {
            response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            response.headers_mut().append(VARY, HeaderValue::from_static("origin"));
        }
        response
    }

    fn allowed<'h>(&self, headers: &'h HeaderMap) -> Option<&'h HeaderValue> {
        let origin = headers.get(ORIGIN)?;
        let is_named = |named: &String| named == "*" || named.as_bytes() == origin.as_bytes();
        self.origins.iter().any(is_named).then_some(origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a page of this origin is told, where these origins are named.
    fn check(named: &str, origin: &str, allowed: bool) {
        let cors: Cors = named.parse().unwrap();
        let request = Request::builder().method(Method::OPTIONS).header(ORIGIN, origin);
        let request = request.header(ACCESS_CONTROL_REQUEST_METHOD, "POST").body(Bytes::new()).unwrap();
        let preflight = cors.preflight(&request);
        assert_eq!(preflight.is_some(), allowed, "{origin} at {named:?}");
        let answer = cors.on(request.headers(), Response::new(Bytes::new()));
        for response in preflight.iter().chain(Some(&answer).filter(|_| allowed)) {
            assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], origin);
        }
        assert_eq!(answer.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN), allowed);
    }

    #[test]
    fn only_origins_that_are_named_may_send() {
        check("", "https://shop.example", false);
        check("https://shop.example", "https://shop.example", true);
        check("https://a.example, https://shop.example/", "https://shop.example", true);
        check("https://shop.example", "https://shop.example.evil", false);
        check("https://shop.example", "http://shop.example", false);
        check("*", "https://any.example", true);
    }

    #[test]
    fn other_requests_are_not_answered_here() {
        let cors: Cors = "*".parse().unwrap();
        let options = Request::builder().method(Method::OPTIONS).header(ORIGIN, "x").body(Bytes::new()).unwrap();
        assert!(cors.preflight(&options).is_none());
        let get = Request::builder().header(ORIGIN, "x").header(ACCESS_CONTROL_REQUEST_METHOD, "GET");
        assert!(cors.preflight(&get.body(Bytes::new()).unwrap()).is_none());
    }
}
