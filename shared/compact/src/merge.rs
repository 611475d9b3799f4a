//! Many sorted objects as one sorted stream of traces.
//!
//! Memory is bounded by what is open at a time: of each input one slice of its pages, compressed, and the rows that
//! its decoder is at. Spans exist one trace at a time; a trace that is too long even for that comes span by span,
//! twice, if it has to be written.

use std::{
    cmp::{Ordering, Reverse},
    collections::{BinaryHeap, VecDeque},
    mem,
};

use futures::stream::{self, StreamExt, TryStreamExt};
use niente_block::{Footer, KeyRange, SpanRows, SpanScan, TraceSummary};
use niente_catalog::{BlockReader, BlockRef, Catalog, Error};
use niente_model::{Attributes, Span, TraceId, TraceKey};

/// Compressed bytes of all inputs that are held at a time.
const SLICES: u64 = 128 << 20;
/// No input gets less of them than this.
const SLICE: u64 = 1 << 20;
/// Decompressed bytes of all inputs that are held at a time: what their decoders say they need.
const DECODING: u64 = 384 << 20;
/// Rows of all inputs that are decoded at a time, in bytes.
const BATCHES: u64 = 128 << 20;
/// No input's rows get less of them than this.
const BATCH: u64 = 64 << 10;
/// A trace of about so many bytes is held in memory; a longer one is not.
const TRACE: usize = 64 << 20;
/// How many inputs are opened at a time.
const PARALLEL_OPENS: usize = 32;

/// Inputs of a merge, opened.
pub(crate) struct Sources<'c> {
    catalog: &'c Catalog,
    sources: Vec<(&'c BlockRef, Footer)>,
    slice: u64,
    batch: u64,
}

/// A trace of a merged stream.
pub(crate) enum MergedTrace {
    /// All of its spans, in canonical order, each once.
    Whole(Vec<Span>),
    /// It is too long to be held.
    Long(TraceKey, TraceId),
}

/// Traces of all sources, in canonical order.
pub(crate) struct Traces<'c> {
    inputs: Vec<Input<'c>>,
    /// The next trace of each input, the first on top.
    heads: BinaryHeap<Reverse<(TraceKey, TraceId, usize)>>,
    /// Inputs whose next trace is not among the heads yet.
    pending: Vec<usize>,
}

/// The spans of one long trace, in canonical order, each once.
pub(crate) struct LongTrace<'c> {
    id: TraceId,
    inputs: Vec<Input<'c>>,
    heads: Vec<Option<Span>>,
}

/// One source's rows in order.
struct Input<'c> {
    reader: BlockReader<'c>,
    footer: Footer,
    slices: VecDeque<KeyRange>,
    /// How many bytes of rows are decoded at a time.
    batch: u64,
    scan: Option<SpanScan>,
    rows: Option<SpanRows>,
    row: usize,
}

impl<'c> Sources<'c> {
    /// Opens as many of these objects as can be merged within the bounds of memory, in their order, and at least two.
    pub(crate) async fn open(catalog: &'c Catalog, objects: &'c [BlockRef]) -> Result<Self, Error> {
        let opens = objects.iter().map(|object| async move {
            let footer = BlockReader::new(catalog, object).open().await?;
            Ok::<_, Error>((object, footer))
        });
        let mut opens = stream::iter(opens).buffered(PARALLEL_OPENS);
        let (mut sources, mut decoding) = (Vec::new(), 0);
        while let Some((object, footer)) = opens.try_next().await? {
            decoding += footer.decoding_bytes();
            if sources.len() >= 2 && decoding > DECODING {
                break;
            }
            sources.push((object, footer));
        }
        let share = |bytes: u64, least: u64| (bytes / sources.len().max(1) as u64).max(least);
        let (slice, batch) = (share(SLICES, SLICE), share(BATCHES, BATCH));
        Ok(Self { catalog, sources, slice, batch })
    }

    /// The objects that were opened: the first ones of those that were asked for.
    pub(crate) fn objects(&self) -> impl Iterator<Item = &'c BlockRef> + '_ {
        self.sources.iter().map(|(object, _)| *object)
    }

    /// How many spans they hold, duplicates among them.
    pub(crate) fn rows(&self) -> u64 {
        self.sources.iter().map(|(_, footer)| footer.rows()).sum()
    }

    /// All traces.
    pub(crate) fn traces(&self) -> Traces<'_> {
        let inputs = self.inputs(|footer| footer.slices(self.slice).into());
        Traces { pending: (0..inputs.len()).collect(), inputs, heads: BinaryHeap::new() }
    }

    /// What a trace's first row has to say of all its rows.
    pub(crate) async fn summary(&self, key: TraceKey, id: TraceId) -> Result<TraceSummary, Error> {
        let mut trace = self.long_trace(key, id).await?;
        let mut summary = TraceSummary::default();
        loop {
            let spans = trace.next().await?;
            if spans.is_empty() {
                return Ok(summary);
            }
            spans.iter().for_each(|span| summary.add(span));
        }
    }

    /// One trace, span by span.
    pub(crate) async fn long_trace(&self, key: TraceKey, id: TraceId) -> Result<LongTrace<'_>, Error> {
        let mut inputs = self.inputs(|_| VecDeque::from([KeyRange::only(key)]));
        let mut heads = Vec::with_capacity(inputs.len());
        for input in &mut inputs {
            heads.push(input.next_of(id).await?);
        }
        Ok(LongTrace { id, inputs, heads })
    }

    fn inputs(&self, slices: impl Fn(&Footer) -> VecDeque<KeyRange>) -> Vec<Input<'_>> {
        let input = |(object, footer): &(&'c BlockRef, Footer)| Input {
            reader: BlockReader::new(self.catalog, object),
            footer: footer.clone(),
            slices: slices(footer),
            batch: self.batch,
            scan: None,
            rows: None,
            row: 0,
        };
        self.sources.iter().map(input).collect()
    }
}

