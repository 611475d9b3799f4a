//! Generic attributes, events and links: lists of structs, built row by row.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, ListArray, StructArray, TimestampNanosecondArray,
    builder::{BinaryBuilder, BooleanBuilder, Float64Builder, Int64Builder, StringBuilder, UInt32Builder},
};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::Fields;
use niente_model::{Event, Link, Value, value_to_json};

use crate::schema;

/// Where each row's items begin and end.
struct Offsets(Vec<i32>);

impl Default for Offsets {
    fn default() -> Self {
        Self(vec![0])
    }
}

impl Offsets {
    /// Ends a row's list after `items` items in all.
    fn close(&mut self, items: usize) {
        self.0.push(i32::try_from(items).expect("a batch holds fewer than 2^31 attributes, events or links"));
    }

    fn take(&mut self, fields: Fields, columns: Vec<ArrayRef>) -> ListArray {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(std::mem::take(&mut self.0)));
        self.0.push(0);
        let items = StructArray::new(fields.clone(), columns, None);
        ListArray::new(schema::item(fields), offsets, Arc::new(items), None)
    }
}

/// Builds a generic attribute column.
#[derive(Default)]
pub(crate) struct AttributeLists {
    offsets: Offsets,
    key: StringBuilder,
    str: StringBuilder,
    int: Int64Builder,
    float: Float64Builder,
    bool: BooleanBuilder,
    json: StringBuilder,
}

impl AttributeLists {
    pub(crate) fn push(&mut self, key: &str, value: &Value) {
        self.key.append_value(key);
        self.str.append_option(if let Value::Str(text) = value { Some(text) } else { None });
        self.int.append_option(if let Value::Int(number) = value { Some(*number) } else { None });
        self.float.append_option(if let Value::Float(number) = value { Some(*number) } else { None });
        self.bool.append_option(if let Value::Bool(truth) = value { Some(*truth) } else { None });
        self.json.append_option(match value {
            Value::Bytes(_) | Value::Array(_) | Value::Map(_) => Some(value_to_json(value).to_string()),
            _ => None,
        });
    }

    pub(crate) fn push_all<'a>(&mut self, attributes: impl Iterator<Item = (&'a Arc<str>, &'a Value)>) {
        for (key, value) in attributes {
            self.push(key, value);
        }
        self.close();
    }

    pub(crate) fn close(&mut self) {
        self.offsets.close(arrow_array::builder::ArrayBuilder::len(&self.key));
    }

    pub(crate) fn finish(&mut self) -> ListArray {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.key.finish()),
            Arc::new(self.str.finish()),
            Arc::new(self.int.finish()),
            Arc::new(self.float.finish()),
            Arc::new(self.bool.finish()),
            Arc::new(self.json.finish()),
        ];
        self.offsets.take(schema::attribute_fields(), columns)
    }
}

/// Builds the `events` column.
#[derive(Default)]
pub(crate) struct EventLists {
    offsets: Offsets,
    time: Vec<i64>,
    name: StringBuilder,
    dropped: UInt32Builder,
    attributes: AttributeLists,
}

impl EventLists {
    pub(crate) fn push_all(&mut self, events: &[Event]) {
        for event in events {
            self.time.push(event.time.as_i64());
            self.name.append_value(&event.name);
            self.dropped.append_value(event.dropped_attributes_count);
            self.attributes.push_all(event.attributes.iter());
        }
        self.offsets.close(self.time.len());
    }

    pub(crate) fn finish(&mut self) -> ListArray {
        let time = TimestampNanosecondArray::from(std::mem::take(&mut self.time)).with_timezone("UTC");
        let columns: Vec<ArrayRef> = vec![
            Arc::new(time),
            Arc::new(self.name.finish()),
            Arc::new(self.dropped.finish()),
            Arc::new(self.attributes.finish()),
        ];
        self.offsets.take(schema::event_fields(), columns)
    }
}

/// Builds the `links` column.
#[derive(Default)]
pub(crate) struct LinkLists {
    offsets: Offsets,
    trace_id: BinaryBuilder,
    span_id: BinaryBuilder,
    trace_state: StringBuilder,
    flags: UInt32Builder,
    dropped: UInt32Builder,
    attributes: AttributeLists,
}

impl LinkLists {
    pub(crate) fn push_all(&mut self, links: &[Link]) {
        for link in links {
            self.trace_id.append_value(&link.trace_id);
            self.span_id.append_value(&link.span_id);
            self.trace_state.append_value(&link.trace_state);
            self.flags.append_value(link.flags);
            self.dropped.append_value(link.dropped_attributes_count);
            self.attributes.push_all(link.attributes.iter());
        }
        self.offsets.close(arrow_array::builder::ArrayBuilder::len(&self.flags));
    }

    pub(crate) fn finish(&mut self) -> ListArray {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.trace_id.finish()),
            Arc::new(self.span_id.finish()),
            Arc::new(self.trace_state.finish()),
            Arc::new(self.flags.finish()),
            Arc::new(self.dropped.finish()),
            Arc::new(self.attributes.finish()),
        ];
        self.offsets.take(schema::link_fields(), columns)
    }
}
