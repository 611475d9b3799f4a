use std::{ops::Range, sync::Arc};

use arrow_array::{
    Array, ArrayRef, BinaryArray, FixedSizeBinaryArray, Int32Array, ListArray, PrimitiveArray, RecordBatch,
    StringViewArray,
    cast::AsArray,
    types::{Int32Type, Int64Type, TimestampNanosecondType},
};
use niente_model::{Attributes, Nanos, SpanId, SpanKind, StatusCode, TraceId, Value};

use crate::{
    AttributeScope, Column, Error, Projection,
    arrays::{as_list, as_text, binary, column, ids, missing, optional_list, primitive, text},
    attribute_keys::AttributeKeys,
    attribute_rows::AttributeRows,
    attributes::AttributeValues,
    schema::{self, event, link},
};

/// The columns of every [`SpanBatch`], beside the trace key.
pub(crate) const IDENTITY: [&str; 7] = [
    schema::TRACE_ID,
    schema::SPAN_ID,
    schema::PARENT_SPAN_ID,
    schema::START,
    schema::DURATION,
    schema::KIND,
    schema::STATUS_CODE,
];

/// The generic column of a scope.
pub(crate) fn generic_column(scope: AttributeScope) -> &'static str {
    match scope {
        AttributeScope::Resource => schema::RESOURCE_ATTRIBUTES,
        AttributeScope::Scope => schema::SCOPE_ATTRIBUTES,
        AttributeScope::Span => schema::SPAN_ATTRIBUTES,
    }
}

/// Some spans of a block, in columns: what identifies and places each, and what a [`Projection`] asked for.
#[derive(Clone, Debug)]
pub struct SpanBatch {
    trace_ids: FixedSizeBinaryArray,
    span_ids: FixedSizeBinaryArray,
    parents: FixedSizeBinaryArray,
    starts: PrimitiveArray<TimestampNanosecondType>,
    durations: PrimitiveArray<Int64Type>,
    kinds: Int32Array,
    statuses: Int32Array,
    columns: Vec<Values>,
    events: Option<ListArray>,
    links: Option<ListArray>,
}

