//! Attribute values where blocks keep them: columns of their own, and generic lists.

use std::hash::Hasher;

use arrow_array::{
    Array, ArrayRef, BooleanArray, ListArray, PrimitiveArray, RecordBatch, StringViewArray, UInt32Array,
    cast::AsArray,
    types::{Float64Type, Int64Type},
};
use arrow_select::take::take;
use niente_model::{Value, value_from_json};

use crate::{
    AttributeColumn, AttributeScope, Error, ValueRef, ValueType,
    arrays::{as_text, list, missing, primitive},
    batch::generic_column,
    schema::attribute,
};

/// One key's values by row, wherever the block keeps them.
#[derive(Clone, Debug, Default)]
pub(crate) struct AttributeValues {
    typed: Vec<Typed>,
    /// By row, sorted: what has no column type.
    other: Vec<(u32, Value)>,
}

/// Values of one type by row.
#[derive(Clone, Debug)]
pub(crate) enum Typed {
    Str(StringViewArray),
    Int(PrimitiveArray<Int64Type>),
    Float(PrimitiveArray<Float64Type>),
    Bool(BooleanArray),
}

/// The items of a generic list column.
#[derive(Clone, Debug)]
pub(crate) struct Items {
    pub(crate) key: StringViewArray,
    str: StringViewArray,
    int: PrimitiveArray<Int64Type>,
    float: PrimitiveArray<Float64Type>,
    bool: BooleanArray,
    json: StringViewArray,
}

impl AttributeValues {
    /// The values of an attribute of spans, resources or scopes.
    pub(crate) fn of_rows(rows: &RecordBatch, scope: AttributeScope, key: &str) -> Result<Self, Error> {
        let mut values = Self::of_list(&list(rows, generic_column(scope))?, key)?;
        for value_type in ValueType::ALL {
            let name = AttributeColumn { scope, key: key.to_owned(), value_type }.name();
            if let Some(array) = rows.column_by_name(&name) {
                values.typed.push(Typed::new(array, value_type)?);
            }
        }
        Ok(values)
    }

    /// The values that lie under one key in a generic list column.
    ///
    /// They are copied out, so that a few wanted values don't keep whole pages of unwanted ones in memory.
    pub(crate) fn of_list(list: &ListArray, key: &str) -> Result<Self, Error> {
        let items = Items::new(list.values())?;
        let offsets = list.value_offsets();
        let found = |row: usize| {
            let items_of_row = offsets[row] as usize..offsets[row + 1] as usize;
            items_of_row.into_iter().find(|item| items.key.value(*item) == key).map(|item| item as u32)
        };
        let positions: UInt32Array = (0..list.len()).map(found).collect();
        if positions.null_count() == positions.len() {
            return Ok(Self::default());
        }
        let mut other = Vec::new();
        for (row, item) in positions.iter().enumerate() {
            if let Some(item) = item.filter(|item| items.is_other(*item as usize)) {
                other.push((row as u32, items.value(item as usize)?));
            }
        }
        let taken = |array: &dyn Array| take(array, &positions, None).map_err(Error::damaged);
        let candidates = [
            Typed::Str(as_text(&taken(&items.str)?)?.gc()),
            Typed::Int(primitive(&taken(&items.int)?)?),
            Typed::Float(primitive(&taken(&items.float)?)?),
            Typed::Bool(boolean(&taken(&items.bool)?)?),
        ];
        Ok(Self { typed: candidates.into_iter().filter(Typed::has_values).collect(), other })
    }

    pub(crate) fn get(&self, row: usize) -> ValueRef<'_> {
        self.typed.iter().find_map(|values| values.get(row)).unwrap_or_else(|| {
            let found = self.other.binary_search_by_key(&(row as u32), |(row, _)| *row);
            found.map_or(ValueRef::Absent, |at| ValueRef::Other(&self.other[at].1))
        })
    }
}

impl Typed {
    pub(crate) fn new(array: &ArrayRef, value_type: ValueType) -> Result<Self, Error> {
        Ok(match value_type {
            ValueType::Str => Typed::Str(as_text(array)?),
            ValueType::Int => Typed::Int(primitive(array)?),
            ValueType::Float => Typed::Float(primitive(array)?),
            ValueType::Bool => Typed::Bool(boolean(array)?),
        })
    }

