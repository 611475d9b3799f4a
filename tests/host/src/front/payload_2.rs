//! Payload format 2.0, of function URLs and HTTP APIs:
//! <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads>.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::{
    event::{Incoming, text},
    proxy,
};
use crate::{
    clock,
    http_server::{self, ResponseBody},
    ids::request_id,
};

/// A function URL's event. Its path is the client's, percent signs and all.
pub(super) fn function_url(request: &Incoming) -> Value {
    event(request, request.path().to_owned(), "$default", "anonymous", "lambda-url")
}

/// An HTTP API's event, unless the path is outside of the stage. The path is decoded, and ends where a decoded question
/// mark stands: that is what functions get from Amazon's.
pub(super) fn http_api(request: &Incoming, stage: &str) -> Option<Value> {
    let decoded = percent_decode_str(request.path()).decode_utf8_lossy();
    let path = decoded.split('?').next().unwrap_or_default().to_owned();
    let inside = stage == "$default" || path.split('/').nth(1) == Some(stage);
    inside.then(|| event(request, path, stage, "123456789012", "execute-api"))
}

fn event(request: &Incoming, path: String, stage: &str, account: &str, service: &str) -> Value {
    let mut headers = request.headers();
    let cookies: Vec<String> = headers.get_all(header::COOKIE).iter().map(text).collect();
    headers.remove(header::COOKIE);
    let cookies: Vec<&str> = cookies.iter().flat_map(|header| header.split("; ")).collect();
    let (body, encoded) = request.body();
    let host = headers.get(header::HOST).map(text).unwrap_or_default();

    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": request.query(),
        "headers": joined(&headers),
        "requestContext": {
            "accountId": account,
            "apiId": service,
            "domainName": host,
            "domainPrefix": service,
            "http": {
                "method": request.parts.method.as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": request.peer.ip().to_string(),
                "userAgent": headers.get(header::USER_AGENT).map(text).unwrap_or_default(),
            },
            "requestId": request_id(),
            "routeKey": "$default",
            "stage": stage,
            "time": clock::common_log(),
            "timeEpoch": u64::try_from(clock::now().as_millis()).expect("milliseconds since 1970 fit"),
        },
        "isBase64Encoded": encoded,
    });
    // What there isn't is left out.
    let mut put = |name: &str, value: Value| event[name] = value;
    if !body.is_empty() {
        put("body", body.into());
    }
    if !cookies.is_empty() {
        put("cookies", cookies.into());
    }
    if !request.query().is_empty() {
        put("queryStringParameters", parameters(request.query()).into());
    }
    event
}

/// Headers that came more than once, joined.
fn joined(headers: &HeaderMap) -> Map<String, Value> {
    let values = |name| headers.get_all(name).iter().map(text).collect::<Vec<_>>().join(",");
    headers.keys().map(|name| (name.as_str().to_owned(), values(name).into())).collect()
}

/// Parameters that came more than once, decoded and joined.
fn parameters(query: &str) -> Map<String, Value> {
    let mut parameters: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        parameters.entry(name.into_owned()).or_default().push(value.into_owned());
    }
    parameters.into_iter().map(|(name, values)| (name, values.join(",").into())).collect()
}

/// What a function returned: an answer if it has a status, and otherwise the body of one.
pub(super) fn response(payload: &[u8]) -> Option<Response<ResponseBody>> {
    let payload: Value = serde_json::from_slice(payload).ok()?;
    if payload.get("statusCode").is_none() {
        let body = match payload {
            Value::String(text) => text,
            other => other.to_string(),
        };
        return Some(http_server::answer(StatusCode::OK, "application/json", body));
    }
    let mut headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    headers.extend(proxy::headers(&payload["headers"])?);
    for cookie in payload["cookies"].as_array().into_iter().flatten() {
        headers.append(header::SET_COOKIE, HeaderValue::try_from(cookie.as_str()?).ok()?);
    }
    proxy::response(&payload, headers)
}
