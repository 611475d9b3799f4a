//! What is known of a trace's part in one block: the values of the trace and structure columns.

use std::{cmp::Ordering, collections::HashMap};

use niente_model::{Nanos, Span, SpanId, SpanKind, StatusCode, Value};

/// The order of rows in every block: by trace key, then as [`Span`] orders itself.
pub fn canonical_order(a: &Span, b: &Span) -> Ordering {
    a.trace_id.key().cmp(&b.trace_id.key()).then_with(|| a.cmp(b))
}

/// The values that are repeated on each row of a trace.
pub(crate) struct TraceSummary {
    pub(crate) start: Nanos,
    pub(crate) duration: Nanos,
    pub(crate) root_service: String,
    pub(crate) root_name: String,
    pub(crate) errors: u32,
}

impl TraceSummary {
    pub(crate) fn of(spans: &[Span]) -> Self {
        let start = spans.iter().map(|span| span.start).min().unwrap_or_default();
        let end = spans.iter().map(Span::end).max().unwrap_or_default();
        // Of several roots the last to begin names the trace, as in Tempo.
        let root = spans.iter().rfind(|span| span.parent_span_id.is_none());
        Self {
            start,
            duration: end.saturating_sub(start),
            root_service: root.map(service_name).unwrap_or_default(),
            root_name: root.map(|span| span.name.clone()).unwrap_or_default(),
            errors: spans.iter().filter(|span| span.status_code == StatusCode::ERROR).count() as u32,
        }
    }
}

fn service_name(span: &Span) -> String {
    match span.resource.attributes.get("service.name") {
        Some(Value::Str(name)) => name.clone(),
        _ => String::new(),
    }
}

/// A span's place among the spans of its trace in this block.
#[derive(Clone, Copy, Default)]
pub(crate) struct Place {
    /// The parent's row minus the span's own; none for roots and where the parent isn't in the block.
    pub(crate) parent_distance: Option<i32>,
    pub(crate) child_count: u32,
}

pub(crate) fn places(spans: &[Span]) -> Vec<Place> {
    let mut rows: HashMap<SpanId, (usize, Option<usize>)> = HashMap::with_capacity(spans.len());
    for (row, span) in spans.iter().enumerate() {
        rows.entry(span.span_id).and_modify(|(_, second)| *second = Some(row)).or_insert((row, None));
    }
    let mut places = vec![Place::default(); spans.len()];
    for (row, span) in spans.iter().enumerate() {
        let parent = span.parent_span_id.and_then(|id| match *rows.get(&id)? {
            (first, None) => Some(first),
            (first, Some(second)) => shared_parent(spans, span, first, second),
        });
        if let Some(parent) = parent.filter(|parent| *parent != row) {
            places[row].parent_distance = Some((parent as i64 - row as i64) as i32);
            places[parent].child_count += 1;
        }
    }
    places
}

/// Zipkin's client and server spans share one ID: a server span's parent is the client, any other's is the server.
fn shared_parent(spans: &[Span], child: &Span, first: usize, second: usize) -> Option<usize> {
    let wanted = if child.kind == SpanKind::SERVER { SpanKind::CLIENT } else { SpanKind::SERVER };
    [first, second].into_iter().find(|row| spans[*row].kind == wanted)
}
