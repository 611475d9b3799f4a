//! Rows with all columns, turned back into whole spans one at a time.

use std::{
    hash::{BuildHasher, Hasher},
    sync::Arc,
};

use arrow_array::{
    PrimitiveArray, RecordBatch, StringViewArray,
    types::{UInt32Type, UInt64Type},
};
use niente_model::{Resource, Scope, Span, SpanId, TraceId, TraceKey};

use crate::{
    AttributeScope, Error, Projection, SpanBatch,
    arrays::{column, list, primitive, text},
    attribute_rows::AttributeRows,
    attributes::{hash_text, same_text},
    hash::{Distinct, FastState},
    nested::{Events, Links},
    schema,
};

/// Some whole spans of a block, in columns: each is made when it is asked for.
///
/// Equal resources are one, shared by the spans of these rows, and so are equal scopes.
pub struct SpanRows {
    keys: PrimitiveArray<UInt64Type>,
    fixed: SpanBatch,
    names: StringViewArray,
    status_messages: StringViewArray,
    trace_states: StringViewArray,
    flags: PrimitiveArray<UInt32Type>,
    dropped_attributes: PrimitiveArray<UInt32Type>,
    dropped_events: PrimitiveArray<UInt32Type>,
    dropped_links: PrimitiveArray<UInt32Type>,
    attributes: AttributeRows,
    events: Events,
    links: Links,
    scopes: Shared<Scope>,
    resources: Shared<Resource>,
}

impl SpanRows {
    pub(crate) fn new(rows: &RecordBatch) -> Result<Self, Error> {
        let string = |name: &str| text(rows, name);
        let count = |name: &str| primitive::<UInt32Type>(column(rows, name)?);
        Ok(Self {
            keys: primitive(column(rows, schema::TRACE_KEY)?)?,
            fixed: SpanBatch::new(rows, &Projection::default())?,
            names: string(schema::NAME)?,
            status_messages: string(schema::STATUS_MESSAGE)?,
            trace_states: string(schema::TRACE_STATE)?,
            flags: count(schema::FLAGS)?,
            dropped_attributes: count(schema::DROPPED_ATTRIBUTES)?,
            dropped_events: count(schema::DROPPED_EVENTS)?,
            dropped_links: count(schema::DROPPED_LINKS)?,
            attributes: AttributeRows::new(rows, AttributeScope::Span)?,
            events: Events::new(&list(rows, schema::EVENTS)?)?,
            links: Links::new(&list(rows, schema::LINKS)?)?,
            scopes: scopes(rows)?,
            resources: resources(rows)?,
        })
    }

    /// How many spans there are.
    pub fn len(&self) -> usize {
        self.fixed.rows()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The key of the span's trace.
    pub fn trace_key(&self, row: usize) -> TraceKey {
        TraceKey(self.keys.value(row))
    }

    /// The ID of the span's trace.
    ///
    /// # Errors
    /// [`Error::Damaged`] if what is stored is no ID.
    pub fn trace_id(&self, row: usize) -> Result<TraceId, Error> {
        self.fixed.trace_id(row)
    }

    /// The whole span.
    ///
    /// # Errors
    /// [`Error::Damaged`] if what is stored is no span.
    pub fn span(&self, row: usize) -> Result<Span, Error> {
        let fixed = &self.fixed;
        let parent = fixed.parent_span_id(row).map(SpanId::from_slice).transpose().map_err(Error::damaged)?;
        Ok(Span {
            trace_id: fixed.trace_id(row)?,
            start: fixed.start(row),
            span_id: fixed.span_id(row)?,
            kind: fixed.kind(row),
            parent_span_id: parent,
            duration: fixed.duration(row),
            name: self.names.value(row).to_owned(),
            status_code: fixed.status(row),
            status_message: self.status_messages.value(row).to_owned(),
            trace_state: self.trace_states.value(row).to_owned(),
            flags: self.flags.value(row),
            attributes: self.attributes.get(row)?,
            dropped_attributes_count: self.dropped_attributes.value(row),
            events: self.events.get(row)?,
            dropped_events_count: self.dropped_events.value(row),
            links: self.links.get(row)?,
            dropped_links_count: self.dropped_links.value(row),
            scope: self.scopes.get(row),
            resource: self.resources.get(row),
        })
    }

    /// The whole spans, one after the other.
    pub fn spans(&self) -> impl ExactSizeIterator<Item = Result<Span, Error>> + '_ {
        (0..self.len()).map(|row| self.span(row))
    }

