//! Doing a job: read, write, commit.

use std::collections::BTreeSet;

use niente_block::SpanRows;
use niente_catalog::{Block, BlockReader, BlockRef, Change, Commit, Name, ObjectId, TenantConfig, commit};
use niente_model::{Nanos, TraceId};

use crate::{
    Compactor, DayState, Error, Job, Merge, index,
    merge::{MergedTrace, Sources},
    output::{Output, Target},
    plan::ids,
};

/// What a job came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// What it did.
    pub work: Work,
    /// Whether that counts.
    pub commit: Commit,
}

/// What a job did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Objects were merged.
    Merged {
        /// What was read.
        inputs: Vec<BlockRef>,
        /// What was made of it.
        outputs: Vec<Block>,
        /// Spans that were read, duplicates and redacted ones among them.
        rows: u64,
    },
    /// The trace index was made anew.
    Indexed {
        /// How many blocks it knows beyond those that it knew.
        blocks: usize,
        /// How many keys it has.
        entries: u64,
    },
    /// Objects were searched for redacted traces.
    Purged {
        /// How many were looked into.
        looked_into: usize,
        /// How many had some, and were rewritten.
        rewritten: usize,
    },
}

impl Compactor {
    /// Does one job of a day's plan.
    ///
    /// Whatever it fails at, nothing is lost and nothing doubled: until the commit nothing that it wrote counts, and
    /// the commit is one request.
    pub async fn run(&self, state: &DayState, job: &Job) -> Result<Done, Error> {
        match job {
            Job::Merge(merge) => self.merge(state, merge).await,
            Job::Index { blocks } => self.index(state, blocks).await,
            Job::Purge { objects } => self.purge(state, objects).await,
        }
    }

    async fn merge(&self, state: &DayState, merge: &Merge) -> Result<Done, Error> {
        let sources = Sources::open(&self.catalog, &merge.inputs).await?;
        let inputs: Vec<BlockRef> = sources.objects().cloned().collect();
        let hours = inputs.iter().map(|input| input.hours).reduce(|a, b| a.union(b));
        let Some(hours) = hours else { return Ok(Done::nothing()) };
        let new_id = self.ids(state.now);
        let mut output = Output::new(Target {
            store: &**self.catalog.store(),
            tenant: &state.tenant,
            day: state.day,
            hours,
            level: merge.level,
            purged: state.config.last_redaction,
            partitions: merge.partitions,
            block_bytes: merge.block_bytes,
            rows: sources.rows(),
            new_id: &new_id,
        });
        let redacted = |id: &TraceId| state.config.redactions.contains_key(id);
        let mut traces = sources.traces();
        while let Some(trace) = traces.next().await? {
            match trace {
                MergedTrace::Whole(spans) => {
                    let Some(id) = spans.first().map(|span| span.trace_id).filter(|id| !redacted(id)) else { continue };
                    output.write(id.key(), spans).await?;
                }
                MergedTrace::Long(_, id) if redacted(&id) => {}
                MergedTrace::Long(key, id) => {
                    // It comes twice: its first row says what its last one knows.
                    let summary = sources.summary(key, id).await?;
                    output.write_long(key, &summary, sources.long_trace(key, id).await?).await?;
                }
            }
        }
        let outputs = output.finish().await?;
        let rows = sources.rows();
        let change =
            Change::Replace { inputs: inputs.iter().map(|input| input.name).collect(), outputs: outputs.clone() };
        let commit = self.commit_unless_redacted(state, &change).await?;
        Ok(Done { work: Work::Merged { inputs, outputs, rows }, commit })
    }

    /// A redaction that came while the job ran must not be undone by it.
    async fn commit_unless_redacted(&self, state: &DayState, change: &Change) -> Result<Commit, Error> {
        let store = &**self.catalog.store();
        let (config, _) = TenantConfig::read(store, &state.tenant).await?;
        if config.last_redaction != state.config.last_redaction {
            return Ok(Commit::Stale);
        }
        Ok(commit(store, &state.tenant, state.day, change, state.now).await?)
    }

    async fn index(&self, state: &DayState, blocks: &[BlockRef]) -> Result<Done, Error> {
        let old = state.catalog.index();
        let new_id = self.ids(state.now);
        let new = index::write(&self.catalog, &state.tenant, state.day, old, blocks, &new_id).await?;
        let entries = new.iter().map(|part| part.entries).sum();
        let old = old.iter().map(|part| part.id).collect();
        let change = Change::Index { old, new, covers: ids(blocks) };
        let commit = commit(&**self.catalog.store(), &state.tenant, state.day, &change, state.now).await?;
        Ok(Done { work: Work::Indexed { blocks: blocks.len(), entries }, commit })
    }

    async fn purge(&self, state: &DayState, objects: &[BlockRef]) -> Result<Done, Error> {
        let (mut clean, mut rewritten, mut result) = (Vec::new(), 0, Commit::Done);
        for object in objects {
            if self.holds_redacted(state, object).await? {
                let merge = Merge {
                    inputs: vec![object.clone()],
                    level: object.level.max(1),
                    partitions: 1,
                    block_bytes: u64::MAX,
                };
                let done = self.merge(state, &merge).await?;
                rewritten += usize::from(done.commit == Commit::Done);
                result = if done.commit == Commit::Done { result } else { done.commit };
            } else if let Name::Block(id) = object.name {
                clean.push(id);
            }
        }
        if !clean.is_empty() {
            let change = Change::Purged { blocks: clean, until: state.config.last_redaction };
            let commit = commit(&**self.catalog.store(), &state.tenant, state.day, &change, state.now).await?;
            result = if commit == Commit::Done { result } else { commit };
        }
        Ok(Done { work: Work::Purged { looked_into: objects.len(), rewritten }, commit: result })
    }

    /// Whether the object holds spans of a trace that was redacted.
    async fn holds_redacted(&self, state: &DayState, object: &BlockRef) -> Result<bool, Error> {
        let ids = state.config.redactions.keys().filter(|id| object.keys.contains(id.key()));
        let mut reader = BlockReader::new(&self.catalog, object);
        for id in ids {
            let rows = reader.spans_with(id.key()).await?;
            if has_trace(&rows, *id).map_err(|source| reader.damaged(source))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Makes IDs for what a job writes.
    fn ids(&self, now: Nanos) -> impl Fn() -> ObjectId + Send + Sync {
        let random = self.random.clone();
        move || ObjectId::new(now, random())
    }
}

fn has_trace(batches: &[SpanRows], id: TraceId) -> Result<bool, niente_block::Error> {
    let found: BTreeSet<TraceId> =
        batches.iter().flat_map(|rows| (0..rows.len()).map(|row| rows.trace_id(row))).collect::<Result<_, _>>()?;
    Ok(found.contains(&id))
}

impl Done {
    fn nothing() -> Self {
        Self { work: Work::Merged { inputs: Vec::new(), outputs: Vec::new(), rows: 0 }, commit: Commit::Done }
    }
}
