//! The functions as Lambda runs them, over a real S3 protocol: a collector's requests in, Grafana's out.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use niente_lambda_host::{Fault, Front, Function, Host, built};
use niente_store::{MemoryStore, testing::S3Server};
use serde_json::{Value, json};

use crate::harness::{
    Answer, Case, InProcess, cases, everybody, exchange, function, get_event, requests, without_counters,
};

/// Functions, a bucket and a token, for everything.
struct Deployed {
    host: Host,
    token: String,
    s3: S3Server,
    _tokens: tempfile::TempDir,
}

/// Shards so small that every question of the suite that reads anything is cut.
const SHARD_BYTES: &str = "60000";

impl Deployed {
    async fn start(query: Front) -> Self {
        let (s3, tokens) = (S3Server::start().await, tempfile::tempdir().unwrap());
        let (token, tokens_of_everybody) = everybody();
        let document = tokens.path().join("tokens.json");
        std::fs::write(&document, tokens_of_everybody).unwrap();
        let function = |name: &str, binary: &str| {
            let function = function(name, &built(binary), &s3, &document);
            function.memory_mb(1_024).timeout(Duration::from_secs(60))
        };
        let fanning_out = |function: Function| {
            function
                .env("NIENTE_SCAN_FUNCTION", "scan")
                .env("NIENTE_SCAN_CONCURRENCY", "4")
                .env("NIENTE_SHARD_BYTES", SHARD_BYTES)
        };
        let streams = matches!(query, Front::StreamingUrl).to_string();
        let host = Host::start([
            function("ingest", "niente-ingest").front(Front::Url),
            fanning_out(function("query", "niente-query")).front(query).env("NIENTE_RESPONSE_STREAM", streams),
            fanning_out(function("buffered", "niente-query")),
            function("scan", "niente-scan"),
            function("compact", "niente-compact"),
        ])
        .await;
        Self { host, token, s3, _tokens: tokens }
    }

    /// A request to a function's URL with the token, on a connection of its own; of HTTP/1.0, so that answers end with it.
    async fn send(&self, function: &str, line: &str, headers: &str, body: Vec<u8>) -> Answer {
        let url = self.host.url(function);
        let address: SocketAddr = url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
        let head = format!("{line} HTTP/1.0\r\nAuthorization: Bearer {}\r\n{headers}", self.token);
        tokio::task::spawn_blocking(move || exchange(address, &head, &body).unwrap()).await.unwrap()
    }

    async fn push(&self, json: String) {
        let sent = self.send("ingest", "POST /v1/traces", "Content-Type: application/json\r\n", json.into()).await;
        assert_eq!((sent.status, String::from_utf8_lossy(&sent.body).as_ref()), (200, "{}"));
    }

    async fn get(&self, path_and_query: &str) -> Answer {
        self.send("query", &format!("GET {path_and_query}"), "", Vec::new()).await
    }
}

/// Questions of every kind that is recorded.
fn questions() -> Vec<String> {
    const BUILT: [&str; 6] =
        ["/api/search?", "/api/search/tag", "/api/v2/search/tag", "/api/metrics/", "/api/traces/", "/api/v2/traces/"];
    let is_built = |path: &String| BUILT.iter().any(|built| path.starts_with(built));
    cases().iter().map(Case::path_and_query).filter(is_built).collect()
}

