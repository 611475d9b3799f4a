//! What a client sees of metrics: bodies to the byte.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use niente_api::{Api, Clock, Gate, Settings};
use niente_model::Nanos;
use niente_store::MemoryStore;
use serde_json::{Value as Json, json};

/// A minute: spans start in its first half, and one on its end.
const START: u64 = 1_700_000_040;
const RANGE: &str = "start=1700000040&end=1700000100&step=30";

struct Client(Api);

impl Client {
    async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    /// Three spans of a shop for the tenant `a`, and one for `b`.
    async fn with(settings: Settings) -> Self {
        let clock = Clock::new(|| Nanos::from_secs(START + 300));
        let client = Self(Api::new(Arc::new(MemoryStore::new()), settings, Gate::Open, clock));
        let span = |trace: u8, name: &str, kind: u8, after: u64, ms: u64| {
            let start = START * 1_000 + after;
            json!({"traceId": format!("{trace:032x}"), "spanId": "00000000000000a1", "name": name, "kind": kind,
                "startTimeUnixNano": format!("{start}000000"), "endTimeUnixNano": format!("{}000000", start + ms),
                "attributes": [{"key": "n", "value": {"intValue": trace.to_string()}}]})
        };
        client
            .push("a", &[span(1, "GET", 2, 10_000, 250), span(2, "GET", 2, 20_000, 750), span(3, "put", 3, 60_000, 1)])
            .await;
        client.push("b", &[span(4, "GET", 2, 10_000, 500)]).await;
        client
    }

    async fn push(&self, tenant: &str, spans: &[Json]) {
        let export = json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]});
        let request =
            Request::post("/v1/traces").header("content-type", "application/json").header("x-scope-orgid", tenant);
        let answer = self.0.handle(request.body(export.to_string().into()).unwrap()).await;
        assert_eq!(answer.status(), 200);
    }

    /// The status and the body, without what was looked at.
    async fn get(&self, tenant: &str, path: &str, query: &str, parameters: &str) -> (u16, String) {
        let query: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let request = Request::get(format!("{path}?q={query}&{parameters}")).header("x-scope-orgid", tenant);
        let answer = self.0.handle(request.body(Bytes::new()).unwrap()).await;
        let body = String::from_utf8(answer.body().to_vec()).unwrap();
        let Some(counters) = body.find(r#","metrics":{"#) else { return (answer.status().as_u16(), body) };
        let after = counters + body[counters..].find('}').unwrap() + 1;
        (answer.status().as_u16(), format!("{}{}", &body[..counters], &body[after..]))
    }

    async fn range(&self, query: &str) -> String {
        let (status, body) = self.get("a", "/api/metrics/query_range", query, RANGE).await;
        assert_eq!(status, 200, "{query}: {body}");
        body
    }

    async fn instant(&self, tenant: &str, query: &str) -> String {
        let (status, body) = self.get(tenant, "/api/metrics/query", query, RANGE).await;
        assert_eq!(status, 200, "{query}: {body}");
        body
    }
}

