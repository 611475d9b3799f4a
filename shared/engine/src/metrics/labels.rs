//! What tells series apart.

use std::{borrow::Cow, cmp::Ordering};

use niente_model::Value;

use crate::{Shown, value::Static};

/// The labels of a series, in the order in which answers have them.
pub(crate) type Labels = Vec<(String, Shown)>;

/// The labels of a group: those keys for which it has a value; if it has none, the first key with the value `nil`.
pub(crate) fn of_group(keys: &[String], group: &[Shown]) -> Labels {
    let pairs = || keys.iter().zip(group);
    let has_value = |(_, value): &(&String, &Shown)| **value != Shown::Nil;
    let labels: Labels = pairs().filter(has_value).map(|(key, value)| (key.clone(), value.clone())).collect();
    if labels.is_empty() { pairs().take(1).map(|(key, value)| (key.clone(), value.clone())).collect() } else { labels }
}

/// The order of series in answers: fewer labels first, then by keys, then by values.
pub(crate) fn order(a: &[(String, Shown)], b: &[(String, Shown)]) -> Ordering {
    let keys = || a.iter().map(|(key, _)| key).cmp(b.iter().map(|(key, _)| key));
    let values = || {
        let mut compared = a.iter().zip(b).map(|((_, a), (_, b))| order_of_values(a, b));
        compared.find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
    };
    a.len().cmp(&b.len()).then_with(keys).then_with(values)
}

/// Labels that sort as series do.
#[derive(PartialEq)]
pub(crate) struct Ordered(pub(crate) Labels);

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> Ordering {
        order(&self.0, &other.0)
    }
}

/// By type; numbers by their size, everything else as text.
fn order_of_values(a: &Shown, b: &Shown) -> Ordering {
    rank(a).cmp(&rank(b)).then_with(|| match (a, b) {
        (Shown::Int(a), Shown::Int(b)) | (Shown::Duration(a), Shown::Duration(b)) => a.cmp(b),
        (Shown::Float(a), Shown::Float(b)) => a.total_cmp(b),
        (Shown::Str(a), Shown::Str(b)) => a.cmp(b),
        (a, b) => a.to_string().cmp(&b.to_string()),
    })
}

fn rank(value: &Shown) -> u8 {
    match value {
        Shown::Nil => 0,
        Shown::Str(_) => 1,
        Shown::Int(_) => 2,
        Shown::Float(_) => 3,
        Shown::Bool(_) => 4,
        Shown::Duration(_) => 5,
        Shown::Status(_) => 6,
        Shown::Kind(_) => 7,
        Shown::Array(_) => 8,
    }
}

/// Appends bytes that are the same for the same value and type, and tell where they end.
pub(crate) fn encode(value: &Static<'_>, bytes: &mut Vec<u8>) {
    let mut tagged = |tag: u8, content: &[u8]| {
        bytes.push(tag);
        bytes.extend_from_slice(&(content.len() as u32).to_le_bytes());
        bytes.extend_from_slice(content);
    };
    match value {
        Static::Nil | Static::Opaque => tagged(0, &[]),
        Static::Str(text) => tagged(1, text.as_bytes()),
        // An ID is text wherever it is shown.
        Static::Id(text) => tagged(1, text.as_bytes()),
        Static::Int(number) => tagged(2, &number.to_le_bytes()),
        Static::Float(number) => tagged(3, &number.to_bits().to_le_bytes()),
        Static::Bool(truth) => tagged(4, &[u8::from(*truth)]),
        Static::Duration(nanos) => tagged(5, &nanos.to_le_bytes()),
        Static::Status(status) => tagged(6, &status.0.to_le_bytes()),
        Static::Kind(kind) => tagged(7, &kind.0.to_le_bytes()),
        Static::Array(elements) => {
            tagged(8, &(elements.len() as u32).to_le_bytes());
            elements.iter().for_each(|element| encode(&Static::of_element(element), bytes));
        }
    }
}

/// What a value that is shown was made of.
pub(crate) fn of_shown(value: &Shown) -> Static<'_> {
    match value {
        Shown::Nil => Static::Nil,
        Shown::Str(text) => Static::Str(Cow::Borrowed(text)),
        Shown::Int(number) => Static::Int(*number),
        Shown::Float(number) => Static::Float(*number),
        Shown::Bool(truth) => Static::Bool(*truth),
        Shown::Duration(nanos) => Static::Duration(*nanos),
        Shown::Status(status) => Static::Status(*status),
        Shown::Kind(kind) => Static::Kind(*kind),
        Shown::Array(values) => Static::Array(values),
    }
}

/// Whether a value is one that labels can have: of an array, nothing is known but its elements.
pub(crate) fn is_scalar(value: &Value) -> bool {
    matches!(value, Value::Str(_) | Value::Int(_) | Value::Float(_) | Value::Bool(_))
}

#[cfg(test)]
mod tests {
    use niente_model::{SpanKind, StatusCode};

    use super::*;

    fn labels(pairs: &[(&str, Shown)]) -> Labels {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
    }

    #[test]
    fn absent_keys_are_no_labels_unless_all_are_absent() {
        let keys = ["a".to_owned(), "b".to_owned()];
        let of = |values: [Shown; 2]| of_group(&keys, &values);
        let (one, nil) = (|| Shown::Int(1), || Shown::Nil);
        assert_eq!(of([one(), one()]), labels(&[("a", one()), ("b", one())]));
        assert_eq!(of([nil(), one()]), labels(&[("b", one())]));
        assert_eq!(of([nil(), nil()]), labels(&[("a", nil())]));
        assert_eq!(of_group(&[], &[]), labels(&[]));
    }

    #[test]
    fn series_have_an_order() {
        let text = |text: &str| Shown::Str(text.to_owned());
        let sorted = [
            labels(&[]),
            labels(&[("a", text("10"))]),
            labels(&[("a", text("9"))]),
            labels(&[("a", Shown::Int(9))]),
            labels(&[("a", Shown::Int(10))]),
            labels(&[("b", Shown::Float(0.5))]),
            labels(&[("b", Shown::Float(2.0))]),
            labels(&[("a", text("a")), ("b", text("b"))]),
            labels(&[("a", text("a")), ("b", text("c"))]),
        ];
        for pair in sorted.windows(2) {
            assert_eq!(order(&pair[0], &pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(order(&pair[1], &pair[0]), Ordering::Greater, "{pair:?}");
            assert_eq!(order(&pair[0], &pair[0]), Ordering::Equal);
        }
    }

    #[test]
    fn different_values_have_different_bytes() {
        let values = [
            Shown::Nil,
            Shown::Str(String::new()),
            Shown::Str("1".to_owned()),
            Shown::Int(1),
            Shown::Float(1.0),
            Shown::Bool(true),
            Shown::Duration(1),
            Shown::Status(StatusCode(1)),
            Shown::Kind(SpanKind(1)),
            Shown::Array(vec![1.into()]),
            Shown::Array(vec![1.into(), 2.into()]),
        ];
        let bytes = values.iter().map(|value| {
            let mut bytes = Vec::new();
            encode(&of_shown(value), &mut bytes);
            bytes
        });
        let distinct: std::collections::HashSet<_> = bytes.collect();
        assert_eq!(distinct.len(), values.len());
    }
}
