use niente_engine::Inspected;
use std::collections::BTreeSet;

use niente_engine::ServiceStats as EngineStats;
use niente_model::{Nanos, StatusCode, Value};
use serde_json::{Value as Json, json};

use super::*;

fn check(answer: &SearchAnswer, detail: Detail, expected: &str) {
    let body = String::from_utf8(to_json(answer, detail, Client::Other)).unwrap();
    assert_eq!(body, expected);
    only_allowed_fields(&serde_json::from_str(&body).unwrap());
}

/// Fails for any field that Grafana's parser doesn't know: it would refuse the answer.
fn only_allowed_fields(answer: &Json) {
    check_fields(
        answer,
        &json!({
            "traces": [{
                "traceID": 0, "rootServiceName": 0, "rootTraceName": 0, "startTimeUnixNano": 0, "durationMs": 0,
                "spanSet": "SpanSet", "spanSets": ["SpanSet"],
                "serviceStats": {"*": {"spanCount": 0, "errorCount": 0}},
            }],
            "metrics": {
                "inspectedTraces": 0, "inspectedBytes": 0, "totalBlocks": 0, "completedJobs": 0, "totalJobs": 0,
                "totalBlockBytes": 0,
            },
        }),
    );
}

/// Follows an answer along a list of what it may have. `*` is any key, 0 a scalar, a text another list.
fn check_fields(found: &Json, allowed: &Json) {
    let key_value = json!({"key": 0, "value": {"stringValue": 0, "intValue": 0, "doubleValue": 0, "boolValue": 0}});
    match (found, allowed) {
        (found, Json::String(name)) if name == "SpanSet" => check_fields(
            found,
            &json!({
                "spans": [{
                    "spanID": 0, "name": 0, "startTimeUnixNano": 0, "durationNanos": 0, "attributes": [key_value],
                }],
                "matched": 0,
                "attributes": [key_value],
            }),
        ),
        (Json::Object(fields), Json::Object(allowed)) => {
            for (key, value) in fields {
                let Some(allowed) = allowed.get(key).or(allowed.get("*")) else {
                    panic!("the field {key} is none that Grafana knows here")
                };
                check_fields(value, allowed);
            }
        }
        (Json::Array(found), Json::Array(allowed)) => found.iter().for_each(|found| check_fields(found, &allowed[0])),
        (found, allowed) => {
            assert!(allowed.is_number(), "{found} is none of the forms that Grafana knows here: {allowed}");
            assert!(!found.is_object() && !found.is_array() && !found.is_null(), "{found} should be a scalar");
        }
    }
}

fn span(id: &str, attributes: Vec<(&str, Shown)>) -> FoundSpan {
    FoundSpan {
        span_id: id.parse().unwrap(),
        name: None,
        start: Nanos::from_secs(1_700_000_000),
        duration: Nanos::ZERO,
        attributes: attributes.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
    }
}

fn spanset(spans: Vec<FoundSpan>) -> FoundSpanset {
    FoundSpanset { matched: spans.len(), spans, attributes: vec![] }
}

fn trace(spansets: Vec<FoundSpanset>) -> FoundTrace {
    FoundTrace {
        trace_id: "5b2f1c".parse().unwrap(),
        start: Nanos::from_secs(1_700_000_000),
        duration: Nanos::ZERO,
        root_service: String::new(),
        root_name: String::new(),
        services: BTreeMap::new(),
        spansets,
    }
}

fn answer(spansets: Vec<FoundSpanset>) -> SearchAnswer {
    SearchAnswer { traces: vec![trace(spansets)], ..SearchAnswer::default() }
}

/// A trace with something in every field.
fn full_answer() -> SearchAnswer {
    let mut spanset = spanset(vec![
        FoundSpan {
            name: Some("GET /cart".into()),
            duration: Nanos::new(120_000_000).unwrap(),
            ..span("a1", vec![("status", Shown::Status(StatusCode::ERROR)), ("n", Shown::Int(5))])
        },
        span("b2", vec![]),
    ]);
    spanset.matched = 7;
    spanset.attributes = vec![("by(name)".into(), Shown::Str("x".into())), ("count()".into(), Shown::Int(7))];
    let trace = FoundTrace {
        duration: Nanos::new(120_999_999).unwrap(),
        root_service: "shop".into(),
        root_name: "GET /cart".into(),
        services: BTreeMap::from([
            ("shop".into(), EngineStats { spans: 12, errors: 1 }),
            (String::new(), EngineStats { spans: 1, errors: 0 }),
        ]),
        ..trace(vec![spanset])
    };
    let inspected = Inspected { traces: 3, spans: 40, bytes: 12_345, objects: 2, object_bytes: 99_999 };
    SearchAnswer { traces: vec![trace], inspected }
}

