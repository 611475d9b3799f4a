use std::{collections::HashSet, sync::Arc};

use niente_model::{Event, Key, Link, Nanos, Resource, Scope, Span, SpanId, SpanKind, StatusCode, TraceId};
use opentelemetry_proto::tonic::{common::v1 as common, resource::v1 as resource, trace::v1 as trace};

use crate::{Limits, Warnings};

/// What a span must have right to be taken at all, taken from it already.
pub(crate) struct Frame {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) parent_span_id: Option<SpanId>,
    pub(crate) start: Nanos,
    pub(crate) end: Nanos,
}

/// Turns the messages of one request into the model, within the limits, moving texts and sharing keys.
pub(crate) struct Reader<'l> {
    pub(crate) limits: &'l Limits,
    /// What didn't fit so far.
    pub(crate) warnings: Warnings,
    pub(crate) keys: HashSet<Key>,
}

impl<'l> Reader<'l> {
    pub(crate) fn new(limits: &'l Limits) -> Self {
        Self { limits, warnings: Warnings::default(), keys: HashSet::new() }
    }

    pub(crate) fn resource(&mut self, resource: resource::Resource, schema_url: String) -> Resource {
        let (attributes, dropped_attributes_count) =
            self.attributes(resource.attributes, resource.dropped_attributes_count);
        Resource { attributes, dropped_attributes_count, schema_url }
    }

    pub(crate) fn scope(&mut self, scope: common::InstrumentationScope, schema_url: String) -> Scope {
        let (attributes, dropped_attributes_count) = self.attributes(scope.attributes, scope.dropped_attributes_count);
        Scope { name: scope.name, version: scope.version, attributes, dropped_attributes_count, schema_url }
    }

    pub(crate) fn span(
        &mut self,
        span: trace::Span,
        frame: Frame,
        scope: &Arc<Scope>,
        resource: &Arc<Resource>,
    ) -> Span {
        let Frame { trace_id, span_id, parent_span_id, start, end } = frame;
        if end < start {
            self.warnings.negative_durations += 1;
        }
        let (attributes, dropped_attributes_count) = self.attributes(span.attributes, span.dropped_attributes_count);
        let surplus_events = span.events.len().saturating_sub(self.limits.events);
        let surplus_links = span.links.len().saturating_sub(self.limits.links);
        self.warnings.surplus_events += surplus_events;
        self.warnings.surplus_links += surplus_links;
        let events = span.events.into_iter().take(self.limits.events).map(|event| self.event(event)).collect();
        let links = span.links.into_iter().take(self.limits.links).map(|link| self.link(link)).collect();
        let status = span.status.unwrap_or_default();
        Span {
            trace_id,
            start,
            span_id,
            kind: SpanKind(span.kind),
            parent_span_id,
            duration: end.saturating_sub(start),
            name: span.name,
            status_code: StatusCode(status.code),
            status_message: status.message,
            trace_state: span.trace_state,
            flags: span.flags,
            attributes,
            dropped_attributes_count,
            events,
            dropped_events_count: dropped(span.dropped_events_count, surplus_events),
            links,
            dropped_links_count: dropped(span.dropped_links_count, surplus_links),
            scope: Arc::clone(scope),
            resource: Arc::clone(resource),
        }
    }

    fn event(&mut self, event: trace::span::Event) -> Event {
        let (attributes, dropped_attributes_count) = self.attributes(event.attributes, event.dropped_attributes_count);
        let time = Nanos::new(event.time_unix_nano).expect("a span with an event beyond 2262 is refused");
        Event { time, name: event.name, attributes, dropped_attributes_count }
    }

    fn link(&mut self, link: trace::span::Link) -> Link {
        let (attributes, dropped_attributes_count) = self.attributes(link.attributes, link.dropped_attributes_count);
        Link {
            trace_id: link.trace_id,
            span_id: link.span_id,
            trace_state: link.trace_state,
            attributes,
            dropped_attributes_count,
            flags: link.flags,
        }
    }
}

/// What the sender dropped and what is dropped here.
pub(crate) fn dropped(by_sender: u32, here: usize) -> u32 {
    by_sender.saturating_add(u32::try_from(here).unwrap_or(u32::MAX))
}
