//! What is due for a day. No I/O: from what the day holds to jobs.

use std::collections::{BTreeMap, BTreeSet};

use niente_block::KeyRange;
use niente_catalog::{Block, BlockRef, DayCatalog, Hours, L0Name, Name, ObjectId, TenantConfig};
use niente_model::{Day, Hour, Nanos, Tenant};
use niente_store::ObjectMeta;

use crate::Policy;

/// What a day of a tenant holds, as of one moment.
#[derive(Clone, Debug)]
pub struct DayState {
    /// Whose.
    pub tenant: Tenant,
    /// Which day.
    pub day: Day,
    /// Its catalog, read after level 0 was listed.
    pub catalog: DayCatalog,
    /// Its level 0 that nothing has replaced, with the store's time at which each was written.
    pub level_0: Vec<(L0Name, ObjectMeta)>,
    /// What the tenant has asked for, read before all this.
    pub config: TenantConfig,
    /// The store's time just before the catalog was read.
    pub now: Nanos,
}

/// Something to do for a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    /// Merge these objects.
    Merge(Merge),
    /// Take the keys of these blocks into the day's trace index.
    Index {
        /// The blocks that it doesn't know yet.
        blocks: Vec<BlockRef>,
    },
    /// Rewrite these objects if they hold traces that were redacted after they were written.
    Purge {
        /// The objects that may hold some.
        objects: Vec<BlockRef>,
    },
}

/// Objects to merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    /// What to read: by key, level 0 first.
    pub inputs: Vec<BlockRef>,
    /// The level of what it makes.
    pub level: u8,
    /// Outputs end at borders of so many equal parts of all keys: a power of two.
    pub partitions: u64,
    /// Outputs of this size are closed.
    pub block_bytes: u64,
}

impl DayState {
    pub(crate) fn new(
        tenant: Tenant,
        day: Day,
        catalog: DayCatalog,
        mut level_0: Vec<(L0Name, ObjectMeta)>,
        config: TenantConfig,
        now: Nanos,
    ) -> Self {
        level_0.retain(|(name, _)| !catalog.is_replaced(Name::Level0(*name)));
        Self { tenant, day, catalog, level_0, config, now }
    }

    /// What is due, in jobs of which no two touch the same object: they can run side by side.
    pub fn plan(&self, policy: &Policy) -> Vec<Job> {
        let mut plan = Plan { state: self, policy, jobs: Vec::new() };
        plan.purge();
        plan.hours();
        plan.whole_day();
        plan.index();
        plan.jobs
    }

    /// The objects that may hold traces redacted after the objects were written.
    pub fn suspects(&self) -> Vec<BlockRef> {
        let redactions = &self.config.redactions;
        let redacted = |block: &&Block| {
            redactions.iter().any(|(id, redaction)| redaction.number > block.purged && block.keys.contains(id.key()))
        };
        let blocks = self.catalog.blocks().filter(redacted);
        // Nobody has looked into level 0 yet, and whatever came later may be a late retry.
        let level_0 = self.level_0.iter().filter(|_| !redactions.is_empty());
        level_0
            .map(|(name, meta)| BlockRef::level_0(meta.key.clone(), meta.size, *name))
            .chain(blocks.map(|block| BlockRef::compacted(&self.tenant, self.day, block)))
            .collect()
    }

    fn blocks(&self) -> impl Iterator<Item = BlockRef> {
        self.catalog.blocks().map(|block| BlockRef::compacted(&self.tenant, self.day, block))
    }

    /// Level 0, by hour.
    fn level_0_by_hour(&self) -> BTreeMap<Hour, Vec<&(L0Name, ObjectMeta)>> {
        let mut hours: BTreeMap<Hour, Vec<_>> = BTreeMap::new();
        for object in &self.level_0 {
            hours.entry(object.0.hour()).or_default().push(object);
        }
        hours
    }
}

struct Plan<'s> {
    state: &'s DayState,
    policy: &'s Policy,
    jobs: Vec<Job>,
}