impl Traces<'_> {
    /// The next trace.
    pub(crate) async fn next(&mut self) -> Result<Option<MergedTrace>, Error> {
        while let Some(at) = self.pending.pop() {
            if let Some((key, id)) = self.inputs[at].trace().await? {
                self.heads.push(Reverse((key, id, at)));
            }
        }
        let Some(Reverse((key, id, _))) = self.heads.peek() else { return Ok(None) };
        let (key, id) = (*key, *id);
        let (mut spans, mut held) = (Vec::new(), 0);
        while let Some(Reverse(head)) = self.heads.peek()
            && (head.0, head.1) == (key, id)
        {
            let at = head.2;
            self.heads.pop();
            self.pending.push(at);
            let input = &mut self.inputs[at];
            while input.trace().await? == Some((key, id)) {
                // Of a long trace the rest is only passed over.
                if held > TRACE {
                    input.row += 1;
                    continue;
                }
                let span = input.take()?;
                held += weight(&span);
                spans.push(span);
            }
        }
        if held > TRACE {
            return Ok(Some(MergedTrace::Long(key, id)));
        }
        if self.pending.len() > 1 {
            // Of records of the same span the first in canonical order stays, here as everywhere.
            spans.sort_unstable();
            spans.dedup_by(|later, first| first.same_identity(later));
        }
        Ok(Some(MergedTrace::Whole(spans)))
    }
}

impl LongTrace<'_> {
    /// The next spans, about as many as fit into so many bytes; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Vec<Span>, Error> {
        let (mut spans, mut held): (Vec<Span>, usize) = (Vec::new(), 0);
        while held < TRACE / 4 {
            let first = (0..self.heads.len()).filter(|at| self.heads[*at].is_some()).min_by(|a, b| self.order(*a, *b));
            let Some(first) = first else { break };
            let next = self.inputs[first].next_of(self.id).await?;
            let Some(span) = mem::replace(&mut self.heads[first], next) else { break };
            // The same span again: the first of them in canonical order has come already.
            for at in 0..self.heads.len() {
                while self.heads[at].as_ref().is_some_and(|head| span.same_identity(head)) {
                    self.heads[at] = self.inputs[at].next_of(self.id).await?;
                }
            }
            held += weight(&span);
            spans.push(span);
        }
        Ok(spans)
    }

    fn order(&self, a: usize, b: usize) -> Ordering {
        self.heads[a].cmp(&self.heads[b])
    }
}

impl Input<'_> {
    /// Which trace the next row is of; none at the end.
    async fn trace(&mut self) -> Result<Option<(TraceKey, TraceId)>, Error> {
        loop {
            if let Some(rows) = self.rows.as_ref().filter(|rows| self.row < rows.len()) {
                let id = rows.trace_id(self.row).map_err(|source| self.reader.damaged(source))?;
                return Ok(Some((rows.trace_key(self.row), id)));
            }
            if !self.refill().await? {
                return Ok(None);
            }
        }
    }

    /// The next row's span, of which [`trace`](Self::trace) has told that it is there.
    fn take(&mut self) -> Result<Span, Error> {
        let rows = self.rows.as_ref().expect("a row was looked at");
        let span = rows.span(self.row).map_err(|source| self.reader.damaged(source))?;
        self.row += 1;
        Ok(span)
    }

    /// The next span of this trace, of all that have its key.
    async fn next_of(&mut self, id: TraceId) -> Result<Option<Span>, Error> {
        while let Some((_, found)) = self.trace().await? {
            if found == id {
                return self.take().map(Some);
            }
            self.row += 1;
        }
        Ok(None)
    }

    async fn refill(&mut self) -> Result<bool, Error> {
        self.rows = None;
        self.row = 0;
        loop {
            if let Some(scan) = &mut self.scan {
                self.rows = self.reader.next_spans(scan).await?;
                if self.rows.is_some() {
                    return Ok(true);
                }
                self.scan = None;
            }
            let Some(keys) = self.slices.pop_front() else { return Ok(false) };
            self.scan =
                Some(self.footer.scan_spans_by(keys, self.batch).map_err(|source| self.reader.damaged(source))?);
        }
    }
}

/// About how many bytes a span holds in memory, apart from what it shares.
pub(crate) fn weight(span: &Span) -> usize {
    let attributes = |attributes: &Attributes| attributes.weight() + 64 * attributes.iter().len();
    let texts = span.name.len() + span.status_message.len() + span.trace_state.len();
    let events = span.events.iter().map(|event| event.name.len() + attributes(&event.attributes) + 96);
    let links = span.links.iter().map(|link| link.trace_state.len() + attributes(&link.attributes) + 128);
    size_of::<Span>() + texts + attributes(&span.attributes) + events.sum::<usize>() + links.sum::<usize>()
}
