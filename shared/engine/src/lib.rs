//! Answers: from a checked query and a tenant's objects to traces.
//!
//! An [`Engine`] takes a question, asks the catalog which objects may know, and reads no more of them than the
//! question needs. Three rules make its answers the same however spans were batched, repeated or delayed:
//!
//! * A trace is evaluated **whole**: the parts that several objects hold are assembled first. Its spans are those
//!   that start within the window widened by [`Asking::TRACE_REACH`] on both sides, whatever objects hold them.
//! * Records of the same span (trace, start, span ID, kind) are one span. Where they differ, the one whose content
//!   sorts first stays, not the one that came first.
//! * Everything has an order: traces by start, the newest first, then by ID; spans by start, then by ID.
//!
//! A question goes through two halves, which may be different processes:
//!
//! * The **planner** ([`Asking`]) takes a snapshot, cuts what is to be read into [`Shard`]s of trace keys (`plan`), has
//!   them answered (`dispatch`) and puts the answers together (`search`, `lookup`). `whole` and `newest` tell when enough
//!   is known. A question of one shard, and any question where there are no [`Workers`], is answered in place.
//! * Whoever **answers a shard** ([`Engine::answer`], in `scan`) reads its columns, finds the traces in them
//!   (`assemble`), and evaluates (`select`). `compile` turns the syntax tree into expressions over projected columns,
//!   `evaluate` (with `tree`, `aggregate` and `value`) is the language's meaning, `show` decides what answers say of a
//!   span.
//!
//! Questions about tags ([`Asking::tag_names`], [`Asking::tag_values`]) have both halves in `tags`: they are mostly
//! answered from dictionaries, by objects instead of traces.
//!
//! What the halves say to each other travels as `wire` has it. [`Asking::spent`] tells what a question has cost,
//! [`Asking::explain`] what it would.
//!
//! ```
//! # use std::sync::Arc;
//! # use niente_catalog::Catalog;
//! # use niente_engine::{Engine, SearchQuestion, Terms};
//! # use niente_model::{Tenant, TimeRange};
//! # use niente_store::MemoryStore;
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::new(Catalog::new(Arc::new(MemoryStore::new())));
//! let text = "{ status = error } | count() > 2";
//! let question = SearchQuestion {
//!     query: niente_traceql::parse(text)?,
//!     text: text.to_owned(),
//!     window: TimeRange::ALL,
//!     limit: 20,
//!     spans_per_set: 3,
//! };
//! let asking = engine.on(Terms::default());
//! let answer = asking.search(&Tenant::single(), &question).await?;
//! assert!(answer.traces.is_empty());
//! assert_eq!(asking.spent().store.lists, 1);
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```

mod aggregate;
mod asking;
mod assemble;
mod compile;
mod dispatch;
mod error;
mod evaluate;
mod explain;
mod lookup;
mod metrics;
mod newest;
mod plan;
mod question;
mod scan;
mod search;
mod select;
mod settings;
mod shard;
mod shards;
mod show;
mod tags;
mod trace;
mod tree;
mod value;
mod whole;
mod wire;

use std::sync::Arc;

use niente_catalog::Catalog;
use niente_cost::Spent;
use niente_model::{Tenant, TimeRange, TraceId};
use niente_store::Counting;
use tokio::time::timeout;

pub use asking::{Asking, Terms};
pub use error::Error;
pub use explain::{Estimate, Explanation, Level, Pruned};
pub use metrics::{Exemplar, Intervals, Measured, MetricsAnswer, MetricsQuestion, Series};
pub use plan::Wave;
pub use question::{
    FoundSpan, FoundSpanset, FoundTrace, Inspected, SearchAnswer, SearchQuestion, ServiceStats, Shown, TraceAnswer,
};
pub use settings::Settings;
pub use shard::{Findings, Partial, Shard, Task, Workers};
pub use tags::{TagNames, TagNamesQuestion, TagScope, TagTask, TagValues, TagValuesQuestion, Wanted};
pub use wire::{Reply, WireError};

/// Answers questions over the objects of a store.
#[derive(Clone, Debug)]
pub struct Engine {
    catalog: Catalog,
    settings: Arc<Settings>,
}

impl Engine {
    /// An engine over what this catalog shows, that answers in this process.
    pub fn new(catalog: Catalog) -> Self {
        Self::with(catalog, Settings::default())
    }

    /// An engine over what this catalog shows, as an operator wants it.
    pub fn with(catalog: Catalog, settings: Settings) -> Self {
        Self { catalog, settings: Arc::new(settings) }
    }

    /// What it knows of the store.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// For one question, asked on these terms.
    pub fn on(&self, terms: Terms) -> Asking {
        Asking::new(&self.catalog, self.settings.clone(), terms)
    }

    /// A search on no terms: see [`Asking::search`].
    ///
    /// # Errors
    /// As there.
    pub async fn search(&self, tenant: &Tenant, question: &SearchQuestion) -> Result<SearchAnswer, Error> {
        self.on(Terms::default()).search(tenant, question).await
    }

    /// A trace on no terms: see [`Asking::find_trace`].
    ///
    /// # Errors
    /// As there.
    pub async fn find_trace(&self, tenant: &Tenant, id: TraceId, range: TimeRange) -> Result<TraceAnswer, Error> {
        self.on(Terms::default()).find_trace(tenant, id, range).await
    }

    /// Answers a shard that somebody else has planned, as long as that is of use, and says what its requests were.
    ///
    /// # Errors
    /// As [`Asking::search`].
    pub async fn answer(&self, shard: Shard) -> Result<Partial, Error> {
        let patience = shard.patience;
        let counting = Counting::new(self.catalog.store().clone());
        let catalog = self.catalog.over(Arc::new(counting.clone()));
        let answer = scan::answer(&catalog, Arc::new(shard));
        let partial = match patience {
            None => answer.await?,
            Some(patience) => timeout(patience, answer).await.map_err(|_| Error::Deadline)??,
        };
        Ok(Partial { spent: Spent::from(counting.counts()), ..partial })
    }
}
