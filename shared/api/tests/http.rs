//! What a client sees: requests against a handler over a store in memory.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response};
use niente_api::{Api, Clock, Gate, Settings};
use niente_model::Nanos;
use niente_receive::{Limits, proto::collector::trace::v1::ExportTraceServiceResponse};
use niente_store::MemoryStore;
use prost::Message;
use serde_json::{Value as Json, json};

/// Some minutes after the spans of [`EXPORT`].
const NOW: Nanos = Nanos::from_secs(1_700_000_300);

const EXPORT: &str = r#"{"resourceSpans": [{
    "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
    "scopeSpans": [{"scope": {"name": "lib"}, "spans": [
        {"traceId": "0000000000000000000000000005b2f1", "spanId": "00000000000000a1", "name": "GET /cart", "kind": 2,
         "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000000120000000",
         "status": {"code": 2, "message": "bad"}}
    ]}]
}]}"#;

struct Client {
    api: Api,
}

impl Client {
    fn new() -> Self {
        Self::with(Settings::default())
    }

    fn with(settings: Settings) -> Self {
        Self::behind(Gate::Open, settings)
    }

    fn behind(gate: Gate, settings: Settings) -> Self {
        Self { api: Api::new(Arc::new(MemoryStore::new()), settings, gate, Clock::new(|| NOW)) }
    }

    async fn send(&self, method: Method, uri: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer(self.api.handle(request.body(body.into()).unwrap()).await)
    }

    async fn get(&self, uri: &str) -> Answer {
        self.send(Method::GET, uri, &[], "").await
    }

    async fn get_as(&self, tenant: &str, uri: &str) -> Answer {
        self.send(Method::GET, uri, &[("X-Scope-OrgID", tenant)], "").await
    }

    async fn export(&self, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        self.send(Method::POST, "/v1/traces", headers, body).await
    }
}

struct Answer(Response<Bytes>);

