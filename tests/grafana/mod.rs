//! What Grafana asks, and what it needs of the answers.
//!
//! Grafana's data source reads answers strictly: it refuses a field that it doesn't know, and panics at a value that it
//! does not expect. [`schema`] has what it knows, and every answer that is asked for here is held against it.
//! [`requests`] are about what it sends and how it is refused, [`traces`], [`search`] and [`metrics`] about answers, and
//! [`drilldown`] asks every query of Traces Drilldown and looks at what its tabs look at.

mod drilldown;
mod metrics;
mod requests;
mod schema;
mod search;
mod traces;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use http::{Request, Response};
use serde_json::Value;

use crate::harness::{InProcess, requests, text, with_query};
use schema::{INSTANT, RANGE, SEARCH};

/// Grafana's data source, in front of a server.
struct Grafana(InProcess);

impl Grafana {
    /// In front of the conformance suite's spans.
    async fn of_suite() -> Self {
        let server = InProcess::in_memory();
        for request in requests() {
            server.push(request).await;
        }
        Self(server)
    }

    async fn get(&self, path_and_query: &str, accept: &str) -> Response<Bytes> {
        let request = Request::builder().uri(path_and_query);
        self.0.send(request.header("user-agent", "Grafana/13.1.0").header("accept", accept), Bytes::new()).await
    }

    /// The JSON of an answer, which has to be exactly 200.
    async fn json(&self, path_and_query: &str) -> Value {
        let answer = self.get(path_and_query, "application/json").await;
        assert_eq!(answer.status().as_u16(), 200, "{path_and_query}: {}", text(&answer));
        serde_json::from_slice(answer.body()).unwrap()
    }

    /// The traces of a search.
    async fn traces(&self, path_and_query: &str) -> Vec<Value> {
        let answer = self.json(path_and_query).await;
        SEARCH.check(&answer, path_and_query);
        check_columns(&answer, path_and_query);
        list(&answer["traces"]).to_vec()
    }

    async fn range(&self, path_and_query: &str) -> Vec<Value> {
        let answer = self.json(path_and_query).await;
        RANGE.check(&answer, path_and_query);
        let series = list(&answer["series"]);
        for series in series {
            let times: Vec<i64> =
                list(&series["samples"]).iter().map(|sample| integer(&sample["timestampMs"])).collect();
            assert!(!times.is_empty() && times.is_sorted_by(|a, b| a < b), "{path_and_query}: {series}");
        }
        series.to_vec()
    }

    async fn instant(&self, path_and_query: &str) -> Vec<Value> {
        let answer = self.json(path_and_query).await;
        INSTANT.check(&answer, path_and_query);
        list(&answer["series"]).to_vec()
    }

    /// Whether there is a trace with this ID, as links have it.
    async fn has_trace(&self, id: &str) -> bool {
        let answer = self.json(&format!("/api/v2/traces/{id}")).await;
        !list(&answer["trace"]["resourceSpans"]).is_empty()
    }
}

/// Grafana makes a column of each key, of the kind of one of its values, and panics at a value of another kind.
fn check_columns(answer: &Value, what: &str) {
    let mut kinds: BTreeMap<(bool, &str), BTreeSet<&str>> = BTreeMap::new();
    for set in list(&answer["traces"]).iter().flat_map(|trace| list(&trace["spanSets"])) {
        let of_spans = list(&set["spans"]).iter().flat_map(|span| list(&span["attributes"])).map(|kv| (true, kv));
        for (of_span, kv) in of_spans.chain(list(&set["attributes"]).iter().map(|kv| (false, kv))) {
            kinds.entry((of_span, kv["key"].as_str().unwrap())).or_default().insert(kind(&kv["value"]));
        }
    }
    for ((_, key), kinds) in kinds {
        assert_eq!(kinds.len(), 1, "{what}: {key} is {kinds:?}");
        let is_scalar =
            ["stringValue", "intValue", "doubleValue", "boolValue"].iter().any(|known| kinds.contains(known));
        assert!(is_scalar, "{what}: {key} is {kinds:?}");
    }
}

/// Which of OTLP's kinds a value has.
fn kind(value: &Value) -> &str {
    let fields = value.as_object().unwrap();
    assert_eq!(fields.len(), 1, "{value}");
    fields.keys().next().unwrap()
}

/// The value of an attribute or a label, without its kind; null if there is none.
fn attribute<'a>(of: &'a Value, key: &str) -> &'a Value {
    let found = list(of).iter().find(|kv| kv["key"] == key);
    found.map_or(&Value::Null, |kv| &kv["value"][kind(&kv["value"])])
}

fn keys(labels: &Value) -> Vec<&str> {
    list(labels).iter().map(|label| label["key"].as_str().unwrap()).collect()
}

/// The sum of a series' samples.
fn total(series: &Value) -> f64 {
    list(&series["samples"]).iter().map(|sample| sample["value"].as_f64().unwrap_or_default()).sum()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A 64-bit integer, which JSON has as text.
fn integer(value: &Value) -> i64 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{value} is no integer in quotes"))
}

/// A search as the data source sends it.
fn search(query: &str, limit: u32, spss: u32, (start, end): (u64, u64)) -> String {
    let [limit, spss] = [limit, spss].map(|number| number.to_string());
    let [start, end] = [start, end].map(|second| second.to_string());
    with_query("/api/search", &[("q", query), ("limit", &limit), ("spss", &spss), ("start", &start), ("end", &end)])
}

/// A range query as the data source sends it.
fn range(query: &str, step: &str, (start, end): (u64, u64)) -> String {
    let [start, end] = [start, end].map(|second| second.to_string());
    with_query("/api/metrics/query_range", &[("q", query), ("start", &start), ("end", &end), ("step", step)])
}

/// An instant query as the data source sends it.
fn instant(query: &str, (start, end): (u64, u64)) -> String {
    let [start, end] = [start, end].map(|second| second.to_string());
    with_query("/api/metrics/query", &[("q", query), ("start", &start), ("end", &end)])
}
