use std::sync::Arc;

use niente_model::{Nanos, Span, SpanId, TraceId};
use opentelemetry_proto::tonic::trace::v1 as trace;

use crate::{
    Error, Limits, Refusal, Refusals, Request, Warnings,
    spans::{Frame, Reader},
};

/// The spans of a request that can be stored, and what must be said about the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The valid spans, in the order in which they came. Spans of one resource or scope share it.
    pub spans: Vec<Span>,
    /// The spans that were not taken.
    pub refused: Refusals,
    /// What was changed in the spans that were taken.
    pub warnings: Warnings,
}

impl Request {
    /// Checks each span, and turns the valid ones into the model's.
    ///
    /// A span must start at most `retention` before `now`, if one is given, and neither start nor end more than
    /// [`Limits::future`] after it. An end before the start is no reason to refuse a span, for clocks are adjusted:
    /// its duration becomes 0.
    ///
    /// Not kept are a resource's `entity_refs`, which OTLP still has in development, and indexes into the string
    /// table of profiles, which mean nothing here: such a value becomes an empty one.
    ///
    /// # Errors
    ///
    /// [`Error::TooManySpans`]: none is taken then.
    pub fn check(self, limits: &Limits, now: Nanos, retention: Option<Nanos>) -> Result<Batch, Error> {
        let scope_spans = || self.message.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
        let decoded = scope_spans().map(|scope| scope.spans.len()).sum::<usize>();
        let spans = decoded + self.refused.total();
        if spans > limits.spans {
            return Err(Error::TooManySpans { spans, limit: limits.spans });
        }

        let mut batch = Batch { spans: Vec::with_capacity(decoded), refused: self.refused, ..Batch::default() };
        let mut reader = Reader::new(limits);
        let period = Period { limits, now, retention };
        for trace::ResourceSpans { resource, scope_spans, schema_url } in self.message.resource_spans {
            let resource = Arc::new(reader.resource(resource.unwrap_or_default(), schema_url));
            for trace::ScopeSpans { scope, spans, schema_url } in scope_spans {
                let scope = Arc::new(reader.scope(scope.unwrap_or_default(), schema_url));
                for span in spans {
                    match period.frame(&span) {
                        Ok(frame) => batch.spans.push(reader.span(span, frame, &scope, &resource)),
                        Err(reason) => batch.refused.count(reason, 1),
                    }
                }
            }
        }
        batch.warnings = reader.warnings;
        Ok(batch)
    }
}

/// When spans may have happened.
struct Period<'l> {
    limits: &'l Limits,
    now: Nanos,
    retention: Option<Nanos>,
}

impl Period<'_> {
    /// What a span must have right to be taken at all.
    fn frame(&self, span: &trace::Span) -> Result<Frame, Refusal> {
        let latest = self.now.saturating_add(self.limits.future);
        let time = |which, nanos| match Nanos::new(nanos) {
            Err(_) => Err(Refusal::Unrepresentable { which }),
            Ok(time) if time > latest => Err(Refusal::Future { which, allowed: self.limits.future }),
            Ok(time) => Ok(time),
        };
        let trace_id = TraceId::from_slice(&span.trace_id).map_err(Refusal::Id)?;
        let span_id = SpanId::from_slice(&span.span_id).map_err(Refusal::Id)?;
        let parent_span_id = SpanId::parent_from_slice(&span.parent_span_id).map_err(Refusal::ParentId)?;
        if span.start_time_unix_nano == 0 {
            return Err(Refusal::NoStart);
        }
        let start = time("start", span.start_time_unix_nano)?;
        let end = time("end", span.end_time_unix_nano)?;
        if let Some(retention) = self.retention
            && start < self.now.saturating_sub(retention)
        {
            return Err(Refusal::Expired { retention });
        }
        if span.events.iter().any(|event| Nanos::new(event.time_unix_nano).is_err()) {
            return Err(Refusal::Unrepresentable { which: "event" });
        }
        Ok(Frame { trace_id, span_id, parent_span_id, start, end })
    }
}