    /// All of the spans.
    ///
    /// # Errors
    /// [`Error::Damaged`] if one of them can't be made.
    pub fn into_spans(self) -> Result<Vec<Span>, Error> {
        self.spans().collect()
    }
}

impl std::fmt::Debug for SpanRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SpanRows").field("rows", &self.len()).finish_non_exhaustive()
    }
}

/// The resources or scopes of rows, each made once.
struct Shared<T> {
    distinct: Vec<Arc<T>>,
    of_row: Vec<u32>,
}

impl<T> Shared<T> {
    fn new(
        rows: usize,
        hash: impl Fn(usize, &mut dyn Hasher),
        same: impl Fn(usize, usize) -> bool,
        make: impl Fn(usize) -> Result<T, Error>,
    ) -> Result<Self, Error> {
        let (state, mut numbers) = (FastState::default(), Distinct::default());
        let mut of_row: Vec<u32> = Vec::with_capacity(rows);
        for row in 0..rows {
            let number = match of_row.last() {
                Some(number) if same(row - 1, row) => *number,
                _ => {
                    let mut hasher = state.build_hasher();
                    hash(row, &mut hasher);
                    numbers.number(row, hasher.finish(), |other| same(other, row))
                }
            };
            of_row.push(number);
        }
        let distinct = numbers.firsts().map(|row| make(row).map(Arc::new)).collect::<Result<_, Error>>()?;
        Ok(Self { distinct, of_row })
    }

    fn get(&self, row: usize) -> Arc<T> {
        self.distinct[self.of_row[row] as usize].clone()
    }
}

fn resources(rows: &RecordBatch) -> Result<Shared<Resource>, Error> {
    let attributes = AttributeRows::new(rows, AttributeScope::Resource)?;
    let dropped = primitive::<UInt32Type>(column(rows, schema::RESOURCE_DROPPED_ATTRIBUTES)?)?;
    let urls = text(rows, schema::RESOURCE_SCHEMA_URL)?;
    Shared::new(
        rows.num_rows(),
        |row, mut hasher| {
            attributes.hash(row, &mut hasher);
            hash_text(&urls, row, &mut hasher);
        },
        |a, b| attributes.same(a, b) && same_text(&urls, a, b) && dropped.value(a) == dropped.value(b),
        |row| {
            Ok(Resource {
                attributes: attributes.get(row)?,
                dropped_attributes_count: dropped.value(row),
                schema_url: urls.value(row).to_owned(),
            })
        },
    )
}

fn scopes(rows: &RecordBatch) -> Result<Shared<Scope>, Error> {
    let attributes = AttributeRows::new(rows, AttributeScope::Scope)?;
    let dropped = primitive::<UInt32Type>(column(rows, schema::SCOPE_DROPPED_ATTRIBUTES)?)?;
    let texts = [schema::SCOPE_NAME, schema::SCOPE_VERSION, schema::SCOPE_SCHEMA_URL].map(|name| text(rows, name));
    let [names, versions, urls] = texts;
    let (names, versions, urls) = (names?, versions?, urls?);
    let texts = [&names, &versions, &urls];
    Shared::new(
        rows.num_rows(),
        |row, mut hasher| {
            texts.iter().for_each(|texts| hash_text(texts, row, &mut hasher));
            attributes.hash(row, &mut hasher);
        },
        |a, b| {
            texts.iter().all(|texts| same_text(texts, a, b))
                && attributes.same(a, b)
                && dropped.value(a) == dropped.value(b)
        },
        |row| {
            Ok(Scope {
                name: names.value(row).to_owned(),
                version: versions.value(row).to_owned(),
                attributes: attributes.get(row)?,
                dropped_attributes_count: dropped.value(row),
                schema_url: urls.value(row).to_owned(),
            })
        },
    )
}