async fn reference() -> InProcess {
    let server = InProcess::over(Arc::new(MemoryStore::new()));
    for request in requests() {
        server.push(request).await;
    }
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn the_functions_answer_what_the_server_answers() {
    let (deployed, reference) = (Deployed::start(Front::Url).await, reference().await);
    for request in requests() {
        deployed.push(request).await;
    }
    let compare = async |every: usize| {
        for question in questions().iter().step_by(every) {
            let (found, expected) = (deployed.get(question).await, reference.get(question).await);
            assert_eq!(found.status, expected.status().as_u16(), "{question}");
            assert_eq!(found.without_counters(), without_counters(&expected), "{question}");
        }
    };
    compare(1).await;
    assert!(deployed.host.counters("scan").invocations > 500, "{:?}", deployed.host.counters("scan"));

    // A schedule compacts what has waited, and nothing changes.
    deployed.s3.advance(Duration::from_secs(3_600));
    let report = deployed.host.invoke("compact", &json!({"task": "compact"})).await.unwrap();
    let report: Value = report.json();
    assert_eq!((&report["failures"], &report["level0Objects"]), (&json!([]), &json!(0)));
    compare(7).await;
    // Who has no token gets nothing but what says whether the function lives.
    let stranger = Deployed { token: "x".to_owned(), ..deployed };
    assert_eq!(stranger.get("/api/echo").await.status, 401);
    assert_eq!(stranger.get("/ready").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_scans_die_and_are_late_answers_are_right_or_errors() {
    let (deployed, reference) = (Deployed::start(Front::Url).await, reference().await);
    for request in requests() {
        deployed.push(request).await;
    }
    deployed.host.faults(|invocation| match invocation.draw(11) {
        _ if invocation.function != "scan" => Fault::None,
        draw if draw < 0.1 => Fault::kill(),
        draw if draw < 0.2 => Fault::Throttle,
        draw if draw < 0.25 => Fault::Delay(Duration::from_secs(10)),
        _ => Fault::None,
    });
    let mut right = 0;
    let questions: Vec<_> =
        questions().into_iter().filter(|question| question.starts_with("/api/search?")).step_by(9).collect();
    for question in &questions {
        let (found, expected) = (deployed.get(question).await, reference.get(question).await);
        if found.status == expected.status().as_u16() {
            assert_eq!(found.without_counters(), without_counters(&expected), "{question}");
            right += 1;
        } else {
            assert_eq!(found.status, 503, "{question}: {}", String::from_utf8_lossy(&found.body));
        }
    }
    // Four attempts of each shard: hardly a question is lost.
    assert!(right * 10 >= questions.len() * 9, "{right} of {}", questions.len());
    assert!(deployed.host.counters("scan").errors > 0 && deployed.host.counters("scan").throttled > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_of_a_hundred_thousand_spans_is_fetched() {
    const SPANS: u64 = 100_000;
    const START: u64 = 1_793_577_600;
    let deployed = Deployed::start(Front::StreamingUrl).await;
    for batch in 0..10 {
        let spans = (batch * SPANS / 10..(batch + 1) * SPANS / 10).map(|n| {
            let parent = if n == 0 { String::new() } else { format!("{:016x}", n / 10 + 1) };
            json!({"traceId": "000000000000000000000000000000ab", "spanId": format!("{:016x}", n + 1), "parentSpanId": parent,
                "name": "work", "startTimeUnixNano": format!("{START}{n:09}"), "endTimeUnixNano": format!("{}{n:09}", START + 1)})
        });
        deployed
            .push(json!({"resourceSpans": [{"scopeSpans": [{"spans": spans.collect::<Vec<_>>()}]}]}).to_string())
            .await;
    }
    let path = "/api/v2/traces/ab?start=1793577000&end=1793578000";
    let streamed = deployed.get(path).await;
    let body: Value = serde_json::from_slice(&streamed.body).unwrap();
    let spans = &body["trace"]["resourceSpans"][0]["scopeSpans"][0]["spans"];
    assert_eq!(
        (streamed.status, spans.as_array().map(Vec::len), &body["status"]),
        (200, Some(SPANS as usize), &Value::Null)
    );

    // Where nothing streams and nothing is compressed, it is cut and says so; compressed it fits.
    let buffered = deployed.host.invoke("buffered", &get_event(path, &deployed.token, "")).await.unwrap();
    let answer: Value = buffered.json();
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["status"], "PARTIAL");
    assert!(body["message"].as_str().unwrap().contains("of 100000 spans"), "{}", body["message"]);
    let packed = deployed.host.invoke("buffered", &get_event(path, &deployed.token, "gzip")).await.unwrap();
    let answer: Value = packed.json();
    assert_eq!((&answer["statusCode"], &answer["headers"]["content-encoding"]), (&json!(200), &json!("gzip")));
    assert_eq!(packed.error, None);
}
