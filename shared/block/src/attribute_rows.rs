//! All attributes that the rows of a block have in one scope, wherever they are stored.

use std::hash::Hasher;

use arrow_array::RecordBatch;
use niente_model::{Attributes, Key, Value};

use crate::{
    AttributeColumn, AttributeScope, Error, arrays::list, attributes::Typed, batch::generic_column,
    nested::GenericLists,
};

/// The attributes of one scope: the columns of their own, and the generic one.
pub(crate) struct AttributeRows {
    /// Sorted by key.
    typed: Vec<(Key, Typed)>,
    /// Which of them each row has: so many words of 64 bits a row.
    present: Vec<u64>,
    words: usize,
    generic: GenericLists,
}

impl AttributeRows {
    pub(crate) fn new(rows: &RecordBatch, scope: AttributeScope) -> Result<Self, Error> {
        let mut typed: Vec<(Key, Typed)> = Vec::new();
        for (field, array) in rows.schema_ref().fields().iter().zip(rows.columns()) {
            if let Ok(column) = AttributeColumn::parse(field.name())
                && column.scope == scope
            {
                typed.push((column.key.as_str().into(), Typed::new(array, column.value_type)?));
            }
        }
        typed.sort_by(|(a, _), (b, _)| a.cmp(b));
        let words = typed.len().div_ceil(64);
        let mut present = vec![0; words * rows.num_rows()];
        for (at, (_, values)) in typed.iter().enumerate() {
            for row in values.rows() {
                present[row * words + at / 64] |= 1 << (at % 64);
            }
        }
        Ok(Self { typed, present, words, generic: GenericLists::new(&list(rows, generic_column(scope))?)? })
    }

    pub(crate) fn get(&self, row: usize) -> Result<Attributes, Error> {
        let typed = self.present(row).iter().map(|word| word.count_ones() as usize).sum::<usize>();
        let mut pairs: Vec<(Key, Value)> = Vec::with_capacity(typed + self.generic.len(row));
        pairs.extend(self.typed(row).filter_map(|(key, values)| Some((key.clone(), values.get(row)?.to_owned()))));
        for pair in self.generic.pairs(row) {
            pairs.push(pair?);
        }
        Ok(pairs.into_iter().collect())
    }

    /// Feeds a hash with what a row has.
    pub(crate) fn hash(&self, row: usize, hasher: &mut impl Hasher) {
        self.present(row).iter().for_each(|word| hasher.write_u64(*word));
        self.typed(row).for_each(|(_, values)| values.hash(row, hasher));
        self.generic.hash(row, hasher);
    }

    /// Whether two rows have the same attributes.
    pub(crate) fn same(&self, a: usize, b: usize) -> bool {
        self.present(a) == self.present(b)
            && self.typed(a).all(|(_, values)| values.same(a, b))
            && self.generic.same(a, b)
    }

    fn present(&self, row: usize) -> &[u64] {
        &self.present[row * self.words..(row + 1) * self.words]
    }

    /// The columns in which a row has a value.
    fn typed(&self, row: usize) -> impl Iterator<Item = &(Key, Typed)> {
        self.present(row).iter().zip(self.typed.chunks(64)).flat_map(|(word, columns)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let next = columns.get(rest.trailing_zeros() as usize)?;
                rest &= rest - 1;
                Some(next)
            })
        })
    }
}

impl std::fmt::Debug for AttributeRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AttributeRows").field("columns", &self.typed.len()).finish_non_exhaustive()
    }
}
