//! Removing what nobody can need any more.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt, TryStreamExt};
use niente_catalog::{
    Applied, Catalog, Change, Commit, DayCatalog, JOB_LIFE, L0Name, Name, TenantConfig, catalog_days, commit, level_0,
    remove_empty_catalog,
};
use niente_model::{Day, Nanos, Tenant};
use niente_store::list_all;

use crate::Error;

/// An object that no catalog knows was left behind by a writer that died, if it is so old. No job lives so long: see
/// [`JOB_LIFE`](niente_catalog::JOB_LIFE).
pub const ORPHAN_AGE: Nanos = Nanos::from_secs(24 * 3_600);

/// The name of a replaced object is remembered for so long at least, even if the object itself is deleted sooner: as
/// long as a job that has read it may commit, and by some minutes more.
const REMEMBERED: Nanos = Nanos::from_secs(JOB_LIFE.as_secs() + 600);

/// How many objects are deleted at a time.
const PARALLEL_DELETES: usize = 16;

/// What to remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gc {
    /// Replaced objects are kept for so long: longer than most questions take, so that few have to start again.
    pub grace: Nanos,
    /// Only tell.
    pub dry_run: bool,
    /// How long days are kept whose tenant's configuration doesn't say; none for ever.
    pub retention_days: Option<u32>,
}

/// Something that gc has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A day that has outlived its retention. What was in it counts as replaced by nothing.
    Expired {
        /// Which day.
        day: Day,
        /// How many objects it had.
        objects: usize,
    },
    /// A replaced or expired object that is still there, and whether its grace has passed, so that it is removed.
    Replaced {
        /// Its day.
        day: Day,
        /// Its name.
        name: Name,
        /// Since when.
        since: Nanos,
        /// Whether it is removed.
        removed: bool,
    },
    /// An object that no catalog knows, and whether it is old enough to be removed.
    Orphan {
        /// Its day.
        day: Day,
        /// Its name.
        name: Name,
        /// Its size.
        bytes: u64,
        /// Since when it is there.
        since: Nanos,
        /// Whether it is removed.
        removed: bool,
    },
    /// The catalog of a day of which nothing is left.
    Empty {
        /// Which day.
        day: Day,
    },
    /// A redaction of which retention has removed all that it could have hidden.
    Redaction {
        /// How many.
        count: usize,
    },
}

/// What the listings have shown of a day.
#[derive(Debug, Default)]
struct Listed {
    names: BTreeSet<Name>,
    /// Those of them that ingest wrote.
    level_0: Vec<L0Name>,
}

impl Gc {
    /// Removes what may be removed of one tenant.
    ///
    /// Costs a listing of the tenant's catalogs, level 0, blocks and indexes, a `GET` for each day, a `DELETE` for each
    /// object that is removed, and two requests for each day of which some were.
    pub async fn run(
        &self,
        catalog: &Catalog,
        tenant: &Tenant,
        tell: &mut (dyn FnMut(&Found) + Send),
    ) -> Result<(), Error> {
        let store = &**catalog.store();
        let mut config = (*catalog.config(tenant).await?).clone();
        config.retention_days = config.retention_days.or(self.retention_days);
        // What is an orphan at this moment is one when it is removed: whoever wrote it may not commit it any more. Of
        // what grows old while this runs that can't be said, since its catalog may have been read before its commit.
        let begun = store.now().await?;
        // Objects are listed before the catalogs are read: what is committed in between is known by then.
        let mut stored = Vec::new();
        let mut listed: BTreeMap<Day, Listed> = BTreeMap::new();
        for prefix in [Name::blocks(tenant), Name::indexes(tenant)] {
            let mut listing = std::pin::pin!(list_all(store, &prefix, None));
            while let Some(meta) = listing.try_next().await? {
                let Some((day, name)) = Name::parse(tenant, meta.key.as_str()) else { continue };
                listed.entry(day).or_default().names.insert(name);
                stored.push((day, name, meta));
            }
        }
        for (name, _) in level_0(store, tenant).await? {
            let day = listed.entry(name.hour().day()).or_default();
            day.names.insert(Name::Level0(name));
            day.level_0.push(name);
        }
        let mut days: BTreeSet<Day> = catalog_days(store, tenant).await?.into_iter().collect();
        if config.retention_days.is_some() {
            days.extend(listed.iter().filter(|(_, listed)| !listed.level_0.is_empty()).map(|(day, _)| day));
        }
        let mut known: BTreeMap<Day, DayCatalog> = BTreeMap::new();
        for day in days {
            let listed = listed.remove(&day).unwrap_or_default();
            known.insert(day, self.day(catalog, tenant, day, listed, &config, tell).await?);
        }
        for (day, name, meta) in stored {
            if known.get(&day).is_some_and(|catalog| catalog.knows(name)) {
                continue;
            }
            let removed = meta.modified.saturating_add(ORPHAN_AGE) <= begun;
            tell(&Found::Orphan { day, name, bytes: meta.size, since: meta.modified, removed });
            if removed && !self.dry_run {
                store.delete(&meta.key).await?;
            }
        }
        self.redactions(catalog, tenant, &config, begun, tell).await
    }

