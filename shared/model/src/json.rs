use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value as Json, json};

use crate::Value;

/// JSON that is no OTLP `AnyValue`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an OTLP attribute value in JSON: {0}")]
pub struct InvalidValueJson(String);

/// A value in OTLP's JSON encoding: `{"intValue":"5"}`, `{"arrayValue":{"values":[…]}}`.
///
/// Lossless: 64-bit integers are strings, bytes are base64, and doubles that JSON has no number for are the strings
/// `NaN`, `Infinity` and `-Infinity`.
pub fn value_to_json(value: &Value) -> Json {
    match value {
        Value::Empty => json!({}),
        Value::Str(text) => json!({ "stringValue": text }),
        Value::Bool(truth) => json!({ "boolValue": truth }),
        Value::Int(number) => json!({ "intValue": number.to_string() }),
        Value::Float(number) if number.is_finite() => json!({ "doubleValue": number }),
        Value::Float(number) if number.is_nan() => json!({ "doubleValue": "NaN" }),
        Value::Float(number) => json!({ "doubleValue": if *number > 0.0 { "Infinity" } else { "-Infinity" } }),
        Value::Bytes(bytes) => json!({ "bytesValue": STANDARD.encode(bytes) }),
        Value::Array(values) => {
            json!({ "arrayValue": { "values": values.iter().map(value_to_json).collect::<Vec<_>>() } })
        }
        Value::Map(pairs) => json!({ "kvlistValue": { "values": pairs
            .iter()
            .map(|(key, value)| json!({ "key": key, "value": value_to_json(value) }))
            .collect::<Vec<_>>() } }),
    }
}

/// Reads what [`value_to_json`] writes; 64-bit integers may be numbers too.
pub fn value_from_json(json: &Json) -> Result<Value, InvalidValueJson> {
    let wrong = || InvalidValueJson(json.to_string());
    let object = json.as_object().ok_or_else(wrong)?;
    let Some((kind, content)) = object.iter().next() else { return Ok(Value::Empty) };
    Ok(match kind.as_str() {
        "stringValue" => Value::Str(content.as_str().ok_or_else(wrong)?.to_owned()),
        "boolValue" => Value::Bool(content.as_bool().ok_or_else(wrong)?),
        "intValue" => Value::Int(match content {
            Json::String(digits) => digits.parse().map_err(|_| wrong())?,
            number => number.as_i64().ok_or_else(wrong)?,
        }),
        "doubleValue" => Value::Float(match content {
            Json::String(text) => text.parse().map_err(|_| wrong())?,
            number => number.as_f64().ok_or_else(wrong)?,
        }),
        "bytesValue" => Value::Bytes(STANDARD.decode(content.as_str().ok_or_else(wrong)?).map_err(|_| wrong())?),
        "arrayValue" => {
            Value::Array(list(content).ok_or_else(wrong)?.iter().map(value_from_json).collect::<Result<_, _>>()?)
        }
        "kvlistValue" => Value::Map(
            list(content)
                .ok_or_else(wrong)?
                .iter()
                .map(|pair| {
                    let key = pair.get("key").and_then(Json::as_str).unwrap_or_default();
                    let value = pair.get("value").map_or(Ok(Value::Empty), value_from_json)?;
                    Ok((key.to_owned(), value))
                })
                .collect::<Result<_, InvalidValueJson>>()?,
        ),
        _ => return Err(wrong()),
    })
}

/// The `values` of an array or key-value list; none means an empty one.
fn list(content: &Json) -> Option<&[Json]> {
    let object: &Map<String, Json> = content.as_object()?;
    match object.get("values") {
        None => Some(&[]),
        Some(values) => values.as_array().map(Vec::as_slice),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_comes_back_as_it_was() {
        let values = Value::Array(vec![
            Value::Empty,
            Value::Str(String::new()),
            Value::Str("quo\"te\\".into()),
            Value::Bool(false),
            Value::Int(i64::MIN),
            Value::Int(i64::MAX),
            Value::Float(0.1),
            Value::Float(-0.0),
            Value::Float(3.0),
            Value::Float(f64::NAN),
            Value::Float(f64::INFINITY),
            Value::Float(f64::NEG_INFINITY),
            Value::Bytes(vec![]),
            Value::Bytes(vec![0, 255]),
            Value::Array(vec![]),
            Value::Map(vec![]),
            Value::Map(vec![("b".into(), Value::Int(1)), ("a".into(), Value::Array(vec![Value::Empty]))]),
        ]);
        let text = value_to_json(&values).to_string();
        assert_eq!(value_from_json(&serde_json::from_str(&text).unwrap()).unwrap(), values);
    }

    #[test]
    fn other_json_is_refused() {
        for text in ["1", "[]", r#"{"intValue":"x"}"#, r#"{"doubleValue":{}}"#, r#"{"odd":1}"#, r#"{"arrayValue":[]}"#]
        {
            assert!(value_from_json(&serde_json::from_str(text).unwrap()).is_err(), "{text}");
        }
    }
}
