//! The form in which functions return HTTP answers.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use serde_json::Value;

use crate::http_server::ResponseBody;

/// The answer that this JSON describes, with these headers, unless it is malformed.
pub(super) fn response(payload: &Value, mut headers: HeaderMap) -> Option<Response<ResponseBody>> {
    let body = match &payload["body"] {
        Value::Null => Bytes::new(),
        Value::String(text) if payload["isBase64Encoded"].as_bool() == Some(true) => {
            BASE64_STANDARD.decode(text).ok()?.into()
        }
        Value::String(text) => text.clone().into(),
        _ => return None,
    };
    // How long it is, is known here.
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::TRANSFER_ENCODING);
    let mut response = Response::new(Full::new(body).map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status(payload)?;
    *response.headers_mut() = headers;
    Some(response)
}

pub(super) fn status(payload: &Value) -> Option<StatusCode> {
    let code = u16::try_from(payload["statusCode"].as_u64()?).ok()?;
    StatusCode::from_u16(code).ok().filter(|status| !status.is_informational())
}

/// Headers by name, each with a value or with a list of them.
pub(super) fn headers(object: &Value) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    let fields = match object {
        Value::Null => return Some(headers),
        object => object.as_object()?,
    };
    for (name, values) in fields {
        let name = HeaderName::try_from(name).ok()?;
        let values = match values {
            Value::Array(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        for value in values {
            let value = match value {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                Value::Bool(bool) => bool.to_string(),
                _ => return None,
            };
            headers.append(&name, HeaderValue::try_from(value).ok()?);
        }
    }
    Some(headers)
}
