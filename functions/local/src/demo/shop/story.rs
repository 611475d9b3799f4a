//! A trace in the making: a clock that moves while services work, and the spans that they record.

use fastrand::Rng;
use niente_receive::proto::{
    common::v1::KeyValue,
    trace::v1::{
        Span, Status,
        span::{Event, Link, SpanKind},
        status::StatusCode,
    },
};

use super::{
    attribute::text,
    service::{Library, Service},
};

/// A span and who recorded it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Recorded {
    pub(super) service: Service,
    pub(super) pod: u8,
    pub(super) library: Library,
    pub(crate) span: Span,
}

/// What a caller learns of what it called.
pub(super) type Outcome = Result<(), Fault>;

/// Something that went wrong, on its way to whom it concerns.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) exception: &'static str,
    pub(super) message: String,
    /// What it is in HTTP. Below 500 it is the caller's fault.
    pub(super) http_status: u16,
    /// What it is in gRPC.
    pub(super) grpc_status: u8,
    /// Whether the span that it happened in tells of it already.
    recorded: bool,
}

impl Fault {
    pub(super) fn new(exception: &'static str, message: impl Into<String>, http_status: u16, grpc_status: u8) -> Self {
        Self { exception, message: message.into(), http_status, grpc_status, recorded: false }
    }
}

/// How a span begins.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) service: Service,
    pub(super) pod: u8,
    pub(super) library: Library,
    pub(super) kind: SpanKind,
    pub(super) name: String,
    pub(super) attributes: Vec<KeyValue>,
}

/// One trace, told from its root.
#[derive(Debug)]
pub(super) struct Story {
    pub(super) dice: Rng,
    /// Nanoseconds since the epoch.
    now: u64,
    trace_id: [u8; 16],
    spans: Vec<Recorded>,
    /// The spans that are open, by their places among all.
    open: Vec<usize>,
}

impl Story {
    /// A trace that begins at this time.
    pub(super) fn new(mut dice: Rng, start: u64) -> Self {
        let trace_id = dice.u128(1..).to_be_bytes();
        Self { dice, now: start, trace_id, spans: Vec::new(), open: Vec::new() }
    }

    pub(super) fn into_spans(self) -> Vec<Recorded> {
        self.spans
    }

    /// Time goes by: about so many milliseconds, now and then many more.
    pub(super) fn work(&mut self, typical: f64) {
        let normal: f64 = (0..6).map(|_| self.dice.f64()).sum::<f64>() - 3.0;
        let tail = if self.dice.u16(..) < 400 { 6.0 } else { 1.0 };
        self.now += (typical * (0.55 * normal).exp() * tail * 1e6) as u64;
    }

    /// Whether something happens that happens in so many of a thousand cases.
    pub(super) fn chance(&mut self, of_thousand: u32) -> bool {
        self.dice.u32(..1_000) < of_thousand
    }

    /// One of these.
    pub(super) fn one_of<T: Copy>(&mut self, things: &[T]) -> T {
        things[self.dice.usize(..things.len())]
    }

    /// Records a span around what `body` does.
    pub(super) fn span(&mut self, opening: Opening, body: impl FnOnce(&mut Self) -> Outcome) -> Outcome {
        let parent = self.open.last().map(|at| self.spans[*at].span.span_id.clone());
        let Opening { service, pod, library, kind, name, attributes } = opening;
        let span = Span {
            trace_id: self.trace_id.to_vec(),
            span_id: self.dice.u64(1..).to_be_bytes().to_vec(),
            parent_span_id: parent.unwrap_or_default(),
            // Sampled; of a remote parent where the span answers a call.
            flags: if matches!(kind, SpanKind::Server | SpanKind::Consumer) { 0x301 } else { 0x101 },
            name,
            kind: kind.into(),
            start_time_unix_nano: self.now,
            attributes,
            status: Some(Status::default()),
            ..Span::default()
        };
        self.open.push(self.spans.len());
        self.spans.push(Recorded { service, pod, library, span });
        let outcome = body(self).map_err(|fault| self.tell(fault, kind));
        let now = self.now;
        self.current().span.end_time_unix_nano = now;
        self.open.pop();
        outcome
    }

    /// The innermost open span says what went wrong.
    fn tell(&mut self, mut fault: Fault, kind: SpanKind) -> Fault {
        let now = self.now;
        let span = &mut self.current().span;
        // Who answers a wrong call has not failed.
        if kind != SpanKind::Server || fault.http_status >= 500 {
            span.status = Some(Status { code: StatusCode::Error.into(), message: fault.message.clone() });
        }
        if !fault.recorded {
            fault.recorded = true;
            span.events.push(Event {
                time_unix_nano: now,
                name: "exception".to_owned(),
                attributes: vec![
                    text("exception.type", fault.exception),
                    text("exception.message", fault.message.clone()),
                    text("exception.stacktrace", stack_trace(&fault, &span.name)),
                ],
                dropped_attributes_count: 0,
            });
        }
        fault
    }

    /// Does both at the same time, and goes on when both have ended.
    pub(super) fn both(
        &mut self,
        one: impl FnOnce(&mut Self) -> Outcome,
        other: impl FnOnce(&mut Self) -> Outcome,
    ) -> Outcome {
        let start = self.now;
        let first = one(self);
        let end = std::mem::replace(&mut self.now, start);
        let second = other(self);
        self.now = self.now.max(end);
        first.and(second)
    }

    /// Does something that nobody waits for, after about so many milliseconds. Whether it fails concerns nobody here.
    pub(super) fn later(&mut self, milliseconds: f64, body: impl FnOnce(&mut Self) -> Outcome) {
        let resume = self.now;
        self.work(milliseconds);
        // What went wrong stands in the spans of those who did it.
        let _ = body(self);
        self.now = resume;
    }

    /// Adds to the innermost open span.
    pub(super) fn note(&mut self, attribute: KeyValue) {
        self.current().span.attributes.push(attribute);
    }

    /// Something happens in the innermost open span.
    pub(super) fn event(&mut self, name: &str, attributes: Vec<KeyValue>) {
        let time_unix_nano = self.now;
        let event = Event { time_unix_nano, name: name.to_owned(), attributes, dropped_attributes_count: 0 };
        self.current().span.events.push(event);
    }

    /// The innermost open span refers to another.
    pub(super) fn link(&mut self, link: Link) {
        self.current().span.links.push(link);
    }

    /// What refers to the innermost open span.
    pub(super) fn context(&mut self) -> Link {
        let Span { trace_id, span_id, .. } = self.current().span.clone();
        Link { trace_id, span_id, flags: 0x301, ..Link::default() }
    }

    /// Who works at the moment, and in which pod.
    pub(super) fn worker(&mut self) -> (Service, u8) {
        let current = self.current();
        (current.service, current.pod)
    }

    /// Some pod of a service.
    pub(super) fn pod_of(&mut self, service: Service) -> u8 {
        self.dice.u8(..service.pods())
    }

    fn current(&mut self) -> &mut Recorded {
        let at = *self.open.last().expect("work is done in a span");
        &mut self.spans[at]
    }
}

fn stack_trace(fault: &Fault, place: &str) -> String {
    let frames = ["handler", "middleware.retry", "middleware.trace", "server.dispatch", "runtime.main"];
    let mut trace = format!("{}: {}\n    at {place}", fault.exception, fault.message);
    for (line, frame) in frames.iter().enumerate() {
        trace += &format!("\n    at {frame} (src/{}.x:{})", frame.replace('.', "/"), 40 + 17 * line);
    }
    trace
}
