//! Whole traces out of the parts that several objects hold.

use std::collections::HashSet;

use niente_block::SpanBatch;
use niente_model::{Nanos, SpanIdentity, SpanKind, TimeRange, TraceId, TraceKey};

use crate::trace::{SpanAt, Trace};

/// What each object of a shard holds, in columns: `parts[object][batch]`.
pub(crate) type Parts = Vec<Vec<SpanBatch>>;

/// One row of a shard's objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Position {
    pub(crate) object: usize,
    pub(crate) batch: usize,
    pub(crate) row: usize,
}

/// Rows of one trace that lie side by side.
#[derive(Clone, Copy, Debug)]
struct Run {
    key: TraceKey,
    id: TraceId,
    first: Position,
    rows: usize,
}

/// Where the traces of a shard lie.
#[derive(Debug)]
pub(crate) struct Assembly {
    parts: Parts,
    /// By trace; the runs of one trace side by side.
    runs: Vec<Run>,
    /// Spans that start beyond this time belong to no trace: which of them an object happens to hold must not matter.
    reach: TimeRange,
    /// Rows that are left out, since another row is the same span.
    dropped: HashSet<Position>,
}

/// Rows that claim to be the same span.
#[derive(Debug)]
pub(crate) struct Conflict {
    pub(crate) identity: SpanIdentity,
    pub(crate) rows: Vec<Position>,
}

impl Assembly {
    /// The traces of these parts, apart from those that are to be left out.
    pub(crate) fn new(
        parts: Parts,
        reach: TimeRange,
        left_out: impl Fn(TraceId) -> bool,
    ) -> Result<Self, niente_block::Error> {
        let mut runs = Vec::new();
        for (object, batches) in parts.iter().enumerate() {
            for (batch, columns) in batches.iter().enumerate() {
                let mut row = 0;
                while row < columns.rows() {
                    let bytes = columns.trace_id_bytes(row);
                    let rows = (row..columns.rows()).take_while(|next| columns.trace_id_bytes(*next) == bytes).count();
                    let id = columns.trace_id(row)?;
                    if !left_out(id) {
                        runs.push(Run { key: id.key(), id, first: Position { object, batch, row }, rows });
                    }
                    row += rows;
                }
            }
        }
        // Stable: the runs of a trace stay in the order of the objects.
        runs.sort_by_key(|run| (run.key, run.id));
        Ok(Self { parts, runs, reach, dropped: HashSet::new() })
    }

    /// The traces, each with its spans by start, ID and kind.
    pub(crate) fn traces(&self) -> impl Iterator<Item = Trace<'_>> {
        self.runs.chunk_by(|a, b| a.id == b.id).filter_map(|runs| {
            let positions = self.sorted(runs).into_iter();
            let spans: Vec<_> = positions.filter(|at| !self.dropped.contains(at)).map(|at| self.span(at)).collect();
            (!spans.is_empty()).then(|| Trace::new(runs[0].id, spans))
        })
    }

    /// Rows of different objects that claim to be the same span: a request that was sent again in other batches.
    pub(crate) fn conflicts(&self) -> Result<Vec<Conflict>, niente_block::Error> {
        let mut conflicts = Vec::new();
        for runs in self.runs.chunk_by(|a, b| a.id == b.id).filter(|runs| runs.len() > 1) {
            let positions = self.sorted(runs);
            let same = positions.chunk_by(|a, b| place(&self.span(*a)) == place(&self.span(*b)));
            for rows in same.filter(|rows| rows.len() > 1) {
                let identity = self.span(rows[0]).identity(runs[0].id)?;
                conflicts.push(Conflict { identity, rows: rows.to_vec() });
            }
        }
        Ok(conflicts)
    }

    /// Leaves these rows out from now on.
    pub(crate) fn drop_rows(&mut self, rows: impl IntoIterator<Item = Position>) {
        self.dropped.extend(rows);
    }

    pub(crate) fn span(&self, at: Position) -> SpanAt<'_> {
        SpanAt { batch: &self.parts[at.object][at.batch], row: at.row }
    }

    pub(crate) fn rows(&self) -> usize {
        self.runs.iter().map(|run| run.rows).sum::<usize>() - self.dropped.len()
    }

    fn sorted(&self, runs: &[Run]) -> Vec<Position> {
        let rows = |run: &Run| {
            let first = run.first;
            (0..run.rows).map(move |offset| Position { row: first.row + offset, ..first })
        };
        let within = |at: &Position| self.reach.contains(self.span(*at).start());
        let mut positions: Vec<Position> = runs.iter().flat_map(rows).filter(within).collect();
        if runs.len() > 1 {
            positions.sort_by(|a, b| place(&self.span(*a)).cmp(&place(&self.span(*b))));
        }
        positions
    }
}

/// A span's place in its trace: a [`SpanIdentity`] without the trace, straight from the columns.
fn place<'a>(span: &SpanAt<'a>) -> (Nanos, &'a [u8], SpanKind) {
    (span.start(), span.span_id(), span.kind())
}
