//! The attributes of spans, resources or scopes, on their way into columns of their own and generic lists.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, ListArray,
    builder::{BooleanBuilder, Float64Builder, Int64Builder, StringBuilder},
};
use niente_model::{Attributes, Key, Value};

use crate::{AttributeScope, Layout, ValueType, Written, hash::FastMap, list::AttributeLists};

/// The attributes of one scope: those with a column of their own, and the rest.
pub(crate) struct ScopedAttributes {
    scope: AttributeScope,
    row: usize,
    generic: AttributeLists,
    columns: Vec<TypedColumn>,
    keys: FastMap<Key, Known>,
    /// More keys came than can be told.
    too_many: bool,
}

/// A key that has columns, or that came.
#[derive(Clone, Copy, Default)]
struct Known {
    /// The column of each type.
    columns: [Option<u32>; 4],
    came: bool,
}

impl ScopedAttributes {
    pub(crate) fn new(scope: AttributeScope, layout: &Layout) -> Self {
        let mut columns = Vec::new();
        let mut keys: FastMap<Key, Known> = FastMap::default();
        for (at, column) in layout.columns().iter().enumerate().filter(|(_, column)| column.scope == scope) {
            let known = keys.entry(column.key.as_str().into()).or_default();
            known.columns[column.value_type as usize] = Some(columns.len() as u32);
            columns.push(TypedColumn::new(at, column.value_type));
        }
        Self { scope, row: 0, generic: AttributeLists::default(), columns, keys, too_many: false }
    }

    /// Adds a row with these attributes.
    pub(crate) fn push(&mut self, attributes: &Attributes) {
        for (key, value) in attributes.iter() {
            let column = self.column(key, value);
            self.push_to(column, key, value);
        }
        self.close();
    }

    /// The columns of the values of one type.
    pub(crate) fn finish_columns(&mut self, rows: usize) -> impl Iterator<Item = (usize, ArrayRef)> + '_ {
        self.row = 0;
        self.columns.iter_mut().map(move |column| (column.at, column.finish(rows)))
    }

    pub(crate) fn finish_generic(&mut self) -> ListArray {
        self.generic.finish()
    }

    /// All keys that ever came; none if they are too many.
    pub(crate) fn into_keys(self) -> Option<Vec<(AttributeScope, String)>> {
        let came = self.keys.into_iter().filter(|(_, known)| known.came);
        (!self.too_many).then(|| came.map(|(key, _)| (self.scope, key.to_string())).collect())
    }

    /// The column for a value of this key, if it has one. Takes note that the key came.
    fn column(&mut self, key: &Key, value: &Value) -> Option<u32> {
        let full = self.keys.len() > Layout::MAX_COLUMNS + Written::MAX_ATTRIBUTES;
        let columns = match self.keys.get_mut(key) {
            Some(known) => {
                known.came = true;
                known.columns
            }
            None if full => {
                self.too_many = true;
                return None;
            }
            None => {
                self.keys.insert(key.clone(), Known { came: true, ..Known::default() });
                return None;
            }
        };
        columns[value_type(value)? as usize]
    }

    fn push_to(&mut self, column: Option<u32>, key: &Key, value: &Value) {
        match column {
            Some(column) => self.columns[column as usize].push(self.row, value),
            None => self.generic.push(key, value),
        }
    }

    fn close(&mut self) {
        self.generic.close();
        self.row += 1;
    }
}

/// Where the attributes of each resource or scope go: found once for each that spans share.
pub(crate) struct Plans<T> {
    /// By address, which is no other's while the plan holds the resource.
    plans: FastMap<usize, Plan<T>>,
    /// What the resources hold together, about.
    weight: usize,
}

struct Plan<T> {
    _held: Arc<T>,
    columns: Vec<Option<u32>>,
    weight: usize,
}

