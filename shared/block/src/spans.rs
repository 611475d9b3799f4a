//! Rows with all columns, turned back into whole spans.

use std::{collections::BTreeMap, sync::Arc};

use arrow_array::{
    BinaryArray, ListArray, PrimitiveArray, RecordBatch, StringViewArray,
    types::{TimestampNanosecondType, UInt32Type},
};
use niente_model::{Attributes, Event, Key, Link, Nanos, Resource, Scope, Span, SpanId, Value};

use crate::{
    AttributeColumn, AttributeScope, Error, Projection, SpanBatch,
    arrays::{as_list, as_text, binary, column, list, primitive, struct_field, text},
    attributes::{Items, Typed},
    batch::generic_column,
    schema::{self, event, link},
};

/// Turns rows with all columns back into spans.
pub(crate) fn spans(rows: &RecordBatch) -> Result<Vec<Span>, Error> {
    let fixed = SpanBatch::new(rows, &Projection::default())?;
    let string = |name: &str| text(rows, name);
    let count = |name: &str| primitive::<UInt32Type>(column(rows, name)?);
    let (names, status_messages, trace_states) =
        (string(schema::NAME)?, string(schema::STATUS_MESSAGE)?, string(schema::TRACE_STATE)?);
    let (scope_names, scope_versions, scope_urls) =
        (string(schema::SCOPE_NAME)?, string(schema::SCOPE_VERSION)?, string(schema::SCOPE_SCHEMA_URL)?);
    let resource_urls = string(schema::RESOURCE_SCHEMA_URL)?;
    let flags = count(schema::FLAGS)?;
    let dropped_attributes = count(schema::DROPPED_ATTRIBUTES)?;
    let dropped_events = count(schema::DROPPED_EVENTS)?;
    let dropped_links = count(schema::DROPPED_LINKS)?;
    let scope_dropped = count(schema::SCOPE_DROPPED_ATTRIBUTES)?;
    let resource_dropped = count(schema::RESOURCE_DROPPED_ATTRIBUTES)?;
    let attributes_of = |scope| ScopeColumns::new(rows, scope);
    let resource_attributes = attributes_of(AttributeScope::Resource)?;
    let scope_attributes = attributes_of(AttributeScope::Scope)?;
    let span_attributes = attributes_of(AttributeScope::Span)?;
    let events = Events::new(&list(rows, schema::EVENTS)?)?;
    let links = Links::new(&list(rows, schema::LINKS)?)?;
    // Few processes send many spans: each resource and scope is kept once.
    let mut resources: BTreeMap<Resource, Arc<Resource>> = BTreeMap::new();
    let mut scopes: BTreeMap<Scope, Arc<Scope>> = BTreeMap::new();

    (0..rows.num_rows())
        .map(|row| {
            let resource = Resource {
                attributes: resource_attributes.get(row)?,
                dropped_attributes_count: resource_dropped.value(row),
                schema_url: resource_urls.value(row).to_owned(),
            };
            let scope = Scope {
                name: scope_names.value(row).to_owned(),
                version: scope_versions.value(row).to_owned(),
                attributes: scope_attributes.get(row)?,
                dropped_attributes_count: scope_dropped.value(row),
                schema_url: scope_urls.value(row).to_owned(),
            };
            let parent = fixed.parent_span_id(row).map(SpanId::from_slice).transpose().map_err(Error::damaged)?;
            Ok(Span {
                trace_id: fixed.trace_id(row)?,
                start: fixed.start(row),
                span_id: fixed.span_id(row)?,
                kind: fixed.kind(row),
                parent_span_id: parent,
                duration: fixed.duration(row),
                name: names.value(row).to_owned(),
                status_code: fixed.status(row),
                status_message: status_messages.value(row).to_owned(),
                trace_state: trace_states.value(row).to_owned(),
                flags: flags.value(row),
                attributes: span_attributes.get(row)?,
                dropped_attributes_count: dropped_attributes.value(row),
                events: events.get(row)?,
                dropped_events_count: dropped_events.value(row),
                links: links.get(row)?,
                dropped_links_count: dropped_links.value(row),
                scope: scopes.entry(scope).or_insert_with_key(|scope| Arc::new(scope.clone())).clone(),
                resource: resources.entry(resource).or_insert_with_key(|resource| Arc::new(resource.clone())).clone(),
            })
        })
        .collect()
}

