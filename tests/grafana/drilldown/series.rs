//! The panels, and their breakdown by an attribute.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{RANGE, filters};
use crate::{
    grafana::{Grafana, attribute, instant, integer, keys, kind, list, range, total},
    harness::{CLOSES, demo, with_query},
};

/// What the breakdown may be by: favourites of the app that the shop has.
const ATTRIBUTES: [&str; 12] = [
    "resource.service.name",
    "resource.service.namespace",
    "resource.service.version",
    "resource.k8s.pod.name",
    "name",
    "kind",
    "rootName",
    "rootServiceName",
    "status",
    "statusMessage",
    "span.http.response.status_code",
    "span.cache.hit",
];

/// A rate's or count's series, sample by sample.
fn samples(series: &[Value]) -> BTreeMap<i64, f64> {
    let mut sums = BTreeMap::new();
    for sample in series.iter().flat_map(|series| list(&series["samples"])) {
        *sums.entry(integer(&sample["timestampMs"])).or_default() += sample["value"].as_f64().unwrap_or_default();
    }
    sums
}

/// A label's value as a filter has it: keywords and numbers bare, texts in quotes.
fn written(label: &Value) -> String {
    let value = &label["value"][kind(&label["value"])];
    let is_bare = label["key"] == "status" || label["key"] == "kind" || kind(&label["value"]) != "stringValue";
    if is_bare { value.as_str().map_or_else(|| value.to_string(), str::to_owned) } else { value.to_string() }
}

#[tokio::test(flavor = "multi_thread")]
async fn panels() {
    let grafana = Grafana(demo().await);
    // What it asks first, to learn whether there are metrics.
    let params = [("q", "{} | rate()"), ("start", &*(CLOSES - 60).to_string()), ("end", &*CLOSES.to_string())];
    assert_eq!(grafana.range(&with_query("/api/metrics/query_range", &params)).await.len(), 1);
    let mut buckets = 0;
    for f in filters() {
        for query in [
            format!("{{{f}}} | rate()  with(sample=true)"),
            format!("{{{f} && status=error}} | rate()  with(sample=true)"),
        ] {
            let series = grafana.range(&range(&query, "28s", RANGE)).await;
            assert_eq!(series.len(), 1, "{query}");
            assert!(list(&series[0]["samples"]).len() > 60, "{query}: no data");
        }
        let query = format!("{{{f}}} | histogram_over_time(duration) with(sample=true)");
        for series in grafana.range(&range(&query, "75s", RANGE)).await {
            // The name of a series with one label is the label's value, and has to be a number here.
            let labels = list(&series["labels"]);
            assert_eq!((labels.len(), kind(&labels[0]["value"])), (1, "doubleValue"), "{query}");
            buckets += 1;
        }
        let query = format!("{{{f}}} | quantile_over_time(duration, 0.9)  with(sample=true)");
        let midnight = CLOSES / 86_400 * 86_400;
        let seeker = grafana.range(&range(&query, "30s", (midnight, midnight + 86_400))).await;
        assert!(seeker.iter().all(|series| keys(&series["labels"]) == ["p"]), "{query}");
    }
    assert!(buckets > 100, "{buckets}");
}

#[tokio::test(flavor = "multi_thread")]
async fn breakdown() {
    let grafana = Grafana(demo().await);
    let mut tiles: BTreeMap<&str, usize> = BTreeMap::new();
    for (number, f) in filters().enumerate() {
        // (Not in step with the filters: each attribute meets several of them.)
        for a in (0..3).map(|n| ATTRIBUTES[(7 * number + n) % ATTRIBUTES.len()]) {
            let query = format!("{{{f} && {a} != nil}} | rate() by({a})");
            let series = grafana.range(&range(&query, "28s", RANGE)).await;
            assert!(series.iter().all(|series| keys(&series["labels"]) == [a]), "{query}");
            *tiles.entry(a).or_default() += series.iter().filter(|series| total(series) > 0.0).count();
            let whole = samples(&grafana.range(&range(&format!("{{{f} && {a} != nil}} | rate()"), "28s", RANGE)).await);
            for (time, sum) in samples(&series) {
                assert!((sum - whole[&time]).abs() < 1e-9, "{query}: {sum} of {} at {time}", whole[&time]);
            }
            for exemplar in series.iter().flat_map(|series| list(&series["exemplars"])).take(3) {
                assert!(grafana.has_trace(attribute(&exemplar["labels"], "trace:id").as_str().unwrap()).await);
            }
            // A tile opened in Explore or made an alert.
            if let Some(series) = series.first() {
                let tile = format!("{{{f} && {a}={}}} | rate() by({a})", written(&series["labels"][0]));
                let instant = grafana.instant(&instant(&tile, RANGE)).await;
                assert!(instant.iter().any(|found| found["labels"] == series["labels"]), "{tile}");
            }

            let query = format!("{{{f} && status=error && {a} != nil}} | rate() by({a})");
            let series = grafana.range(&range(&query, "28s", RANGE)).await;
            assert!(series.iter().all(|series| keys(&series["labels"]) == [a]), "{query}");
            let query = format!("{{{f} && {a} != nil}} | quantile_over_time(duration, 0.5,0.9) by({a})");
            let series = grafana.range(&range(&query, "28s", RANGE)).await;
            assert!(series.iter().all(|series| keys(&series["labels"]) == [a, "p"]), "{query}");
        }
        for function in ["rate() ", "quantile_over_time(duration, 0.9) "] {
            grafana.range(&range(&format!("{{{f}}} | {function}"), "28s", RANGE)).await;
        }
    }
    assert_eq!(tiles.len(), ATTRIBUTES.len());
    assert!(tiles.values().all(|tiles| *tiles > 0), "{tiles:?}");
}
