//! Answers to metrics queries.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Grafana, attribute, instant, integer, keys, kind, list, range, total};
use crate::harness::{CLOSES, OPENS, cases, demo};

/// When the shop's spans are.
const OPEN: (u64, u64) = (OPENS, CLOSES);

fn is_metrics(path: &str) -> bool {
    path.starts_with("/api/metrics/")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_metrics_query_can_be_read() {
    let grafana = Grafana::of_suite().await;
    let (mut read, mut exemplars) = (0, BTreeSet::new());
    for case in cases().iter().filter(|case| is_metrics(case.text("path")) && case.0["status"] == 200) {
        let query = case.0["params"]["q"].as_str().unwrap();
        for series in grafana.range(&range(query, "300s", (1_793_577_000, 1_793_585_400))).await {
            check_times(&series, 300_000);
            read += 1;
            exemplars.extend(list(&series["exemplars"]).iter().map(|exemplar| trace_of(exemplar).to_owned()));
        }
        grafana.instant(&instant(query, (1_793_577_000, 1_793_585_400))).await;
    }
    assert!(read > 500, "{read} series");
    assert!(exemplars.len() > 100);
    for trace in exemplars {
        assert!(grafana.has_trace(&trace).await, "the exemplar's trace {trace}");
    }
}

/// Samples stand at multiples of the step, and exemplars in the time of one.
fn check_times(series: &Value, step: i64) {
    let times: Vec<_> = list(&series["samples"]).iter().map(|sample| integer(&sample["timestampMs"])).collect();
    assert!(times.iter().all(|time| time % step == 0), "{times:?}");
    for exemplar in list(&series["exemplars"]) {
        let time = integer(&exemplar["timestampMs"]);
        assert!(times.iter().any(|end| (end - step..=*end).contains(&time)), "{exemplar} is in no interval");
    }
}

fn trace_of(exemplar: &Value) -> &str {
    attribute(&exemplar["labels"], "trace:id").as_str().expect("Grafana links to the label trace:id")
}

/// Labels by `<key> <kind>` of each series of a query.
async fn check_labels(grafana: &Grafana, query: &str, expected: &[&str]) {
    let series = grafana.range(&range(query, "60s", OPEN)).await;
    assert!(!series.is_empty(), "{query}");
    for series in &series {
        let labels = list(&series["labels"]).iter();
        let labels: Vec<_> =
            labels.map(|label| format!("{} {}", label["key"].as_str().unwrap(), kind(&label["value"]))).collect();
        assert_eq!(labels, expected, "{query}");
    }
    let distinct: BTreeSet<_> = series.iter().map(|series| series["labels"].to_string()).collect();
    assert_eq!(distinct.len(), series.len(), "{query}");
}

/// Traces Drilldown looks labels up by what it wrote in `by`; a lone `__bucket` becomes the name of a heat map's row.
#[tokio::test(flavor = "multi_thread")]
async fn labels_are_called_as_they_were_asked_for() {
    let grafana = Grafana(demo().await);
    for (query, labels) in [
        ("{ } | rate()", &["__name__ stringValue"][..]),
        ("{ } | count_over_time()", &["__name__ stringValue"]),
        ("{ } | min_over_time(duration)", &["__name__ stringValue"]),
        ("{ } | quantile_over_time(duration, 0.9)", &["p doubleValue"]),
        ("{ } | histogram_over_time(duration)", &["__bucket doubleValue"]),
        ("{ } | rate() by (resource.service.name)", &["resource.service.name stringValue"]),
        ("{ .session.id != nil } | rate() by (.session.id)", &[".session.id stringValue"]),
        ("{ span.server.port != nil } | rate() by (span.server.port)", &["span.server.port intValue"]),
        ("{ span.cache.hit != nil } | rate() by (span.cache.hit)", &["span.cache.hit boolValue"]),
        ("{ } | rate() by (name)", &["name stringValue"]),
        ("{ } | rate() by (status, kind)", &["status stringValue", "kind stringValue"]),
        ("{ } | rate() by (rootServiceName)", &["rootServiceName stringValue"]),
        // Of two spellings the answer has the canonical one, as the recorded answers have.
        ("{ } | rate() by (span:name)", &["name stringValue"]),
        ("{ } | rate() by (trace:rootService)", &["rootServiceName stringValue"]),
        (
            "{ } | quantile_over_time(duration, 0.5, 0.9) by (resource.service.name)",
            &["resource.service.name stringValue", "p doubleValue"],
        ),
        ("{ } | histogram_over_time(duration) by (kind)", &["kind stringValue", "__bucket doubleValue"]),
        // All absent: the first key with nothing.
        ("{ } | rate() by (span.nosuch, resource.nosuch)", &["span.nosuch stringValue"]),
    ] {
        check_labels(&grafana, query, labels).await;
    }
    let named = grafana.range(&range("{ } | avg_over_time(duration)", "60s", OPEN)).await;
    assert_eq!(attribute(&named[0]["labels"], "__name__"), "avg_over_time");
    let nothing = grafana.range(&range("{ } | rate() by (span.nosuch)", "60s", OPEN)).await;
    assert_eq!(attribute(&nothing[0]["labels"], "span.nosuch"), "nil");
}

/// No span of the shop lasts longer than some minutes, or is shorter than a nanosecond.
#[tokio::test(flavor = "multi_thread")]
async fn durations_are_told_in_seconds() {
    let grafana = Grafana(demo().await);
    for function in ["min_over_time(duration)", "max_over_time(duration)", "quantile_over_time(duration, 0.99)"] {
        for series in grafana.range(&range(&format!("{{ }} | {function}"), "60s", OPEN)).await {
            let samples = list(&series["samples"]).iter().filter_map(|sample| sample["value"].as_f64());
            assert!(
                samples.clone().count() > 0 && samples.clone().all(|value| (1e-9..300.0).contains(&value)),
                "{series}"
            );
        }
    }
    for series in grafana.range(&range("{ } | histogram_over_time(duration)", "60s", OPEN)).await {
        let bucket = attribute(&series["labels"], "__bucket").as_f64().unwrap();
        let nanos = (bucket * 1e9).round() as u64;
        assert!(nanos.is_power_of_two() && bucket < 300.0, "{bucket}");
    }
}

/// Grafana leaves `exemplars` out, unless somebody typed it into the query.
#[tokio::test(flavor = "multi_thread")]
async fn exemplars_come_unasked() {
    let grafana = Grafana(demo().await);
    let count = async |query: &str| {
        let series = grafana.range(&range(query, "60s", OPEN)).await;
        series.iter().map(|series| list(&series["exemplars"]).len()).sum::<usize>()
    };
    assert!((20..=100).contains(&count("{ } | rate()").await));
    assert_eq!(count("{ } | rate() with(exemplars=7)").await, 7);
    assert_eq!(count("{ } | rate() with(exemplars=false)").await, 0);
    let by_service = grafana.range(&range("{ } | rate() by (resource.service.name)", "60s", OPEN)).await;
    assert!(by_service.iter().all(|series| !list(&series["exemplars"]).is_empty()), "every series has its share");
    // They are matched to a tile by their series, and their own labels say more.
    let exemplar = &by_service[0]["exemplars"][0];
    assert!(exemplar["value"].as_f64() > Some(0.0), "Grafana leaves out {exemplar}");
    assert_eq!(keys(&exemplar["labels"]), ["trace:id", "resource.service.name"]);
}

/// An alert asks for an instant, and a panel for the same as a range.
#[tokio::test(flavor = "multi_thread")]
async fn alerts_see_what_panels_show() {
    let grafana = Grafana(demo().await);
    for query in [
        "{ status = error } | count_over_time() by (resource.service.name)",
        "{ } | count_over_time() by (name, kind)",
        "{ } | histogram_over_time(duration)",
    ] {
        let mut instants = grafana.instant(&instant(query, OPEN)).await;
        // The first interval lies before the start.
        let ranges = grafana.range(&range(query, "60s", (OPENS + 60, CLOSES))).await;
        instants.retain(|series| series["value"].is_number());
        assert_eq!(instants.len(), ranges.len(), "{query}");
        for (instant, range) in instants.iter().zip(&ranges) {
            assert_eq!(
                (&instant["labels"], instant["value"].as_f64()),
                (&range["labels"], Some(total(range))),
                "{query}"
            );
        }
    }
}

/// Panels show "No data" for a list without series, and a line of zeros where nothing matches.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_zeros_or_no_series() {
    let grafana = Grafana(demo().await);
    let nothing = "{ name = `no such name` }";
    let rate = grafana.range(&range(&format!("{nothing} | rate()"), "60s", OPEN)).await;
    assert_eq!((rate.len(), total(&rate[0]), list(&rate[0]["samples"]).len()), (1, 0.0, 11));
    for function in ["rate() by (name)", "max_over_time(duration)", "histogram_over_time(duration)", "compare({})"] {
        assert_eq!(grafana.range(&range(&format!("{nothing} | {function}"), "60s", OPEN)).await, Vec::<Value>::new());
    }
}
