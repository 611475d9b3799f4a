use std::collections::HashSet;

use niente_model::Value;

use crate::{ValueRef, hash::FastState};

/// The distinct ones among many values, borrowed until all have been seen.
#[derive(Debug, Default)]
pub struct DistinctValues<'v> {
    texts: HashSet<&'v str, FastState>,
    ints: HashSet<i64, FastState>,
    /// By their bits.
    floats: HashSet<u64, FastState>,
    bools: [bool; 2],
    others: Vec<&'v Value>,
}

impl<'v> DistinctValues<'v> {
    /// Adds a value; absence and raw bytes are none.
    pub fn add(&mut self, value: ValueRef<'v>) {
        match value {
            ValueRef::Str(text) => _ = self.texts.insert(text),
            ValueRef::Int(number) => _ = self.ints.insert(number),
            ValueRef::Float(number) => _ = self.floats.insert(number.to_bits()),
            ValueRef::Bool(truth) => self.bools[usize::from(truth)] = true,
            // They are rare, and whoever takes them looks for himself.
            ValueRef::Other(value) => self.others.push(value),
            ValueRef::Absent | ValueRef::Bytes(_) => {}
        }
    }

    /// The values, in no order.
    pub fn into_values(self) -> impl Iterator<Item = Value> {
        let bools = [false, true].into_iter().filter(move |truth| self.bools[usize::from(*truth)]).map(Value::Bool);
        let floats = self.floats.into_iter().map(|bits| Value::Float(f64::from_bits(bits)));
        let ints = self.ints.into_iter().map(Value::Int);
        self.texts
            .into_iter()
            .map(Value::from)
            .chain(ints)
            .chain(floats)
            .chain(bools)
            .chain(self.others.into_iter().cloned())
    }
}
