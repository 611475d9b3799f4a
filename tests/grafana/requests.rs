//! What Grafana sends, in all its spellings, and how it is refused.

use std::sync::Arc;

use niente_api::{Api, Clock, Gate, Settings};
use niente_model::Nanos;
use niente_store::MemoryStore;

use super::{Grafana, range, search};
use crate::harness::{CLOSES, InProcess, NOW, OPENS, demo, text, with_query, without_counters};

const OPEN: (u64, u64) = (OPENS, CLOSES);

/// Grafana up to 13.1 appends its paths to whatever URL it was given: with a slash at the end, or behind a gateway's
/// prefix. Its router is not asked to be strict.
#[tokio::test]
async fn slashes_and_prefixes_do_not_matter() {
    let settings = Settings { path_prefix: "/tempo".to_owned(), ..Settings::default() };
    let api = Api::new(Arc::new(MemoryStore::new()), settings, Gate::Open, Clock::new(|| NOW));
    let get = async |uri: &str| {
        let answer = api.handle(http::Request::builder().uri(uri).body(bytes::Bytes::new()).unwrap()).await;
        (answer.status().as_u16(), text(&answer))
    };
    for (path, status) in [
        ("/api/search?q=%7B%7D", 200),
        ("/api/metrics/query_range?q=%7B%7D%7Crate()", 200),
        ("/api/metrics/query?q=%7B%7D%7Crate()", 200),
        ("/api/v2/traces/abc", 200),
        ("/api/traces/abc", 404),
        ("/api/echo", 200),
        ("/api/status/buildinfo", 200),
    ] {
        let plain = get(path).await;
        assert_eq!(plain.0, status, "{path}");
        for before in ["/", "/tempo", "/tempo/", "//tempo//"] {
            assert_eq!(get(&format!("{before}{path}")).await, plain, "{before}{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn times_and_queries_may_be_spelled_in_several_ways() {
    let grafana = Grafana(demo().await);
    let ask = async |query: &str, start: &str, end: &str, step: &str| {
        let params = [(query, "{ } | rate()"), ("start", start), ("end", end), ("step", step)];
        let answer = grafana.0.ask("/api/metrics/query_range", &params).await;
        assert_eq!(answer.status().as_u16(), 200, "{start} {end} {step}: {}", text(&answer));
        without_counters(&answer)
    };
    assert_eq!((OPENS, CLOSES), (1_793_578_080, 1_793_578_680));
    let seconds = ask("q", "1793578080", "1793578680", "30s").await;
    for (query, start, end, step) in [
        ("query", "1793578080", "1793578680", "30"),
        ("q", "1793578080000000000", "1793578680000000000", "30000ms"),
        ("q", "1793578080.0", "1793578680.000", "0.5m"),
        ("q", "2026-11-02T00:08:00Z", "2026-11-02T01:18:00+01:00", "30.0"),
    ] {
        assert_eq!(ask(query, start, end, step).await, seconds, "{start}");
    }
    // Sub-second ranges collapse, and odd steps come of a panel's width.
    for (start, end, step) in
        [(OPENS, OPENS, "1s"), (OPENS, CLOSES, "28s"), (OPENS, CLOSES, "14"), (OPENS, CLOSES, "100ms")]
    {
        assert_eq!(grafana.range(&range("{ } | rate()", step, (start, end))).await.len(), 1);
    }
    // The data source forwards a step that an instant has no use for.
    let instant = [("q", "{ } | rate()"), ("start", "1793578080"), ("end", "1793578680"), ("step", "28s")];
    assert_eq!(grafana.instant(&with_query("/api/metrics/query", &instant)).await.len(), 1);
}

/// Grafana appends the text to its own sentence, and files some statuses as faults of its plugin.
#[tokio::test(flavor = "multi_thread")]
async fn errors_are_a_line_of_text() {
    let grafana = Grafana(InProcess::in_memory());
    let range = |query: &str| range(query, "28s", OPEN);
    for (path, status) in [
        (search("{ duration > }", 20, 3, OPEN), 400),
        (search("{ name = \"<html>\n\" }", 20, 3, OPEN), 400),
        (search("{ status = 2 }", 20, 3, OPEN), 400),
        (search("{}", 0, 3, OPEN), 400),
        (search("{}", 20, 3, (CLOSES, OPENS)), 400),
        (range("{ } | rate() by (\n)"), 400),
        (range("{ status = 2 } | rate()"), 400),
        (range("{ }"), 400),
        (range("{ } | rate() by (.a, .b, .c, .d, .e, .f)"), 400),
        (super::range("{ } | rate()", "0s", OPEN), 400),
        (super::range("{ } | rate()", "1ms", OPEN), 400),
        ("/api/v2/traces/xyz".to_owned(), 400),
        (format!("/api/traces/{}", "1".repeat(33)), 400),
        ("/api/nothing".to_owned(), 404),
    ] {
        let answer = grafana.get(&path, "application/json").await;
        let body = text(&answer);
        assert_eq!(answer.status().as_u16(), status, "{path}: {body}");
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/plain"), "{path}");
        assert!(!body.is_empty() && body.len() < 500 && !body.contains(char::is_control), "{path}: {body:?}");
        // These two texts are taken for something else.
        assert!(!body.starts_with('<') && !body.contains("localblocks processor not found"), "{path}: {body}");
    }
}

/// It knows them by `range specified by start and end.*exceeds` and by
/// `metrics query time range exceeds the maximum allowed duration of`, and says in its own words what to do.
#[tokio::test]
async fn ranges_that_are_too_long_are_refused_in_words_that_grafana_knows() {
    let hour = Some(Nanos::from_secs(3_600));
    let settings = Settings { max_range: hour, max_metrics_range: hour, ..Settings::default() };
    let api = Api::new(Arc::new(MemoryStore::new()), settings, Gate::Open, Clock::new(|| NOW));
    let get = async |uri: &str| {
        let answer = api.handle(http::Request::builder().uri(uri).body(bytes::Bytes::new()).unwrap()).await;
        (answer.status().as_u16(), text(&answer))
    };
    let long = (CLOSES - 3_601, CLOSES);
    let (status, words) = get(&search("{}", 20, 3, long)).await;
    let (_, after) = words.split_once("range specified by start and end").expect("the first half");
    assert!(status == 400 && after.contains("exceeds"), "{words}");
    let (status, words) = get(&range("{} | rate()", "60s", long)).await;
    assert!(
        status == 400 && words.contains("metrics query time range exceeds the maximum allowed duration of"),
        "{words}"
    );
    let longest = (CLOSES - 3_600, CLOSES);
    assert_eq!(
        (get(&search("{}", 20, 3, longest)).await.0, get(&range("{} | rate()", "60s", longest)).await.0),
        (200, 200)
    );
}
