//! Spans into a record batch of a block's schema.

use std::{collections::BTreeSet, sync::Arc};

use arrow_array::{
    ArrayRef, RecordBatch,
    builder::{
        FixedSizeBinaryBuilder, Int32Builder, Int64Builder, StringBuilder, TimestampNanosecondBuilder, UInt32Builder,
        UInt64Builder,
    },
    new_null_array,
};
use arrow_schema::{ArrowError, DataType, SchemaRef};
use niente_model::{Resource, Scope, Span, TraceKey, Value};

use crate::{
    AttributeScope, Layout, Written,
    list::{EventLists, LinkLists},
    schema,
    scoped::{Plans, ScopedAttributes},
    trace::{Place, TraceSummary},
    written::Contents,
};

/// Collects spans and turns them into a batch.
pub(crate) struct Rows {
    schema: SchemaRef,
    len: usize,
    bytes: usize,
    trace_key: UInt64Builder,
    trace_id: FixedSizeBinaryBuilder,
    span_id: FixedSizeBinaryBuilder,
    parent_span_id: FixedSizeBinaryBuilder,
    start: TimestampNanosecondBuilder,
    duration: Int64Builder,
    name: StringBuilder,
    kind: Int32Builder,
    status_code: Int32Builder,
    status_message: StringBuilder,
    trace_state: StringBuilder,
    flags: UInt32Builder,
    dropped_attributes: UInt32Builder,
    dropped_events: UInt32Builder,
    dropped_links: UInt32Builder,
    scope_name: StringBuilder,
    scope_version: StringBuilder,
    scope_schema_url: StringBuilder,
    scope_dropped_attributes: UInt32Builder,
    resource_schema_url: StringBuilder,
    resource_dropped_attributes: UInt32Builder,
    trace_start: TimestampNanosecondBuilder,
    trace_duration: Int64Builder,
    root_service: StringBuilder,
    root_name: StringBuilder,
    trace_span_count: UInt32Builder,
    trace_error_count: UInt32Builder,
    parent_distance: Int32Builder,
    child_count: UInt32Builder,
    events: EventLists,
    links: LinkLists,
    resource: ScopedAttributes,
    resources: Plans<Resource>,
    scope: ScopedAttributes,
    scopes: Plans<Scope>,
    span: ScopedAttributes,
    /// Those of all resources so far; none if there are too many.
    services: Option<BTreeSet<String>>,
}

