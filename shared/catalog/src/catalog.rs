//! A store's catalogs, with what a warm process remembers of them.

use std::{fmt, sync::Arc};

use niente_block::{Bounds, Footer, Listing, Vocabulary};
use niente_model::{Day, Nanos, Tenant, TraceId};
use niente_store::{ETag, Error as StoreError, ObjectKey, Store};
use quick_cache::{Weighter, sync::Cache};

use crate::{
    DayCatalog, Error, TenantConfig,
    name::{catalog_key, config_key},
};

/// What exists in a store, for those who only read.
///
/// It keeps what it has read: days and configurations by their versions, which every snapshot checks again, and of
/// blocks, which never change, their footers and what columns were listed. So it needs no coordination, and a process
/// may live as long as it likes. Cheap to clone; clones share what is kept.
#[derive(Clone)]
pub struct Catalog {
    store: Arc<dyn Store>,
    kept: Arc<Kept>,
}

struct Kept {
    days: Cache<ObjectKey, Versioned<DayCatalog>, ByBytes>,
    configs: Cache<ObjectKey, Versioned<TenantConfig>, ByBytes>,
    recent_configs: Cache<Tenant, (Nanos, Arc<TenantConfig>)>,
    footers: Cache<ObjectKey, Footer, ByTail>,
    listed: Cache<Listed, Arc<Vocabulary>, ByValues>,
}

/// What was listed: of which object, and without which traces.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Listed {
    object: ObjectKey,
    listing: Listing,
    left_out: Arc<[TraceId]>,
}

/// What was read, its version, and the bytes that it took.
#[derive(Debug)]
struct Versioned<T> {
    value: Arc<T>,
    etag: ETag,
    bytes: usize,
}

impl<T> Clone for Versioned<T> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone(), etag: self.etag.clone(), bytes: self.bytes }
    }
}

#[derive(Clone)]
struct ByBytes;

impl<T> Weighter<ObjectKey, Versioned<T>> for ByBytes {
    fn weight(&self, key: &ObjectKey, kept: &Versioned<T>) -> u64 {
        // Decoded, a catalog takes some times its size.
        (key.as_str().len() + 4 * kept.bytes + 256) as u64
    }
}

#[derive(Clone)]
struct ByTail;

impl Weighter<ObjectKey, Footer> for ByTail {
    fn weight(&self, key: &ObjectKey, footer: &Footer) -> u64 {
        key.as_str().len() as u64 + footer.held_bytes()
    }
}

#[derive(Clone)]
struct ByValues;

impl Weighter<Listed, Arc<Vocabulary>> for ByValues {
    fn weight(&self, key: &Listed, vocabulary: &Arc<Vocabulary>) -> u64 {
        (key.object.as_str().len() + 16 * key.left_out.len()) as u64 + vocabulary.held_bytes()
    }
}

/// How many bytes of days' catalogs a process keeps.
const KEPT_DAYS: u64 = 64 << 20;
/// How many bytes of configurations.
const KEPT_CONFIGS: u64 = 4 << 20;
/// How many bytes of footers.
const KEPT_FOOTERS: u64 = 64 << 20;
/// How many bytes of columns' distinct values.
const KEPT_VALUES: u64 = 64 << 20;

impl Catalog {
    /// The catalog of this store. Nothing is read yet.
    pub fn new(store: Arc<dyn Store>) -> Self {
        let kept = Kept {
            days: Cache::with_weighter(1_000, KEPT_DAYS, ByBytes),
            configs: Cache::with_weighter(1_000, KEPT_CONFIGS, ByBytes),
            recent_configs: Cache::new(1_000),
            footers: Cache::with_weighter(1_000, KEPT_FOOTERS, ByTail),
            listed: Cache::with_weighter(10_000, KEPT_VALUES, ByValues),
        };
        Self { store, kept: Arc::new(kept) }
    }

