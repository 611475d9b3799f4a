use bytes::Bytes;
use http::{HeaderValue, Response, header::HeaderName};
use niente_block::Vocabulary;
use niente_engine::{Inspected, TagNames, TagScope, TagValues};
use niente_model::Value;
use niente_traceql::{Field, Intrinsic, Literal};
use serde::Serialize;

use super::request::Intrinsics;
use crate::{inspection::InspectedBytes, response};

/// Says that a limit left something out: `limit` or `maxStaleValues` in Tempo do so without a word.
const PARTIAL: HeaderName = HeaderName::from_static("x-niente-partial");

/// The built-in fields, as Tempo lists them.
const INTRINSICS: [&str; 25] = [
    "duration",
    "event:name",
    "event:timeSinceStart",
    "instrumentation:name",
    "instrumentation:version",
    "kind",
    "link:spanID",
    "link:traceID",
    "name",
    "rootName",
    "rootServiceName",
    "span:duration",
    "span:id",
    "span:kind",
    "span:name",
    "span:parentID",
    "span:status",
    "span:statusMessage",
    "status",
    "statusMessage",
    "trace:duration",
    "trace:id",
    "trace:rootName",
    "trace:rootService",
    "traceDuration",
];

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct NamesV1<'a> {
    tag_names: Vec<&'a str>,
    metrics: InspectedBytes,
}

#[derive(Debug, Serialize)]
struct NamesV2<'a> {
    scopes: Vec<Scope<'a>>,
    metrics: InspectedBytes,
}

