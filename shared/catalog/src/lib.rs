//! Which blocks exist.
//!
//! There is no list of blocks that ingest would have to keep: an object is in the store as soon as it is in the
//! bucket, under a name that says when its spans are. Whoever asks takes a [`Snapshot`]: the objects that may hold
//! spans of a time window, as of one moment.
//!
//! The types to know:
//!
//! * [`L0Name`]: the name of what one ingest request wrote for one hour. It begins with the hour, so that a listing
//!   is in the order of time, and ends with a [`ContentHash`], so that a repeated request names the same object.
//!   [`write_level0`] goes from an ingest request's spans to durable, visible objects.
//! * [`DayCatalog`]: what one day of one tenant holds beyond that: its compacted [`Block`]s, the objects that they
//!   replaced, its trace index. One object, changed as a whole by [`commit`] with a [`Change`].
//! * [`Snapshot`]: what there is to read, as [`BlockRef`]s in the order of their keys; taken by a [`Catalog`], which
//!   remembers what it has read. [`BlockReader`] reads one of them.
//! * [`TenantConfig`]: a tenant's retention and its redactions.
//!
//! # The order of a snapshot
//!
//! Compaction replaces objects by blocks: it writes the blocks, commits them to their day's catalog together with the
//! names that they replace, and after a grace period gc deletes those. A snapshot must show each acknowledged span
//! through exactly one object, whatever runs beside it. One order does this without a lock:
//!
//! 1. **List level 0.**
//! 2. **Then read the days' catalogs** of the window, not before the listing has ended.
//! 3. Leave out of the listing what the catalogs say is replaced, and add their blocks.
//!
//! A span that was acknowledged before the snapshot began is either in an object that the listing shows, or that
//! object was deleted before. A deletion follows the commit that replaced it, so that the catalogs, read later still,
//! show the block. In the other order an object could be committed and deleted in between, and its spans would be in
//! neither. A replaced name stays in the catalog until its deletion is confirmed, so that no listing can show it
//! again without the catalog's telling.
//!
//! A snapshot grows old: an object that it names can be gone when it is read. A 404 (the store's `NotFound`) then
//! means a stale snapshot: take a new one and start again. It never means that the block was empty.
//!
//! # The life of a commit
//!
//! Nothing is locked. Whoever compacts names its outputs by fresh [`ObjectId`]s and commits by compare-and-swap: of
//! two compactions of the same inputs one is [`Commit::Stale`], and what it wrote is litter. A commit whose answer was
//! lost finds its own outputs in the day and is done. Litter is never removed by who made it, who can't know for sure
//! that it is; gc removes it a day later, when nobody may commit it any more ([`JOB_LIFE`]).
//!
//! ```
//! use std::sync::Arc;
//!
//! use niente_catalog::{Catalog, ContentHash, L0Name};
//! use niente_model::{Nanos, Tenant, TimeRange};
//! use niente_store::{MemoryStore, Store};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let (store, tenant) = (Arc::new(MemoryStore::new()), Tenant::single());
//! let start = Nanos::from_secs(1_793_577_605);
//! let end = start.saturating_add(Nanos::from_secs(2));
//!
//! let name = L0Name::new(start.hour(), end, ContentHash::of([b"the spans, in canonical order"]));
//! store.put_if_absent(&name.key(&tenant), "Parquet".into()).await?;
//!
//! let snapshot = Catalog::new(store).snapshot(&tenant, TimeRange::new(start, end)?).await?;
//! assert_eq!(snapshot.objects[0].key, name.key(&tenant));
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```

mod catalog;
mod commit;
mod config;
mod day;
mod encoding;
mod error;
mod index;
mod l0_name;
mod level0;
mod name;
mod read;
mod snapshot;
mod tenants;

pub use catalog::Catalog;
pub use commit::{Commit, JOB_LIFE, commit};
pub use config::{Redaction, TenantConfig};
pub use day::{Applied, Block, Change, DayCatalog, Hours, IndexPart};
pub use encoding::DecodeError;
pub use error::Error;
pub use index::{IndexWriter, index_entries, indexed_bits, part_keys};
pub use l0_name::{ContentHash, InvalidHash, L0Name};
pub use level0::{WriteError, WrittenObject, encode_level0, put_level0, write_level0};
pub use name::{InvalidObjectId, Name, ObjectId};
pub use read::BlockReader;
pub use snapshot::{BlockRef, Snapshot};
pub use tenants::{Inventory, catalog_days, inventory, level_0, remove_empty_catalog, tenants};
