//! Keeping blocks few and large: merging, indexing, expiring, redacting.
//!
//! Ingest writes an object a request, and answers don't depend on how many there are: but each costs a request to
//! read. A [`Compactor`] looks at what a tenant's days hold, plans what is due, and does it, job by job. It holds no
//! lock and keeps no state; it may die anywhere, and any number of them may run at the same time. That is the
//! catalog's doing: what a job writes counts from its commit on, which is one request, and a job whose inputs somebody
//! else has replaced meanwhile counts for nothing.
//!
//! The types to know:
//!
//! * [`Policy`]: when something is due.
//! * [`DayState`]: what a day holds. Its [`plan`](DayState::plan) is a pure function to [`Job`]s: level 0 into blocks
//!   within minutes; an hour that has ended into one run of blocks of disjoint keys; a day that has ended into as few
//!   blocks as it needs; what stays, into the day's trace index.
//! * [`Compactor::run`] does a job, [`Compactor::sweep`] all that are due.
//! * [`Gc`] removes what was replaced, what has expired, and what a writer that died has left behind.
//!
//! # Merging
//!
//! All inputs are sorted alike, so a merge is one pass over all of them side by side (`merge`), trace by trace, into
//! blocks whose layout is chosen anew from the first traces (`output`). Trace keys are hashes, so that these are a
//! fair sample of all. Duplicates collapse on the way: records of the same span, of which the first in canonical
//! order stays, here as in every answer. Memory is bounded by constants of those two modules, not by data: how much
//! of its inputs a merge has open at a time, compressed and decompressed, a trace, and a block that is being written.

mod compactor;
mod error;
mod gc;
mod index;
mod job;
mod merge;
mod output;
mod plan;
mod policy;

pub use compactor::{Compactor, Event, Random, Scope};
pub use error::Error;
pub use gc::{Found, Gc, ORPHAN_AGE};
pub use job::{Done, Work};
pub use plan::{DayState, Job, Merge};
pub use policy::Policy;
