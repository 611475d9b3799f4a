use std::collections::BTreeSet;

use niente_model::Value;
use serde::{Deserialize, Serialize};

/// Distinct values in their order, up to a bound: the smallest of all that were added.
///
/// What is beyond the bound is cut off at a value, and nothing from there on is kept. So what is left doesn't depend on
/// the order in which values came, nor on how they were split over several vocabularies of the same bounds that were
/// merged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Vocabulary {
    values: BTreeSet<Value>,
    bytes: u64,
    bounds: Bounds,
    /// The least value that was left out for want of room.
    cut: Option<Value>,
}

/// How much a [`Vocabulary`] may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// How many values.
    pub values: usize,
    /// How many bytes their texts may have together; numbers count as eight.
    pub bytes: u64,
}

impl Vocabulary {
    /// An empty one.
    pub fn new(bounds: Bounds) -> Self {
        Self { values: BTreeSet::new(), bytes: 0, bounds, cut: None }
    }

    /// Adds a value, if it is a text, a number or a boolean, or the elements of an array that are.
    pub fn add(&mut self, value: &Value) {
        match value {
            Value::Array(elements) => elements.iter().filter(|element| is_scalar(element)).for_each(|e| self.insert(e)),
            scalar if is_scalar(scalar) => self.insert(scalar),
            _ => {}
        }
    }

    /// Adds all that is in another one of these bounds or wider ones.
    pub fn merge(&mut self, other: &Vocabulary) {
        // Mostly the same values come again, in the same order: side by side they are told apart without a search.
        let missing: Vec<Value> = other.values.difference(&self.values).cloned().collect();
        for value in missing {
            if self.is_beyond(&value) {
                break;
            }
            self.place(value);
        }
        if let Some(cut) = &other.cut {
            self.cut_at(cut.clone());
        }
    }

    /// Takes a value out again.
    pub fn remove(&mut self, value: &Value) {
        if self.values.remove(value) {
            self.bytes -= weight(value);
        }
    }

    /// The values, the smallest first: texts before booleans, integers and doubles.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.values.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Whether some values were left out.
    pub fn is_cut(&self) -> bool {
        self.cut.is_some()
    }

    /// Whether it has all that one of these bounds would have.
    pub fn serves(&self, bounds: Bounds) -> bool {
        self.cut.is_none() || (self.bounds.values >= bounds.values && self.bounds.bytes >= bounds.bytes)
    }

    /// About how many bytes of memory it holds.
    pub fn held_bytes(&self) -> u64 {
        self.bytes + 48 * self.values.len() as u64 + 128
    }

    fn insert(&mut self, value: &Value) {
        if !self.is_beyond(value) && !self.values.contains(value) {
            self.place(value.clone());
        }
    }

    fn is_beyond(&self, value: &Value) -> bool {
        self.cut.as_ref().is_some_and(|cut| value >= cut)
    }

    /// Makes room for a value that isn't there yet.
    fn place(&mut self, value: Value) {
        self.bytes += weight(&value);
        self.values.insert(value);
        while self.values.len() > self.bounds.values || self.bytes > self.bounds.bytes {
            let Some(last) = self.values.pop_last() else { break };
            self.bytes -= weight(&last);
            self.cut = Some(last);
        }
    }

    fn cut_at(&mut self, cut: Value) {
        if self.cut.as_ref().is_some_and(|known| *known <= cut) {
            return;
        }
        let beyond = self.values.split_off(&cut);
        self.bytes -= beyond.iter().map(weight).sum::<u64>();
        self.cut = Some(cut);
    }
}

fn is_scalar(value: &Value) -> bool {
    matches!(value, Value::Str(_) | Value::Int(_) | Value::Float(_) | Value::Bool(_))
}

fn weight(value: &Value) -> u64 {
    if let Value::Str(text) = value { text.len() as u64 } else { 8 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: &[&str], bounds: Bounds) -> Vocabulary {
        let mut vocabulary = Vocabulary::new(bounds);
        values.iter().for_each(|text| vocabulary.add(&Value::from(*text)));
        vocabulary
    }

    fn texts(vocabulary: &Vocabulary) -> Vec<String> {
        vocabulary.values().map(|value| if let Value::Str(text) = value { text.clone() } else { "?".into() }).collect()
    }

    const WIDE: Bounds = Bounds { values: usize::MAX, bytes: u64::MAX };

    #[test]
    fn arrays_are_taken_apart_and_what_has_no_text_is_passed_over() {
        let mut vocabulary = Vocabulary::new(WIDE);
        let inner = Value::Array(vec![Value::Int(9)]);
        let array = Value::Array(vec![Value::Int(2), Value::from("b"), Value::Int(2), inner, Value::Empty]);
        for value in [array, Value::Bytes(vec![1]), Value::Map(vec![("k".into(), Value::Int(7))]), Value::Float(0.5)] {
            vocabulary.add(&value);
        }
        let expected = [Value::from("b"), Value::Int(2), Value::Float(0.5)];
        assert!(vocabulary.values().eq(&expected));
    }

    #[test]
    fn what_is_cut_is_cut_for_good() {
        let bounds = Bounds { values: 10, bytes: 5 };
        // `bbbb` goes when `a` and `cc` are there, and then `c` has no place either, though there is room for it.
        let vocabulary = of(&["bbbb", "aa", "c"], bounds);
        assert_eq!((texts(&vocabulary), vocabulary.is_cut()), (vec!["aa".to_owned()], true));
        assert!(vocabulary.serves(Bounds { values: 10, bytes: 5 }) && !vocabulary.serves(WIDE));
        let mut whole = of(&["c"], bounds);
        whole.merge(&vocabulary);
        assert_eq!(whole, vocabulary);
    }

    proptest! {
        #[test]
        fn neither_order_nor_splits_matter(
            values in prop::collection::vec("[a-d]{0,3}", 0..20),
            split in 0_usize..20,
            count in 0_usize..8,
            bytes in 0_u64..20,
        ) {
            let bounds = Bounds { values: count, bytes };
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let (left, right) = values.split_at(split.min(values.len()));
            let whole = of(&values, bounds);
            for (first, second) in [(left, right), (right, left)] {
                let mut merged = of(first, bounds);
                merged.merge(&of(second, bounds));
                prop_assert_eq!(texts(&merged), texts(&whole));
                prop_assert_eq!(merged.is_cut(), whole.is_cut());
                // What is kept for everybody is good for somebody.
                let mut narrowed = Vocabulary::new(bounds);
                narrowed.merge(&of(first, WIDE));
                narrowed.merge(&of(second, WIDE));
                prop_assert_eq!(texts(&narrowed), texts(&whole));
            }
            // The oracle: the longest beginning of the sorted list that fits.
            let sorted: BTreeSet<&str> = values.iter().copied().collect();
            let mut room = bytes as usize;
            let fits = |text: &&&str| { let fits = text.len() <= room; if fits { room -= text.len() } fits };
            let expected: Vec<&str> = sorted.iter().take(count).take_while(fits).copied().collect();
            prop_assert_eq!(texts(&whole), expected);
        }
    }
}