/// Plans are forgotten when there are so many, or when they hold resources of so many bytes.
const MAX_PLANS: usize = 4_096;
const MAX_PLANNED_BYTES: usize = 8 << 20;

impl<T> Plans<T> {
    /// Adds a row with the attributes of a shared thing; `first` is called if it is new. Gives their weight.
    pub(crate) fn push(
        &mut self,
        shared: &Arc<T>,
        attributes: &Attributes,
        into: &mut ScopedAttributes,
        first: impl FnOnce(),
    ) -> usize {
        if self.plans.len() >= MAX_PLANS || self.weight >= MAX_PLANNED_BYTES {
            self.plans.clear();
            self.weight = 0;
        }
        let plan = self.plans.entry(Arc::as_ptr(shared).addr()).or_insert_with(|| {
            first();
            let columns = attributes.iter().map(|(key, value)| into.column(key, value)).collect();
            let weight = attributes.weight();
            self.weight += weight;
            Plan { _held: shared.clone(), columns, weight }
        });
        for ((key, value), column) in attributes.iter().zip(&plan.columns) {
            into.push_to(*column, key, value);
        }
        into.close();
        plan.weight
    }
}

impl<T> Default for Plans<T> {
    fn default() -> Self {
        Self { plans: FastMap::default(), weight: 0 }
    }
}

fn value_type(value: &Value) -> Option<ValueType> {
    match value {
        Value::Str(_) => Some(ValueType::Str),
        Value::Int(_) => Some(ValueType::Int),
        Value::Float(_) => Some(ValueType::Float),
        Value::Bool(_) => Some(ValueType::Bool),
        Value::Empty | Value::Bytes(_) | Value::Array(_) | Value::Map(_) => None,
    }
}

struct TypedColumn {
    /// Its position in the layout.
    at: usize,
    values: TypedValues,
    len: usize,
}

enum TypedValues {
    Str(StringBuilder),
    Int(Int64Builder),
    Float(Float64Builder),
    Bool(BooleanBuilder),
}

impl TypedColumn {
    fn new(at: usize, value_type: ValueType) -> Self {
        let values = match value_type {
            ValueType::Str => TypedValues::Str(StringBuilder::new()),
            ValueType::Int => TypedValues::Int(Int64Builder::new()),
            ValueType::Float => TypedValues::Float(Float64Builder::new()),
            ValueType::Bool => TypedValues::Bool(BooleanBuilder::new()),
        };
        Self { at, values, len: 0 }
    }

    /// Sets the value of a row; rows that were passed over have none.
    fn push(&mut self, row: usize, value: &Value) {
        self.pad(row);
        self.len += 1;
        match (&mut self.values, value) {
            (TypedValues::Str(values), Value::Str(text)) => values.append_value(text),
            (TypedValues::Int(values), Value::Int(number)) => values.append_value(*number),
            (TypedValues::Float(values), Value::Float(number)) => values.append_value(*number),
            (TypedValues::Bool(values), Value::Bool(truth)) => values.append_value(*truth),
            _ => unreachable!("columns are found by the value's type"),
        }
    }

    fn pad(&mut self, rows: usize) {
        let missing = rows - self.len;
        if missing == 0 {
            return;
        }
        match &mut self.values {
            TypedValues::Str(values) => values.append_nulls(missing),
            TypedValues::Int(values) => values.append_nulls(missing),
            TypedValues::Float(values) => values.append_nulls(missing),
            TypedValues::Bool(values) => values.append_nulls(missing),
        }
        self.len = rows;
    }

    fn finish(&mut self, rows: usize) -> ArrayRef {
        self.pad(rows);
        self.len = 0;
        match &mut self.values {
            TypedValues::Str(values) => Arc::new(values.finish()),
            TypedValues::Int(values) => Arc::new(values.finish()),
            TypedValues::Float(values) => Arc::new(values.finish()),
            TypedValues::Bool(values) => Arc::new(values.finish()),
        }
    }
}