impl Plan<'_> {
    /// Blocks that were written before a trace in them was redacted. Level 0 is rewritten soon enough anyway.
    fn purge(&mut self) {
        let mut objects = self.state.suspects();
        objects.retain(|object| object.level > 0);
        if !objects.is_empty() {
            self.jobs.push(Job::Purge { objects });
        }
    }

    /// Level 0 into blocks, and a closed hour into one run of blocks with disjoint keys.
    fn hours(&mut self) {
        let mut level_0 = self.state.level_0_by_hour();
        let mut blocks: BTreeMap<Hour, Vec<BlockRef>> = BTreeMap::new();
        for block in self.state.blocks().filter(|block| block.hours == Hours::only(block.hours.first())) {
            blocks.entry(block.hours.first()).or_default().push(block);
        }
        let hours: BTreeSet<Hour> = level_0.keys().chain(blocks.keys()).copied().collect();
        for hour in hours {
            let level_0 = level_0.remove(&hour).unwrap_or_default();
            let mut blocks = blocks.remove(&hour).unwrap_or_default();
            blocks.retain(|block| !self.taken(block));
            self.hour(hour, &level_0, blocks);
        }
    }

    fn hour(&mut self, hour: Hour, level_0: &[&(L0Name, ObjectMeta)], blocks: Vec<BlockRef>) {
        let policy = self.policy;
        let now = self.state.now;
        let closed = policy.hour_is_closed(hour, now);
        let oldest = level_0.iter().map(|(_, meta)| meta.modified).min();
        let waited = oldest.is_some_and(|oldest| oldest.saturating_add(policy.level_0_age) <= now);
        let bytes: u64 = level_0.iter().map(|(_, meta)| meta.size).sum();
        let many = level_0.len() >= policy.level_0_objects || bytes >= policy.level_0_bytes;
        // One lone object of an open hour is read as easily as a block.
        let due = many || (waited && (closed || level_0.len() > 1));
        let level_0: Vec<BlockRef> = level_0
            .iter()
            .filter(|_| due)
            .map(|(name, meta)| BlockRef::level_0(meta.key.clone(), meta.size, *name))
            .collect();

        let total: u64 = bytes + blocks.iter().map(|block| block.size).sum::<u64>();
        let partitions = total.div_ceil(policy.block_bytes).next_power_of_two();
        let batches = self.batches(level_0);
        // A large hour's late level 0 is cut by keys first: it must not draw all of the hour into one merge.
        let large = total > policy.block_bytes && !blocks.is_empty() && !batches.is_empty();
        if !closed || batches.len() > 1 || large {
            // Many young blocks become one; apart from that the end of the hour tells what it will be.
            let crowded = blocks.len() >= policy.open_blocks && batches.len() == 1 && partitions == 1;
            let blocks = blocks.into_iter().filter(|_| crowded);
            let batches = batches.into_iter().map(|batch| batch.into_iter().chain(blocks.clone()).collect());
            batches.for_each(|inputs| self.merge(inputs, 1, partitions));
            return;
        }
        let inputs: Vec<BlockRef> = batches.into_iter().flatten().chain(blocks).collect();
        for group in groups(inputs, policy.block_bytes) {
            if let Some(inputs) = self.worthwhile(group, 2) {
                self.merge(inputs, 2, 1);
            }
        }
    }

    /// Level 0 of one hour in parts that one job can take in, the oldest first.
    fn batches(&self, level_0: Vec<BlockRef>) -> Vec<Vec<BlockRef>> {
        let mut batches: Vec<Vec<BlockRef>> = Vec::new();
        let mut bytes = 0;
        for object in level_0 {
            let fits = |batch: &&mut Vec<BlockRef>| {
                batch.len() < self.policy.level_0_objects && bytes + object.size <= self.policy.level_0_bytes
            };
            match batches.last_mut().filter(fits) {
                Some(batch) => {
                    bytes += object.size;
                    batch.push(object);
                }
                None => {
                    bytes = object.size;
                    batches.push(vec![object]);
                }
            }
        }
        batches
    }

    /// Of objects whose keys overlap, those to merge now: all, or only the late ones while they are few beside what
    /// is there already.
    fn worthwhile(&self, group: Vec<BlockRef>, done: u8) -> Option<Vec<BlockRef>> {
        let (level_0, blocks): (Vec<_>, Vec<_>) = group.iter().partition(|object| object.level == 0);
        if level_0.is_empty() && blocks.len() < 2 {
            return None;
        }
        let total: u64 = group.iter().map(|object| object.size).sum();
        // What is done already: a run of blocks with keys of their own, or else the largest.
        let mut main: Vec<&BlockRef> = blocks.iter().copied().filter(|block| block.level >= done).collect();
        main.sort_by_key(|block| block.keys.from);
        if main.windows(2).any(|pair| pair[0].keys.to >= pair[1].keys.from) {
            main = main.into_iter().max_by_key(|block| block.size).into_iter().collect();
        }
        if main.is_empty() {
            return Some(group);
        }
        // How large a block becomes is told by an estimate: parts of one run are not merged for being a little small.
        if main.len() == group.len() && total > self.policy.block_bytes / 2 {
            return None;
        }
        let done: u64 = main.iter().map(|block| block.size).sum();
        if self.policy.worth_merging(total - done, done) || (main.len() == group.len()) {
            return Some(group);
        }
        // A second run, of what is late alone: blocks of it when level 0 gives a reason.
        let main: BTreeSet<_> = main.into_iter().map(|block| block.key.clone()).collect();
        let late: Vec<_> = group.into_iter().filter(|object| !main.contains(&object.key)).collect();
        late.iter().any(|object| object.level == 0).then_some(late)
    }

    /// Small hours of a closed day into blocks of several hours.
    fn whole_day(&mut self) {
        let state = self.state;
        let settled = self.jobs.is_empty() && state.level_0.is_empty();
        if !settled || !self.policy.day_is_closed(state.day, state.now) {
            return;
        }
        let mut windows: Vec<(Hours, Vec<BlockRef>)> = Vec::new();
        let mut blocks: Vec<_> = state.blocks().collect();
        blocks.sort_by_key(|block| (block.hours, block.keys.from));
        for block in blocks {
            match windows.last_mut().filter(|(hours, _)| hours.overlaps(block.hours)) {
                Some((hours, window)) => {
                    *hours = hours.union(block.hours);
                    window.push(block);
                }
                None => windows.push((block.hours, vec![block])),
            }
        }
        let size = |blocks: &[BlockRef]| blocks.iter().map(|block| block.size).sum::<u64>();
        let mut days: Vec<Vec<BlockRef>> = Vec::new();
        for (_, window) in windows {
            let fits = |group: &&mut Vec<BlockRef>| size(group) + size(&window) <= self.policy.block_bytes;
            match days.last_mut().filter(fits) {
                Some(group) => group.extend(window),
                None => days.push(window),
            }
        }
        for group in days.into_iter().flat_map(|day| groups(day, self.policy.block_bytes)) {
            if let Some(inputs) = self.worthwhile(group, 3) {
                self.merge(inputs, 3, 1);
            }
        }
    }

    /// What stays as it is for the time being, into the trace index.
    fn index(&mut self) {
        let state = self.state;
        let stays = |block: &BlockRef| !self.taken(block);
        let closed = |block: &BlockRef| self.policy.hour_is_closed(block.hours.last(), state.now);
        let blocks: Vec<_> = state.blocks().filter(|block| !block.indexed && closed(block)).filter(stays).collect();
        // One index for all that comes at once, rather than one after each merge.
        if !blocks.is_empty() && self.jobs.is_empty() {
            self.jobs.push(Job::Index { blocks });
        }
    }

    fn merge(&mut self, inputs: Vec<BlockRef>, level: u8, partitions: u64) {
        self.jobs.push(Job::Merge(Merge { inputs, level, partitions, block_bytes: self.policy.block_bytes }));
    }

    /// Whether a job has the block already.
    fn taken(&self, block: &BlockRef) -> bool {
        self.jobs.iter().any(|job| job.objects().any(|object| object.key == block.key))
    }
}

