use std::{
    cmp::Ordering,
    hash::{Hash, Hasher},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

/// An attribute's key. Shared, because the same few keys come back on every span.
pub type Key = Arc<str>;

/// An attribute's value, with the type that OTLP gave it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Value {
    /// OTLP's `AnyValue` with nothing in it.
    Empty,
    /// A string, maybe an empty one.
    Str(String),
    /// A boolean.
    Bool(bool),
    /// A signed integer.
    Int(i64),
    /// A double.
    Float(f64),
    /// Raw bytes.
    Bytes(Vec<u8>),
    /// A list of values, not necessarily of one type.
    Array(Vec<Value>),
    /// Keys with values, in the order in which they came.
    Map(Vec<(String, Value)>),
}

/// Attributes sorted by key, each key once.
///
/// OTLP makes no promise about order, so the sorted order is the canonical one: two resources with the same
/// attributes are equal. Where a key comes twice, which OTLP forbids, the last value wins.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Attributes(Vec<(Key, Value)>);

impl Value {
    /// About how many bytes it takes, in memory or in a message.
    pub fn weight(&self) -> usize {
        8 + match self {
            Value::Empty | Value::Bool(_) | Value::Int(_) | Value::Float(_) => 0,
            Value::Str(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            Value::Array(values) => values.iter().map(Value::weight).sum(),
            Value::Map(pairs) => pairs.iter().map(|(key, value)| key.len() + value.weight()).sum(),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Value::Empty => 0,
            Value::Str(_) => 1,
            Value::Bool(_) => 2,
            Value::Int(_) => 3,
            Value::Float(_) => 4,
            Value::Bytes(_) => 5,
            Value::Array(_) => 6,
            Value::Map(_) => 7,
        }
    }
}

/// A total order without meaning, for canonical forms: by type, then by content; doubles by IEEE 754's total order.
impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Value::Str(a), Value::Str(b)) => a.cmp(b),
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::Int(a), Value::Int(b)) => a.cmp(b),
            (Value::Float(a), Value::Float(b)) => a.total_cmp(b),
            (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
            (Value::Array(a), Value::Array(b)) => a.cmp(b),
            (Value::Map(a), Value::Map(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rank().hash(state);
        match self {
            Value::Empty => {}
            Value::Str(text) => text.hash(state),
            Value::Bool(truth) => truth.hash(state),
            Value::Int(number) => number.hash(state),
            Value::Float(number) => number.to_bits().hash(state),
            Value::Bytes(bytes) => bytes.hash(state),
            Value::Array(values) => values.hash(state),
            Value::Map(pairs) => pairs.hash(state),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Str(text.to_owned())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Int(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Value::Float(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Value::Bool(truth)
    }
}

impl Attributes {
    /// The value of `key`, if it is there.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.binary_search_by(|(k, _)| (**k).cmp(key)).ok().map(|at| &self.0[at].1)
    }

    /// The keys with their values, sorted by key.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Key, &Value)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// About how many bytes they take, in memory or in a message.
    pub fn weight(&self) -> usize {
        self.0.iter().map(|(key, value)| key.len() + value.weight()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(Key, Value)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (Key, Value)>>(attributes: I) -> Self {
        let mut sorted: Vec<_> = attributes.into_iter().collect();
        if !sorted.is_sorted_by(|a, b| a.0 < b.0) {
            sorted.sort_by(|a, b| a.0.cmp(&b.0)); // stable: of equal keys the last stays last
            sorted.reverse();
            sorted.dedup_by(|a, b| a.0 == b.0); // keeps the first of a run, which was the last to come
            sorted.reverse();
        }
        Self(sorted)
    }
}

impl IntoIterator for Attributes {
    type Item = (Key, Value);
    type IntoIter = std::vec::IntoIter<(Key, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_sorted_and_the_last_of_a_key_wins() {
        let attributes = Attributes::from_iter([
            ("b".into(), Value::Int(1)),
            ("a".into(), Value::Int(2)),
            ("b".into(), Value::Int(3)),
        ]);
        let pairs: Vec<_> = attributes.iter().map(|(k, v)| (&**k, v.clone())).collect();
        assert_eq!(pairs, [("a", Value::Int(2)), ("b", Value::Int(3))]);
        assert_eq!(attributes.get("b"), Some(&Value::Int(3)));
        assert_eq!(attributes.get("c"), None);
    }

    #[test]
    fn values_of_different_types_are_never_equal() {
        assert_ne!(Value::Int(1), Value::Float(1.0));
        assert_ne!(Value::Str("".into()), Value::Empty);
        assert_eq!(Value::Float(f64::NAN), Value::Float(f64::NAN));
    }
}