#[test]
fn nothing_found() {
    check(&SearchAnswer::default(), Detail::Spansets, r#"{"traces":[],"metrics":{}}"#);
    check(&SearchAnswer::default(), Detail::Trace, r#"{"traces":[],"metrics":{}}"#);
}

#[test]
fn every_field() {
    let spanset = concat!(
        r#"{"spans":[{"spanID":"00000000000000a1","name":"GET /cart","startTimeUnixNano":"1700000000000000000","#,
        r#""durationNanos":"120000000","attributes":[{"key":"status","value":{"stringValue":"error"}},"#,
        r#"{"key":"n","value":{"intValue":"5"}}]},"#,
        r#"{"spanID":"00000000000000b2","startTimeUnixNano":"1700000000000000000"}],"matched":7,"#,
        r#""attributes":[{"key":"by(name)","value":{"stringValue":"x"}},{"key":"count()","value":{"intValue":"7"}}]}"#,
    );
    let expected = [
        r#"{"traces":[{"traceID":"5b2f1c","rootServiceName":"shop","rootTraceName":"GET /cart","#,
        r#""startTimeUnixNano":"1700000000000000000","durationMs":120,"spanSet":"#,
        spanset,
        r#","spanSets":["#,
        spanset,
        r#"],"serviceStats":{"":{"spanCount":1},"shop":{"spanCount":12,"errorCount":1}}}],"#,
        r#""metrics":{"inspectedTraces":3,"inspectedBytes":"12345","totalBlocks":2,"completedJobs":2,"totalJobs":2,"#,
        r#""totalBlockBytes":"99999"}}"#,
    ];
    check(&full_answer(), Detail::Spansets, &expected.concat());
}

#[test]
fn legacy_tags_show_traces_alone() {
    let expected = concat!(
        r#"{"traces":[{"traceID":"5b2f1c","rootServiceName":"shop","rootTraceName":"GET /cart","#,
        r#""startTimeUnixNano":"1700000000000000000","durationMs":120}],"#,
        r#""metrics":{"inspectedTraces":3,"inspectedBytes":"12345","totalBlocks":2,"completedJobs":2,"totalJobs":2,"#,
        r#""totalBlockBytes":"99999"}}"#,
    );
    check(&full_answer(), Detail::Trace, expected);
}

#[test]
fn a_trace_without_root_or_spans() {
    let expected = concat!(
        r#"{"traces":[{"traceID":"5b2f1c","rootServiceName":"<root span not yet received>","#,
        r#""startTimeUnixNano":"1700000000000000000","spanSet":{"spans":[]},"spanSets":[{"spans":[]}]}],"metrics":{}}"#,
    );
    check(&answer(vec![spanset(vec![])]), Detail::Spansets, expected);
}

#[test]
fn only_a_lone_spanset_has_the_deprecated_copy() {
    let body: Json = serde_json::from_slice(&to_json(
        &answer(vec![spanset(vec![span("1", vec![])]), spanset(vec![span("2", vec![])])]),
        Detail::Spansets,
        Client::Other,
    ))
    .unwrap();
    assert_eq!(body["traces"][0]["spanSets"].as_array().unwrap().len(), 2);
    assert!(body["traces"][0].get("spanSet").is_none());
}

#[test]
fn numbers_that_fit_no_field_are_the_largest_that_do() {
    let mut answer = answer(vec![]);
    answer.traces[0].duration = Nanos::MAX;
    answer.inspected.traces = u64::MAX;
    let body: Json = serde_json::from_slice(&to_json(&answer, Detail::Spansets, Client::Other)).unwrap();
    assert_eq!(body["traces"][0]["durationMs"], u32::MAX);
    assert_eq!(body["metrics"]["inspectedTraces"], u32::MAX);
}

/// Which kinds of value each key has, over the attributes of all spans and apart from that of all spansets.
fn kinds(answer: &SearchAnswer) -> BTreeSet<String> {
    let body: Json = serde_json::from_slice(&to_json(answer, Detail::Spansets, Client::Other)).unwrap();
    only_allowed_fields(&body);
    let mut kinds = BTreeSet::new();
    let mut see = |place: &str, attributes: &Json| {
        for attribute in attributes.as_array().into_iter().flatten() {
            let kind = attribute["value"].as_object().unwrap().keys().next().expect("no attribute is without a value");
            kinds.insert(format!("{place} {} {kind}", attribute["key"].as_str().unwrap()));
        }
    };
    for trace in body["traces"].as_array().unwrap() {
        for spanset in trace["spanSets"].as_array().unwrap() {
            see("set", &spanset["attributes"]);
            spanset["spans"].as_array().unwrap().iter().for_each(|span| see("span", &span["attributes"]));
        }
    }
    kinds
}

#[test]
fn kinds_are_uniform_over_all_traces_apart_for_spans_and_spansets() {
    let mut first = spanset(vec![
        span("1", vec![("code", Shown::Int(200)), ("ratio", Shown::Int(1)), ("nestedSetLeft", Shown::Int(1))]),
        span("2", vec![("flags", Shown::Array(vec![Value::Bool(true)])), ("b", Shown::Bool(true))]),
    ]);
    first.attributes = vec![("code".into(), Shown::Int(200)), ("avg(x)".into(), Shown::Int(1))];
    let mut second = spanset(vec![span("3", vec![("code", Shown::Str("n/a".into())), ("ratio", Shown::Float(0.5))])]);
    second.attributes = vec![("code".into(), Shown::Int(404)), ("avg(x)".into(), Shown::Float(1.5))];

    let mut answer = answer(vec![first]);
    answer.traces.push(trace(vec![second]));
    let expected = [
        "set avg(x) doubleValue",
        "set code intValue",
        "span b boolValue",
        "span code stringValue",
        "span flags stringValue",
        "span nestedSetLeft intValue",
        "span ratio doubleValue",
    ];
    assert_eq!(kinds(&answer), expected.into_iter().map(str::to_owned).collect());
}