    /// One day: expiry first, deletion after. Gives the day as it was before anything was forgotten.
    async fn day(
        &self,
        catalog: &Catalog,
        tenant: &Tenant,
        day: Day,
        listed: Listed,
        config: &TenantConfig,
        tell: &mut (dyn FnMut(&Found) + Send),
    ) -> Result<DayCatalog, Error> {
        let store = &**catalog.store();
        let Listed { names: there, level_0 } = listed;
        let mut state = (*catalog.day(tenant, day).await?).clone();
        // Days are looked at since they have level 0, or a catalog.
        let has_catalog = level_0.is_empty() || !state.is_empty();
        let now = store.now().await?;
        if config.has_expired(day, now) {
            let (mut expired, change) = (state.clone(), Change::Expire { level_0 });
            if expired.apply(&change, now) == Applied::Changed {
                tell(&Found::Expired { day, objects: expired.replaced().len() - state.replaced().len() });
                // If that comes too late, nothing has expired yet: the next run's work.
                if self.dry_run || commit(store, tenant, day, &change, now).await? == Commit::Done {
                    state = expired;
                }
            }
        }
        let (mut removed, mut deleted) = (Vec::new(), Vec::new());
        for (name, since) in state.replaced() {
            let due = since.saturating_add(self.grace) <= now;
            let outlived = due && since.saturating_add(REMEMBERED) <= now;
            if there.contains(&name) {
                tell(&Found::Replaced { day, name, since, removed: due });
            }
            if self.dry_run {
                continue;
            }
            // Before a name is forgotten its object is deleted once more: a late retry may have brought it back.
            removed.extend((outlived || (due && there.contains(&name))).then_some(name));
            deleted.extend(outlived.then_some(name));
        }
        stream::iter(&removed)
            .map(|name| async move { store.delete(&name.key(tenant, day)).await })
            .buffer_unordered(PARALLEL_DELETES)
            .try_collect::<()>()
            .await?;
        let mut left = state.clone();
        if !deleted.is_empty() {
            let change = Change::Forget { deleted };
            left.apply(&change, now);
            commit(store, tenant, day, &change, now).await?;
        }
        // An earlier run may have been interrupted between the two.
        if left.is_empty() && has_catalog && !self.dry_run && remove_empty_catalog(store, tenant, day).await? {
            tell(&Found::Empty { day });
        }
        Ok(state)
    }

    /// Redactions of which nothing can be left, since everything of their time has expired.
    async fn redactions(
        &self,
        catalog: &Catalog,
        tenant: &Tenant,
        config: &TenantConfig,
        now: Nanos,
        tell: &mut (dyn FnMut(&Found) + Send),
    ) -> Result<(), Error> {
        let Some(retention) = config.retention() else { return Ok(()) };
        // Spans may come from a little in the future, and a day expires as a whole.
        let lasts = retention.saturating_add(Nanos::from_secs(2 * 24 * 3_600));
        let outlived = |at: u64| Nanos::new(at).is_ok_and(|at| at.saturating_add(lasts) <= now);
        let count = config.redactions.values().filter(|redaction| outlived(redaction.at)).count();
        if count == 0 {
            return Ok(());
        }
        tell(&Found::Redaction { count });
        if !self.dry_run {
            let forget = |config: &mut TenantConfig| config.redactions.retain(|_, redaction| !outlived(redaction.at));
            TenantConfig::update(&**catalog.store(), tenant, forget).await?;
        }
        Ok(())
    }
}
