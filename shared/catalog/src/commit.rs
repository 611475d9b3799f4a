//! Days, changed by compare-and-swap.

use niente_model::{Day, Nanos, Tenant};
use niente_store::{ETag, Error as StoreError, ErrorKind, Store};

use crate::{Applied, Change, DayCatalog, Error, name::catalog_key};

/// A compaction that is older than this must not commit any more: gc may be removing what it has written.
///
/// It must be shorter than gc's grace for uncommitted objects, by more than a request can take.
pub const JOB_LIFE: Nanos = Nanos::from_secs(3_600);

/// Attempts to commit while others commit to the same day.
const ATTEMPTS: u32 = 32;
/// Attempts of those that may go unanswered. The store has tried again by itself each time.
const UNANSWERED: u32 = 3;

/// What became of a [`Change`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    /// It is part of the day.
    Done,
    /// Somebody else was faster: what it builds upon is no longer there. Nothing was changed.
    Stale,
    /// Its job took longer than [`JOB_LIFE`]. Nothing was changed.
    TooLate,
}

impl DayCatalog {
    /// The day as it is now, and its version. Empty and without a version if nothing was ever compacted.
    pub async fn read(store: &dyn Store, tenant: &Tenant, day: Day) -> Result<(Self, Option<ETag>), Error> {
        let key = catalog_key(tenant, day);
        match store.get(&key).await {
            Ok(object) => {
                let decoded = Self::decode(&object.bytes, day);
                let catalog = decoded.map_err(|source| Error::Decode { key: key.to_string(), source })?;
                Ok((catalog, Some(object.etag)))
            }
            Err(StoreError::NotFound { .. }) => Ok((Self::default(), None)),
            Err(error) => Err(error.into()),
        }
    }
}

/// Makes a change part of a day, whatever others commit at the same time.
///
/// `started` is the store's time when the change's job took its snapshot. After an error it is not known whether the
/// change was made: what the job wrote must stay, and gc finds out.
///
/// Costs a `GET` and a `PUT`; as many more as others were faster.
pub async fn commit(
    store: &dyn Store,
    tenant: &Tenant,
    day: Day,
    change: &Change,
    started: Nanos,
) -> Result<Commit, Error> {
    let key = catalog_key(tenant, day);
    let mut unanswered = 0;
    for _ in 0..ATTEMPTS {
        let (mut catalog, version) = DayCatalog::read(store, tenant, day).await?;
        // Asked for after the day was read: no older than that answer.
        let now = store.now().await?;
        match catalog.apply(change, now) {
            Applied::Changed => {}
            Applied::Already => return Ok(Commit::Done),
            Applied::Stale => return Ok(Commit::Stale),
        }
        if now > started.saturating_add(JOB_LIFE) {
            return Ok(Commit::TooLate);
        }
        let bytes = catalog.encode(day);
        let written = match &version {
            Some(version) => store.put_if_match(&key, bytes, version).await,
            None => store.put_if_absent(&key, bytes).await,
        };
        match written {
            Ok(_) => return Ok(Commit::Done),
            // Somebody else was faster, or it was us and the answer was lost. The day tells.
            Err(StoreError::Precondition { .. } | StoreError::AlreadyExists { .. } | StoreError::NotFound { .. }) => {}
            Err(error) if error.kind() == ErrorKind::Retry && unanswered < UNANSWERED => unanswered += 1,
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::Contended { key: key.to_string(), attempts: ATTEMPTS })
}