    pub(crate) fn get(&self, row: usize) -> Option<ValueRef<'_>> {
        match self {
            Typed::Str(values) => values.is_valid(row).then(|| ValueRef::Str(values.value(row))),
            Typed::Int(values) => values.is_valid(row).then(|| ValueRef::Int(values.value(row))),
            Typed::Float(values) => values.is_valid(row).then(|| ValueRef::Float(values.value(row))),
            Typed::Bool(values) => values.is_valid(row).then(|| ValueRef::Bool(values.value(row))),
        }
    }

    /// Feeds a hash with a row's value.
    pub(crate) fn hash(&self, row: usize, hasher: &mut impl Hasher) {
        match self.get(row) {
            Some(ValueRef::Str(text)) => hasher.write(text.as_bytes()),
            Some(ValueRef::Int(number)) => hasher.write_u64(number as u64),
            Some(ValueRef::Float(number)) => hasher.write_u64(number.to_bits()),
            Some(ValueRef::Bool(truth)) => hasher.write_u8(truth.into()),
            _ => hasher.write_u8(2),
        }
    }

    /// Whether two rows have the same value, or none; doubles by their bits.
    pub(crate) fn same(&self, a: usize, b: usize) -> bool {
        match self {
            Typed::Str(values) => same_text(values, a, b),
            Typed::Int(values) => same(values, a, b, |row| values.value(row)),
            Typed::Float(values) => same(values, a, b, |row| values.value(row).to_bits()),
            Typed::Bool(values) => same(values, a, b, |row| values.value(row)),
        }
    }

    /// The rows that have a value, in order.
    pub(crate) fn rows(&self) -> impl Iterator<Item = usize> + '_ {
        let array = self.array();
        let nulls = array.nulls();
        let all = if nulls.is_none() { array.len() } else { 0 };
        (0..all).chain(nulls.into_iter().flat_map(|nulls| nulls.valid_indices()))
    }

    fn has_values(&self) -> bool {
        self.array().null_count() < self.array().len()
    }

    fn array(&self) -> &dyn Array {
        match self {
            Typed::Str(values) => values,
            Typed::Int(values) => values,
            Typed::Float(values) => values,
            Typed::Bool(values) => values,
        }
    }
}

impl Items {
    pub(crate) fn new(items: &ArrayRef) -> Result<Self, Error> {
        let items = items.as_struct_opt().ok_or_else(|| missing("attributes"))?;
        let field = |name: &str| items.column_by_name(name).ok_or_else(|| missing(name));
        Ok(Self {
            key: as_text(field(attribute::KEY)?)?,
            str: as_text(field(attribute::STR)?)?,
            int: primitive(field(attribute::INT)?)?,
            float: primitive(field(attribute::FLOAT)?)?,
            bool: boolean(field(attribute::BOOL)?)?,
            json: as_text(field(attribute::JSON)?)?,
        })
    }

    /// Whether an item has none of the types that have columns.
    fn is_other(&self, item: usize) -> bool {
        self.str.is_null(item) && self.int.is_null(item) && self.float.is_null(item) && self.bool.is_null(item)
    }

    /// Feeds a hash with an item's value.
    pub(crate) fn hash(&self, item: usize, hasher: &mut impl Hasher) {
        if self.str.is_valid(item) {
            hash_text(&self.str, item, hasher);
        } else if self.int.is_valid(item) {
            hasher.write_u64(self.int.value(item) as u64);
        } else if self.float.is_valid(item) {
            hasher.write_u64(self.float.value(item).to_bits());
        } else if self.bool.is_valid(item) {
            hasher.write_u8(self.bool.value(item).into());
        } else if self.json.is_valid(item) {
            hash_text(&self.json, item, hasher);
        }
    }

    /// Whether two items have the same value, whatever their keys.
    pub(crate) fn same(&self, a: usize, b: usize) -> bool {
        same_text(&self.str, a, b)
            && same(&self.int, a, b, |item| self.int.value(item))
            && same(&self.float, a, b, |item| self.float.value(item).to_bits())
            && same(&self.bool, a, b, |item| self.bool.value(item))
            && same_text(&self.json, a, b)
    }

    pub(crate) fn value(&self, item: usize) -> Result<Value, Error> {
        Ok(if self.str.is_valid(item) {
            Value::Str(self.str.value(item).to_owned())
        } else if self.int.is_valid(item) {
            Value::Int(self.int.value(item))
        } else if self.float.is_valid(item) {
            Value::Float(self.float.value(item))
        } else if self.bool.is_valid(item) {
            Value::Bool(self.bool.value(item))
        } else if self.json.is_valid(item) {
            let json = serde_json::from_str(self.json.value(item)).map_err(Error::damaged)?;
            value_from_json(&json).map_err(Error::damaged)?
        } else {
            Value::Empty
        })
    }
}

/// Feeds a hash with a text.
pub(crate) fn hash_text(texts: &StringViewArray, row: usize, hasher: &mut impl Hasher) {
    hasher.write(texts.value(row).as_bytes());
}

/// Whether two rows have the same text, or none.
pub(crate) fn same_text(texts: &StringViewArray, a: usize, b: usize) -> bool {
    // Equal views are equal texts: of a dictionary all are.
    same(texts, a, b, |row| texts.views()[row]) || same(texts, a, b, |row| texts.value(row))
}

fn same<T: PartialEq>(array: &dyn Array, a: usize, b: usize, value: impl Fn(usize) -> T) -> bool {
    match (array.is_valid(a), array.is_valid(b)) {
        (true, true) => value(a) == value(b),
        (a, b) => a == b,
    }
}

fn boolean(array: &ArrayRef) -> Result<BooleanArray, Error> {
    array.as_boolean_opt().cloned().ok_or_else(|| missing("booleans"))
}