    /// The same catalog, with what it keeps, asking another store: a layer around its own, that counts or fails.
    pub fn over(&self, store: Arc<dyn Store>) -> Self {
        Self { store, kept: self.kept.clone() }
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The day as it is now.
    ///
    /// Costs a `GET`, that of an unchanged day without a body.
    pub async fn day(&self, tenant: &Tenant, day: Day) -> Result<Arc<DayCatalog>, Error> {
        let key = catalog_key(tenant, day);
        let decode = |bytes: &[u8]| {
            DayCatalog::decode(bytes, day).map_err(|source| Error::Decode { key: key.to_string(), source })
        };
        self.read(&self.kept.days, &key, decode).await
    }

    /// The tenant's configuration as it is, or was at most `age` before `now`, by the caller's clock: for those who
    /// ask often and need not know at once.
    pub async fn recent_config(&self, tenant: &Tenant, now: Nanos, age: Nanos) -> Result<Arc<TenantConfig>, Error> {
        if let Some((read, config)) = self.kept.recent_configs.get(tenant)
            && read <= now
            && now.saturating_sub(read) < age
        {
            return Ok(config);
        }
        let config = self.config(tenant).await?;
        self.kept.recent_configs.insert(tenant.clone(), (now, config.clone()));
        Ok(config)
    }

    /// The tenant's configuration as it is now.
    ///
    /// Costs a `GET`, that of an unchanged one without a body.
    pub async fn config(&self, tenant: &Tenant) -> Result<Arc<TenantConfig>, Error> {
        let key = config_key(tenant);
        self.read(&self.kept.configs, &key, |bytes| TenantConfig::decode(bytes, tenant)).await
    }

    pub(crate) fn footer(&self, key: &ObjectKey) -> Option<Footer> {
        self.kept.footers.get(key)
    }

    pub(crate) fn keep_footer(&self, key: &ObjectKey, footer: &Footer) {
        self.kept.footers.insert(key.clone(), footer.clone());
    }

    /// The distinct values of an object's column, without those of some traces, if they are known.
    pub fn listed(
        &self,
        object: &ObjectKey,
        listing: &Listing,
        left_out: &Arc<[TraceId]>,
        bounds: Bounds,
    ) -> Option<Arc<Vocabulary>> {
        let key = Listed { object: object.clone(), listing: listing.clone(), left_out: left_out.clone() };
        self.kept.listed.get(&key).filter(|known| known.serves(bounds))
    }

    pub(crate) fn keep_listed(
        &self,
        object: &ObjectKey,
        listing: &Listing,
        left_out: &Arc<[TraceId]>,
        values: &Arc<Vocabulary>,
    ) {
        let key = Listed { object: object.clone(), listing: listing.clone(), left_out: left_out.clone() };
        self.kept.listed.insert(key, values.clone());
    }

    /// An object that changes: the kept version if it still is that, the default if there is none.
    async fn read<T: Default>(
        &self,
        kept: &Cache<ObjectKey, Versioned<T>, ByBytes>,
        key: &ObjectKey,
        decode: impl Fn(&[u8]) -> Result<T, Error>,
    ) -> Result<Arc<T>, Error> {
        let known = kept.get(key);
        let read = match &known {
            Some(known) => self.store.get_if_none_match(key, &known.etag).await,
            None => self.store.get(key).await.map(Some),
        };
        match (read, known) {
            (Ok(None), Some(known)) => Ok(known.value),
            (Ok(Some(object)), _) => {
                let value = Arc::new(decode(&object.bytes)?);
                let bytes = object.bytes.len();
                kept.insert(key.clone(), Versioned { value: value.clone(), etag: object.etag, bytes });
                Ok(value)
            }
            (Ok(None), None) => unreachable!("a read without a known version has an object"),
            (Err(StoreError::NotFound { .. }), _) => {
                kept.remove(key);
                Ok(Arc::default())
            }
            (Err(error), _) => Err(error.into()),
        }
    }
}

impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalog").field("store", &self.store).finish_non_exhaustive()
    }
}
