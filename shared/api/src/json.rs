//! How proto3's JSON writes what plain JSON can't, or not safely.

use base64::{Engine, display::Base64Display, engine::general_purpose::STANDARD};
use niente_model::Value;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json};

/// 64-bit integers are strings: JavaScript would round them.
pub(crate) fn as_text<S: Serializer>(number: &impl std::fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

/// Bytes are base64.
pub(crate) fn as_base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&Base64Display::new(bytes, &STANDARD))
}

/// Doubles are numbers, whole ones without a fraction as Tempo writes them, and strings where JSON has no number.
pub(crate) fn as_double<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    // Up to here every whole number is a double and the other way round.
    const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

    let is_negative_zero = *number == 0.0 && number.is_sign_negative();
    if number.fract() == 0.0 && number.abs() <= LARGEST_EXACT && !is_negative_zero {
        serializer.serialize_i64(*number as i64)
    } else if number.is_finite() {
        serializer.serialize_f64(*number)
    } else {
        serializer.serialize_str(&double_text(*number))
    }
}

/// A double in words.
pub(crate) fn double_text(number: f64) -> String {
    match number {
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        number => number.to_string(),
    }
}

/// Whether a field has proto3's default, with which it is left out.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A value as people would write it in JSON, with its type only as far as JSON has it.
pub(crate) fn plain(value: &Value) -> Json {
    match value {
        Value::Empty => Json::Null,
        Value::Str(text) => text.as_str().into(),
        Value::Bool(truth) => (*truth).into(),
        Value::Int(number) => (*number).into(),
        Value::Float(number) if number.is_finite() => (*number).into(),
        Value::Float(number) => double_text(*number).into(),
        Value::Bytes(bytes) => STANDARD.encode(bytes).into(),
        Value::Array(values) => values.iter().map(plain).collect(),
        Value::Map(pairs) => pairs.iter().map(|(key, value)| (key.clone(), plain(value))).collect::<Map<_, _>>().into(),
    }
}

/// The JSON text of what always has one.
pub(crate) fn to_body(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("answers have string keys only and write to memory, so they always serialise")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_come_back_as_they_were() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "-0.0"),
            (1.0, "1"),
            (-200.0, "-200"),
            (0.1, "0.1"),
            (9_007_199_254_740_992.0, "9007199254740992"),
            (9_007_199_254_740_994.0, "9007199254740994.0"),
            (1e300, "1e+300"),
            (f64::NAN, "\"NaN\""),
            (f64::INFINITY, "\"Infinity\""),
            (f64::NEG_INFINITY, "\"-Infinity\""),
        ] {
            let mut written = Vec::new();
            as_double(&number, &mut serde_json::Serializer::new(&mut written)).unwrap();
            assert_eq!(String::from_utf8(written).unwrap(), text);
            if number.is_finite() {
                let read: f64 = serde_json::from_str(text).unwrap();
                assert_eq!(read.to_bits(), number.to_bits(), "{text}");
            }
        }
    }
}
