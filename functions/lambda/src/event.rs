//! HTTP as events have it: from an event to the handler's request, and from its response to the event's answer.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response,
    header::{CONTENT_ENCODING, CONTENT_TYPE, COOKIE},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An HTTP request in an event, and the form in which its sender wants the answer.
#[derive(Debug)]
pub struct HttpEvent {
    /// The request.
    pub request: Request<Bytes>,
    /// Who sent it.
    pub front: Front,
}

/// What stands between the client and the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Front {
    /// A function URL, or an HTTP API of API Gateway: both speak payload format 2.0.
    Url,
    /// An application load balancer.
    LoadBalancer {
        /// Whether its target group has multi-value headers on: then it understands no others.
        multi_value: bool,
    },
}

/// Why an event is no HTTP request.
#[derive(Debug, thiserror::Error)]
pub enum InvalidEvent {
    /// It has not the form of one.
    #[error(
        "this is no event of a function URL, an HTTP API with payload format 2.0 or a load balancer, nor another event that this function takes: {0}"
    )]
    Shape(String),
    /// Its body is said to be base64 and isn't.
    #[error("the event's body is no base64: {0}")]
    Base64(#[from] base64::DecodeError),
    /// What it says can't be a request of HTTP.
    #[error("the event's request is none: {0}")]
    Http(#[from] http::Error),
}

/// Payload format 2.0: `docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UrlEvent {
    raw_path: String,
    #[serde(default)]
    raw_query_string: String,
    #[serde(default)]
    cookies: Vec<String>,
    #[serde(default)]
    headers: Map<String, Value>,
    request_context: UrlContext,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
struct UrlContext {
    http: UrlHttp,
    /// An HTTP API's stage, with which its paths begin unless it is the default one.
    stage: Option<String>,
}

#[derive(Deserialize)]
struct UrlHttp {
    method: String,
}

/// A load balancer's: `docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoadBalancerEvent {
    http_method: String,
    path: String,
    /// As the client encoded them; so are the multi-value ones.
    #[serde(default)]
    query_string_parameters: Map<String, Value>,
    #[serde(default)]
    multi_value_query_string_parameters: Option<Map<String, Value>>,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    multi_value_headers: Option<Map<String, Value>>,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// The name of an HTTP API's stage that doesn't show in paths.
const DEFAULT_STAGE: &str = "$default";

impl HttpEvent {
    /// Whether an event is meant to be one of these.
    pub fn is_one(event: &Value) -> bool {
        event["requestContext"]["http"].is_object() || event["requestContext"]["elb"].is_object()
    }

    /// Reads an event.
    ///
    /// # Errors
    /// [`InvalidEvent`].
    pub fn read(event: Value) -> Result<Self, InvalidEvent> {
        let shape = |error: serde_json::Error| InvalidEvent::Shape(error.to_string());
        if event["requestContext"]["elb"].is_object() {
            serde_json::from_value::<LoadBalancerEvent>(event).map_err(shape)?.read()
        } else {
            serde_json::from_value::<UrlEvent>(event).map_err(shape)?.read()
        }
    }
}

impl UrlEvent {
    fn read(self) -> Result<HttpEvent, InvalidEvent> {
        let stage = self.request_context.stage.filter(|stage| stage != DEFAULT_STAGE);
        let path = match stage.and_then(|stage| self.raw_path.strip_prefix(&format!("/{stage}")).map(str::to_owned)) {
            Some(path) if path.starts_with('/') || path.is_empty() => path,
            _ => self.raw_path,
        };
        let mut headers = self.headers;
        if !self.cookies.is_empty() {
            headers.insert(COOKIE.to_string(), Value::String(self.cookies.join("; ")));
        }
        let body = body(self.body, self.is_base64_encoded)?;
        let request = request(&self.request_context.http.method, &path, &self.raw_query_string, headers, body)?;
        Ok(HttpEvent { request, front: Front::Url })
    }
}

impl LoadBalancerEvent {
    fn read(self) -> Result<HttpEvent, InvalidEvent> {
        let multi_value = self.multi_value_headers.is_some();
        let query = self.multi_value_query_string_parameters.unwrap_or(self.query_string_parameters);
        let pairs = query.iter().flat_map(|(name, values)| texts(values).map(move |value| format!("{name}={value}")));
        let query = pairs.collect::<Vec<_>>().join("&");
        let headers = self.multi_value_headers.unwrap_or(self.headers);
        let body = body(self.body, self.is_base64_encoded)?;
        let request = request(&self.http_method, &self.path, &query, headers, body)?;
        Ok(HttpEvent { request, front: Front::LoadBalancer { multi_value } })
    }
}

fn body(text: Option<String>, is_base64: bool) -> Result<Bytes, InvalidEvent> {
    Ok(match text {
        None => Bytes::new(),
        Some(text) if is_base64 => BASE64_STANDARD.decode(text)?.into(),
        Some(text) => text.into(),
    })
}

fn request(
    method: &str,
    path: &str,
    query: &str,
    headers: Map<String, Value>,
    body: Bytes,
) -> Result<Request<Bytes>, InvalidEvent> {
    let method = Method::from_bytes(method.as_bytes()).map_err(http::Error::from)?;
    // A path of two slashes at its beginning would be read as a host's name.
    let path = format!("/{}", path.trim_start_matches('/'));
    let target = if query.is_empty() { path } else { format!("{path}?{query}") };
    let mut request = Request::builder().method(method).uri(target).body(body)?;
    for (name, values) in &headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(http::Error::from)?;
        for value in texts(values) {
            request.headers_mut().append(&name, HeaderValue::from_str(value).map_err(http::Error::from)?);
        }
    }
    Ok(request)
}

