//! What is known of a trace's part in one block: the values of the trace and structure columns.

use std::cmp::Ordering;

use niente_model::{Nanos, Parents, Span, StatusCode, Value};

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
    pub(crate) spans: u32,
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
            root_service: root.map(service_name).map(cut).unwrap_or_default(),
            root_name: root.map(|span| cut(span.name.clone())).unwrap_or_default(),
            spans: spans.len() as u32,
            errors: spans.iter().filter(|span| span.status_code == StatusCode::ERROR).count() as u32,
        }
    }
}

/// What is repeated on each row of a trace is cut to so many bytes, at a character's border.
const MAX_REPEATED: usize = 256;

fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX_REPEATED));
    text
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
