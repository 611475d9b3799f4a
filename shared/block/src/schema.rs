//! The columns of a block, in order: what every block has, then the attributes that have columns of their own.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

use crate::{Layout, ValueType};

pub(crate) const TRACE_KEY: &str = "trace_key";
pub(crate) const TRACE_ID: &str = "trace_id";
pub(crate) const SPAN_ID: &str = "span_id";
pub(crate) const PARENT_SPAN_ID: &str = "parent_span_id";
pub(crate) const START: &str = "start";
pub(crate) const DURATION: &str = "duration";
pub(crate) const NAME: &str = "name";
pub(crate) const KIND: &str = "kind";
pub(crate) const STATUS_CODE: &str = "status_code";
pub(crate) const STATUS_MESSAGE: &str = "status_message";
pub(crate) const TRACE_STATE: &str = "trace_state";
pub(crate) const FLAGS: &str = "flags";
pub(crate) const DROPPED_ATTRIBUTES: &str = "dropped_attributes_count";
pub(crate) const DROPPED_EVENTS: &str = "dropped_events_count";
pub(crate) const DROPPED_LINKS: &str = "dropped_links_count";
pub(crate) const SCOPE_NAME: &str = "scope_name";
pub(crate) const SCOPE_VERSION: &str = "scope_version";
pub(crate) const SCOPE_SCHEMA_URL: &str = "scope_schema_url";
pub(crate) const SCOPE_DROPPED_ATTRIBUTES: &str = "scope_dropped_attributes_count";
pub(crate) const RESOURCE_SCHEMA_URL: &str = "resource_schema_url";
pub(crate) const RESOURCE_DROPPED_ATTRIBUTES: &str = "resource_dropped_attributes_count";
pub(crate) const ADJUSTED_COUNT: &str = "adjusted_count";
pub(crate) const TRACE_START: &str = "trace_start";
pub(crate) const TRACE_DURATION: &str = "trace_duration";
pub(crate) const ROOT_SERVICE: &str = "root_service";
pub(crate) const ROOT_NAME: &str = "root_name";
pub(crate) const TRACE_SPAN_COUNT: &str = "trace_span_count";
pub(crate) const TRACE_ERROR_COUNT: &str = "trace_error_count";
pub(crate) const PARENT_DISTANCE: &str = "parent_distance";
pub(crate) const CHILD_COUNT: &str = "child_count";
pub(crate) const SPAN_ATTRIBUTES: &str = "span_attributes";
pub(crate) const RESOURCE_ATTRIBUTES: &str = "resource_attributes";
pub(crate) const SCOPE_ATTRIBUTES: &str = "scope_attributes";
pub(crate) const EVENTS: &str = "events";
pub(crate) const LINKS: &str = "links";

/// Fields of the structs in `events`.
pub(crate) mod event {
    pub(crate) const TIME: &str = "time";
    pub(crate) const NAME: &str = "name";
}

/// Fields of the structs in `links`.
pub(crate) mod link {
    pub(crate) const TRACE_ID: &str = "trace_id";
    pub(crate) const SPAN_ID: &str = "span_id";
    pub(crate) const TRACE_STATE: &str = "trace_state";
    pub(crate) const FLAGS: &str = "flags";
}

/// What events and links call their generic attributes.
pub(crate) const ATTRIBUTES: &str = "attributes";

/// Fields of the structs in a generic attribute list. At most one of the values is there; none of them is OTLP's
/// value-less attribute.
pub(crate) mod attribute {
    pub(crate) const KEY: &str = "key";
    pub(crate) const STR: &str = "str";
    pub(crate) const INT: &str = "int";
    pub(crate) const FLOAT: &str = "float";
    pub(crate) const BOOL: &str = "bool";
    /// Arrays, maps and bytes in OTLP's JSON encoding.
    pub(crate) const JSON: &str = "json";
}

pub(crate) fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
}

pub(crate) fn arrow_type(value_type: ValueType) -> DataType {
    match value_type {
        ValueType::Str => DataType::Utf8,
        ValueType::Int => DataType::Int64,
        ValueType::Float => DataType::Float64,
        ValueType::Bool => DataType::Boolean,
    }
}

