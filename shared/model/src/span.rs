use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Attributes, Nanos, SpanId, TraceId};

/// One OpenTelemetry span, with everything that OTLP carries about it.
///
/// The derived order is the canonical one of a store: by trace ID, start, span ID and kind, then by all the rest,
/// so that of two different spans with one identity the same one comes first whatever way they arrived. (Objects
/// sort traces by [`TraceId::key`] first.)
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// The trace that it belongs to.
    pub trace_id: TraceId,
    /// When it began.
    pub start: Nanos,
    /// Its own ID, unique within the trace (but for Zipkin's shared client and server spans).
    pub span_id: SpanId,
    /// Its role in a remote call.
    pub kind: SpanKind,
    /// The span that caused it; none for a root.
    pub parent_span_id: Option<SpanId>,
    /// How long it took.
    pub duration: Nanos,
    /// What it did.
    pub name: String,
    /// How it ended.
    pub status_code: StatusCode,
    /// What the status says beyond its code.
    pub status_message: String,
    /// W3C `tracestate`, as it came.
    pub trace_state: String,
    /// W3C trace flags and OTLP's own bits.
    pub flags: u32,
    /// Its attributes.
    pub attributes: Attributes,
    /// Attributes that the sender dropped.
    pub dropped_attributes_count: u32,
    /// What happened during it.
    pub events: Vec<Event>,
    /// Events that the sender dropped.
    pub dropped_events_count: u32,
    /// Spans of this or other traces that it refers to.
    pub links: Vec<Link>,
    /// Links that the sender dropped.
    pub dropped_links_count: u32,
    /// The library that recorded it.
    pub scope: Arc<Scope>,
    /// The process that produced it.
    pub resource: Arc<Resource>,
}

/// Records that agree in this are the same span, though maybe sent twice. Ordered as [`Span`]s are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanIdentity {
    /// The trace.
    pub trace_id: TraceId,
    /// When the span began.
    pub start: Nanos,
    /// The span's ID.
    pub span_id: SpanId,
    /// Its kind: Zipkin's client and server spans share an ID.
    pub kind: SpanKind,
}

/// Something that happened at one moment of a span.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub time: Nanos,
    /// What.
    pub name: String,
    /// Its attributes.
    pub attributes: Attributes,
    /// Attributes that the sender dropped.
    pub dropped_attributes_count: u32,
}

/// A reference from a span to another.
///
/// The IDs are raw bytes: senders put all zeros and other lengths here, and nothing of a span is dropped for that.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Link {
    /// The trace referred to; 16 bytes where the sender is sane.
    pub trace_id: Vec<u8>,
    /// The span referred to; 8 bytes where the sender is sane.
    pub span_id: Vec<u8>,
    /// W3C `tracestate` of the span referred to.
    pub trace_state: String,
    /// Its attributes.
    pub attributes: Attributes,
    /// Attributes that the sender dropped.
    pub dropped_attributes_count: u32,
    /// W3C trace flags and OTLP's own bits.
    pub flags: u32,
}

/// The instrumentation library that recorded a span.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its attributes.
    pub attributes: Attributes,
    /// Attributes that the sender dropped.
    pub dropped_attributes_count: u32,
    /// The semantic conventions' schema of the spans under it.
    pub schema_url: String,
}

/// The process, pod or machine that produced a span.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Resource {
    /// Its attributes.
    pub attributes: Attributes,
    /// Attributes that the sender dropped.
    pub dropped_attributes_count: u32,
    /// The semantic conventions' schema of the resource.
    pub schema_url: String,
}

/// OTLP's `SpanKind`. Numbers that OTLP doesn't know are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SpanKind(pub i32);

/// OTLP's `StatusCode`. Numbers that OTLP doesn't know are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StatusCode(pub i32);

impl Span {
    /// A span of which only this is known: everything else is zero, empty or not said.
    pub fn new(trace_id: TraceId, span_id: SpanId, start: Nanos) -> Self {
        Self {
            trace_id,
            start,
            span_id,
            kind: SpanKind::UNSPECIFIED,
            parent_span_id: None,
            duration: Nanos::ZERO,
            name: String::new(),
            status_code: StatusCode::UNSET,
            status_message: String::new(),
            trace_state: String::new(),
            flags: 0,
            attributes: Attributes::default(),
            dropped_attributes_count: 0,
            events: Vec::new(),
            dropped_events_count: 0,
            links: Vec::new(),
            dropped_links_count: 0,
            scope: Arc::default(),
            resource: Arc::default(),
        }
    }

    /// When it ended.
    pub fn end(&self) -> Nanos {
        self.start.saturating_add(self.duration)
    }

    /// What makes it the same span as another record of it.
    pub fn identity(&self) -> SpanIdentity {
        SpanIdentity { trace_id: self.trace_id, start: self.start, span_id: self.span_id, kind: self.kind }
    }

    /// Whether two records are the same span, though maybe sent twice.
    pub fn same_identity(&self, other: &Span) -> bool {
        self.identity() == other.identity()
    }
}

impl SpanKind {
    /// Not said.
    pub const UNSPECIFIED: SpanKind = SpanKind(0);
    /// Work inside a process.
    pub const INTERNAL: SpanKind = SpanKind(1);
    /// The answering side of a call.
    pub const SERVER: SpanKind = SpanKind(2);
    /// The asking side of a call.
    pub const CLIENT: SpanKind = SpanKind(3);
    /// The sending side of a message.
    pub const PRODUCER: SpanKind = SpanKind(4);
    /// The receiving side of a message.
    pub const CONSUMER: SpanKind = SpanKind(5);
}

impl StatusCode {
    /// Not said.
    pub const UNSET: StatusCode = StatusCode(0);
    /// Marked a success.
    pub const OK: StatusCode = StatusCode(1);
    /// Failed.
    pub const ERROR: StatusCode = StatusCode(2);
}
