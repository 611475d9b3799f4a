//! One question under way: its deadline, its budget, and what it has cost so far.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use niente_catalog::{Catalog, Snapshot};
use niente_cost::{Budget, Spent};
use niente_model::{Nanos, Tenant, TimeRange, TraceId};
use niente_store::{Counting, Error as StoreError, ObjectKey};
use tokio::time::{Instant, timeout_at};

use crate::{
    Error, Explanation, MetricsAnswer, MetricsQuestion, Partial, SearchAnswer, SearchQuestion, Settings, Shard,
    TraceAnswer, Wave, dispatch, explain, lookup, metrics, scan, search,
};

/// On what terms a question is asked.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// When it must be answered; none if it may take as long as it takes.
    pub deadline: Option<Instant>,
    /// What it may cost.
    pub budget: Budget,
}

/// Answers a question, on terms, and knows what that has cost: also if there was no answer.
#[derive(Debug)]
pub struct Asking {
    pub(crate) catalog: Catalog,
    pub(crate) settings: Arc<Settings>,
    terms: Terms,
    counting: Counting,
    /// What workers have spent.
    workers_spent: Mutex<Spent>,
}

impl Asking {
    /// A trace's spans are looked for so far before and after a search's window: the meaning of "a trace" here.
    pub const TRACE_REACH: Nanos = Nanos::from_secs(24 * 3600);

    /// Snapshots that are tried before a question is given up: each can be outdated by a compaction.
    const SNAPSHOTS: u32 = 3;

    pub(crate) fn new(catalog: &Catalog, settings: Arc<Settings>, terms: Terms) -> Self {
        let counting = Counting::new(catalog.store().clone());
        let catalog = catalog.over(Arc::new(counting.clone()));
        Self { catalog, settings, terms, counting, workers_spent: Mutex::default() }
    }

    /// What has been spent so far.
    pub fn spent(&self) -> Spent {
        Spent::from(self.counting.counts()) + *self.workers_spent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest traces that the question's query selects spans of.
    ///
    /// # Errors
    /// Storage that fails, objects that are damaged or of a newer format, workers that don't answer, a deadline that
    /// passes, a budget that is too small. Never a shorter answer.
    pub async fn search(&self, tenant: &Tenant, question: &SearchQuestion) -> Result<SearchAnswer, Error> {
        let reach = question.window.padded(Self::TRACE_REACH);
        let answer = |found| search::search(self, tenant, found, question, reach);
        self.in_time(self.over_snapshot(tenant, reach, answer)).await
    }

    /// All spans of a trace that start within the range, widened by [`TRACE_REACH`](Self::TRACE_REACH).
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub async fn find_trace(&self, tenant: &Tenant, id: TraceId, range: TimeRange) -> Result<TraceAnswer, Error> {
        let reach = range.padded(Self::TRACE_REACH);
        let answer = |found| lookup::find_trace(self, tenant, found, id, reach);
        self.in_time(self.over_snapshot(tenant, reach, answer)).await
    }

    /// What the spans of all these tenants measure, as if they were one's.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub async fn measure(&self, tenants: &[Tenant], question: &MetricsQuestion) -> Result<MetricsAnswer, Error> {
        self.in_time(metrics::measure(self, tenants, question)).await
    }

    /// What measuring would read and cost, and why, without reading any spans.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub async fn explain_metrics(&self, tenant: &Tenant, question: &MetricsQuestion) -> Result<Explanation, Error> {
        let answer = |found| metrics::explain(self, found, question);
        self.in_time(self.over_snapshot(tenant, metrics::reach(question), answer)).await
    }

    /// What a search would read and cost, and why, without reading any spans.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub async fn explain(&self, tenant: &Tenant, question: &SearchQuestion) -> Result<Explanation, Error> {
        let reach = question.window.padded(Self::TRACE_REACH);
        let answer = |found| explain::explain(self, found, question, reach);
        self.in_time(self.over_snapshot(tenant, reach, answer)).await
    }

    /// How long an answer is of use from now on.
    pub(crate) fn patience(&self) -> Option<Duration> {
        self.terms.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Has shards answered: one in this process, several by workers where there are any.
    pub(crate) async fn answer(&self, shards: Vec<Arc<Shard>>) -> Result<Vec<Partial>, Error> {
        match &self.settings.workers {
            Some(workers) if shards.len() > 1 => {
                let (partials, lost) = dispatch::dispatch(&**workers, shards).await;
                let answered: Spent = partials.iter().flatten().map(|partial| partial.spent).sum();
                *self.workers_spent.lock().unwrap_or_else(PoisonError::into_inner) += lost + answered;
                partials
            }
            _ => {
                // One after the other: a shard is what memory is planned for.
                let mut partials = Vec::with_capacity(shards.len());
                for shard in shards {
                    partials.push(scan::answer(&self.catalog, shard).await?);
                }
                Ok(partials)
            }
        }
    }

    /// Whether the budget allows a wave.
    pub(crate) fn afford(&self, wave: &Wave) -> Result<(), Error> {
        let total = self.spent() + wave.spent;
        let dollars = self.settings.prices.of(&total);
        Ok(self.terms.budget.check(total.store.bytes_read, dollars)?)
    }

    pub(crate) async fn in_time<A>(&self, answer: impl Future<Output = Result<A, Error>>) -> Result<A, Error> {
        match self.terms.deadline {
            None => answer.await,
            Some(deadline) => timeout_at(deadline, answer).await.map_err(|_| Error::Deadline)?,
        }
    }

    /// Whether an error says that the snapshot is outdated: an object is gone. A worker that may not list is told no more
    /// of it than that it may not be read; this process looks closer.
    async fn is_stale(&self, error: &Error) -> Result<bool, Error> {
        match error {
            Error::Store(StoreError::NotFound { .. }) | Error::Stale { .. } => Ok(true),
            Error::Denied { object, .. } => {
                let Ok(key) = ObjectKey::new(object) else { return Ok(false) };
                match self.catalog.store().head(&key).await {
                    Err(StoreError::NotFound { .. }) => Ok(true),
                    seen => seen.map(|_| false).map_err(Error::from),
                }
            }
            _ => Ok(false),
        }
    }

    /// Answers over a snapshot. An object that has vanished means that the snapshot is outdated, never that there is
    /// nothing: then all starts again.
    pub(crate) async fn over_snapshot<A, F: Future<Output = Result<A, Error>>>(
        &self,
        tenant: &Tenant,
        range: TimeRange,
        answer: impl Fn(Snapshot) -> F,
    ) -> Result<A, Error> {
        for _ in 0..Self::SNAPSHOTS {
            let snapshot = self.catalog.snapshot(tenant, range).await?;
            for key in &snapshot.unknown {
                tracing::warn!(%tenant, key, "passed over an object that is none of Niente's");
            }
            match answer(snapshot).await {
                Err(error) if self.is_stale(&error).await? => {}
                answered => return answered,
            }
        }
        Err(Error::Moving(Self::SNAPSHOTS))
    }
}