/// A text, or each of several.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let several = value.as_array().into_iter().flatten();
    value.as_str().into_iter().chain(several.filter_map(Value::as_str))
}

/// The answer to an event, as its sender wants it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpAnswer {
    status_code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_description: Option<String>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    headers: Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    multi_value_headers: Map<String, Value>,
    body: String,
    is_base64_encoded: bool,
}

impl HttpAnswer {
    /// The response in the form that this front takes.
    pub fn new(response: &Response<Bytes>, front: Front) -> Self {
        let (headers, multi_value_headers) = match front {
            Front::LoadBalancer { multi_value: true } => (Map::new(), several(response.headers())),
            Front::LoadBalancer { multi_value: false } | Front::Url => (joined(response.headers()), Map::new()),
        };
        let text = if is_text(response.headers()) { std::str::from_utf8(response.body()).ok() } else { None };
        Self {
            status_code: response.status().as_u16(),
            status_description: matches!(front, Front::LoadBalancer { .. }).then(|| response.status().to_string()),
            headers,
            multi_value_headers,
            body: text.map_or_else(|| BASE64_STANDARD.encode(response.body()), str::to_owned),
            is_base64_encoded: text.is_none(),
        }
    }
}

/// Whether the body can stand in JSON as it is.
fn is_text(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    !headers.contains_key(CONTENT_ENCODING)
        && (content_type.is_empty()
            || content_type.starts_with(b"text/")
            || content_type.starts_with(b"application/json"))
}

fn joined(headers: &HeaderMap) -> Map<String, Value> {
    let values = |name: &HeaderName| {
        let values = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        values.collect::<Vec<_>>().join(", ")
    };
    headers.keys().map(|name| (name.to_string(), Value::String(values(name)))).collect()
}

