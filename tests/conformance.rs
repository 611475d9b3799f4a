//! The recorded answers of Tempo 3.0.3: the cases of `check.py`, compared in the same way.

mod metrics;

use std::{collections::BTreeMap, sync::Arc};

use niente_store::{FolderStore, MemoryStore, S3Location, S3Options, S3Store, Store, testing::S3Server};
use serde_json::{Value, json};

use crate::harness::{Case, InProcess, Stage, cases, requests, without_counters};

/// What is recorded.
const CATEGORIES: [&str; 16] = [
    "array",
    "bad_params",
    "filter",
    "intrinsic",
    "invalid",
    "metrics_compare",
    "metrics_instant",
    "metrics_range",
    "nil",
    "pipeline",
    "scope",
    "spanset",
    "tag_values",
    "tags",
    "tags_search",
    "trace_by_id",
];

/// Recorded answers that can't be given, by the start of their query, and why.
const CONTRADICTED: [(&str, &str); 5] = [
    // Ten of the 68 traces can be told only by the order in which siblings arrived. Here the order is by start, whatever
    // came first: answers don't depend on batching.
    ("/api/search?end=1793585400&limit=5000&q=%7B+nestedSetRight+%3E+20+%7D&", "numbered by arrival"),
    // The exact quantile is farther than a factor of two from the recorded one, which lies between two buckets far apart or
    // leaves out durations under two nanoseconds.
    (
        "/api/metrics/query_range?end=1793585400&q=%7B+%7D+%7C+quantile_over_time%28duration%2C+.5%2C+.9%2C+.99%29&",
        "not within a factor of two of the exact quantile",
    ),
    (
        "/api/metrics/query?end=1793585400&q=%7B+%7D+%7C+quantile_over_time%28duration%2C+.5%2C+.9%2C+.99%29&",
        "not within a factor of two of the exact quantile",
    ),
    (
        "/api/metrics/query_range?end=1793585400&q=%7B+resource.service.name+%3D+%22frontend%22+%26%26+kind+%3D+server+%7D+\
         %7C+quantile_over_time%28duration%2C+0%2C+.25%2C+1%29&",
        "not within a factor of two of the exact quantile",
    ),
    // Spans are counted twice by an attribute that the filter mentions.
    (
        "/api/metrics/query?end=1793585400&q=%7B+resource.service.name+%3D+%22frontend%22+%7D+%7C+compare",
        "counted twice",
    ),
];

/// Tempo's tag endpoints pass over the attributes that it has columns of its own for, though its documentation says that
/// they are listed: their names, their values, and conditions on them. Nobody would want that, so these answers have more.
const IN_TEMPOS_COLUMNS: [&str; 5] = ["http.method", "http.route", "http.url", "k8s.cluster.name", "k8s.pod.name"];
const WITHOUT_THEM: [&str; 9] = [
    "/api/search/tag/http.method/values?end=1793585400&start=1793577000",
    "/api/search/tags?end=1793585400&start=1793577000",
    "/api/v2/search/tag/resource.service.name/values?end=1793585400&limit=2000&q=%7B+span.http.method+%3D+%22GET%22",
    "/api/v2/search/tag/span.http.method/values?end=1793585400&limit=2000&start=1793577000",
    "/api/v2/search/tag/span.http.status_code/values?end=1793585400&limit=2000&q=%7B+resource.service.name",
    "/api/v2/search/tag/span.http.status_code/values?end=1793585400&limit=2000&start=1793577000",
    "/api/v2/search/tags?end=1793585400&scope=resource&start=1793577000",
    "/api/v2/search/tags?end=1793585400&scope=span&start=1793577000",
    "/api/v2/search/tags?end=1793585400&start=1793577000",
];

