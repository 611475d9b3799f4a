//! One type for all values of an attribute key.
//!
//! Grafana makes a table column of each key, with the type of one of its values, and its plugin panics at a value of
//! another type, at arrays and at nothing at all. So the types of all values are known before the first is written.
//! `nil` has no type: next to numbers it is left out for Grafana, and for all others written as Tempo does.

use std::collections::HashMap;

use niente_engine::Shown;
use serde::Serialize;

use crate::json::{as_double, as_text, plain};

/// An attribute value as answers have it: one of the scalars of OTLP's `AnyValue`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) enum AnyValue {
    #[serde(rename = "stringValue")]
    Str(String),
    #[serde(rename = "boolValue")]
    Bool(bool),
    #[serde(rename = "intValue", serialize_with = "as_text")]
    Int(i64),
    #[serde(rename = "doubleValue", serialize_with = "as_double")]
    Float(f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Text,
    Bool,
    Int,
    Double,
}

/// Who reads an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// Grafana's plugins, which panic at a column with values of several types.
    Grafana,
    /// Anybody else.
    Other,
}

/// The types of all keys of an answer.
#[derive(Debug)]
pub(crate) struct Columns<'a> {
    types: HashMap<&'a str, Type>,
    client: Client,
}

impl<'a> Columns<'a> {
    /// The types that fit all of these attributes.
    pub(crate) fn of(attributes: impl IntoIterator<Item = &'a (String, Shown)>, client: Client) -> Self {
        let mut types = HashMap::new();
        for (key, value) in attributes {
            if let Some(own) = type_of(value) {
                types.entry(key.as_str()).and_modify(|common| *common = common_type(*common, own)).or_insert(own);
            }
        }
        Self { types, client }
    }

    /// A value in the type of its key; none if it is to be left out.
    pub(crate) fn write(&self, key: &str, value: &Shown) -> Option<AnyValue> {
        // Traces Drilldown reads the nested sets' numbers as integers only.
        let column = if key.starts_with("nestedSet") { None } else { self.types.get(key).copied() };
        Some(match (column.or(type_of(value)), value) {
            (Some(Type::Int | Type::Bool | Type::Double), Shown::Nil) if self.client == Client::Grafana => return None,
            (Some(Type::Int), Shown::Int(number)) => AnyValue::Int(*number),
            (Some(Type::Bool), Shown::Bool(truth)) => AnyValue::Bool(*truth),
            (Some(Type::Double), Shown::Float(number)) => AnyValue::Float(*number),
            (Some(Type::Double), Shown::Int(number)) => AnyValue::Float(*number as f64),
            (_, value) => AnyValue::Str(text(value)),
        })
    }
}

fn type_of(value: &Shown) -> Option<Type> {
    match value {
        Shown::Nil => None,
        Shown::Int(_) => Some(Type::Int),
        Shown::Float(_) => Some(Type::Double),
        Shown::Bool(_) => Some(Type::Bool),
        Shown::Str(_) | Shown::Duration(_) | Shown::Status(_) | Shown::Kind(_) | Shown::Array(_) => Some(Type::Text),
    }
}

fn common_type(a: Type, b: Type) -> Type {
    match (a, b) {
        (a, b) if a == b => a,
        (Type::Int | Type::Double, Type::Int | Type::Double) => Type::Double,
        _ => Type::Text,
    }
}

fn text(value: &Shown) -> String {
    match value {
        // People know arrays as JSON has them.
        Shown::Array(values) => values.iter().map(plain).collect::<serde_json::Value>().to_string(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use niente_model::{SpanKind, StatusCode, Value};
    use serde_json::json;

    use super::*;

    /// Values of one key, and how they are written side by side.
    fn check(key: &str, values: &[Shown], expected: serde_json::Value) {
        check_for(Client::Other, key, values, expected);
    }

    fn check_for(client: Client, key: &str, values: &[Shown], expected: serde_json::Value) {
        let attributes: Vec<_> = values.iter().map(|value| (key.to_owned(), value.clone())).collect();
        let columns = Columns::of(&attributes, client);
        let written: Vec<_> = attributes.iter().filter_map(|(key, value)| columns.write(key, value)).collect();
        assert_eq!(serde_json::to_value(written).unwrap(), expected, "{values:?}");
    }

    #[test]
    fn values_alone_keep_their_type() {
        for (value, expected) in [
            (Shown::Nil, json!({"stringValue": "nil"})),
            (Shown::Str("".into()), json!({"stringValue": ""})),
            (Shown::Int(i64::MIN), json!({"intValue": "-9223372036854775808"})),
            (Shown::Float(0.1), json!({"doubleValue": 0.1})),
            (Shown::Float(f64::NAN), json!({"doubleValue": "NaN"})),
            (Shown::Float(f64::NEG_INFINITY), json!({"doubleValue": "-Infinity"})),
            (Shown::Bool(false), json!({"boolValue": false})),
            (Shown::Duration(60_055_000_000), json!({"stringValue": "1m0.055s"})),
            (Shown::Status(StatusCode::ERROR), json!({"stringValue": "error"})),
            (Shown::Status(StatusCode(7)), json!({"stringValue": "7"})),
            (Shown::Kind(SpanKind::CLIENT), json!({"stringValue": "client"})),
            (Shown::Kind(SpanKind(-1)), json!({"stringValue": "-1"})),
            (Shown::Array(vec![]), json!({"stringValue": "[]"})),
            (
                Shown::Array(vec![Value::from("a\"b"), 1.into(), 0.5.into(), true.into()]),
                json!({"stringValue": r#"["a\"b",1,0.5,true]"#}),
            ),
        ] {
            check("x", &[value], json!([expected]));
        }
    }

    #[test]
    fn mixed_types_become_one() {
        let (int, float, text) = (|| Shown::Int(200), || Shown::Float(0.5), || Shown::Str("n/a".into()));
        check("x", &[int(), float()], json!([{"doubleValue": 200}, {"doubleValue": 0.5}]));
        check("x", &[int(), text()], json!([{"stringValue": "200"}, {"stringValue": "n/a"}]));
        check(
            "x",
            &[float(), int(), Shown::Bool(true)],
            json!([{"stringValue": "0.5"}, {"stringValue": "200"}, {"stringValue": "true"}]),
        );
        check("x", &[int(), Shown::Array(vec![1.into()])], json!([{"stringValue": "200"}, {"stringValue": "[1]"}]));
    }

    #[test]
    fn nil_is_left_out_next_to_numbers_where_it_would_hurt() {
        let values = [Shown::Nil, Shown::Int(200)];
        check("x", &values, json!([{"stringValue": "nil"}, {"intValue": "200"}]));
        check_for(Client::Grafana, "x", &values, json!([{"intValue": "200"}]));
        check_for(
            Client::Grafana,
            "x",
            &[Shown::Nil, Shown::Str("a".into())],
            json!([{"stringValue": "nil"}, {"stringValue": "a"}]),
        );
        check_for(Client::Grafana, "x", &[Shown::Nil], json!([{"stringValue": "nil"}]));
    }

    #[test]
    fn numbers_of_nested_sets_stay_integers() {
        check("nestedSetLeft", &[Shown::Int(1), Shown::Float(0.5)], json!([{"intValue": "1"}, {"doubleValue": 0.5}]));
    }
}