impl Answer {
    fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    fn header(&self, name: &str) -> &str {
        self.0.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn text(&self) -> &str {
        std::str::from_utf8(self.0.body()).unwrap()
    }

    #[track_caller]
    fn json(&self) -> Json {
        assert_eq!((self.status(), self.header("content-type")), (200, "application/json"), "{}", self.text());
        serde_json::from_str(self.text()).unwrap()
    }

    /// Asserts that this is an error as Grafana wants it: short plain text in a line, which begins so.
    #[track_caller]
    fn fails(&self, status: u16, start: &str) {
        assert_eq!(self.status(), status, "{}", self.text());
        assert!(self.text().starts_with(start), "{:?}", self.text());
        assert!(!self.text().contains(char::is_control), "{:?}", self.text());
        assert!(self.text().len() < 500, "{:?}", self.text());
        assert_eq!(self.header("content-type"), "text/plain; charset=utf-8");
        assert_eq!(self.header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn probes() {
    let client = Client::new();
    assert_eq!(client.get("//api/echo").await.text(), "echo");
    assert_eq!(client.get("/ready").await.text(), "ready");
    let version = client.get("/api/status/buildinfo").await.json()["version"].as_str().unwrap().to_owned();
    assert_eq!(version.split('.').filter(|part| part.parse::<u32>().is_ok()).count(), 3, "{version}");
}

#[tokio::test]
async fn what_there_is_not() {
    let client = Client::new();
    client.get("/metrics").await.fails(404, "there is nothing at \"/metrics\"; what there is: POST /v1/traces, GET ");
    client.get(&format!("/{}", "x".repeat(9_000))).await.fails(404, "there is nothing at \"/xxx");

    let answer = client.send(Method::DELETE, "/api/search", &[], "").await;
    answer.fails(405, "this path takes GET, HEAD only");
    assert_eq!(answer.header("allow"), "GET, HEAD");
    let answer = client.get("/v1/traces").await;
    answer.fails(405, "this path takes POST only");
    assert_eq!(answer.header("allow"), "POST");
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let client = Client::new();
    for uri in ["/api/echo", "/api/search", "/api/traces/1", "/api/search?limit=0", "/nowhere"] {
        let get = client.get(uri).await;
        let head = client.send(Method::HEAD, uri, &[], "").await;
        assert_eq!((head.status(), head.text()), (get.status(), ""), "{uri}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{uri}");
        assert_eq!(head.header("content-length"), get.text().len().to_string(), "{uri}");
    }
}

#[tokio::test]
async fn a_configured_prefix_is_skipped() {
    let client = Client::with(Settings { path_prefix: "/tempo".into(), ..Settings::default() });
    assert_eq!(client.get("/tempo//api/echo").await.text(), "echo");
    assert_eq!(client.get("/ready").await.text(), "ready");
    client.get("/other/api/echo").await.fails(404, "there is nothing at \"/other/api/echo\"");
}

#[tokio::test]
async fn what_is_stored_is_found_at_once() {
    let client = Client::new();
    let answer = client.export(&[("content-type", "application/json")], EXPORT).await;
    assert_eq!(answer.json(), json!({}));

    let found = client.get("/api/search?q=%7Bstatus%3Derror%7D").await.json();
    assert_eq!(found["traces"][0]["traceID"], "5b2f1");
    assert_eq!(found["traces"][0]["spanSet"]["matched"], 1);
    let none = client.get("/api/search?q=%7Bstatus%3Dok%7D").await.json();
    assert_eq!(none["traces"], json!([]));
    let earlier = client.get("/api/search?q=%7B%7D&start=1699990000&end=1699999999").await.json();
    assert_eq!(earlier["traces"], json!([]));

    let v1 = client.get("/api/traces/5B2F1").await.json();
    let v2 = client.get("/api/v2/traces/0005b2f1?start=1700000000&end=1700000001").await.json();
    assert_eq!(v1["batches"][0]["scopeSpans"][0]["spans"][0]["spanId"], "AAAAAAAAAKE=");
    assert_eq!(v1["batches"], v2["trace"]["resourceSpans"]);
}

#[tokio::test]
async fn legacy_tags_find_traces() {
    let client = Client::new();
    client.export(&[("content-type", "application/json")], EXPORT).await.json();
    for (query, found) in [
        ("", 1),
        ("?tags=service.name%3Dho", 1),
        ("?tags=service.name%3DHo", 0),
        ("?name=%2Fcart", 1),
        ("?tags=status.code%3Derror+root.name%3DGET", 1),
        ("?tags=status.code%3Dok", 0),
        ("?tags=status.code%3Dnonsense", 0),
        ("?minDuration=120ms&maxDuration=120ms", 1),
        ("?minDuration=121ms", 0),
        ("?maxDuration=119.9ms", 0),
        ("?tags=other%3D1", 0),
    ] {
        let answer = client.get(&format!("/api/search{query}")).await.json();
        let traces = answer["traces"].as_array().unwrap();
        assert_eq!(traces.len(), found, "{query}");
        let fields = "durationMs rootServiceName rootTraceName startTimeUnixNano traceID";
        for trace in traces {
            let mut found: Vec<_> = trace.as_object().unwrap().keys().map(String::as_str).collect();
            found.sort_unstable();
            assert_eq!(found.join(" "), fields);
        }
    }
}

/// Values as `<type> <value>`, or v1's as they are.
fn values(answer: &Answer) -> Vec<String> {
    let value = |value: &Json| match value.as_str() {
        Some(text) => text.to_owned(),
        None => format!("{} {}", value["type"].as_str().unwrap(), value["value"].as_str().unwrap_or_default()),
    };
    answer.json()["tagValues"].as_array().unwrap().iter().map(value).collect()
}

#[tokio::test]
async fn tags_are_listed_as_soon_as_they_are_stored() {
    let client = Client::new();
    let nothing = client.get("/api/v2/search/tags").await;
    assert_eq!(nothing.json()["scopes"].as_array().unwrap().len(), 1, "the built-in fields are always there");
    client.export(&[("Content-Type", "application/json")], EXPORT).await.json();

    let answer = client.get("//api/v2/search/tags?limit=5000").await;
    assert_eq!(answer.json()["scopes"][0], json!({"name": "resource", "tags": ["service.name"]}));
    assert_eq!(answer.json()["scopes"][1]["name"], "intrinsic");
    assert!(answer.header("x-niente-requests").contains("list=1"), "{:?}", answer.0.headers());
    assert_eq!(client.get("/api/v2/search/tags?scope=span").await.json()["scopes"], json!([]));
    assert_eq!(client.get("/api/search/tags").await.json()["tagNames"], json!(["service.name"]));
    assert_eq!(client.get("/api/v2/search/tags?start=5&end=9").await.json()["scopes"][0]["name"], "intrinsic");

    for (path, expected) in [
        ("/api/v2/search/tag/resource.service.name/values", &["string shop"][..]),
        ("/api/v2/search/tag/.service.name/values?limit=1&tag=.service.name", &["string shop"]),
        ("/api/v2/search/tag/name/values?q=%7Bkind=server%26%26", &["string GET /cart"]),
        ("/api/v2/search/tag/name/values?q=%7Bkind=client%7D", &[]),
        ("/api/v2/search/tag/name/values?q=%7Bkind=", &["string GET /cart"]),
        ("/api/v2/search/tag/status/values", &["keyword error", "keyword ok", "keyword unset"]),
        ("/api/v2/search/tag/span%253Astatus/values?q=%7Bduration%3E%221ms%22%7D", &["keyword error"]),
        ("/api/v2/search/tag/duration/values", &[]),
        ("/api/v2/search/tag/rootServiceName/values", &["string ", "string shop"]),
        ("/api/v2/search/tag/statusMessage/values", &["string bad"]),
        ("/api/v2/search/tag/instrumentation:name/values", &["string lib"]),
        ("/api/v2/search/tag/nestedSetParent/values", &["int -1"]),
        ("/api/v2/search/tag/span.undefined/values", &[]),
        ("/api/v2/search/tag/span.a/b//values?maxStaleValues=5", &[]),
        ("/api/search/tag/service.name/values", &["shop"]),
        ("/api/search/tag/status.code/values", &["error", "ok", "unset"]),
        ("/api/search/tag/status/values", &[]),
    ] {
        assert_eq!(values(&client.get(path).await), expected, "{path}");
    }
}

#[tokio::test]
async fn errors_about_tags_are_json_for_the_browser() {
    let client = Client::with(Settings { require_tenant: true, ..Settings::default() });
    for (path, status, error) in [
        ("/api/v2/search/tag/undefined/values", 400, "invalid TraceQL query: "),
        ("/api/v2/search/tags?scope=spam", 400, "parameter scope: \"spam\" is none of "),
        ("/api/search/tags?start=x&end=9", 400, "parameter start: \"x\" is not a Unix time in whole seconds"),
    ] {
        let answer = client.get_as("a", path).await;
        assert_eq!((answer.status(), answer.header("content-type")), (status, "application/json"), "{path}");
        let body: Json = serde_json::from_str(answer.text()).unwrap();
        assert!(body["error"].as_str().unwrap().starts_with(error), "{body}");
        assert_eq!(body["message"], body["error"]);
    }
    let answer = client.get("/api/v2/search/tags").await;
    assert_eq!((answer.status(), answer.header("content-type")), (401, "application/json"));
}

#[tokio::test]
async fn tags_of_several_tenants_are_united() {
    let client = Client::new();
    let json = ("Content-Type", "application/json");
    let other = EXPORT.replace("\"shop\"", "\"bank\"").replace("service.name", "bank.name");
    for (tenant, export) in [("a", EXPORT), ("b", &other)] {
        client.export(&[json, ("X-Scope-OrgID", tenant)], export.to_owned()).await.json();
    }
    let names = async |tenants: &str| client.get_as(tenants, "/api/search/tags?scope=resource").await.json();
    assert_eq!(names("a").await["tagNames"], json!(["service.name"]));
    assert_eq!(names("a|b").await["tagNames"], json!(["bank.name", "service.name"]));
    let answer = client.get_as("b|a", "/api/v2/search/tag/name/values?limit=1").await;
    assert_eq!(values(&answer), ["string GET /cart"]);
    assert_eq!(answer.header("x-niente-partial"), "");
    let answer = client.get_as("a|b", "/api/v2/search/tag/rootServiceName/values?limit=1").await;
    assert_eq!((&values(&answer)[..], answer.header("x-niente-partial")), (&["string ".to_owned()][..], "limit"));
}

#[tokio::test]
async fn tenants_see_what_is_theirs() {
    let client = Client::new();
    client.export(&[("content-type", "application/json"), ("X-Scope-OrgID", "acme")], EXPORT).await.json();
    let traces = |answer: Answer| answer.json()["traces"].as_array().unwrap().len();
    assert_eq!(traces(client.get_as("acme", "/api/search").await), 1);
    assert_eq!(traces(client.get_as("other", "/api/search").await), 0);
    assert_eq!(traces(client.get("/api/search").await), 0);
    assert_eq!(client.get_as("other", "/api/traces/5b2f1").await.status(), 404);
    assert_eq!(client.get_as("acme", "/api/traces/5b2f1").await.status(), 200);
}

#[tokio::test]
async fn tenants_are_checked_wherever_there_is_data_and_by_echo() {
    let client = Client::with(Settings { require_tenant: true, ..Settings::default() });
    for path in ["/api/search", "/api/traces/1", "/api/v2/traces/1", "/api/echo"] {
        client.get(path).await.fails(401, "the header X-Scope-OrgID is missing");
        client.get_as("a|/", path).await.fails(400, "header X-Scope-OrgID: the tenant name has the character '/'");
    }
    client.export(&[("content-type", "application/json")], EXPORT).await.fails(401, "the header X-Scope-OrgID");
    assert_eq!(client.get("/ready").await.status(), 200);
    assert_eq!(client.get_as("acme", "/api/echo").await.status(), 200);
    let twice = [("X-Scope-OrgID", "a"), ("x-scope-orgid", "b")];
    client.send(Method::GET, "/api/echo", &twice, "").await.fails(400, "the header X-Scope-OrgID is there 2 times");
}

#[tokio::test]
async fn several_tenants_are_asked_at_once() {
    let client = Client::new();
    let json = ("content-type", "application/json");
    let later = EXPORT.replace("5b2f1", "77777").replace("1700000000", "1700000100");
    let other_span = EXPORT.replace("00a1", "00a2");
    for (tenant, export) in [("a", EXPORT), ("b", &later), ("b", &other_span), ("c", &other_span)] {
        client.export(&[json, ("X-Scope-OrgID", tenant)], export.to_owned()).await.json();
    }
    let ids = async |tenants: &str, limit: u32| {
        let answer = client.get_as(tenants, &format!("/api/search?q=%7B%7D&limit={limit}")).await.json();
        let traces = answer["traces"].as_array().unwrap();
        traces.iter().map(|trace| trace["traceID"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ids("a", 20).await, "5b2f1");
    assert_eq!(ids("a|b", 20).await, "77777 5b2f1 5b2f1");
    assert_eq!(ids("b|a|b", 20).await, "77777 5b2f1 5b2f1");
    assert_eq!(ids("a|b", 1).await, "77777");
    assert_eq!(ids("a|nobody", 20).await, "5b2f1");

    let spans = async |tenants: &str| {
        let answer = client.get_as(tenants, "/api/v2/traces/5b2f1").await;
        answer.text().matches("\"spanId\"").count()
    };
    assert_eq!((spans("a").await, spans("a|b").await, spans("b|c").await, spans("a|b|c").await), (1, 2, 1, 2));
    let reversed = client.get_as("c|b|a", "/api/traces/5b2f1").await;
    assert_eq!(client.get_as("a|b|c", "/api/traces/5b2f1").await.text(), reversed.text());

    let several = [json, ("X-Scope-OrgID", "a|b")];
    client.export(&several, EXPORT).await.fails(400, "the header X-Scope-OrgID names several tenants: spans go to one");
    let many = (0..17).map(|n| n.to_string()).collect::<Vec<_>>().join("|");
    client.get_as(&many, "/api/search").await.fails(400, "the header X-Scope-OrgID names more than 16 tenants");
}

#[tokio::test]
async fn a_closed_gate_lets_nobody_in() {
    let client = Client::behind(Gate::Closed, Settings::default());
    assert_eq!(client.get("/ready").await.text(), "ready");
    for path in ["/api/echo", "/api/status/buildinfo", "/api/search", "/api/traces/1", "/api/v2/traces/1", "/nowhere"] {
        let answer = client.send(Method::GET, path, &[("authorization", "Bearer x")], "").await;
        answer.fails(403, "nobody is let in here: no tokens are configured");
    }
    client.export(&[("content-type", "application/json")], EXPORT).await.fails(403, "nobody is let in here");
}

#[tokio::test]
async fn missing_traces() {
    let client = Client::new();
    for id in ["0", "1", &"f".repeat(32)] {
        let v1 = client.get(&format!("/api/traces/{id}")).await;
        assert_eq!((v1.status(), v1.text(), v1.header("content-type")), (404, "", ""));
        assert_eq!(client.get(&format!("/api/v2/traces/{id}")).await.json(), json!({"trace": {}, "metrics": {}}));
    }
    client.get("/api/traces/nothex").await.fails(400, "trace ID has the character 'n' at position 1");
    client.get(&format!("/api/v2/traces/{}", "1".repeat(33))).await.fails(400, "trace ID has 33 characters");
}

#[tokio::test]
async fn errors_are_one_line_of_text() {
    let client = Client::new();
    let query = "%7B+.a+%3D+%22line%0Abreak%22+%3D+%7D";
    client.get(&format!("/api/search?q={query}")).await.fails(400, "invalid TraceQL query: parse error at line ");
    client.get("/api/search?q=%7B%7D&start=%0Ax&end=1").await.fails(400, "parameter start: \"\\nx\" is not");
    client.get(&format!("/api/search?limit={}", "9".repeat(9_000))).await.fails(400, "parameter limit: \"999");
}

#[tokio::test]
async fn otlp_is_answered_in_its_own_format() {
    let client = Client::new();
    let refused = EXPORT.replace("00000000000000a1", "0000000000000000");
    let answer = client.export(&[("content-type", "application/json; charset=utf-8")], refused).await;
    let partial = &answer.json()["partialSuccess"];
    assert_eq!(partial["rejectedSpans"], "1");
    assert_eq!(partial["errorMessage"], "1 span refused: span ID is all zeros (1)");

    let answer = client.export(&[("content-type", "application/x-protobuf")], "").await;
    assert_eq!((answer.status(), answer.header("content-type")), (200, "application/x-protobuf"));
    let response = ExportTraceServiceResponse::decode(answer.0.into_body()).unwrap();
    assert_eq!(response, ExportTraceServiceResponse::default());
}

#[tokio::test]
async fn otlp_that_can_not_be_received() {
    let json = ("content-type", "application/json");
    let client = Client::new();
    client.export(&[json], "{").await.fails(400, "the body is no OTLP/JSON export request");
    client.export(&[("content-type", "application/x-protobuf")], "{").await.fails(400, "the body is no protobuf");
    client.export(&[], EXPORT).await.fails(415, "content type \"\" is not supported");
    client.export(&[("content-type", "text/plain")], EXPORT).await.fails(415, "content type \"text/plain\"");
    client.export(&[json, ("content-encoding", "br")], EXPORT).await.fails(415, "content encoding \"br\"");
    client.export(&[json, ("content-encoding", "gzip")], EXPORT).await.fails(400, "the body can't be decompressed");

    let limits = Limits { body_bytes: 100, ..Limits::default() };
    let client = Client::with(Settings { limits, ..Settings::default() });
    client.export(&[json], EXPORT).await.fails(413, "the uncompressed body is larger than the 100 bytes");
    let limits = Limits { spans: 0, ..Limits::default() };
    let client = Client::with(Settings { limits, ..Settings::default() });
    client.export(&[json], EXPORT).await.fails(413, "the request has 1 spans, at most 0 are allowed");
}