/// The recorded cases of what is built.
fn built() -> Vec<Case> {
    cases().into_iter().filter(|case| CATEGORIES.contains(&case.text("category"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_those_of_tempo() {
    let server = served(Arc::new(MemoryStore::new())).await;
    let mut compared: BTreeMap<String, usize> = BTreeMap::new();
    let mut failures = Vec::new();
    for case in built() {
        *compared.entry(case.text("category").to_owned()).or_default() += 1;
        if let Err(why) = compare(&server, &case).await {
            failures.push(format!("{}\n  {why}", case.path_and_query()));
        }
    }
    assert_eq!(compared.len(), CATEGORIES.len(), "{compared:?}");
    assert_eq!(compared.values().sum::<usize>(), 392, "{compared:?}");
    let ours = || CONTRADICTED.iter().map(|(query, _)| query).chain(&WITHOUT_THEM);
    let (known, new): (Vec<_>, Vec<_>) =
        failures.into_iter().partition(|failure| ours().any(|query| failure.starts_with(query)));
    assert!(new.is_empty(), "{} failed:\n{}", new.len(), new.join("\n"));
    let passes = |query: &&&str| !known.iter().any(|failure| failure.starts_with(**query));
    assert_eq!(ours().find(passes), None, "passes after all");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_those_of_tempo_and_those_that_it_passes_over() {
    let server = served(Arc::new(MemoryStore::new())).await;
    let mut compared = 0;
    for case in cases().iter().filter(|case| case.text("category") == "tags") {
        let body: Value = serde_json::from_slice(server.get(&case.path_and_query()).await.body()).unwrap();
        let names = |answer: &Value| -> Vec<String> {
            let lists = answer.as_object().into_iter().flatten().map(|(_, names)| names);
            let lists: Vec<&Value> = if answer.is_array() { vec![answer] } else { lists.collect() };
            lists.into_iter().flat_map(list).map(|name| name.as_str().unwrap().to_owned()).collect()
        };
        let mut ours = names(&if case.text("kind") == "tags_v1" { sorted(&body["tagNames"]) } else { tags(&body) });
        ours.retain(|name| !IN_TEMPOS_COLUMNS.contains(&name.as_str()));
        assert_eq!(ours, names(&case.0["answer"]), "{}", case.path_and_query());
        compared += 1;
    }
    assert_eq!(compared, 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_store_and_stage_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let s3 = S3Server::start().await;
    let reference = answers(&served(Arc::new(MemoryStore::new())).await).await;
    for store in [
        Arc::new(MemoryStore::new()) as Arc<dyn Store>,
        Arc::new(FolderStore::open(folder.path()).unwrap()),
        Arc::new(s3.store("conformance").await),
    ] {
        check_stages(store, &reference).await;
    }
}

/// Another implementation of S3, where one is named: see `.ci/s3-servers`.
#[tokio::test(flavor = "multi_thread")]
async fn so_does_the_s3_server_that_the_environment_names() {
    let Ok(endpoint) = std::env::var("NIENTE_TEST_S3_ENDPOINT") else {
        eprintln!("SKIPPED: NIENTE_TEST_S3_ENDPOINT names no S3 server");
        return;
    };
    let bucket = std::env::var("NIENTE_TEST_S3_BUCKET").unwrap();
    let location: S3Location = format!("s3://{bucket}/conformance-{:016x}", fastrand::u64(..)).parse().unwrap();
    let options = S3Options { endpoint: Some(endpoint), ..S3Options::default() };
    let store = S3Store::connect(location, options).await.unwrap();
    let reference = answers(&served(Arc::new(MemoryStore::new())).await).await;
    check_stages(Arc::new(store), &reference).await;
}

async fn served(store: Arc<dyn Store>) -> InProcess {
    let server = InProcess::over(store);
    for request in requests() {
        server.push(request).await;
    }
    server
}

/// Before, during and after compaction.
async fn check_stages(store: Arc<dyn Store>, reference: &[String]) {
    let server = served(store.clone()).await;
    let same = |stage: &str, found: &[String]| {
        let differ =
            built().into_iter().zip(reference.iter().zip(found)).find(|(_, (expected, found))| expected != found);
        assert!(differ.is_none(), "{stage} over {store:?}: {:?}", differ.map(|(case, _)| case.path_and_query()));
    };
    same("level 0", &answers(&server).await);
    server.compact(Stage::Open).await;
    same("open hours", &answers(&server).await);
    let ((), found) = futures::join!(server.compact(Stage::Final), answers(&server));
    same("under way", &found);
    same("final", &answers(&server).await);
}

async fn answers(server: &InProcess) -> Vec<String> {
    let mut answers = Vec::new();
    for case in built() {
        let answer = server.get(&case.path_and_query()).await;
        answers.push(format!("{} {}", answer.status(), without_counters(&answer)));
    }
    answers
}

async fn compare(server: &InProcess, case: &Case) -> Result<(), String> {
    let answer = server.get(&case.path_and_query()).await;
    let body = String::from_utf8_lossy(answer.body());
    if Some(u64::from(answer.status().as_u16())) != case.0["status"].as_u64() {
        return Err(format!("status {}: {body}", answer.status()));
    }
    let recorded = &case.0["answer"];
    if recorded.is_null() {
        return Ok(());
    }
    let body: Value = serde_json::from_str(&body).map_err(|error| format!("{error}: {body}"))?;
    if case.text("kind") == "metrics" {
        return metrics::difference(case, &body).map_or(Ok(()), Err);
    }
    let (recorded, ours) = match case.text("kind") {
        "search" => (sorted_search(recorded), sorted_search(&reduced(case, search(&body)))),
        "trace" | "trace_v1" => (recorded_trace(recorded), trace(&body)),
        "tags" => (recorded.clone(), tags(&body)),
        "tags_v1" => (recorded.clone(), sorted(&body["tagNames"])),
        "values" => (sorted(recorded), tag_values(&body)),
        "values_v1" => (recorded.clone(), sorted(&body["tagValues"])),
        kind => return Err(format!("an answer of the unknown kind {kind}")),
    };
    if recorded == ours { Ok(()) } else { Err(difference(&recorded, &ours)) }
}

fn difference(recorded: &Value, ours: &Value) -> String {
    let (recorded, ours) = (list(recorded), list(ours));
    let missing = recorded.iter().find(|item| !ours.contains(item));
    let extra = ours.iter().find(|item| !recorded.contains(item));
    let said = |item: Option<&Value>| item.map(|item| item.to_string().chars().take(600).collect::<String>());
    format!(
        "{} recorded, {} here\n  only recorded: {:?}\n  only here: {:?}",
        recorded.len(),
        ours.len(),
        said(missing),
        said(extra)
    )
}

/// Tag names in the recorded form: by scope.
fn tags(body: &Value) -> Value {
    let of_scope = |scope: &Value| Some((scope["name"].as_str()?.to_owned(), sorted(&scope["tags"])));
    list(&body["scopes"]).iter().filter_map(of_scope).collect::<serde_json::Map<_, _>>().into()
}

/// Tag values in the recorded form: type and text.
fn tag_values(body: &Value) -> Value {
    let value = |value: &Value| json!([value["type"], or(&value["value"], "")]);
    sorted(&list(&body["tagValues"]).iter().map(value).collect())
}

/// A search's answer in the recorded form.
fn search(body: &Value) -> Value {
    let span = |span: &Value| {
        json!({
            "spanID": span["spanID"],
            "name": or(&span["name"], ""),
            "start": span["startTimeUnixNano"],
            "duration": or(&span["durationNanos"], "0"),
            "attributes": attributes(&span["attributes"]),
        })
    };
    let spanset = |set: &Value| {
        json!({
            "matched": set["matched"].as_u64().unwrap_or_default(),
            "attributes": attributes(&set["attributes"]),
            "spans": list(&set["spans"]).iter().map(span).collect::<Vec<_>>(),
        })
    };
    let stats = |stats: &Value| {
        json!([stats["spanCount"].as_u64().unwrap_or_default(), stats["errorCount"].as_u64().unwrap_or_default()])
    };
    let trace = |trace: &Value| {
        let services = trace["serviceStats"].as_object().into_iter().flatten();
        json!({
            "traceID": trace["traceID"],
            "rootServiceName": or(&trace["rootServiceName"], ""),
            "rootTraceName": or(&trace["rootTraceName"], ""),
            "start": trace["startTimeUnixNano"],
            "durationMs": trace["durationMs"].as_u64().unwrap_or_default(),
            "spanSets": list(&trace["spanSets"]).iter().map(spanset).collect::<Vec<_>>(),
            "serviceStats": services.map(|(name, of)| (name.clone(), stats(of))).collect::<serde_json::Map<_, _>>(),
        })
    };
    list(&body["traces"]).iter().map(trace).collect()
}

/// What the case compares of it: rooted traces only, or IDs only.
fn reduced(case: &Case, answer: Value) -> Value {
    let rootless = ["", "<root span not yet received>"];
    let mut traces = list(&answer).to_vec();
    if case.is("rooted_only") {
        traces.retain(|trace| !rootless.contains(&trace["rootServiceName"].as_str().unwrap_or_default()));
    }
    if case.is("ids_only") {
        let ids = |set: &Value| {
            let ids: Value = list(&set["spans"]).iter().map(|span| span["spanID"].clone()).collect();
            json!([set["matched"], sorted(&ids)])
        };
        let sets = |trace: &Value| list(&trace["spanSets"]).iter().map(ids).collect::<Vec<_>>();
        return traces.iter().map(|trace| json!([trace["traceID"], sets(trace)])).collect();
    }
    traces.into()
}

/// Sorted wherever the recorded form is, by an order of our own.
fn sorted_search(traces: &Value) -> Value {
    let set = |set: &Value| match set {
        Value::Object(_) => {
            json!({"matched": set["matched"], "attributes": sorted(&set["attributes"]), "spans": sorted(&list(&set["spans"]).iter().map(|span| {
                let mut span = span.clone();
                span["attributes"] = sorted(&span["attributes"]);
                span
            }).collect())})
        }
        ids => ids.clone(),
    };
    let trace = |trace: &Value| {
        let mut trace = trace.clone();
        let sets = if trace.is_object() { &mut trace["spanSets"] } else { &mut trace[1] };
        *sets = sorted(&list(sets).iter().map(set).collect());
        trace
    };
    sorted(&list(traces).iter().map(trace).collect())
}

/// A trace in the recorded form: groups of spans by resource and scope.
fn trace(body: &Value) -> Value {
    let body = if body["trace"].is_object() { &body["trace"] } else { body };
    let resources = if body["resourceSpans"].is_array() { &body["resourceSpans"] } else { &body["batches"] };
    let mut groups: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for resource in list(resources) {
        for of_scope in list(&resource["scopeSpans"]) {
            let scope = &of_scope["scope"];
            let key = json!([
                attributes(&resource["resource"]["attributes"]),
                or(&scope["name"], ""),
                or(&scope["version"], ""),
                attributes(&scope["attributes"]),
            ]);
            groups.entry(key.to_string()).or_default().extend(list(&of_scope["spans"]).iter().map(recorded_span));
        }
    }
    let group = |(key, spans): (String, Vec<Value>)| {
        let key: Value = serde_json::from_str(&key).unwrap_or_default();
        json!([key, sorted(&spans.into())])
    };
    sorted(&groups.into_iter().map(group).collect())
}

fn recorded_span(span: &Value) -> Value {
    let with_attributes = |items: &Value| {
        let items = list(items).iter().map(|item| {
            let mut item = item.clone();
            item["attributes"] = attributes(&item["attributes"]);
            item
        });
        sorted(&items.collect())
    };
    let mut span = span.clone();
    for field in ["events", "links"] {
        span[field] = with_attributes(&span[field]);
    }
    span["attributes"] = attributes(&span["attributes"]);
    let nothing = [json!([]), json!({}), json!("")];
    let fields = span.as_object().into_iter().flatten().filter(|(_, value)| !nothing.contains(value));
    fields.map(|(name, value)| (name.clone(), value.clone())).collect::<serde_json::Map<_, _>>().into()
}

/// The recorded groups, their keys read from the texts that Python made of them.
fn recorded_trace(groups: &Value) -> Value {
    let parsed =
        |text: &Value| -> Value { serde_json::from_str(text.as_str().unwrap_or_default()).unwrap_or_default() };
    let group = |group: &Value| {
        let key = &group[0];
        let key = json!([sorted(&parsed(&key[0])), key[1], key[2], sorted(&parsed(&key[3]))]);
        let span = |span: &Value| {
            let mut span = span.clone();
            for field in ["attributes", "events", "links"] {
                if span[field].is_array() {
                    let items = list(&span[field]).iter().map(|item| {
                        let mut item = item.clone();
                        if item["attributes"].is_array() {
                            item["attributes"] = sorted(&item["attributes"]);
                        }
                        item
                    });
                    span[field] = sorted(&items.collect());
                }
            }
            span.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            span
        };
        json!([key, sorted(&list(&group[1]).iter().map(span).collect())])
    };
    sorted(&list(groups).iter().map(group).collect())
}

/// Attributes as sorted pairs of key and value.
fn attributes(attributes: &Value) -> Value {
    let pair = |attribute: &Value| {
        let value = if attribute["value"].is_null() { json!({}) } else { attribute["value"].clone() };
        json!([attribute["key"], value])
    };
    sorted(&list(attributes).iter().map(pair).collect())
}

fn sorted(items: &Value) -> Value {
    let mut items = list(items).to_vec();
    items.sort_by_cached_key(Value::to_string);
    items.into()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn or(value: &Value, default: &str) -> Value {
    if value.is_null() { default.into() } else { value.clone() }
}