/// All attributes of one scope: the columns of their own, and the generic one.
struct ScopeColumns {
    typed: Vec<(Key, Typed)>,
    generic: GenericLists,
}

struct GenericLists {
    list: ListArray,
    items: Items,
}

impl ScopeColumns {
    fn new(rows: &RecordBatch, scope: AttributeScope) -> Result<Self, Error> {
        let mut typed = Vec::new();
        for (field, array) in rows.schema_ref().fields().iter().zip(rows.columns()) {
            if let Ok(column) = AttributeColumn::parse(field.name())
                && column.scope == scope
            {
                typed.push((column.key.as_str().into(), Typed::new(array, column.value_type)?));
            }
        }
        Ok(Self { typed, generic: GenericLists::new(list(rows, generic_column(scope))?)? })
    }

    fn get(&self, row: usize) -> Result<Attributes, Error> {
        let typed = self.typed.iter().filter_map(|(key, values)| Some((key.clone(), values.get(row)?.to_owned())));
        let generic = self.generic.pairs(row);
        typed.map(Ok).chain(generic).collect::<Result<_, Error>>()
    }
}

impl GenericLists {
    fn new(list: ListArray) -> Result<Self, Error> {
        let items = Items::new(list.values())?;
        Ok(Self { list, items })
    }

    fn pairs(&self, row: usize) -> impl Iterator<Item = Result<(Key, Value), Error>> + '_ {
        let offsets = self.list.value_offsets();
        (offsets[row] as usize..offsets[row + 1] as usize)
            .map(|item| Ok((self.items.key.value(item).into(), self.items.value(item)?)))
    }
}

struct Events {
    list: ListArray,
    time: PrimitiveArray<TimestampNanosecondType>,
    name: StringViewArray,
    dropped: PrimitiveArray<UInt32Type>,
    attributes: GenericLists,
}

impl Events {
    fn new(list: &ListArray) -> Result<Self, Error> {
        let field = |name| struct_field(list, name);
        Ok(Self {
            time: primitive(field(event::TIME)?)?,
            name: as_text(field(event::NAME)?)?,
            dropped: primitive(field(schema::DROPPED_ATTRIBUTES)?)?,
            attributes: GenericLists::new(as_list(field(schema::ATTRIBUTES)?)?)?,
            list: list.clone(),
        })
    }

    fn get(&self, row: usize) -> Result<Vec<Event>, Error> {
        let offsets = self.list.value_offsets();
        (offsets[row] as usize..offsets[row + 1] as usize)
            .map(|at| {
                Ok(Event {
                    time: Nanos::from_i64(self.time.value(at)),
                    name: self.name.value(at).to_owned(),
                    attributes: self.attributes.pairs(at).collect::<Result<_, _>>()?,
                    dropped_attributes_count: self.dropped.value(at),
                })
            })
            .collect()
    }
}

struct Links {
    list: ListArray,
    trace_id: BinaryArray,
    span_id: BinaryArray,
    trace_state: StringViewArray,
    flags: PrimitiveArray<UInt32Type>,
    dropped: PrimitiveArray<UInt32Type>,
    attributes: GenericLists,
}

impl Links {
    fn new(list: &ListArray) -> Result<Self, Error> {
        let field = |name| struct_field(list, name);
        Ok(Self {
            trace_id: binary(field(link::TRACE_ID)?)?,
            span_id: binary(field(link::SPAN_ID)?)?,
            trace_state: as_text(field(link::TRACE_STATE)?)?,
            flags: primitive(field(link::FLAGS)?)?,
            dropped: primitive(field(schema::DROPPED_ATTRIBUTES)?)?,
            attributes: GenericLists::new(as_list(field(schema::ATTRIBUTES)?)?)?,
            list: list.clone(),
        })
    }

    fn get(&self, row: usize) -> Result<Vec<Link>, Error> {
        let offsets = self.list.value_offsets();
        (offsets[row] as usize..offsets[row + 1] as usize)
            .map(|at| {
                Ok(Link {
                    trace_id: self.trace_id.value(at).to_vec(),
                    span_id: self.span_id.value(at).to_vec(),
                    trace_state: self.trace_state.value(at).to_owned(),
                    attributes: self.attributes.pairs(at).collect::<Result<_, _>>()?,
                    dropped_attributes_count: self.dropped.value(at),
                    flags: self.flags.value(at),
                })
            })
            .collect()
    }
}