fn several(headers: &HeaderMap) -> Map<String, Value> {
    let values = |name: &HeaderName| {
        let values = headers.get_all(name).iter();
        Value::Array(values.map(|value| String::from_utf8_lossy(value.as_bytes()).into()).collect())
    };
    headers.keys().map(|name| (name.to_string(), values(name))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What an event is as a request: the first line, a header, the body.
    fn check(event: Value, line: &str, header: (&str, &[&str]), body: &[u8]) {
        assert!(HttpEvent::is_one(&event));
        let request = HttpEvent::read(event).unwrap().request;
        assert_eq!(format!("{} {}", request.method(), request.uri()), line);
        let values: Vec<_> = request.headers().get_all(header.0).iter().map(|value| value.to_str().unwrap()).collect();
        assert_eq!(values, header.1);
        assert_eq!(request.body(), body);
    }

    fn url_event(path: &str, stage: Option<&str>) -> Value {
        json!({
            "version": "2.0", "rawPath": path, "rawQueryString": "q=%7B%7D&limit=5",
            "headers": {"accept": "a/b,c/d"}, "cookies": ["x=1", "y=2"],
            "requestContext": {"http": {"method": "GET", "path": "ignored"}, "stage": stage},
            "isBase64Encoded": false
        })
    }

    #[test]
    fn function_urls_and_http_apis() {
        check(url_event("/api/search", None), "GET /api/search?q=%7B%7D&limit=5", ("accept", &["a/b,c/d"]), b"");
        check(url_event("//api//search", None), "GET /api//search?q=%7B%7D&limit=5", ("cookie", &["x=1; y=2"]), b"");
        check(url_event("/ready", Some("$default")), "GET /ready?q=%7B%7D&limit=5", ("x", &[]), b"");
        check(url_event("/prod/ready", Some("prod")), "GET /ready?q=%7B%7D&limit=5", ("x", &[]), b"");
        check(url_event("/production/ready", Some("prod")), "GET /production/ready?q=%7B%7D&limit=5", ("x", &[]), b"");
        check(url_event("", None), "GET /?q=%7B%7D&limit=5", ("x", &[]), b"");
    }

    #[test]
    fn bodies() {
        let event = |body: &str, is_base64: bool| {
            json!({
                "rawPath": "/v1/traces", "headers": {"content-type": "application/json"},
                "requestContext": {"http": {"method": "POST"}}, "body": body, "isBase64Encoded": is_base64
            })
        };
        check(
            event("{\"ä\":1}", false),
            "POST /v1/traces",
            ("content-type", &["application/json"]),
            "{\"ä\":1}".as_bytes(),
        );
        check(event("AP8=", true), "POST /v1/traces", ("content-type", &["application/json"]), &[0, 255]);
        assert!(matches!(HttpEvent::read(event("!", true)), Err(InvalidEvent::Base64(_))));
    }

    #[test]
    fn load_balancers() {
        let plain = json!({
            "requestContext": {"elb": {"targetGroupArn": "arn"}}, "httpMethod": "GET", "path": "/api/search",
            "queryStringParameters": {"limit": "5", "q": "%7B%7D"}, "headers": {"accept": "a/b"}, "body": "",
            "isBase64Encoded": false
        });
        check(plain, "GET /api/search?limit=5&q=%7B%7D", ("accept", &["a/b"]), b"");
        let several = json!({
            "requestContext": {"elb": {}}, "httpMethod": "POST", "path": "/v1/traces",
            "multiValueQueryStringParameters": {"a": ["1", "2"]}, "multiValueHeaders": {"x-scope-orgid": ["a", "b"]},
            "body": "e30=", "isBase64Encoded": true
        });
        check(several, "POST /v1/traces?a=1&a=2", ("x-scope-orgid", &["a", "b"]), b"{}");
    }

    #[test]
    fn other_events_are_told() {
        for event in [json!({}), json!([]), json!("x"), json!({"Records": []}), json!({"requestContext": {"http": {}}})]
        {
            let error = HttpEvent::read(event.clone()).unwrap_err();
            assert!(matches!(error, InvalidEvent::Shape(_)), "{event}: {error}");
        }
        let odd = |method: &str, header: &str| json!({"rawPath": "/", "headers": {header: "1"}, "requestContext": {"http": {"method": method}}});
        for event in [odd("G T", "a"), odd("GET", "a b")] {
            assert!(matches!(HttpEvent::read(event), Err(InvalidEvent::Http(_))));
        }
    }

    fn answer(content_type: &str, encoding: Option<&str>, body: &'static [u8], front: Front) -> Value {
        let mut response = Response::builder().status(206).header("content-type", content_type).header("via", "a");
        response = response.header("via", "b");
        if let Some(encoding) = encoding {
            response = response.header("content-encoding", encoding);
        }
        let response = response.body(Bytes::from_static(body)).unwrap();
        serde_json::to_value(HttpAnswer::new(&response, front)).unwrap()
    }

    #[test]
    fn answers_are_text_where_they_can_be() {
        assert_eq!(
            answer("application/json", None, b"{}", Front::Url),
            json!({"statusCode": 206, "headers": {"content-type": "application/json", "via": "a, b"}, "body": "{}", "isBase64Encoded": false})
        );
        for (content_type, encoding, body) in [
            ("application/protobuf", None, &b"\n"[..]),
            ("application/json", Some("gzip"), b"\n"),
            ("text/plain", None, b"\xff"),
        ] {
            assert_eq!(answer(content_type, encoding, body, Front::Url)["isBase64Encoded"], true, "{content_type}");
        }
    }

    #[test]
    fn load_balancers_get_the_headers_that_they_understand() {
        let plain = answer("text/plain", None, b"x", Front::LoadBalancer { multi_value: false });
        assert_eq!(plain["headers"]["via"], "a, b");
        assert_eq!(plain["statusDescription"], "206 Partial Content");
        assert!(plain.get("multiValueHeaders").is_none());
        let several = answer("text/plain", None, b"x", Front::LoadBalancer { multi_value: true });
        assert_eq!(several["multiValueHeaders"]["via"], json!(["a", "b"]));
        assert!(several.get("headers").is_none());
    }
}
