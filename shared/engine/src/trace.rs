//! A whole trace, assembled from all objects that hold a part of it.

use std::cell::OnceCell;

use niente_block::{SpanBatch, ValueRef};
use niente_model::{Nanos, SpanIdentity, SpanKind, StatusCode, TraceId};

use crate::tree::Tree;

/// Where a span's columns are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SpanAt<'a> {
    pub(crate) batch: &'a SpanBatch,
    pub(crate) row: usize,
}

/// The spans of one trace by start, span ID and kind, without duplicates.
pub(crate) struct Trace<'a> {
    pub(crate) id: TraceId,
    spans: Vec<SpanAt<'a>>,
    start: Nanos,
    end: Nanos,
    root: Option<usize>,
    tree: OnceCell<Tree>,
}

impl<'a> SpanAt<'a> {
    pub(crate) fn start(&self) -> Nanos {
        self.batch.start(self.row)
    }

    pub(crate) fn duration(&self) -> Nanos {
        self.batch.duration(self.row)
    }

    /// What makes it the same span as another record of this trace.
    pub(crate) fn identity(&self, trace_id: TraceId) -> Result<SpanIdentity, niente_block::Error> {
        let span_id = self.batch.span_id(self.row)?;
        Ok(SpanIdentity { trace_id, start: self.start(), span_id, kind: self.kind() })
    }

    pub(crate) fn kind(&self) -> SpanKind {
        self.batch.kind(self.row)
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.batch.status(self.row)
    }

    pub(crate) fn span_id(&self) -> &'a [u8] {
        self.batch.span_id_bytes(self.row)
    }

    pub(crate) fn parent_span_id(&self) -> Option<&'a [u8]> {
        self.batch.parent_span_id(self.row)
    }

    pub(crate) fn value(&self, column: usize) -> ValueRef<'a> {
        self.batch.value(column, self.row)
    }
}

impl<'a> Trace<'a> {
    /// A trace of these spans, at least one, in their order.
    pub(crate) fn new(id: TraceId, spans: Vec<SpanAt<'a>>) -> Self {
        let start = spans.iter().map(SpanAt::start).min().unwrap_or_default();
        let end = spans.iter().map(|span| span.start().saturating_add(span.duration())).max().unwrap_or_default();
        let root = spans.iter().rposition(|span| span.parent_span_id().is_none());
        Self { id, spans, start, end, root, tree: OnceCell::new() }
    }

    pub(crate) fn spans(&self) -> &[SpanAt<'a>] {
        &self.spans
    }

    pub(crate) fn start(&self) -> Nanos {
        self.start
    }

    pub(crate) fn end(&self) -> Nanos {
        self.end
    }

    pub(crate) fn duration(&self) -> Nanos {
        self.end.saturating_sub(self.start)
    }

    /// The span without a parent; the last to begin, if there are several, as in Tempo.
    pub(crate) fn root(&self) -> Option<SpanAt<'a>> {
        self.root.map(|root| self.spans[root])
    }

    /// How the spans hang together; made when the first question about it comes.
    pub(crate) fn tree(&self) -> &Tree {
        self.tree.get_or_init(|| Tree::new(&self.spans))
    }
}
