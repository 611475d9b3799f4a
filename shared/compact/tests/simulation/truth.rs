//! What was sent, what was acknowledged, and what was asked to be gone.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use fastrand::Rng;
use niente_block::Written;
use niente_catalog::{L0Name, TenantConfig, encode_level0};
use niente_model::{Nanos, Span, SpanId, Tenant, TraceId};
use niente_store::ObjectKey;

/// Everything that a client knows.
#[derive(Default)]
pub(crate) struct Truth {
    pub(crate) requests: Vec<Request>,
    pub(crate) spans: BTreeMap<SpanId, Issued>,
    /// Traces of which somebody has begun to ask for the removal.
    pub(crate) redacted: BTreeSet<TraceId>,
    /// The retention that somebody has begun to ask for.
    pub(crate) retention: Option<u32>,
    ids: u64,
}

/// A request of a client, which it may send again and again: always the same.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) number: usize,
    pub(crate) objects: Arc<Vec<(L0Name, Written)>>,
    pub(crate) acknowledged: bool,
    issued: Nanos,
    spans: Vec<SpanId>,
}

/// A span that was sent.
pub(crate) struct Issued {
    pub(crate) span: Span,
    /// The level-0 object that it is written to.
    pub(crate) object: ObjectKey,
    pub(crate) acknowledged: bool,
}

/// How many requests a run has at most, so that it stays cheap.
const REQUESTS: usize = 5;
/// Spans of all requests share so many traces.
const TRACES: u64 = 5;
/// Clients give up after this.
const PATIENCE: Nanos = Nanos::from_secs(12 * 3_600);

impl Truth {
    /// What a client sends next: something new, or something that it has sent before and perhaps even knows to be
    /// there.
    pub(crate) fn next_request(&mut self, tenant: &Tenant, now: Nanos, rng: &mut Rng) -> Option<Request> {
        let alive = |request: &&Request| request.issued.saturating_add(PATIENCE) >= now;
        let unanswered = self.requests.iter().filter(alive).find(|request| !request.acknowledged);
        match rng.u32(..8) {
            0..4 if unanswered.is_some() => return unanswered.cloned(),
            0 => {
                let sent: Vec<_> = self.requests.iter().filter(alive).collect();
                return rng.choice(sent).cloned();
            }
            _ => {}
        }
        if self.requests.len() >= REQUESTS {
            return None;
        }
        let spans: Vec<Span> = (0..rng.usize(1..5)).filter_map(|_| self.new_span(now, rng)).collect();
        let objects = encode_level0(spans.clone()).unwrap();
        let request = Request {
            number: self.requests.len(),
            acknowledged: false,
            issued: now,
            spans: spans.iter().map(|span| span.span_id).collect(),
            objects: Arc::new(objects),
        };
        for span in spans {
            let object = request.objects.iter().find(|(name, _)| name.hour() == span.start.hour());
            let object = object.expect("each span has an object").0.key(tenant);
            self.spans.insert(span.span_id, Issued { span, object, acknowledged: false });
        }
        self.requests.push(request.clone());
        Some(request)
    }

    fn new_span(&mut self, now: Nanos, rng: &mut Rng) -> Option<Span> {
        let trace: TraceId = format!("{:x}", 0xabc + rng.u64(..TRACES)).parse().unwrap();
        if self.redacted.contains(&trace) {
            return None;
        }
        self.ids += 1;
        let id = SpanId::from_slice(&self.ids.to_be_bytes()).unwrap();
        // Mostly just now, some an hour ago, some very late.
        let longest = *[60, 4_000, 90_000].get(rng.usize(..8)).unwrap_or(&300);
        let ago = rng.u64(..longest);
        let mut span = Span::new(trace, id, now.saturating_sub(Nanos::from_secs(ago)));
        let longest = if rng.u32(..6) == 0 { 5_000 } else { 5 };
        span.duration = Nanos::from_secs(rng.u64(..longest));
        span.name = format!("span {id}");
        if rng.u32(..4) == 0 {
            // So that not everything fits into one block.
            span.status_message = (0..4_000).map(|_| rng.alphanumeric()).collect();
        }
        Some(span)
    }

    pub(crate) fn acknowledge(&mut self, number: usize) {
        let request = &mut self.requests[number];
        request.acknowledged = true;
        for id in &request.spans {
            if let Some(issued) = self.spans.get_mut(id) {
                issued.acknowledged = true;
            }
        }
    }

    /// A trace of which something was sent.
    pub(crate) fn some_trace(&self, rng: &mut Rng) -> Option<TraceId> {
        let spans: Vec<_> = self.spans.values().collect();
        Some(rng.choice(spans)?.span.trace_id)
    }

    /// What was sent to be written to this object.
    pub(crate) fn written_to(&self, object: &ObjectKey) -> Vec<Span> {
        self.spans.values().filter(|issued| issued.object == *object).map(|issued| issued.span.clone()).collect()
    }

    /// Spans that every answer from now on has to show.
    pub(crate) fn acknowledged(&self) -> impl Iterator<Item = &Span> {
        self.spans.values().filter(|issued| issued.acknowledged).map(|issued| &issued.span)
    }

    /// Whether the span may be missing in an answer that is finished at `now`, though it was acknowledged.
    pub(crate) fn may_miss(&self, span: &Span, now: Nanos) -> bool {
        self.redacted.contains(&span.trace_id) || self.has_expired(span, now)
    }

    pub(crate) fn has_expired(&self, span: &Span, now: Nanos) -> bool {
        let config = TenantConfig { retention_days: self.retention, ..TenantConfig::default() };
        config.has_expired(span.start.hour().day(), now)
    }
}
