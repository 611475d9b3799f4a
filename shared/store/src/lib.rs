//! Object storage as Niente needs it: one narrow trait, and three stores behind it.
//!
//! All of Niente's state is objects, and all that it asks of their storage is in [`Store`]: read a range, list in
//! order, create what isn't there, replace what one has read, delete. The trait is as narrow as S3 makes it cheap to
//! be: a method is a request, so that layers around a store can count, price, hedge or fail them one at a time.
//! Planning which bytes to read is left to who knows the format, and joining near ones to the store, which knows what
//! a request costs.
//!
//! The types to know:
//!
//! * [`Store`]: the trait, object-safe. Callers take `&dyn Store`.
//! * [`S3Store`] keeps objects in a bucket, Amazon's or another's; [`FolderStore`] keeps them as files and may be
//!   shared by processes of one machine; [`MemoryStore`] is for tests and simulations.
//! * [`Counting`] says what a question cost, in requests that S3 would bill; [`Hedged`] sends slow reads twice. Both are
//!   stores around a store.
//! * [`ObjectKey`]: what an object may be called, checked once.
//! * [`Error`]: named by situation; its [`ErrorKind`] says what to do.
//!
//! Two writes exist and no third. [`put_if_absent`](Store::put_if_absent) creates: of many writers one wins, and who
//! names objects by their content takes [`Error::AlreadyExists`] for success. [`put_if_match`](Store::put_if_match)
//! replaces the version that its caller has read: after [`Error::Precondition`] one reads again and decides anew.
//! Everything else never changes, which is why nothing here needs a lock, a lease or a transaction.
//!
//! ```
//! use niente_store::{Error, MemoryStore, ObjectKey, Store};
//!
//! # async fn example() -> Result<(), Error> {
//! let store = MemoryStore::new();
//! let key = ObjectKey::new("acme/config")?;
//!
//! store.put_if_absent(&key, "retention: 7d".into()).await?;
//! let read = store.get(&key).await?;
//! store.put_if_match(&key, "retention: 30d".into(), &read.etag).await?;
//!
//! // Somebody who has not seen that change can't undo it.
//! let late = store.put_if_match(&key, "retention: 1d".into(), &read.etag).await;
//! assert!(matches!(late, Err(Error::Precondition { .. })));
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```
//!
//! What the trait promises, the `suite` module (feature `testing`) asks of every backend; a new one runs it with
//! `store_suite!`. The module `testing` has an S3 server that runs within a test, and a layer of faults. No clock is read here: times are the
//! storage's own ([`Store::now`]).

mod bounds;
mod coalesce;
mod error;
mod folder;
mod key;
mod layers;
mod memory;
mod s3;
mod store;
#[cfg(feature = "testing")]
pub mod suite;
#[cfg(feature = "testing")]
pub mod testing;

pub use coalesce::{COALESCE_GAP, coalesce};
pub use error::{Action, Error, ErrorKind, Result, Source};
pub use folder::FolderStore;
pub use key::{InvalidKey, ObjectKey};
pub use layers::{Counting, Counts, Hedged};
pub use memory::MemoryStore;
pub use s3::{InvalidLocation, S3Location, S3Options, S3Store};
pub use store::{ETag, Folders, Object, ObjectMeta, Page, Store, Suffix, list_all};
