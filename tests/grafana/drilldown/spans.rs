//! The tabs that show spans: structure, exceptions, traces.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{RANGE, filters};
use crate::{
    grafana::{Grafana, attribute, integer, list, search},
    harness::demo,
};

#[tokio::test(flavor = "multi_thread")]
async fn structure() {
    const SHOWN: &str = "select(status, resource.service.name, name, nestedSetParent, nestedSetLeft, nestedSetRight)";

    let grafana = Grafana(demo().await);
    let mut found = [0; 3];
    for f in filters() {
        let queries = [
            format!("({{{f} }} &>> {{ kind = server }}) || ({{{f} }}) | {SHOWN}"),
            format!("({{{f} && status = error}} &>> {{ status = error }}) || ({{{f} && status = error}}) | {SHOWN}"),
            format!(
                "({{{f} && duration > 268ms}} &>> {{ duration > 80ms }}) || ({{{f} && duration > 268ms}}) | {SHOWN}"
            ),
        ];
        for (query, found) in queries.iter().zip(&mut found) {
            for trace in grafana.traces(&search(query, 200, 20, RANGE)).await {
                assert_eq!(list(&trace["spanSets"]).len(), 1, "there should be only 1 spanset: {query}");
                check_nesting(&trace, query);
                *found += 1;
            }
        }
    }
    assert!(found.iter().all(|found| *found > 20), "{found:?}");
}

fn check_nesting(trace: &Value, query: &str) {
    let spans = list(&trace["spanSets"][0]["spans"]);
    let mut ids = BTreeSet::new();
    let mut sides = Vec::new();
    for span in spans {
        assert!(ids.insert(span["spanID"].as_str()), "{query}: {span} is there twice");
        assert!(span["name"].is_string(), "{query}: {span}");
        let texts = ["service.name", "status"].map(|key| attribute(&span["attributes"], key).is_string());
        assert_eq!(texts, [true; 2], "{query}: {span}");
        let number = |key: &str| {
            let found = list(&span["attributes"]).iter().find(|kv| kv["key"] == key);
            integer(&found.unwrap_or_else(|| panic!("{query}: {span} has no {key}"))["value"]["intValue"])
        };
        assert!(number("nestedSetLeft") < number("nestedSetRight"), "{query}: {span}");
        sides.push((number("nestedSetLeft"), number("nestedSetRight")));
    }
    for (left, right) in &sides {
        let cuts =
            |(other_left, other_right): &&(i64, i64)| other_left > left && other_left < right && other_right > right;
        assert_eq!(sides.iter().find(cuts), None, "{query}: spans overlap: {sides:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn exceptions() {
    const COLUMNS: &str =
        "resource.service.name, event.exception.message,event.exception.stacktrace,event.exception.type";

    let grafana = Grafana(demo().await);
    let (mut rows, mut of_one, mut of_many) = (0, 0, 0);
    for f in filters() {
        let query = format!("{{{f} && status = error}} | select({COLUMNS}) with(most_recent=true)");
        let traces = grafana.traces(&search(&query, 400, 10, RANGE)).await;
        assert!(traces.is_sorted_by_key(|trace| std::cmp::Reverse(integer(&trace["startTimeUnixNano"]))), "{query}");
        let mut messages = BTreeMap::new();
        for span in traces.iter().flat_map(|trace| list(&trace["spanSets"])).flat_map(|set| list(&set["spans"])) {
            assert!(attribute(&span["attributes"], "service.name").is_string(), "{query}: {span}");
            let columns = ["message", "type", "stacktrace"]
                .map(|name| attribute(&span["attributes"], &format!("exception.{name}")));
            // (A caller has an error but not its exception.)
            if let [Some(message), Some(of_type), Some(_)] = columns.map(Value::as_str) {
                messages.insert(message.to_owned(), of_type.to_owned());
                rows += 1;
            }
        }
        for (message, of_type) in messages.iter().take(2) {
            let message = serde_json::to_string(message).unwrap();
            let exactly = format!(r#"event.exception.message = {message} && event.exception.type = "{of_type}""#);
            for shown in ["resource.service.name", "resource.service.namespace", "name"] {
                let query = format!("{{{f} && status = error && {exactly}}} | select({shown})");
                of_one += grafana.traces(&search(&query, 400, 10, RANGE)).await.len();
            }
            // Messages that differ by a number only are grouped.
            let pattern = r#"event.exception.message =~ "^.*answered\\s+[0-9]+$""#;
            let query = format!("{{{f} && status = error && {pattern}}} | select(span.http.response.status_code,name)");
            of_many += grafana.traces(&search(&query, 100, 10, RANGE)).await.len();
        }
    }
    assert!(rows > 50 && of_one > 50 && of_many > 10, "{rows} rows, {of_one} and {of_many} traces");
}

#[tokio::test(flavor = "multi_thread")]
async fn traces() {
    let grafana = Grafana(demo().await);
    let mut found = [0; 5];
    for f in filters() {
        let queries = [
            format!("{{{f}}}"),
            format!("{{{f} && status = error}}"),
            format!("{{{f}&& duration > 268ms}}"),
            format!("{{{f}&& duration >= 100ms && duration <= 2s}}"),
            format!("{{{f}}} | select(span.http.response.status_code,resource.k8s.pod.name,span.app.order.total)"),
        ];
        for (query, found) in queries.iter().zip(&mut found) {
            let traces = grafana.traces(&search(query, 200, 10, RANGE)).await;
            assert!(traces.len() <= 200 && traces.iter().all(|trace| !list(&trace["spanSets"]).is_empty()), "{query}");
            *found += traces.len();
        }
        // On first paint the duration is not known yet, and the answer has to be an error that can be shown.
        let answer = grafana.get(&search(&format!("{{{f}&& duration > }}"), 200, 10, RANGE), "application/json").await;
        assert_eq!(answer.status().as_u16(), 400);
    }
    assert!(found.iter().all(|found| *found > 100), "{found:?}");
}
