use futures::{StreamExt, TryStreamExt};
use niente_model::{Tenant, TimeRange};
use niente_store::{ErrorKind, ObjectKey, ObjectMeta, Store, list_all};

use crate::L0Name;

/// The objects that may hold a tenant's spans of a time window, as of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The objects, in the byte order of their keys: two snapshots of the same objects are equal.
    pub objects: Vec<BlockRef>,
    /// Keys that are none of ours among those listed: somebody else put objects there. They hold no spans, and
    /// deserve a warning. What sorts after the window's last hour is not listed, hence not here.
    pub unknown: Vec<String>,
}

/// An object with spans, as far as is known without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockRef {
    /// The object's key.
    pub key: ObjectKey,
    /// Its size in bytes.
    pub size: u64,
    /// How often it was merged: 0 as ingest wrote it.
    pub level: u8,
    /// A range that holds every span in it from start to end. It may be wider than needed.
    pub times: TimeRange,
}

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] niente_store::Error),
}

impl Error {
    /// What the caller should do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Store(error) => error.kind(),
        }
    }
}

impl Snapshot {
    /// Lists what may hold spans of `window`: spans of which any moment lies in it.
    ///
    /// Costs one request for every thousand level-0 objects from the tenant's first to the window's last hour.
    /// Later hours are not listed. Earlier ones are, since names are in the order of the hours in which spans start,
    /// and one that starts in an old hour can end at any time: only its name's `<end>` tells.
    pub async fn read(store: &dyn Store, tenant: &Tenant, window: TimeRange) -> Result<Self, Error> {
        let (prefix, after) = (L0Name::prefix(tenant), L0Name::after(tenant, window.end().hour()));
        let mut listing = list_all(store, &prefix, None).boxed();
        let mut snapshot = Self::default();
        while let Some(meta) = listing.try_next().await? {
            if meta.key.as_str() >= after.as_str() {
                break;
            }
            match L0Name::parse(tenant, meta.key.as_str()) {
                Some(name) => snapshot.objects.extend(level_0(meta, name, window)),
                None => snapshot.unknown.push(meta.key.to_string()),
            }
        }
        Ok(snapshot)
    }
}

/// The object, if it can hold spans of the window.
fn level_0(ObjectMeta { key, size, .. }: ObjectMeta, name: L0Name, window: TimeRange) -> Option<BlockRef> {
    let times =
        TimeRange::new(name.hour().start(), name.end()).expect("a level-0 name never ends before its hour starts");
    times.overlaps(window).then_some(BlockRef { key, size, level: 0, times })
}