pub(crate) fn attribute_fields() -> Fields {
    Fields::from(vec![
        Field::new(attribute::KEY, DataType::Utf8, false),
        Field::new(attribute::STR, DataType::Utf8, true),
        Field::new(attribute::INT, DataType::Int64, true),
        Field::new(attribute::FLOAT, DataType::Float64, true),
        Field::new(attribute::BOOL, DataType::Boolean, true),
        Field::new(attribute::JSON, DataType::Utf8, true),
    ])
}

pub(crate) fn event_fields() -> Fields {
    Fields::from(vec![
        Field::new(event::TIME, timestamp(), false),
        Field::new(event::NAME, DataType::Utf8, false),
        Field::new(DROPPED_ATTRIBUTES, DataType::UInt32, false),
        list_of(ATTRIBUTES, attribute_fields()),
    ])
}

pub(crate) fn link_fields() -> Fields {
    Fields::from(vec![
        Field::new(link::TRACE_ID, DataType::Binary, false),
        Field::new(link::SPAN_ID, DataType::Binary, false),
        Field::new(link::TRACE_STATE, DataType::Utf8, false),
        Field::new(link::FLAGS, DataType::UInt32, false),
        Field::new(DROPPED_ATTRIBUTES, DataType::UInt32, false),
        list_of(ATTRIBUTES, attribute_fields()),
    ])
}

/// The field of a list's items, named as Parquet's specification has it.
pub(crate) fn item(fields: Fields) -> Arc<Field> {
    Arc::new(Field::new("element", DataType::Struct(fields), false))
}

fn list_of(name: &str, fields: Fields) -> Field {
    Field::new(name, DataType::List(item(fields)), false)
}

/// The schema of a block with this layout.
pub(crate) fn schema(layout: &Layout) -> SchemaRef {
    let text = |name| Field::new(name, DataType::Utf8, false);
    let count = |name| Field::new(name, DataType::UInt32, false);
    let mut fields = vec![
        Field::new(TRACE_KEY, DataType::UInt64, false),
        Field::new(TRACE_ID, DataType::FixedSizeBinary(16), false),
        Field::new(SPAN_ID, DataType::FixedSizeBinary(8), false),
        Field::new(PARENT_SPAN_ID, DataType::FixedSizeBinary(8), true),
        Field::new(START, timestamp(), false),
        Field::new(DURATION, DataType::Int64, false),
        text(NAME),
        Field::new(KIND, DataType::Int32, false),
        Field::new(STATUS_CODE, DataType::Int32, false),
        text(STATUS_MESSAGE),
        text(TRACE_STATE),
        count(FLAGS),
        count(DROPPED_ATTRIBUTES),
        count(DROPPED_EVENTS),
        count(DROPPED_LINKS),
        text(SCOPE_NAME),
        text(SCOPE_VERSION),
        text(SCOPE_SCHEMA_URL),
        count(SCOPE_DROPPED_ATTRIBUTES),
        text(RESOURCE_SCHEMA_URL),
        count(RESOURCE_DROPPED_ATTRIBUTES),
        Field::new(ADJUSTED_COUNT, DataType::Float64, true),
        Field::new(TRACE_START, timestamp(), false),
        Field::new(TRACE_DURATION, DataType::Int64, false),
        text(ROOT_SERVICE),
        text(ROOT_NAME),
        count(TRACE_SPAN_COUNT),
        count(TRACE_ERROR_COUNT),
        Field::new(PARENT_DISTANCE, DataType::Int32, true),
        Field::new(CHILD_COUNT, DataType::UInt32, true),
        list_of(EVENTS, event_fields()),
        list_of(LINKS, link_fields()),
        list_of(RESOURCE_ATTRIBUTES, attribute_fields()),
        list_of(SCOPE_ATTRIBUTES, attribute_fields()),
        list_of(SPAN_ATTRIBUTES, attribute_fields()),
    ];
    fields.extend(layout.columns().iter().map(|column| Field::new(column.name(), arrow_type(column.value_type), true)));
    Arc::new(Schema::new(fields))
}
