//! Answers to searches.

use super::{Grafana, kind, list, search};
use crate::harness::{CLOSES, OPENS, cases, demo};

/// The conformance suite has attributes of several kinds under one key, arrays, and values of kinds that have no name.
#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_search_can_be_read() {
    let grafana = Grafana::of_suite().await;
    let (mut several, mut one) = (0, 0);
    for case in cases().iter().filter(|case| case.text("path") == "/api/search" && case.0["status"] == 200) {
        for trace in grafana.traces(&case.path_and_query()).await {
            if case.text("category") == "tags_search" {
                assert_eq!((&trace["spanSets"], &trace["spanSet"]), (&().into(), &().into()));
                continue;
            }
            // The table of spans reads `spanSets`, that of traces `spanSet` alone wherever it is.
            match list(&trace["spanSets"]) {
                [] => panic!("{}: {trace}", case.path_and_query()),
                [only] => {
                    assert_eq!(&trace["spanSet"], only);
                    one += 1;
                }
                _ => {
                    assert!(trace["spanSet"].is_null());
                    several += 1;
                }
            }
        }
    }
    assert!(one > 1_000 && several > 100, "{one} traces with one set of spans, {several} with several");
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_of_nested_sets_are_integers_whatever_stands_beside_them() {
    let grafana = Grafana::of_suite().await;
    let query = "{ span.payload.ratio != nil } | select(nestedSetLeft, nestedSetRight, nestedSetParent, span.amount)";
    let traces = grafana.traces(&search(query, 50, 20, (1_793_577_000, 1_793_585_400))).await;
    let spans = traces.iter().flat_map(|trace| list(&trace["spanSet"]["spans"]));
    let attributes = spans.flat_map(|span| list(&span["attributes"]));
    let nested: Vec<_> = attributes.filter(|kv| kv["key"].as_str().unwrap().starts_with("nestedSet")).collect();
    assert!(nested.len() > 100);
    assert!(nested.iter().all(|kv| kind(&kv["value"]) == "intValue"));
}

/// Its editor shows these numbers and doesn't send them.
#[tokio::test(flavor = "multi_thread")]
async fn twenty_traces_of_three_spans_unless_more_are_asked_for() {
    let grafana = Grafana(demo().await);
    let sizes = async |path_and_query: &str| {
        let traces = grafana.traces(path_and_query).await;
        let most = traces.iter().map(|trace| list(&trace["spanSet"]["spans"]).len()).max().unwrap();
        (traces.len(), most)
    };
    let times = format!("start={OPENS}&end={CLOSES}");
    assert_eq!(sizes(&format!("/api/search?q=%7B%7D&{times}")).await, (20, 3));
    assert_eq!(sizes(&search("{}", 50, 10, (OPENS, CLOSES))).await, (50, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_can_be_opened() {
    let grafana = Grafana(demo().await);
    let traces = grafana.traces(&search("{ nestedSetParent < 0 }", 100, 3, (OPENS, CLOSES))).await;
    assert_eq!(traces.len(), 100);
    // The table has the newest first, which the links rely on for nothing, but people do.
    assert!(traces.is_sorted_by_key(|trace| std::cmp::Reverse(super::integer(&trace["startTimeUnixNano"]))));
    for trace in traces {
        let id = trace["traceID"].as_str().unwrap();
        assert!(grafana.has_trace(id).await, "{id}");
        // An older Grafana sends it in capitals or with zeros in front.
        assert!(grafana.has_trace(&format!("{:0>32}", id.to_uppercase())).await, "{id}");
    }
}
