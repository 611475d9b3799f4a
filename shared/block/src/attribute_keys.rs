//! Which attributes rows have, whatever their values.

use std::hash::BuildHasher;

use arrow_array::{Array, ListArray, RecordBatch};
use arrow_buffer::NullBuffer;

use crate::{
    AttributeColumn, AttributeScope, Error,
    arrays::{as_text, field, list},
    batch::generic_column,
    hash::{Distinct, FastState},
    schema::attribute,
};

/// The attribute keys of rows, or of events or links by their index.
#[derive(Clone, Debug)]
pub(crate) struct AttributeKeys {
    /// Keys with a column of their own, and where that has values: everywhere, if nothing is said.
    typed: Vec<(String, Option<NullBuffer>)>,
    /// Where each row's keys begin and end in `numbers`; of the first row they needn't begin at 0.
    offsets: Vec<i32>,
    /// The key of each item of the generic lists, by its place in `keys`.
    numbers: Vec<u32>,
    keys: Vec<String>,
}

impl AttributeKeys {
    /// The keys that spans, resources or scopes have.
    pub(crate) fn of_rows(rows: &RecordBatch, scope: AttributeScope) -> Result<Self, Error> {
        let mut keys = Self::of_list(&list(rows, generic_column(scope))?)?;
        for (field, values) in rows.schema_ref().fields().iter().zip(rows.columns()) {
            if let Ok(column) = AttributeColumn::parse(field.name())
                && column.scope == scope
                && values.null_count() < values.len()
            {
                keys.typed.push((column.key, values.nulls().cloned()));
            }
        }
        Ok(keys)
    }

    /// The keys in a generic list column.
    pub(crate) fn of_list(list: &ListArray) -> Result<Self, Error> {
        let offsets = list.value_offsets();
        let (first, last) = (offsets[0] as usize, offsets[list.len()] as usize);
        let texts = as_text(field(list.values(), attribute::KEY)?)?.slice(first, last - first);
        // The same few keys come back in every row.
        let (state, mut distinct) = (FastState::default(), Distinct::default());
        let number = |item| {
            let text = texts.value(item);
            distinct.number(item, state.hash_one(text), |other| texts.value(other) == text)
        };
        let numbers = (0..texts.len()).map(number).collect();
        let keys = distinct.firsts().map(|item| texts.value(item).to_owned()).collect();
        Ok(Self { typed: Vec::new(), offsets: offsets.to_vec(), numbers, keys })
    }

    pub(crate) fn get(&self, row: usize) -> impl Iterator<Item = &str> {
        let typed = self.typed.iter().filter(move |(_, valid)| valid.as_ref().is_none_or(|valid| valid.is_valid(row)));
        let item = |offset: i32| (offset - self.offsets[0]) as usize;
        let generic = &self.numbers[item(self.offsets[row])..item(self.offsets[row + 1])];
        let generic = generic.iter().map(|number| self.keys[*number as usize].as_str());
        typed.map(|(key, _)| key.as_str()).chain(generic)
    }
}
