//! Bugs on purpose: what each mistake does, planted around the real code or beside it. The test of the test.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use futures::FutureExt;
use niente_catalog::{BlockRef, Catalog, DayCatalog, Name, Snapshot, level_0};
use niente_model::{Nanos, Tenant, TimeRange};
use niente_store::{ETag, Error, ObjectKey, ObjectMeta};

use crate::{case::Case, scheduler::Role, store::Effect, world::World};

/// A mistake that an implementation of the catalog's protocol could make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    /// Readers read the days' catalogs before they list level 0, and gc has no grace: what is committed and deleted in
    /// between is in neither.
    CatalogBeforeListing,
    /// Readers take an object that is gone for an empty one.
    NotFoundIsEmpty,
    /// Catalogs are written without looking whether they are what was read.
    CommitWithoutCompare,
    /// Gc removes uncommitted blocks after minutes, and a compaction that took hours still commits.
    GcOfUncommitted,
    /// A compactor whose commit seems to have failed cleans up what it wrote, though the commit was made.
    CommitDeletesItsSuccess,
}

impl Bug {
    pub(crate) const ALL: [Bug; 5] = [
        Bug::CatalogBeforeListing,
        Bug::NotFoundIsEmpty,
        Bug::CommitWithoutCompare,
        Bug::GcOfUncommitted,
        Bug::CommitDeletesItsSuccess,
    ];

    /// The circumstances in which the bug has its chance. Without the bug they must be harmless.
    pub(crate) fn case(self, seed: u64) -> Case {
        let case = Case { bug: Some(self), retention: false, redaction: false, ..Case::new(seed) };
        let eager = Case { grace: Nanos::ZERO, gcs: 2, ..case.clone() };
        match self {
            // Everything has to happen between two requests of a reader: all are quick but who is interrupted.
            Bug::CatalogBeforeListing => {
                Case { burst: 80, page: 1_000, fault_every: 0, kill_every: 0, readers: 3, turns: 1_000, ..eager }
            }
            Bug::NotFoundIsEmpty => Case { readers: 3, ..eager },
            // Two compactors alone only undo each other's work. It takes gc to have acted upon what was undone.
            Bug::CommitWithoutCompare => Case { compactors: 3, burst: 20, turns: 1_000, ..eager },
            // What was replaced stays: the other thing that a compactor's wrong time could spoil.
            Bug::GcOfUncommitted => Case { grace: Nanos::from_secs(30 * 24 * 3_600), leap_every: 40, ..case },
            Bug::CommitDeletesItsSuccess => Case { fault_every: 12, ..case },
        }
    }
}

/// How a process with a planted bug sees the bucket, and what it does to it. Without one: as it is, and nothing.
pub(crate) struct Lens {
    bug: Option<Bug>,
    role: Role,
    /// The first time that the process was told.
    began: Mutex<Option<Nanos>>,
    /// The blocks that the process has written.
    blocks: Mutex<Vec<ObjectKey>>,
}

/// [`Bug::GcOfUncommitted`]: how much older objects look to gc. With a day of grace for orphans, ten minutes are left.
const OLDER: Nanos = Nanos::from_secs(24 * 3_600 - 600);
/// And what a compactor takes for the length of its life, at most.
const ALWAYS_YOUNG: Nanos = Nanos::from_secs(1_800);

impl Lens {
    pub(crate) fn new(bug: Option<Bug>, role: Role) -> Self {
        Self { bug, role, began: Mutex::default(), blocks: Mutex::default() }
    }

    fn is(&self, bug: Bug, role: Role) -> bool {
        self.bug == Some(bug) && self.role == role
    }

    /// What a write becomes.
    pub(crate) fn write(&self, effect: Effect) -> Effect {
        match effect {
            Effect::Create(key, bytes) | Effect::Replace(key, bytes, _)
                if self.bug == Some(Bug::CommitWithoutCompare) && is_catalog(&key) =>
            {
                Effect::Overwrite(key, bytes)
            }
            effect => effect,
        }
    }

    /// What a write is followed by.
    pub(crate) fn wrote(&self, world: &Arc<World>, effect: &Effect, answer: &Result<Option<ETag>, Error>) {
        if !self.is(Bug::CommitDeletesItsSuccess, Role::Compactor) {
            return;
        }
        if !is_catalog(effect.key()) {
            self.blocks.lock().unwrap().push(effect.key().clone());
        } else if matches!(
            answer,
            Err(Error::Unavailable { .. } | Error::Precondition { .. } | Error::AlreadyExists { .. })
        ) {
            // Litter would be harmless to delete: only what was committed makes the bug.
            for key in self.blocks.lock().unwrap().iter().filter(|key| is_committed(world, key)) {
                let _ = Effect::Delete(key.clone()).apply(world);
            }
        }
    }

    /// What a listing says of an object.
    pub(crate) fn listed(&self, object: &mut ObjectMeta) {
        if self.is(Bug::GcOfUncommitted, Role::Gc) {
            object.modified = object.modified.saturating_sub(OLDER);
        }
    }

    /// What the process takes for the time.
    pub(crate) fn now(&self, now: Nanos) -> Nanos {
        if !self.is(Bug::GcOfUncommitted, Role::Compactor) {
            return now;
        }
        let began = *self.began.lock().unwrap().get_or_insert(now);
        now.min(began.saturating_add(ALWAYS_YOUNG))
    }
}

fn is_catalog(key: &ObjectKey) -> bool {
    key.as_str().contains("/catalog/")
}

fn is_committed(world: &World, key: &ObjectKey) -> bool {
    let tenant: &Tenant = &world.tenant;
    let Some((day, name @ Name::Block(_))) = Name::parse(tenant, key.as_str()) else { return false };
    let read = DayCatalog::read(&world.bucket, tenant, day).now_or_never().expect("memory answers at once");
    read.is_ok_and(|(catalog, _)| catalog.knows(name))
}

/// [`Bug::CatalogBeforeListing`]: a snapshot in the wrong order.
pub(crate) async fn catalog_before_listing(
    catalog: &Catalog,
    tenant: &Tenant,
    window: TimeRange,
) -> Result<Snapshot, niente_catalog::Error> {
    let mut snapshot = catalog.snapshot(tenant, window).await?;
    snapshot.objects.clear();
    let mut days = BTreeMap::new();
    for day in window.days() {
        days.insert(day, catalog.day(tenant, day).await?);
    }
    for (name, meta) in level_0(&**catalog.store(), tenant).await? {
        if days.get(&name.hour().day()).is_some_and(|day| !day.is_replaced(Name::Level0(name))) {
            snapshot.objects.push(BlockRef::level_0(meta.key, meta.size, name));
        }
    }
    for (day, catalog) in &days {
        // Its index is not that of the snapshot that we began with.
        let block = |block| BlockRef { indexed: false, ..BlockRef::compacted(tenant, *day, block) };
        snapshot.objects.extend(catalog.blocks().map(block));
    }
    Ok(snapshot)
}