impl Job {
    /// The objects that it reads.
    pub fn objects(&self) -> impl Iterator<Item = &BlockRef> {
        match self {
            Job::Merge(Merge { inputs: objects, .. }) | Job::Index { blocks: objects } | Job::Purge { objects } => {
                objects.iter()
            }
        }
    }
}

/// Objects to be merged with each other: all, if they fit into one block; otherwise those whose keys overlap.
///
/// Two blocks that meet in one key and don't fit into one block are parts of one trace that is too long for that: they
/// don't overlap.
fn groups(mut objects: Vec<BlockRef>, block_bytes: u64) -> Vec<Vec<BlockRef>> {
    if objects.iter().map(|object| object.size).sum::<u64>() <= block_bytes {
        return vec![objects];
    }
    objects.sort_by_key(|object| (object.keys.from, object.keys.to));
    // Each with its keys, and with the size of the object that ends them.
    let mut groups: Vec<(KeyRange, u64, Vec<BlockRef>)> = Vec::new();
    for object in objects {
        let joins = |(keys, ending, _): &&mut (KeyRange, u64, Vec<BlockRef>)| {
            object.keys.from < keys.to || (object.keys.from == keys.to && *ending + object.size <= block_bytes)
        };
        match groups.last_mut().filter(joins) {
            Some((keys, ending, group)) => {
                if object.keys.to > keys.to {
                    (keys.to, *ending) = (object.keys.to, object.size);
                }
                group.push(object);
            }
            None => groups.push((object.keys, object.size, vec![object])),
        }
    }
    groups.into_iter().map(|(_, _, group)| group).collect()
}

impl Merge {
    /// The day of what it merges.
    pub fn day(&self) -> Option<Day> {
        self.inputs.first().map(|input| input.hours.day())
    }

    /// The names of what it merges.
    pub fn names(&self) -> Vec<Name> {
        self.inputs.iter().map(|input| input.name).collect()
    }
}

/// The blocks' IDs.
pub(crate) fn ids(blocks: &[BlockRef]) -> Vec<ObjectId> {
    let id = |block: &BlockRef| match block.name {
        Name::Block(id) => Some(id),
        Name::Level0(_) | Name::Index(_) => None,
    };
    blocks.iter().filter_map(id).collect()
}