/// A value in a column, borrowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueRef<'a> {
    /// The span, event or link has no such attribute.
    Absent,
    /// Text.
    Str(&'a str),
    /// An integer.
    Int(i64),
    /// A double.
    Float(f64),
    /// A boolean.
    Bool(bool),
    /// The bytes of an ID.
    Bytes(&'a [u8]),
    /// What has no column type: arrays, maps, bytes, and the value-less attribute.
    Other(&'a Value),
}

/// The values of one projected column.
#[derive(Clone, Debug)]
pub(crate) enum Values {
    Text(StringViewArray),
    Binary(BinaryArray),
    Time(PrimitiveArray<TimestampNanosecondType>),
    Attribute(AttributeValues),
    Attributes(Arc<AttributeRows>),
    Keys(AttributeKeys),
}

impl Values {
    /// The values of a column in these rows, or in their events or links.
    pub(crate) fn of(
        rows: &RecordBatch,
        column: &Column,
        events: &Option<ListArray>,
        links: &Option<ListArray>,
    ) -> Result<Self, Error> {
        let child = |list: &Option<ListArray>, field: &str| -> Result<ArrayRef, Error> {
            let list = list.as_ref().ok_or_else(|| missing(field))?;
            list.values().as_struct().column_by_name(field).cloned().ok_or_else(|| missing(field))
        };
        let attributes = |list: &Option<ListArray>| as_list(&child(list, schema::ATTRIBUTES)?);
        Ok(match column {
            Column::Name => Values::Text(text(rows, schema::NAME)?),
            Column::StatusMessage => Values::Text(text(rows, schema::STATUS_MESSAGE)?),
            Column::ScopeName => Values::Text(text(rows, schema::SCOPE_NAME)?),
            Column::ScopeVersion => Values::Text(text(rows, schema::SCOPE_VERSION)?),
            Column::Attribute(scope, key) => Values::Attribute(AttributeValues::of_rows(rows, *scope, key)?),
            Column::Attributes(scope) => Values::Attributes(Arc::new(AttributeRows::new(rows, *scope)?)),
            Column::EventName => Values::Text(as_text(&child(events, event::NAME)?)?),
            Column::EventTime => Values::Time(primitive(&child(events, event::TIME)?)?),
            Column::EventAttribute(key) => Values::Attribute(AttributeValues::of_list(&attributes(events)?, key)?),
            Column::LinkTraceId => Values::Binary(binary(&child(links, link::TRACE_ID)?)?),
            Column::LinkSpanId => Values::Binary(binary(&child(links, link::SPAN_ID)?)?),
            Column::LinkAttribute(key) => Values::Attribute(AttributeValues::of_list(&attributes(links)?, key)?),
            Column::Keys(scope) => Values::Keys(AttributeKeys::of_rows(rows, *scope)?),
            Column::EventKeys => Values::Keys(AttributeKeys::of_list(&attributes(events)?)?),
            Column::LinkKeys => Values::Keys(AttributeKeys::of_list(&attributes(links)?)?),
        })
    }

    pub(crate) fn get(&self, index: usize) -> ValueRef<'_> {
        match self {
            Values::Text(values) => ValueRef::Str(values.value(index)),
            Values::Binary(values) => ValueRef::Bytes(values.value(index)),
            Values::Time(values) => ValueRef::Int(values.value(index)),
            Values::Attribute(values) => values.get(index),
            Values::Attributes(_) | Values::Keys(_) => ValueRef::Absent,
        }
    }
}

/// Which indices of a column's values are a row's.
pub(crate) enum Children {
    /// The row itself.
    Rows,
    /// Those of its events or links.
    Lists(Option<ListArray>),
}

impl Children {
    pub(crate) fn of(column: &Column, events: Option<ListArray>, links: Option<ListArray>) -> Self {
        match column {
            Column::EventName | Column::EventTime | Column::EventAttribute(_) | Column::EventKeys => {
                Children::Lists(events)
            }
            Column::LinkTraceId | Column::LinkSpanId | Column::LinkAttribute(_) | Column::LinkKeys => {
                Children::Lists(links)
            }
            _ => Children::Rows,
        }
    }

    pub(crate) fn range(&self, row: usize) -> Range<usize> {
        match self {
            Children::Rows => row..row + 1,
            Children::Lists(list) => children(list, row),
        }
    }
}

impl SpanBatch {
    pub(crate) fn new(rows: &RecordBatch, projection: &Projection) -> Result<Self, Error> {
        let events = optional_list(rows, schema::EVENTS)?;
        let links = optional_list(rows, schema::LINKS)?;
        let columns = projection.columns().iter().map(|column| Values::of(rows, column, &events, &links));
        Ok(Self {
            trace_ids: ids(rows, schema::TRACE_ID)?,
            span_ids: ids(rows, schema::SPAN_ID)?,
            parents: ids(rows, schema::PARENT_SPAN_ID)?,
            starts: primitive(column(rows, schema::START)?)?,
            durations: primitive(column(rows, schema::DURATION)?)?,
            kinds: primitive::<Int32Type>(column(rows, schema::KIND)?)?,
            statuses: primitive::<Int32Type>(column(rows, schema::STATUS_CODE)?)?,
            columns: columns.collect::<Result<_, Error>>()?,
            events,
            links,
        })
    }

    /// How many spans there are.
    pub fn rows(&self) -> usize {
        self.starts.len()
    }

    /// The bytes of the trace's ID.
    pub fn trace_id_bytes(&self, row: usize) -> &[u8] {
        self.trace_ids.value(row)
    }

    /// The trace's ID.
    pub fn trace_id(&self, row: usize) -> Result<TraceId, Error> {
        TraceId::from_slice(self.trace_id_bytes(row)).map_err(Error::damaged)
    }

    /// The bytes of the span's ID.
    pub fn span_id_bytes(&self, row: usize) -> &[u8] {
        self.span_ids.value(row)
    }

    /// The span's ID.
    pub fn span_id(&self, row: usize) -> Result<SpanId, Error> {
        SpanId::from_slice(self.span_id_bytes(row)).map_err(Error::damaged)
    }

    /// The bytes of the parent's ID; none for a root.
    pub fn parent_span_id(&self, row: usize) -> Option<&[u8]> {
        self.parents.is_valid(row).then(|| self.parents.value(row))
    }

    /// When the span began.
    pub fn start(&self, row: usize) -> Nanos {
        Nanos::from_i64(self.starts.value(row))
    }

    /// How long it took.
    pub fn duration(&self, row: usize) -> Nanos {
        Nanos::from_i64(self.durations.value(row))
    }

    /// Its kind.
    pub fn kind(&self, row: usize) -> SpanKind {
        SpanKind(self.kinds.value(row))
    }

    /// The code of its status.
    pub fn status(&self, row: usize) -> StatusCode {
        StatusCode(self.statuses.value(row))
    }

    /// The indices of its events in columns of events; empty if the projection has none of those.
    pub fn events(&self, row: usize) -> Range<usize> {
        children(&self.events, row)
    }

    /// The indices of its links in columns of links; empty if the projection has none of those.
    pub fn links(&self, row: usize) -> Range<usize> {
        children(&self.links, row)
    }

    /// The attributes of a row, if the projection's column is one of [`Column::Attributes`].
    ///
    /// # Errors
    /// [`Error::Damaged`] if what is stored are none.
    pub fn attributes(&self, column: usize, row: usize) -> Result<Attributes, Error> {
        match &self.columns[column] {
            Values::Attributes(values) => values.get(row),
            _ => Ok(Attributes::default()),
        }
    }

    /// What the projection's column has for a row, or for an event or link by its index.
    pub fn value(&self, column: usize, index: usize) -> ValueRef<'_> {
        self.columns[column].get(index)
    }

    /// The keys that the projection's column of keys has for a row, or for an event or link by its index.
    pub fn keys(&self, column: usize, index: usize) -> impl Iterator<Item = &str> {
        let keys = if let Values::Keys(keys) = &self.columns[column] { Some(keys) } else { None };
        keys.into_iter().flat_map(move |keys| keys.get(index))
    }
}

impl ValueRef<'_> {
    /// The value, owned; absence and raw bytes of IDs have no place in attributes.
    pub(crate) fn to_owned(self) -> Value {
        match self {
            ValueRef::Absent => Value::Empty,
            ValueRef::Str(text) => Value::Str(text.to_owned()),
            ValueRef::Int(number) => Value::Int(number),
            ValueRef::Float(number) => Value::Float(number),
            ValueRef::Bool(truth) => Value::Bool(truth),
            ValueRef::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
            ValueRef::Other(value) => value.clone(),
        }
    }
}

fn children(list: &Option<ListArray>, row: usize) -> Range<usize> {
    list.as_ref().map_or(0..0, |list| {
        let offsets = list.value_offsets();
        offsets[row] as usize..offsets[row + 1] as usize
    })
}
