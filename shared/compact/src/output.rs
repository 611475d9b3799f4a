//! Blocks out of a stream of traces: layouts chosen, sizes kept, objects written.

use std::{mem, sync::Arc};

use niente_block::{BlockWriter, Filter, LayoutBuilder, TraceSummary, Written};
use niente_catalog::{Block, Hours, Name, ObjectId};
use niente_model::{Day, Span, Tenant, TraceKey};
use niente_store::Store;

use crate::{
    Error,
    merge::{LongTrace, weight},
};

/// A layout is chosen by so many spans: keys are hashes, so the first traces are as good a sample as any.
const SAMPLE_SPANS: usize = 1 << 16;
/// Or by spans of about so many bytes.
const SAMPLE_BYTES: usize = 48 << 20;

/// What all blocks of one merge have in common.
pub(crate) struct Target<'c> {
    pub(crate) store: &'c dyn Store,
    pub(crate) tenant: &'c Tenant,
    pub(crate) day: Day,
    pub(crate) hours: Hours,
    pub(crate) level: u8,
    pub(crate) purged: u64,
    /// Blocks end at borders of so many equal parts of all keys: a power of two.
    pub(crate) partitions: u64,
    /// A block of this size is closed.
    pub(crate) block_bytes: u64,
    /// About how many spans there will be.
    pub(crate) rows: u64,
    pub(crate) new_id: &'c (dyn Fn() -> ObjectId + Send + Sync),
}

/// Writes traces into as many blocks as it takes.
pub(crate) struct Output<'c> {
    target: Target<'c>,
    state: State,
    partition: u64,
    blocks: Vec<Block>,
}

enum State {
    /// Traces that were not written yet, since the layout is not known.
    Sampling {
        traces: Vec<Vec<Span>>,
        spans: usize,
        bytes: usize,
    },
    Writing(Box<BlockWriter>),
}

impl State {
    fn empty() -> Self {
        State::Sampling { traces: Vec::new(), spans: 0, bytes: 0 }
    }
}

impl<'c> Output<'c> {
    pub(crate) fn new(target: Target<'c>) -> Self {
        Self { target, state: State::empty(), partition: 0, blocks: Vec::new() }
    }

    /// Adds a trace; they come in canonical order.
    pub(crate) async fn write(&mut self, key: TraceKey, trace: Vec<Span>) -> Result<(), Error> {
        self.enter(key).await?;
        match &mut self.state {
            State::Sampling { traces, spans, bytes } => {
                *spans += trace.len();
                *bytes += trace.iter().map(weight).sum::<usize>();
                traces.push(trace);
                if *spans >= SAMPLE_SPANS || *bytes >= SAMPLE_BYTES {
                    self.writer()?;
                }
            }
            State::Writing(writer) => writer.write_trace(&trace)?,
        }
        self.close_if_full().await
    }

    /// Adds a trace that is too long to be held, of which this is known beforehand.
    pub(crate) async fn write_long(
        &mut self,
        key: TraceKey,
        summary: &TraceSummary,
        mut trace: LongTrace<'_>,
    ) -> Result<(), Error> {
        self.enter(key).await?;
        loop {
            let spans = trace.next().await?;
            if spans.is_empty() {
                return Ok(());
            }
            if let State::Sampling { traces, .. } = &self.state
                && traces.is_empty()
            {
                self.state = State::Writing(Box::new(self.start(&[&spans])?));
            }
            self.writer()?.write_part(summary, &spans)?;
            self.close_if_full().await?;
        }
    }

    /// Writes what is left, and tells of all blocks.
    pub(crate) async fn finish(mut self) -> Result<Vec<Block>, Error> {
        self.close().await?;
        Ok(self.blocks)
    }

    /// A block ends where a partition does.
    async fn enter(&mut self, key: TraceKey) -> Result<(), Error> {
        let partition = ((u128::from(key.0) * u128::from(self.target.partitions)) >> 64) as u64;
        if mem::replace(&mut self.partition, partition) != partition {
            self.close().await?;
        }
        Ok(())
    }

    /// The writer of the current block; what was held back for its layout is in it.
    fn writer(&mut self) -> Result<&mut BlockWriter, Error> {
        if let State::Sampling { traces, .. } = &mut self.state {
            let traces = mem::take(traces);
            let sample: Vec<&[Span]> = traces.iter().map(Vec::as_slice).collect();
            let mut writer = self.start(&sample)?;
            for trace in &traces {
                writer.write_trace(trace)?;
            }
            self.state = State::Writing(Box::new(writer));
        }
        match &mut self.state {
            State::Writing(writer) => Ok(writer),
            State::Sampling { .. } => unreachable!("the layout has just been chosen"),
        }
    }

    fn start(&self, sample: &[&[Span]]) -> Result<BlockWriter, Error> {
        let mut layout = LayoutBuilder::default();
        let mut spans = 0;
        for span in sample.iter().copied().flatten() {
            layout.observe(span);
            spans += 1;
        }
        let filter = match self.target.level {
            // Young: no index knows it yet.
            ..2 => {
                let rows = self.target.rows / self.target.partitions;
                let whole = spans < SAMPLE_SPANS as u64;
                let traces = sample.len() as u64;
                Filter::TraceKeys { distinct: if whole { traces } else { traces * rows / spans.max(1) } }
            }
            _ => Filter::None,
        };
        Ok(BlockWriter::new(layout.finish_for(self.target.rows), filter)?)
    }

    async fn close_if_full(&mut self) -> Result<(), Error> {
        match &self.state {
            State::Writing(writer) if writer.size() >= self.target.block_bytes => self.close().await,
            _ => Ok(()),
        }
    }

    async fn close(&mut self) -> Result<(), Error> {
        if let State::Sampling { traces, .. } = &self.state
            && traces.is_empty()
        {
            return Ok(());
        }
        self.writer()?;
        let State::Writing(writer) = mem::replace(&mut self.state, State::empty()) else {
            unreachable!("the writer has just been asked for")
        };
        let Target { store, tenant, day, hours, level, purged, new_id, .. } = &self.target;
        let Written { bytes, rows, tail, keys, times, services, attributes } = writer.finish()?;
        let id = new_id();
        let size = bytes.len() as u64;
        match store.put_if_absent(&Name::Block(id).key(tenant, *day), bytes).await {
            // Nobody else has this ID: it was written by a request whose answer was lost.
            Ok(_) | Err(niente_store::Error::AlreadyExists { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        self.blocks.push(Block {
            id,
            level: *level,
            hours: *hours,
            rows,
            bytes: size,
            tail,
            times,
            keys,
            indexed: false,
            purged: *purged,
            services: services.map(Arc::new),
            attributes: attributes.map(Arc::new),
        });
        Ok(())
    }
}
