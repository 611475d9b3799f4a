//! What is known of a trace's part in one block: the values of the trace and structure columns.

use std::cmp::Ordering;

use niente_model::{Nanos, Parents, Span, StatusCode, Value};

/// The order of rows in every block: by trace key, then as [`Span`] orders itself.
pub fn canonical_order(a: &Span, b: &Span) -> Ordering {
    a.trace_id.key().cmp(&b.trace_id.key()).then_with(|| a.cmp(b))
}

/// The values that are repeated on each row of a trace, folded from its spans in [canonical order](canonical_order).
///
/// A trace that is too long to be held is read twice: once for its summary, once to be written in parts, by
/// [`BlockWriter::write_part`](crate::BlockWriter::write_part).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceSummary {
    start: Option<Nanos>,
    end: Nanos,
    pub(crate) root_service: String,
    pub(crate) root_name: String,
    pub(crate) spans: u32,
    pub(crate) errors: u32,
}

impl TraceSummary {
    /// Takes a span into account, the next of the trace in canonical order.
    pub fn add(&mut self, span: &Span) {
        self.start = Some(self.start.map_or(span.start, |start| start.min(span.start)));
        self.end = self.end.max(span.end());
        self.spans = self.spans.saturating_add(1);
        self.errors = self.errors.saturating_add(u32::from(span.status_code == StatusCode::ERROR));
        // Of several roots the last to begin names the trace, as in Tempo.
        if span.parent_span_id.is_none() {
            self.root_service = service_name(span).map(cut).unwrap_or_default();
            self.root_name = cut(&span.name);
        }
    }

    pub(crate) fn of(spans: &[Span]) -> Self {
        let mut summary = Self::default();
        spans.iter().for_each(|span| summary.add(span));
        summary
    }

    pub(crate) fn start(&self) -> Nanos {
        self.start.unwrap_or_default()
    }

    pub(crate) fn duration(&self) -> Nanos {
        self.end.saturating_sub(self.start())
    }
}

/// What is repeated on each row of a trace is cut to so many bytes, at a character's border.
const MAX_REPEATED: usize = 256;

fn cut(text: &str) -> String {
    text[..text.floor_char_boundary(MAX_REPEATED)].to_owned()
}

fn service_name(span: &Span) -> Option<&str> {
    match span.resource.attributes.get("service.name") {
        Some(Value::Str(name)) => Some(name),
        _ => None,
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
    let parents = Parents::new(spans.iter().map(|span| (&span.span_id.as_bytes()[..], span.kind)));
    let mut places = vec![Place::default(); spans.len()];
    for (row, span) in spans.iter().enumerate() {
        let parent = span.parent_span_id.and_then(|id| parents.find(id.as_bytes(), span.kind, row));
        if let Some(parent) = parent {
            places[row].parent_distance = Some((parent as i64 - row as i64) as i32);
            places[parent].child_count += 1;
        }
    }
    places
}
