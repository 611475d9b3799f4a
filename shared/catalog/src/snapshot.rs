use std::{collections::BTreeMap, sync::Arc};

use futures::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use niente_block::KeyRange;
use niente_model::{Day, Tenant, TimeRange, TraceId, TraceKey};
use niente_store::{ObjectKey, ObjectMeta, list_all};
use serde::{Deserialize, Serialize};

use crate::{
    Block, Catalog, DayCatalog, Error, Hours, L0Name, Name, TenantConfig, index,
    name::{catalogs, config_key, parse_catalog},
};

/// The objects that may hold a tenant's spans that start in a time window, as of one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The objects, in the byte order of their keys: two snapshots of the same objects are equal.
    pub objects: Vec<BlockRef>,
    /// Keys that are none of ours among those listed: somebody else put objects there. They hold no spans, and
    /// deserve a warning.
    pub unknown: Vec<String>,
    tenant: Option<Tenant>,
    config: Arc<TenantConfig>,
    days: BTreeMap<Day, Arc<DayCatalog>>,
}

/// An object with spans, as far as is known without reading it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockRef {
    /// The object's key.
    pub key: ObjectKey,
    /// Its name, within its tenant and day.
    pub name: Name,
    /// Its size in bytes.
    pub size: u64,
    /// How often it was merged: 0 as ingest wrote it.
    pub level: u8,
    /// A range that holds every span in it from start to end. It may be wider than needed.
    pub times: TimeRange,
    /// The hours in which its spans start.
    pub hours: Hours,
    /// A range that holds every trace key in it. It may be wider than needed.
    pub keys: KeyRange,
    /// How many bytes at its end open it, if that is known.
    pub tail: Option<u64>,
    /// Whether the day's trace index knows all of its traces.
    pub indexed: bool,
}

/// With more days than this, a listing tells which there are; otherwise each is asked for.
const MAX_ASKED_DAYS: usize = 32;
/// How many small objects are read at a time.
const PARALLEL_READS: usize = 64;

impl Catalog {
    /// What may hold spans that start in `window`: the order of the essay above, level 0 first.
    ///
    /// Costs a listing of the window's level 0 (a request for every thousand objects), and then, all at once, a `GET`
    /// for each day and one for the tenant's configuration. A window of more than a month has its days listed too, by
    /// the same requests, and only what is there is read.
    pub async fn snapshot(&self, tenant: &Tenant, window: TimeRange) -> Result<Snapshot, Error> {
        let listed = self.list(tenant, window).await?;
        let config = async { if listed.has_config { self.config(tenant).await } else { Ok(Arc::default()) } };
        let days = stream::iter(listed.days)
            .map(|day| async move { Ok::<_, Error>((day, self.day(tenant, day).await?)) })
            .buffer_unordered(PARALLEL_READS)
            .try_collect::<BTreeMap<Day, Arc<DayCatalog>>>();
        let (config, days) = futures::try_join!(config, days)?;

        let replaced = |name: &L0Name| {
            days.get(&name.hour().day()).is_some_and(|catalog| catalog.is_replaced(Name::Level0(*name)))
        };
        let level_0 = listed.level_0.into_iter().filter(|(_, name)| !replaced(name));
        let mut objects: Vec<_> = level_0.map(|(meta, name)| BlockRef::level_0(meta.key, meta.size, name)).collect();
        for (day, catalog) in &days {
            let blocks = catalog.blocks().filter(|block| block.hours.times().overlaps(window));
            objects.extend(blocks.map(|block| BlockRef::compacted(tenant, *day, block)));
        }
        objects.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(Snapshot { objects, unknown: listed.unknown, tenant: Some(tenant.clone()), config, days })
    }