impl Rows {
    pub(crate) fn new(schema: SchemaRef, layout: &Layout) -> Self {
        Self {
            schema,
            len: 0,
            bytes: 0,
            trace_key: UInt64Builder::new(),
            trace_id: FixedSizeBinaryBuilder::new(16),
            span_id: FixedSizeBinaryBuilder::new(8),
            parent_span_id: FixedSizeBinaryBuilder::new(8),
            start: TimestampNanosecondBuilder::new().with_data_type(schema::timestamp()),
            duration: Int64Builder::new(),
            name: StringBuilder::new(),
            kind: Int32Builder::new(),
            status_code: Int32Builder::new(),
            status_message: StringBuilder::new(),
            trace_state: StringBuilder::new(),
            flags: UInt32Builder::new(),
            dropped_attributes: UInt32Builder::new(),
            dropped_events: UInt32Builder::new(),
            dropped_links: UInt32Builder::new(),
            scope_name: StringBuilder::new(),
            scope_version: StringBuilder::new(),
            scope_schema_url: StringBuilder::new(),
            scope_dropped_attributes: UInt32Builder::new(),
            resource_schema_url: StringBuilder::new(),
            resource_dropped_attributes: UInt32Builder::new(),
            trace_start: TimestampNanosecondBuilder::new().with_data_type(schema::timestamp()),
            trace_duration: Int64Builder::new(),
            root_service: StringBuilder::new(),
            root_name: StringBuilder::new(),
            trace_span_count: UInt32Builder::new(),
            trace_error_count: UInt32Builder::new(),
            parent_distance: Int32Builder::new(),
            child_count: UInt32Builder::new(),
            events: EventLists::default(),
            links: LinkLists::default(),
            resource: ScopedAttributes::new(AttributeScope::Resource, layout),
            resources: Plans::default(),
            scope: ScopedAttributes::new(AttributeScope::Scope, layout),
            scopes: Plans::default(),
            span: ScopedAttributes::new(AttributeScope::Span, layout),
            services: Some(BTreeSet::new()),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// About how many bytes the rows take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Which attributes and services all rows had that were ever pushed.
    pub(crate) fn contents(self) -> Contents {
        let keys = [self.resource, self.scope, self.span].map(ScopedAttributes::into_keys);
        let attributes: Option<BTreeSet<_>> =
            keys.into_iter().collect::<Option<Vec<_>>>().map(|keys| keys.concat().into_iter().collect());
        Contents {
            services: self.services,
            attributes: attributes.filter(|keys| keys.len() <= Written::MAX_ATTRIBUTES),
        }
    }

    /// Adds a row: a span, with what is known of its trace and its place in it; no place where that isn't computed.
    pub(crate) fn push(
        &mut self,
        key: TraceKey,
        span: &Span,
        trace: &TraceSummary,
        place: Option<Place>,
    ) -> Result<(), ArrowError> {
        self.trace_key.append_value(key.0);
        self.trace_id.append_value(span.trace_id.as_bytes())?;
        self.span_id.append_value(span.span_id.as_bytes())?;
        match &span.parent_span_id {
            Some(id) => self.parent_span_id.append_value(id.as_bytes())?,
            None => self.parent_span_id.append_null(),
        }
        self.start.append_value(span.start.as_i64());
        self.duration.append_value(span.duration.as_i64());
        self.name.append_value(&span.name);
        self.kind.append_value(span.kind.0);
        self.status_code.append_value(span.status_code.0);
        self.status_message.append_value(&span.status_message);
        self.trace_state.append_value(&span.trace_state);
        self.flags.append_value(span.flags);
        self.dropped_attributes.append_value(span.dropped_attributes_count);
        self.dropped_events.append_value(span.dropped_events_count);
        self.dropped_links.append_value(span.dropped_links_count);
        self.scope_name.append_value(&span.scope.name);
        self.scope_version.append_value(&span.scope.version);
        self.scope_schema_url.append_value(&span.scope.schema_url);
        self.scope_dropped_attributes.append_value(span.scope.dropped_attributes_count);
        self.resource_schema_url.append_value(&span.resource.schema_url);
        self.resource_dropped_attributes.append_value(span.resource.dropped_attributes_count);
        self.trace_start.append_value(trace.start().as_i64());
        self.trace_duration.append_value(trace.duration().as_i64());
        self.root_service.append_value(&trace.root_service);
        self.root_name.append_value(&trace.root_name);
        self.trace_span_count.append_value(trace.spans);
        self.trace_error_count.append_value(trace.errors);
        self.parent_distance.append_option(place.and_then(|place| place.parent_distance));
        self.child_count.append_option(place.map(|place| place.child_count));
        self.events.push_all(&span.events);
        self.links.push_all(&span.links);
        let (resource, scope) = (&span.resource, &span.scope);
        let shared = self.resources.push(resource, &resource.attributes, &mut self.resource, || {
            note_service(&mut self.services, resource);
        });
        let shared = shared + self.scopes.push(scope, &scope.attributes, &mut self.scope, || {});
        self.span.push(&span.attributes);
        self.len += 1;
        self.bytes += shared + weight(span);
        Ok(())
    }

    /// The batch of all that was pushed; what follows starts anew.
    pub(crate) fn take_batch(&mut self) -> Result<RecordBatch, ArrowError> {
        let adjusted_count = new_null_array(&DataType::Float64, self.len);
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(self.trace_key.finish()),
            Arc::new(self.trace_id.finish()),
            Arc::new(self.span_id.finish()),
            Arc::new(self.parent_span_id.finish()),
            Arc::new(self.start.finish()),
            Arc::new(self.duration.finish()),
            Arc::new(self.name.finish()),
            Arc::new(self.kind.finish()),
            Arc::new(self.status_code.finish()),
            Arc::new(self.status_message.finish()),
            Arc::new(self.trace_state.finish()),
            Arc::new(self.flags.finish()),
            Arc::new(self.dropped_attributes.finish()),
            Arc::new(self.dropped_events.finish()),
            Arc::new(self.dropped_links.finish()),
            Arc::new(self.scope_name.finish()),
            Arc::new(self.scope_version.finish()),
            Arc::new(self.scope_schema_url.finish()),
            Arc::new(self.scope_dropped_attributes.finish()),
            Arc::new(self.resource_schema_url.finish()),
            Arc::new(self.resource_dropped_attributes.finish()),
            adjusted_count,
            Arc::new(self.trace_start.finish()),
            Arc::new(self.trace_duration.finish()),
            Arc::new(self.root_service.finish()),
            Arc::new(self.root_name.finish()),
            Arc::new(self.trace_span_count.finish()),
            Arc::new(self.trace_error_count.finish()),
            Arc::new(self.parent_distance.finish()),
            Arc::new(self.child_count.finish()),
            Arc::new(self.events.finish()),
            Arc::new(self.links.finish()),
            Arc::new(self.resource.finish_generic()),
            Arc::new(self.scope.finish_generic()),
            Arc::new(self.span.finish_generic()),
        ];
        let mut typed: Vec<(usize, ArrayRef)> = Vec::new();
        for scoped in [&mut self.resource, &mut self.scope, &mut self.span] {
            typed.extend(scoped.finish_columns(self.len));
        }
        typed.sort_by_key(|(at, _)| *at);
        columns.extend(typed.into_iter().map(|(_, array)| array));
        self.len = 0;
        self.bytes = 0;
        RecordBatch::try_new(self.schema.clone(), columns)
    }
}

/// About how many bytes a row takes, without the attributes of its resource and scope.
fn weight(span: &Span) -> usize {
    let (resource, scope) = (&span.resource, &span.scope);
    let texts = [&span.name, &span.status_message, &span.trace_state, &resource.schema_url, &scope.schema_url];
    let own = texts.map(String::len).iter().sum::<usize>() + scope.name.len() + scope.version.len() + 256;
    let events = span.events.iter().map(|event| event.name.len() + event.attributes.weight() + 32);
    let links = span.links.iter().map(|link| link.trace_state.len() + link.attributes.weight() + 64);
    own + span.attributes.weight() + events.sum::<usize>() + links.sum::<usize>()
}

fn note_service(services: &mut Option<BTreeSet<String>>, resource: &Resource) {
    if let (Some(known), Some(Value::Str(name))) = (services.as_mut(), resource.attributes.get("service.name"))
        && !known.contains(name)
    {
        known.insert(name.clone());
        if known.len() > Written::MAX_SERVICES {
            *services = None;
        }
    }
}
