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
//! * [`Snapshot`]: what there is to read, as [`BlockRef`]s in the order of their keys.
//! * [`write_level0`]: from an ingest request's spans to durable, visible objects.
//!
//! # The order of a snapshot
//!
//! Compaction replaces level-0 objects by blocks: it writes the block, commits it to its day's catalog together with
//! the names that it replaces, and after a grace period gc deletes those. A snapshot must show each acknowledged span
//! through exactly one of the two, whatever runs beside it. One order does this without a lock:
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
//! A snapshot grows old: a block that it names can be gone when it is read. A 404 (the store's `NotFound`) then means
//! a stale snapshot: take a new one and start again. It never means that the block was empty.
//!
//! As yet nothing compacts and there are no catalogs: a snapshot is step 1.
//!
//! ```
//! use niente_catalog::{ContentHash, L0Name, Snapshot};
//! use niente_model::{Nanos, Tenant, TimeRange};
//! use niente_store::{MemoryStore, Store};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let (store, tenant) = (MemoryStore::new(), Tenant::single());
//! let start = Nanos::from_secs(1_793_577_605);
//! let end = start.saturating_add(Nanos::from_secs(2));
//!
//! let name = L0Name::new(start.hour(), end, ContentHash::of([b"the spans, in canonical order"]));
//! store.put_if_absent(&name.key(&tenant), "Parquet".into()).await?;
//!
//! let snapshot = Snapshot::read(&store, &tenant, TimeRange::new(start, end)?).await?;
//! assert_eq!(snapshot.objects[0].key, name.key(&tenant));
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```

mod level0;
mod name;
mod snapshot;

pub use level0::{WriteError, WrittenObject, write_level0};
pub use name::{ContentHash, InvalidHash, L0Name};
pub use snapshot::{BlockRef, Error, Snapshot};