    async fn list(&self, tenant: &Tenant, window: TimeRange) -> Result<Listed, Error> {
        let days = window.days();
        let mut listed = Listed::default();
        let store = &**self.store();
        let level_0 = L0Name::prefix(tenant);
        let everything = format!("{tenant}/");
        let mut listing: BoxStream<'_, _> = if days.len() <= MAX_ASKED_DAYS {
            listed.days = days.collect();
            listed.has_config = true;
            let before = L0Name::before(tenant, window.start().hour());
            list_all(store, &level_0, Some(&before)).boxed()
        } else {
            // Catalogs, the configuration, indexes and level 0 lie side by side; blocks come before them.
            list_all(store, &everything, Some(&catalogs(tenant))).boxed()
        };
        let after = L0Name::after(tenant, window.end().hour());
        while let Some(meta) = listing.try_next().await? {
            let key = meta.key.as_str();
            if key >= after.as_str() {
                break;
            }
            if let Some(name) = L0Name::parse(tenant, key) {
                if name.hour() >= window.start().hour() {
                    listed.level_0.push((meta, name));
                }
            } else if let Some(day) = parse_catalog(tenant, key) {
                let asked = window.start().hour().day() <= day && day <= window.end().hour().day();
                listed.days.extend(asked.then_some(day));
            } else if *key == *config_key(tenant).as_str() {
                listed.has_config = true;
            } else if Name::parse(tenant, key).is_none() {
                listed.unknown.push(key.to_owned());
            }
        }
        Ok(listed)
    }
}

#[derive(Default)]
struct Listed {
    level_0: Vec<(ObjectMeta, L0Name)>,
    days: Vec<Day>,
    has_config: bool,
    unknown: Vec<String>,
}

impl Snapshot {
    /// Whether the tenant has had this trace removed: whatever holds it, it is not there.
    pub fn is_redacted(&self, id: TraceId) -> bool {
        self.config.redactions.contains_key(&id)
    }

    /// The traces that the tenant has had removed.
    pub fn redactions(&self) -> impl ExactSizeIterator<Item = TraceId> {
        self.config.redactions.keys().copied()
    }

    /// The day's catalog that this snapshot was made of, if it has been read.
    pub fn day(&self, day: Day) -> Option<&DayCatalog> {
        self.days.get(&day).map(|catalog| &**catalog)
    }

    /// The days' catalogs that this snapshot was made of.
    pub fn days(&self) -> impl Iterator<Item = &DayCatalog> {
        self.days.values().map(|catalog| &**catalog)
    }

    /// Leaves out what can't hold this key, by what the days' trace indexes say.
    ///
    /// Costs one read for each day that has an index.
    pub async fn narrow(mut self, catalog: &Catalog, key: TraceKey) -> Result<Self, Error> {
        self.objects.retain(|object| object.keys.contains(key));
        let Some(tenant) = &self.tenant else { return Ok(self) };
        let asked = self
            .days
            .iter()
            .filter(|(day, _)| self.objects.iter().any(|object| object.indexed && object.hours.day() == **day));
        let parts = asked.filter_map(|(day, catalog)| Some((*day, catalog.index_part(key)?.clone())));
        let asked: Vec<_> = parts.collect();
        let masks = stream::iter(asked)
            .map(|(day, part)| async move {
                let object = Name::Index(part.id).key(tenant, day);
                Ok::<_, Error>((day, index::hours_of(&**catalog.store(), &object, &part, key).await?))
            })
            .buffer_unordered(PARALLEL_READS)
            .try_collect::<BTreeMap<Day, u32>>()
            .await?;
        self.objects.retain(|object| {
            let mask = masks.get(&object.hours.day()).filter(|_| object.indexed);
            mask.is_none_or(|mask| mask & object.hours.mask() != 0)
        });
        Ok(self)
    }
}

impl BlockRef {
    /// A level-0 object of which the listing told the size.
    pub fn level_0(key: ObjectKey, size: u64, name: L0Name) -> Self {
        Self {
            key,
            name: Name::Level0(name),
            size,
            level: 0,
            times: name.times(),
            hours: Hours::only(name.hour()),
            keys: KeyRange::ALL,
            tail: None,
            indexed: false,
        }
    }

    /// A block of the day.
    pub fn compacted(tenant: &Tenant, day: Day, block: &Block) -> Self {
        let name = Name::Block(block.id);
        Self {
            key: name.key(tenant, day),
            name,
            size: block.bytes,
            level: block.level,
            times: block.times,
            hours: block.hours,
            keys: block.keys,
            tail: Some(block.tail),
            indexed: block.indexed,
        }
    }
}
