use std::{collections::HashSet, hash::BuildHasher};

use niente_model::{Attributes, Key, Span, Value};

use crate::{
    AttributeColumn, AttributeScope, ValueType,
    hash::{FastMap, FastState},
};

/// Which attributes of a block have a column of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    columns: Vec<AttributeColumn>,
    /// Parallel to `columns`: whether its values repeat enough for a dictionary.
    repetitive: Vec<bool>,
}

/// Finds the layout of a block by looking at its spans, or at a sample of them. Nobody configures columns.
#[derive(Debug, Default)]
pub struct LayoutBuilder {
    rows: u64,
    state: FastState,
    /// By scope and key, what was seen of each type.
    seen: [FastMap<Key, [Seen; 4]>; 3],
}

#[derive(Debug, Default)]
struct Seen {
    rows: u64,
    /// Hashes of distinct values, up to a bound.
    distinct: HashSet<u64, FastState>,
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
        self.attributes(AttributeScope::Resource, &span.resource.attributes);
        self.attributes(AttributeScope::Scope, &span.scope.attributes);
    }

    fn attributes(&mut self, scope: AttributeScope, attributes: &Attributes) {
        let state = &self.state;
        for (key, value) in attributes.iter() {
            let (value_type, hash) = match value {
                Value::Str(text) => (ValueType::Str, state.hash_one(text)),
                Value::Int(number) => (ValueType::Int, state.hash_one(number)),
                Value::Float(number) => (ValueType::Float, state.hash_one(number.to_bits())),
                Value::Bool(truth) => (ValueType::Bool, state.hash_one(truth)),
                Value::Empty | Value::Bytes(_) | Value::Array(_) | Value::Map(_) => continue,
            };
            let types = &mut self.seen[scope as usize];
            let types = match types.get_mut(key) {
                Some(types) => types,
                None => types.entry(key.clone()).or_default(),
            };
            let seen = &mut types[value_type as usize];
            seen.rows += 1;
            if seen.distinct.len() < Self::MAX_DISTINCT {
                seen.distinct.insert(hash);
                seen.sampled += 1;
            }
        }
    }

    /// The layout of a block of the spans that were observed: the attributes that enough rows have, the most frequent
    /// first where there are too many.
    pub fn finish(self) -> Layout {
        let rows = self.rows;
        self.finish_for(rows)
    }

    /// The layout of a block of about so many rows, of which those that were observed are a sample.
    ///
    /// The first spans in canonical order will do, some ten thousand: trace keys are hashes, so they are a uniform
    /// sample of the traces.
    pub fn finish_for(self, rows: u64) -> Layout {
        let observed = self.rows.max(1);
        let growth = rows.max(observed) as f64 / observed as f64;
        let mut frequent = Vec::new();
        for (scope, keys) in AttributeScope::ALL.into_iter().zip(self.seen) {
            for (key, types) in keys {
                for (value_type, seen) in ValueType::ALL.into_iter().zip(types) {
                    if seen.rows > 0 && seen.rows * Layout::ONE_ROW_OF >= observed {
                        frequent.push((AttributeColumn { scope, key: key.to_string(), value_type }, seen));
                    }
                }
            }
        }
        frequent.sort_by(|(a, seen_a), (b, seen_b)| seen_b.rows.cmp(&seen_a.rows).then(a.cmp(b)));
        frequent.truncate(Layout::MAX_COLUMNS);
        frequent.sort_by(|(a, _), (b, _)| a.cmp(b));
        Layout {
            repetitive: frequent.iter().map(|(_, seen)| seen.repeats(growth)).collect(),
            columns: frequent.into_iter().map(|(column, _)| column).collect(),
        }
    }
}

impl Seen {
    /// Whether in so many times the rows each value would come at least four times on average.
    fn repeats(&self, growth: f64) -> bool {
        let (distinct, sampled) = (self.distinct.len() as f64, self.sampled as f64);
        let all = self.rows as f64 * growth;
        expected_distinct(population(distinct, sampled), all) * 4.0 < all
    }
}

/// How many different values come up in so many draws out of a population of equally frequent ones.
fn expected_distinct(population: f64, draws: f64) -> f64 {
    if population.is_infinite() { draws } else { -population * (-draws / population).exp_m1() }
}

/// The population of which so many draws show so many different values; infinite where nothing came twice.
fn population(distinct: f64, draws: f64) -> f64 {
    if distinct >= draws {
        return f64::INFINITY;
    }
    let (mut low, mut high) = (distinct, distinct);
    while expected_distinct(high, draws) < distinct {
        low = high;
        high *= 2.0;
    }
    for _ in 0..32 {
        let middle = (low + high) / 2.0;
        let fewer = expected_distinct(middle, draws) < distinct;
        (low, high) = if fewer { (middle, high) } else { (low, middle) };
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn populations_are_told_from_samples() {
        for (population_size, draws) in [(10.0, 1_000.0), (50_000.0, 64_000.0), (1e6, 64_000.0)] {
            let found = population(expected_distinct(population_size, draws), draws);
            assert!((found / population_size - 1.0).abs() < 0.01, "{population_size} {found}");
        }
        assert_eq!(population(64.0, 64.0), f64::INFINITY);
        assert_eq!(expected_distinct(f64::INFINITY, 64.0), 64.0);
    }
}
