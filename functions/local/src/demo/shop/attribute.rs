//! OTLP attributes, briefly.

use niente_receive::proto::common::v1::{AnyValue, ArrayValue, KeyValue, any_value::Value};

pub(super) fn text(key: &str, value: impl Into<String>) -> KeyValue {
    pair(key, Value::StringValue(value.into()))
}

pub(super) fn int(key: &str, value: impl Into<i64>) -> KeyValue {
    pair(key, Value::IntValue(value.into()))
}

pub(super) fn float(key: &str, value: f64) -> KeyValue {
    pair(key, Value::DoubleValue(value))
}

pub(super) fn flag(key: &str, value: bool) -> KeyValue {
    pair(key, Value::BoolValue(value))
}

pub(super) fn list(key: &str, values: impl IntoIterator<Item = String>) -> KeyValue {
    let values = values.into_iter().map(|value| AnyValue { value: Some(Value::StringValue(value)) }).collect();
    pair(key, Value::ArrayValue(ArrayValue { values }))
}

fn pair(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}