#[tokio::test]
async fn series_over_time() {
    let client = Client::new().await;
    assert_eq!(
        client.range("{ kind = server } | rate() with(exemplars=1)").await,
        r#"{"series":[{"labels":[{"key":"__name__","value":{"stringValue":"rate"}}],"#.to_owned()
            // The first ends where the range starts.
            + r#""samples":[{"timestampMs":"1700000040000"},{"timestampMs":"1700000070000","value":0.06666666666666667},"#
            + r#"{"timestampMs":"1700000100000"}],"#
            // The slowest of its time.
            + r#""exemplars":[{"labels":[{"key":"trace:id","value":{"stringValue":"1"}},"#
            + r#"{"key":"kind","value":{"stringValue":"server"}}],"value":0.06666666666666667,"#
            + r#""timestampMs":"1700000050000"}]}]}"#
    );
    // Samples that aren't there are left out; a span on an interval's end is in it.
    assert_eq!(
        client.range("{ } | max_over_time(span.n) by (name) with(exemplars=false)").await,
        r#"{"series":[{"labels":[{"key":"name","value":{"stringValue":"GET"}}],"#.to_owned()
            + r#""samples":[{"timestampMs":"1700000070000","value":2}]},"#
            + r#"{"labels":[{"key":"name","value":{"stringValue":"put"}}],"#
            + r#""samples":[{"timestampMs":"1700000100000","value":3}]}]}"#
    );
    assert_eq!(client.range("{ name = `none` } | max_over_time(span.n)").await, r#"{"series":[]}"#);
}

#[tokio::test]
async fn one_value_a_series() {
    let client = Client::new().await;
    let count = |count: &str| {
        format!(
            r#"{{"series":[{{"labels":[{{"key":"__name__","value":{{"stringValue":"count_over_time"}}}}]{count}}}]}}"#
        )
    };
    assert_eq!(client.instant("a", "{ } | count_over_time()").await, count(r#","value":3"#));
    assert_eq!(client.instant("a|b", "{ } | count_over_time()").await, count(r#","value":4"#));
    assert_eq!(client.instant("a", "{ name = `none` } | count_over_time()").await, count(""));
    assert_eq!(client.instant("a", "{ } | avg_over_time(span.none)").await, r#"{"series":[]}"#);
    assert_eq!(
        client.instant("a", "({ kind = server } | rate() by (span.n)) / ({ } | rate())").await,
        r#"{"series":[{"labels":[{"key":"span.n","value":{"intValue":"1"}}],"value":0.3333333333333333},"#.to_owned()
            + r#"{"labels":[{"key":"span.n","value":{"intValue":"2"}}],"value":0.3333333333333333}]}"#
    );
    // Of durations, quantiles and buckets are told in seconds.
    let quantile = client.instant("a", "{ } | quantile_over_time(duration, 1)").await;
    let value = serde_json::from_str::<Json>(&quantile).unwrap()["series"][0]["value"].as_f64().unwrap();
    assert!((value / 0.75 - 1.0).abs() < 0.01, "{quantile}");
    assert_eq!(
        client.instant("a", "{ name = `put` } | histogram_over_time(duration)").await,
        r#"{"series":[{"labels":[{"key":"__bucket","value":{"doubleValue":0.001048576}}],"value":1}]}"#
    );
}

#[tokio::test]
async fn more_series_than_are_wanted_are_a_partial_answer() {
    let client = Client::new().await;
    let parameters = format!("{RANGE}&maxSeries=1");
    let (status, body) = client.get("a", "/api/metrics/query", "{ } | rate() by (name)", &parameters).await;
    let body: Json = serde_json::from_str(&body).unwrap();
    assert_eq!((status, body["series"].as_array().unwrap().len()), (200, 1));
    assert_eq!(body["status"], "PARTIAL");
    assert_eq!(
        body["message"],
        "the limit of 1 series was exceeded by 1: the first in order are shown, and the others left out"
    );
}

#[tokio::test]
async fn what_can_not_be_measured() {
    let client = Client::with(Settings { max_metrics_range: Some(Nanos::from_secs(60)), ..Settings::default() }).await;
    for (query, parameters, expected) in [
        ("{ }", RANGE, "not a metrics query: it needs a function such as `| rate()` at its end (line 1, col 1)"),
        ("{ ", RANGE, "parse error at line 1, col 3: "),
        ("{ status = 1 } | rate()", RANGE, "compiling query: "),
        ("{ } | rate()", "start=10&end=5", "parameter end: 5 is before start, 10"),
        (
            "{ } | rate()",
            "since=2m",
            "metrics query time range exceeds the maximum allowed duration of 1m0s: it is 2m0s",
        ),
    ] {
        for path in ["/api/metrics/query_range", "//api/metrics//query"] {
            let (status, body) = client.get("a", path, query, parameters).await;
            assert_eq!(status, 400, "{query}");
            assert!(body.starts_with(expected), "{query}: {body}");
        }
    }
}

#[tokio::test]
async fn measuring_is_explained() {
    let client = Client::new().await;
    let (status, body) = client.get("a", "/api/explain", "{ } | rate() by (name)", RANGE).await;
    let body: Json = serde_json::from_str(&body).unwrap();
    assert_eq!(status, 200);
    assert_eq!(body["query"], "{ true } | rate() by(name)");
    // It is about spans alone: no other times matter.
    assert_eq!(body["window"], body["reach"]);
    assert_eq!(body["waves"].as_array().unwrap().len(), 1);
    assert_eq!(body["least"], body["most"]);
}
