//! Object storage as Niente needs it: one narrow trait, and two stores behind it.
//!
//! All of Niente's state is objects, and all that it asks of their storage is in [`Store`]: read a range, list in
//! order, create what isn't there, replace what one has read, delete. The trait is as narrow as S3 makes it cheap to
//! be: a method is a request, so that layers around a store can count, price, hedge or fail them one at a time, and
//! planning which bytes to read is left to who knows the format.
//!
//! The types to know:
//!
//! * [`Store`]: the trait, object-safe. Callers take `&dyn Store`.
//! * [`FolderStore`] keeps objects as files and may be shared by processes; [`MemoryStore`] is for tests and
//!   simulations. S3 is a later one and needs no change here.
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
//! `store_suite!`. No clock is read here: times are the storage's own ([`Store::now`]).

mod bounds;
mod error;
mod folder;
mod key;
mod memory;
mod store;
#[cfg(feature = "testing")]
pub mod suite;

pub use error::{Action, Error, ErrorKind, Result, Source};
pub use folder::FolderStore;
pub use key::{InvalidKey, ObjectKey};
pub use memory::MemoryStore;
pub use store::{ETag, Object, ObjectMeta, Page, Store, Suffix, list_all};