#[derive(Debug, Serialize)]
struct Scope<'a> {
    name: &'static str,
    tags: Vec<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ValuesV1 {
    tag_values: Vec<String>,
    metrics: InspectedBytes,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ValuesV2 {
    tag_values: Vec<TagValue>,
    metrics: InspectedBytes,
}

#[derive(Debug, Serialize)]
struct TagValue {
    r#type: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    value: String,
}

/// All names in one list. Built-in fields are in it only if nothing else was asked for.
pub(crate) fn names_v1(answer: &TagNames, intrinsics: Intrinsics, limit: usize) -> Response<Bytes> {
    let mut names: Vec<&str> = match intrinsics {
        Intrinsics::Alone => INTRINSICS.to_vec(),
        Intrinsics::No | Intrinsics::WithEverything => {
            answer.scopes.iter().flat_map(|(_, names)| texts(names)).collect()
        }
    };
    names.sort_unstable();
    names.dedup();
    let cut = names.len() > limit || answer.scopes.iter().any(|(_, names)| names.is_cut());
    names.truncate(limit);
    respond(&NamesV1 { tag_names: names, metrics: metrics(answer.inspected) }, cut)
}

/// The names by scope; scopes without any are left out.
pub(crate) fn names_v2(answer: &TagNames, intrinsics: Intrinsics) -> Response<Bytes> {
    let stored =
        answer.scopes.iter().map(|(scope, names)| Scope { name: scope_name(*scope), tags: texts(names).collect() });
    let built_in = Scope { name: "intrinsic", tags: INTRINSICS.to_vec() };
    let built_in = (intrinsics != Intrinsics::No).then_some(built_in);
    let scopes = stored.filter(|scope| !scope.tags.is_empty()).chain(built_in).collect();
    let cut = answer.scopes.iter().any(|(_, names)| names.is_cut());
    respond(&NamesV2 { scopes, metrics: metrics(answer.inspected) }, cut)
}

/// The values as texts, whatever their types.
pub(crate) fn values_v1(answer: &TagValues) -> Response<Bytes> {
    let mut values: Vec<String> = answer.values.values().map(text).collect();
    values.sort_unstable();
    values.dedup();
    respond(&ValuesV1 { tag_values: values, metrics: metrics(answer.inspected) }, answer.values.is_cut())
}

/// The values of this field with their types, which tell Grafana how to write them in a query.
pub(crate) fn values_v2(answer: &TagValues, field: &Field) -> Response<Bytes> {
    let keywords = matches!(field, Field::Intrinsic(Intrinsic::Status | Intrinsic::Kind));
    let value = |value| TagValue { r#type: if keywords { "keyword" } else { type_name(value) }, value: text(value) };
    let tag_values = answer.values.values().map(value).collect();
    respond(&ValuesV2 { tag_values, metrics: metrics(answer.inspected) }, answer.values.is_cut())
}

fn respond(body: &impl Serialize, cut: bool) -> Response<Bytes> {
    let mut response = response::ok_json(body);
    if cut {
        response.headers_mut().insert(PARTIAL, HeaderValue::from_static("limit"));
    }
    response
}

fn metrics(inspected: Inspected) -> InspectedBytes {
    InspectedBytes { inspected_bytes: inspected.bytes }
}

fn texts(names: &Vocabulary) -> impl Iterator<Item = &str> {
    names.values().filter_map(|name| if let Value::Str(text) = name { Some(text.as_str()) } else { None })
}

fn scope_name(scope: TagScope) -> &'static str {
    match scope {
        TagScope::Resource => "resource",
        TagScope::Span => "span",
        TagScope::Event => "event",
        TagScope::Link => "link",
        TagScope::Instrumentation => "instrumentation",
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Int(_) => "int",
        Value::Float(_) => "float",
        Value::Bool(_) => "bool",
        Value::Str(_) | Value::Empty | Value::Bytes(_) | Value::Array(_) | Value::Map(_) => "string",
    }
}

/// As a query would have it, but for quotes: a whole double is `1.0`, since `1` would meet integers only.
fn text(value: &Value) -> String {
    match value {
        Value::Str(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => Literal::Float(*number).to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Empty | Value::Bytes(_) | Value::Array(_) | Value::Map(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use niente_block::Bounds;
    use niente_traceql::parse_field;

    use super::*;

    fn list(values: &[Value], most: usize) -> Vocabulary {
        let mut list = Vocabulary::new(Bounds { values: most, bytes: 1_000 });
        values.iter().for_each(|value| list.add(value));
        list
    }

    fn names(most: usize) -> TagNames {
        let of = |names: &[&str]| list(&names.iter().map(|name| Value::from(*name)).collect::<Vec<_>>(), most);
        let scopes = vec![
            (TagScope::Resource, of(&["service.name", "foo"])),
            (TagScope::Span, of(&["foo", "a"])),
            (TagScope::Event, of(&[])),
        ];
        TagNames { scopes, inspected: Inspected { bytes: 12_909, ..Inspected::default() } }
    }

    fn body(response: Response<Bytes>) -> String {
        String::from_utf8(response.into_body().into()).unwrap()
    }

    #[test]
    fn names_have_scopes_or_are_one_list() {
        let metrics = r#""metrics":{"inspectedBytes":"12909"}"#;
        assert_eq!(
            body(names_v2(&names(9), Intrinsics::No)),
            format!(
                r#"{{"scopes":[{{"name":"resource","tags":["foo","service.name"]}},{{"name":"span","tags":["a","foo"]}}],{metrics}}}"#
            )
        );
        assert_eq!(
            body(names_v1(&names(9), Intrinsics::WithEverything, 9)),
            format!(r#"{{"tagNames":["a","foo","service.name"],{metrics}}}"#)
        );
        let whole: serde_json::Value =
            serde_json::from_str(&body(names_v2(&names(9), Intrinsics::WithEverything))).unwrap();
        assert_eq!(whole["scopes"][2]["name"], "intrinsic");
        assert_eq!(whole["scopes"][2]["tags"].as_array().unwrap().len(), INTRINSICS.len());
        let nothing = TagNames::default();
        assert_eq!(body(names_v2(&nothing, Intrinsics::No)), r#"{"scopes":[],"metrics":{}}"#);
        assert!(
            body(names_v1(&nothing, Intrinsics::Alone, 100)).starts_with(r#"{"tagNames":["duration","event:name","#)
        );
    }

    #[test]
    fn what_a_limit_cuts_is_marked() {
        let cut = |response: &Response<Bytes>| response.headers().get(PARTIAL).is_some();
        assert!(!cut(&names_v2(&names(2), Intrinsics::No)));
        assert!(cut(&names_v2(&names(1), Intrinsics::No)));
        let response = names_v1(&names(2), Intrinsics::No, 2);
        assert!(cut(&response));
        assert!(body(response).starts_with(r#"{"tagNames":["a","foo"],"#));
    }

    #[test]
    fn values_have_types() {
        let values = [
            Value::from(""),
            Value::from("x"),
            Value::Int(-5),
            Value::Float(1.0),
            Value::Float(0.25),
            Value::Float(1e30),
            Value::Bool(true),
        ];
        let answer = TagValues { values: list(&values, 99), inspected: Inspected::default() };
        assert_eq!(
            body(values_v2(&answer, &parse_field(".x").unwrap())),
            concat!(
                r#"{"tagValues":[{"type":"string"},{"type":"string","value":"x"},{"type":"bool","value":"true"},"#,
                r#"{"type":"int","value":"-5"},{"type":"float","value":"0.25"},{"type":"float","value":"1.0"},"#,
                r#"{"type":"float","value":"1e+30"}],"metrics":{}}"#
            )
        );
        assert_eq!(body(values_v1(&answer)), r#"{"tagValues":["","-5","0.25","1.0","1e+30","true","x"],"metrics":{}}"#);
        let answer = TagValues { values: list(&[Value::from("error")], 99), inspected: Inspected::default() };
        assert_eq!(
            body(values_v2(&answer, &parse_field("span:status").unwrap())),
            r#"{"tagValues":[{"type":"keyword","value":"error"}],"metrics":{}}"#
        );
    }
}
