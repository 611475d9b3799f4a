use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use niente_model::{Attributes, Resource, Scope, Span, Value};

use crate::{AttributeColumn, AttributeScope, ValueType};

/// Which attributes of a block have a column of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    columns: Vec<AttributeColumn>,
    /// Parallel to `columns`: whether its values repeat enough for a dictionary.
    repetitive: Vec<bool>,
}

/// Finds the layout of a block by looking at its spans. Nobody configures columns.
#[derive(Debug, Default)]
pub struct LayoutBuilder {
    rows: u64,
    seen: HashMap<AttributeColumn, Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    rows: u64,
    /// Hashes of distinct values, up to a bound.
    distinct: HashSet<u64>,
    /// Rows that were looked at before the bound was met.
    sampled: u64,
}

impl Layout {
    /// The most attributes that get a column.
    pub const MAX_COLUMNS: usize = 256;
    /// An attribute gets a column when at least one of so many rows has it.
    pub const ONE_ROW_OF: u64 = 200;

    /// The layout of one ingest request's objects: cheap to write, a small footer.
    ///
    /// All attributes are in the generic columns but one: each answer names the services of its traces.
    pub fn level0() -> Self {
        let service =
            AttributeColumn { scope: AttributeScope::Resource, key: "service.name".into(), value_type: ValueType::Str };
        Self { columns: vec![service], repetitive: vec![true] }
    }

    /// The attributes with a column of their own.
    pub fn columns(&self) -> &[AttributeColumn] {
        &self.columns
    }

    pub(crate) fn repetitive(&self, column: usize) -> bool {
        self.repetitive[column]
    }
}

impl LayoutBuilder {
    /// Distinct values are counted up to here; whether a column with more repeats is told by the rows until then.
    const MAX_DISTINCT: usize = 1 << 16;

    /// Takes note of a span's attributes.
    pub fn observe(&mut self, span: &Span) {
        self.rows += 1;
        self.attributes(AttributeScope::Span, &span.attributes);
        let Resource { attributes, .. } = &*span.resource;
        self.attributes(AttributeScope::Resource, attributes);
        let Scope { attributes, .. } = &*span.scope;
        self.attributes(AttributeScope::Scope, attributes);
    }

    fn attributes(&mut self, scope: AttributeScope, attributes: &Attributes) {
        for (key, value) in attributes.iter() {
            let mut hasher = DefaultHasher::new();
            let value_type = match value {
                Value::Str(text) => {
                    text.hash(&mut hasher);
                    ValueType::Str
                }
                Value::Int(number) => {
                    number.hash(&mut hasher);
                    ValueType::Int
                }
                Value::Float(number) => {
                    number.to_bits().hash(&mut hasher);
                    ValueType::Float
                }
                Value::Bool(_) => ValueType::Bool,
                Value::Empty | Value::Bytes(_) | Value::Array(_) | Value::Map(_) => continue,
            };
            let seen = self.seen.entry(AttributeColumn { scope, key: key.to_string(), value_type }).or_default();
            seen.rows += 1;
            if seen.distinct.len() < Self::MAX_DISTINCT {
                seen.distinct.insert(hasher.finish());
                seen.sampled += 1;
            }
        }
    }

    /// The layout: the attributes that enough rows have, the most frequent first where there are too many.
    pub fn finish(self) -> Layout {
        let mut frequent: Vec<_> =
            self.seen.into_iter().filter(|(_, seen)| seen.rows * Layout::ONE_ROW_OF >= self.rows).collect();
        frequent.sort_by(|(a, seen_a), (b, seen_b)| seen_b.rows.cmp(&seen_a.rows).then(a.cmp(b)));
        frequent.truncate(Layout::MAX_COLUMNS);
        frequent.sort_by(|(a, _), (b, _)| a.cmp(b));
        let repetitive = |seen: &Seen| (seen.distinct.len() as u64) * 4 < seen.sampled;
        Layout {
            repetitive: frequent.iter().map(|(_, seen)| repetitive(seen)).collect(),
            columns: frequent.into_iter().map(|(column, _)| column).collect(),
        }
    }
}
