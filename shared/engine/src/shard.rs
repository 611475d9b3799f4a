//! A part of a question, and of its answer: what a planner and its workers say to each other.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use niente_block::{KeyRange, Vocabulary};
use niente_catalog::BlockRef;
use niente_cost::Spent;
use niente_model::{Span, Tenant, TimeRange, TraceId};
use serde::{Deserialize, Serialize};

use crate::{Error, FoundTrace, Inspected, Intervals, Measured, TagTask};

/// A part of a question: some trace keys of some objects. All parts of a trace have one key, so they meet in one
/// shard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shard {
    /// Whose objects they are.
    pub tenant: Tenant,
    /// What is asked.
    pub task: Task,
    /// The traces that are this shard's.
    pub keys: KeyRange,
    /// The objects that may hold some of them.
    pub objects: Vec<BlockRef>,
    /// A trace's spans are those that start in this time.
    pub reach: TimeRange,
    /// Traces that the tenant has had removed.
    pub redacted: Vec<TraceId>,
    /// How long an answer is of use; none for any time.
    pub patience: Option<Duration>,
}

/// What is asked of a shard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Task {
    /// The newest traces that a query selects spans of.
    Search {
        /// The query, as it was asked.
        query: String,
        /// Traces that overlap this time count.
        window: TimeRange,
        /// How many.
        limit: usize,
        /// How many spans of each spanset.
        spans_per_set: usize,
    },
    /// What the spans of the shard's traces measure.
    Metrics {
        /// The query, as it was asked.
        query: String,
        /// Spans that start in these are measured.
        intervals: Intervals,
        /// Whether some of them are to stand for their series.
        exemplars: bool,
        /// How many cells a measure may have, of all its series and intervals.
        most_samples: usize,
    },
    /// All spans of a trace.
    Trace {
        /// Its ID.
        id: TraceId,
    },
    /// Names of attributes, or values of fields.
    Tags(TagTask),
}

/// What a worker found in its shard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Partial {
    /// The findings.
    pub findings: Findings,
    /// What was looked at.
    pub inspected: Inspected,
    /// What it cost, beyond what the planner's own store has counted.
    pub spent: Spent,
}

/// What was found, by the kind of task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Findings {
    /// The newest traces of the shard, the newest first.
    Traces(Vec<FoundTrace>),
    /// What was measured.
    Measured(Measured),
    /// Spans of the trace.
    Spans(Vec<Span>),
    /// Each list that was asked for, in that order.
    Tags(Vec<Vocabulary>),
}

/// Where shards are answered beyond this process: other invocations of a function.
///
/// A worker may be asked twice for one shard, and both may answer: the answer is the same.
#[async_trait]
pub trait Workers: fmt::Debug + Send + Sync {
    /// How many shards of one question may be under way at a time; at least one.
    fn parallel(&self) -> usize;

    /// The memory of a worker in MiB: what its time is billed by.
    fn memory_mib(&self) -> u32;

    /// Answers a shard.
    ///
    /// # Errors
    /// [`Error::may_pass`] says whether the shard is worth sending again.
    async fn answer(&self, shard: Arc<Shard>) -> Result<Partial, Error>;
}
