//! Attribute values where blocks keep them: columns of their own, and generic lists.

use arrow_array::{
    Array, ArrayRef, BooleanArray, ListArray, PrimitiveArray, RecordBatch, StringViewArray,
    cast::AsArray,
    types::{Float64Type, Int64Type},
};
use niente_model::{Value, value_from_json};

use crate::{
    AttributeColumn, AttributeScope, Error, ValueRef, ValueType,
    arrays::{as_text, missing, primitive},
    schema::attribute,
};

#[derive(Clone, Debug)]
pub(crate) enum Typed {
    Str(StringViewArray),
    Int(PrimitiveArray<Int64Type>),
    Float(PrimitiveArray<Float64Type>),
    Bool(BooleanArray),
}

impl Typed {
    pub(crate) fn get(&self, row: usize) -> Option<ValueRef<'_>> {
        match self {
            Typed::Str(values) => values.is_valid(row).then(|| ValueRef::Str(values.value(row))),
            Typed::Int(values) => values.is_valid(row).then(|| ValueRef::Int(values.value(row))),
            Typed::Float(values) => values.is_valid(row).then(|| ValueRef::Float(values.value(row))),
            Typed::Bool(values) => values.is_valid(row).then(|| ValueRef::Bool(values.value(row))),
        }
    }

    pub(crate) fn new(array: &ArrayRef, value_type: ValueType) -> Result<Self, Error> {
        Ok(match value_type {
            ValueType::Str => Typed::Str(as_text(array)?),
            ValueType::Int => Typed::Int(primitive(array)?),
            ValueType::Float => Typed::Float(primitive(array)?),
            ValueType::Bool => Typed::Bool(array.as_boolean_opt().cloned().ok_or_else(|| missing("booleans"))?),
        })
    }
}

pub(crate) fn typed(rows: &RecordBatch, scope: AttributeScope, key: &str) -> Result<Vec<Typed>, Error> {
    [ValueType::Str, ValueType::Int, ValueType::Float, ValueType::Bool]
        .into_iter()
        .filter_map(|value_type| {
            let column = AttributeColumn { scope, key: key.to_owned(), value_type };
            Some(Typed::new(rows.column_by_name(&column.name())?, value_type))
        })
        .collect()
}

/// One key's values in a generic list column.
#[derive(Clone, Debug)]
pub(crate) struct Generic {
    items: Items,
    /// By row: one more than the item that has the key, zero if none has.
    item_of: Vec<u32>,
    /// By item, sorted: values that had to be decoded.
    decoded: Vec<(u32, Value)>,
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

static EMPTY: Value = Value::Empty;

impl Generic {
    pub(crate) fn new(list: &ListArray, key: &str) -> Result<Self, Error> {
        let items = Items::new(list.values())?;
        let offsets = list.value_offsets();
        let mut item_of = vec![0; list.len()];
        let mut decoded = Vec::new();
        for row in 0..list.len() {
            let range = offsets[row] as usize..offsets[row + 1] as usize;
            // Lists are short, and sorted by key but for what has a column of its own.
            let Some(item) = range.into_iter().find(|item| items.key.value(*item) == key) else { continue };
            item_of[row] = item as u32 + 1;
            if let Some(value) = items.decode(item)? {
                decoded.push((item as u32, value));
            }
        }
        Ok(Self { items, item_of, decoded })
    }

    pub(crate) fn get(&self, row: usize) -> ValueRef<'_> {
        let Some(item) = self.item_of[row].checked_sub(1) else { return ValueRef::Absent };
        let at = item as usize;
        let items = &self.items;
        if items.str.is_valid(at) {
            ValueRef::Str(items.str.value(at))
        } else if items.int.is_valid(at) {
            ValueRef::Int(items.int.value(at))
        } else if items.float.is_valid(at) {
            ValueRef::Float(items.float.value(at))
        } else if items.bool.is_valid(at) {
            ValueRef::Bool(items.bool.value(at))
        } else {
            let decoded = self.decoded.binary_search_by_key(&item, |(item, _)| *item);
            ValueRef::Other(decoded.map_or(&EMPTY, |found| &self.decoded[found].1))
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
            bool: field(attribute::BOOL)?.as_boolean_opt().cloned().ok_or_else(|| missing(attribute::BOOL))?,
            json: as_text(field(attribute::JSON)?)?,
        })
    }

    /// The value of an item that is an array, a map or bytes.
    fn decode(&self, item: usize) -> Result<Option<Value>, Error> {
        if self.json.is_null(item) {
            return Ok(None);
        }
        let json = serde_json::from_str(self.json.value(item)).map_err(Error::damaged)?;
        value_from_json(&json).map(Some).map_err(Error::damaged)
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
        } else {
            self.decode(item)?.unwrap_or(Value::Empty)
        })
    }
}
