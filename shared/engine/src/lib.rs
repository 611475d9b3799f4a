//! Answers: from a checked query and a tenant's objects to traces.
//!
//! An [`Engine`] takes a question, asks the catalog which objects may know, and reads no more of them than the
//! question needs. Three rules make its answers the same however spans were batched, repeated or delayed:
//!
//! * A trace is evaluated **whole**: the parts that several objects hold are assembled first. Its spans are those
//!   that start within the window widened by [`Engine::TRACE_REACH`] on both sides, whatever objects hold them.
//! * Records of the same span (trace, start, span ID, kind) are one span. Where they differ, the one whose content
//!   sorts first stays, not the one that came first.
//! * Everything has an order: traces by start, the newest first, then by ID; spans by start, then by ID.
//!
//! On the way data passes through these private modules: `compile` turns the syntax tree into expressions over
//! projected columns, `assemble` finds the traces in what was read,
//! `evaluate` (with `tree`, `aggregate` and `value`) is the language's meaning, `show` decides what answers say of a
//! span, `search` and `lookup` put it all together.
//!
//! ```
//! # use std::sync::Arc;
//! # use niente_catalog::Catalog;
//! # use niente_engine::{Engine, SearchQuestion};
//! # use niente_model::{Tenant, TimeRange};
//! # use niente_store::MemoryStore;
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::new(Catalog::new(Arc::new(MemoryStore::new())));
//! let question = SearchQuestion {
//!     query: niente_traceql::parse("{ status = error } | count() > 2")?,
//!     window: TimeRange::ALL,
//!     limit: 20,
//!     spans_per_set: 3,
//! };
//! let answer = engine.search(&Tenant::single(), &question).await?;
//! assert!(answer.traces.is_empty());
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```

mod aggregate;
mod assemble;
mod compile;
mod error;
mod evaluate;
mod lookup;
mod question;
mod search;
mod show;
mod trace;
mod tree;
mod value;

use niente_catalog::{Catalog, Snapshot};
use niente_model::{Nanos, Tenant, TimeRange, TraceId};

pub use error::Error;
pub use question::{
    FoundSpan, FoundSpanset, FoundTrace, Inspected, SearchAnswer, SearchQuestion, ServiceStats, Shown, TraceAnswer,
};

/// Answers questions over the objects of a store.
#[derive(Clone, Debug)]
pub struct Engine {
    catalog: Catalog,
}

impl Engine {
    /// A trace's spans are looked for so far before and after a search's window: the meaning of "a trace" here.
    pub const TRACE_REACH: Nanos = Nanos::from_secs(24 * 3600);

    /// Snapshots that are tried before a question is given up: each can be outdated by a compaction.
    const SNAPSHOTS: u32 = 3;

    /// An engine over what this catalog shows.
    pub fn new(catalog: Catalog) -> Self {
        Self { catalog }
    }

    /// What it knows of the store.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The newest traces that the question's query selects spans of.
    ///
    /// # Errors
    /// Storage that fails, and objects that are damaged or of a newer format. Never a shorter answer.
    pub async fn search(&self, tenant: &Tenant, question: &SearchQuestion) -> Result<SearchAnswer, Error> {
        let reach = question.window.padded(Self::TRACE_REACH);
        self.over_snapshot(tenant, reach, |found| search::search(&self.catalog, found, question, reach)).await
    }

    /// All spans of a trace that start within the range, widened by [`TRACE_REACH`](Self::TRACE_REACH).
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub async fn find_trace(&self, tenant: &Tenant, id: TraceId, range: TimeRange) -> Result<TraceAnswer, Error> {
        let reach = range.padded(Self::TRACE_REACH);
        self.over_snapshot(tenant, reach, |found| lookup::find_trace(&self.catalog, found, id, reach)).await
    }

    /// Answers over a snapshot. An object that has vanished means that the snapshot is outdated, never that there is
    /// nothing: then all starts again.
    async fn over_snapshot<A, F: Future<Output = Result<A, Error>>>(
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
                Err(Error::Store(niente_store::Error::NotFound { .. })) => {}
                answered => return answered,
            }
        }
        Err(Error::Moving(Self::SNAPSHOTS))
    }
}
