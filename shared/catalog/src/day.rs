//! What one day of one tenant holds, and how that changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use niente_block::{AttributeScope, KeyRange};
use niente_model::{Day, Hour, Nanos, TimeRange, TraceKey};
use serde::{Deserialize, Serialize};

use crate::{L0Name, Name, ObjectId};

/// What one day of one tenant holds, apart from level 0 that nobody has compacted yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DayCatalog {
    blocks: BTreeMap<ObjectId, Block>,
    /// By name, when they were replaced.
    replaced: BTreeMap<Name, Nanos>,
    index: Vec<IndexPart>,
}

/// A compacted block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its name.
    pub id: ObjectId,
    /// How far compacted: 1 within an open hour, 2 for an hour that has ended, 3 for several hours.
    pub level: u8,
    /// The hours in which its spans start.
    pub hours: Hours,
    /// How many spans.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
    /// How many bytes at its end open it.
    pub tail: u64,
    /// From the first start to the last end.
    pub times: TimeRange,
    /// The first and the last trace key.
    pub keys: KeyRange,
    /// Whether the day's trace index knows all of its traces.
    pub indexed: bool,
    /// The number of the tenant's last redaction that was honoured when it was written or looked into.
    pub purged: u64,
    /// The services in it; none if there are too many to list.
    pub services: Option<Arc<BTreeSet<String>>>,
    /// The attribute keys in it; none if there are too many to list.
    pub attributes: Option<Arc<BTreeSet<(AttributeScope, String)>>>,
}

/// Hours of one day, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Hours {
    first: Hour,
    last: Hour,
}

/// A part of a day's trace index: an object of its own, for a range of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexPart {
    /// Its name.
    pub id: ObjectId,
    /// How many keys it has.
    pub entries: u64,
    /// Its size.
    pub bytes: u64,
    /// The keys that it is asked for.
    pub keys: KeyRange,
}

/// A change of a day, to be committed as a whole or not at all.
#[derive(Clone, Debug)]
pub enum Change {
    /// Outputs take the place of inputs and hold the same spans.
    Replace {
        /// What was read.
        inputs: Vec<Name>,
        /// What was made of it; nothing, if nothing was left of it. Whether they are indexed is told by the inputs.
        outputs: Vec<Block>,
    },
    /// A new trace index.
    Index {
        /// The parts that it was made of, which must be the current ones.
        old: Vec<ObjectId>,
        /// The new parts.
        new: Vec<IndexPart>,
        /// The blocks whose keys it knows beyond those that the old one knew.
        covers: Vec<ObjectId>,
    },
    /// These blocks were looked into: no trace of the redactions up to this one is in them.
    Purged {
        /// The blocks.
        blocks: Vec<ObjectId>,
        /// The redaction's number.
        until: u64,
    },
    /// The day has expired: everything in it is as good as replaced by nothing.
    Expire {
        /// The day's level 0.
        level_0: Vec<L0Name>,
    },
    /// These replaced objects are deleted: their names need not be remembered any longer.
    Forget {
        /// Their names.
        deleted: Vec<Name>,
    },
}

/// What came of applying a [`Change`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The day is changed.
    Changed,
    /// The change had been made before: a retry of a commit whose answer was lost.
    Already,
    /// What the change builds upon is no longer there: somebody else was faster.
    Stale,
}

impl Hours {
    /// From `first` to `last` of one day; none if they are of two days or reversed.
    pub fn new(first: Hour, last: Hour) -> Option<Self> {
        (first.day() == last.day() && first <= last).then_some(Self { first, last })
    }

    /// Just this hour.
    pub fn only(hour: Hour) -> Self {
        Self { first: hour, last: hour }
    }

    /// The first hour.
    pub fn first(self) -> Hour {
        self.first
    }

    /// The last hour.
    pub fn last(self) -> Hour {
        self.last
    }

    /// The day of them all.
    pub fn day(self) -> Day {
        self.first.day()
    }

    /// The hours from the first of both to the last of both, which are of the same day.
    pub fn union(self, other: Hours) -> Self {
        Self { first: self.first.min(other.first), last: self.last.max(other.last) }
    }

    /// Whether they have an hour in common.
    pub fn overlaps(self, other: Hours) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// The moments at which their spans can start.
    pub fn times(self) -> TimeRange {
        let end = self.last.end().saturating_sub(Nanos::new(1).expect("one is small"));
        TimeRange::new(self.first.start(), end).expect("hours are not reversed")
    }

    /// A bit for each hour of the day.
    pub fn mask(self) -> u32 {
        (u32::from(self.first.of_day())..=u32::from(self.last.of_day())).fold(0, |mask, hour| mask | 1 << hour)
    }
}

impl DayCatalog {
    pub(crate) fn from_parts(
        blocks: BTreeMap<ObjectId, Block>,
        replaced: BTreeMap<Name, Nanos>,
        index: Vec<IndexPart>,
    ) -> Self {
        Self { blocks, replaced, index }
    }

    /// The blocks, by ID: the order in which they were made.
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = &Block> {
        self.blocks.values()
    }

    /// A block, if it is one of the day's.
    pub fn block(&self, id: ObjectId) -> Option<&Block> {
        self.blocks.get(&id)
    }

    /// What was replaced and may not be deleted yet, with the time of the commit.
    pub fn replaced(&self) -> impl ExactSizeIterator<Item = (Name, Nanos)> {
        self.replaced.iter().map(|(name, at)| (*name, *at))
    }

    /// Whether an object was replaced: then it must not be read beside what replaced it.
    pub fn is_replaced(&self, name: Name) -> bool {
        self.replaced.contains_key(&name)
    }

    /// The parts of the day's trace index, by their keys.
    pub fn index(&self) -> &[IndexPart] {
        &self.index
    }

    /// The part of the trace index to ask for a key.
    pub fn index_part(&self, key: TraceKey) -> Option<&IndexPart> {
        self.index.iter().find(|part| part.keys.contains(key))
    }

    /// Whether nothing at all is known of the day.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty() && self.replaced.is_empty() && self.index.is_empty()
    }

    /// Whether the day holds or remembers the object.
    pub fn knows(&self, name: Name) -> bool {
        self.is_replaced(name)
            || match name {
                Name::Level0(_) => false,
                Name::Block(id) => self.blocks.contains_key(&id),
                Name::Index(id) => self.index.iter().any(|part| part.id == id),
            }
    }

    /// Makes the change, at the store's time `at`.
    pub fn apply(&mut self, change: &Change, at: Nanos) -> Applied {
        match change {
            Change::Replace { inputs, outputs } => self.replace(inputs, outputs, at),
            Change::Index { old, new, covers } => self.renew_index(old, new, covers, at),
            Change::Purged { blocks, until } => self.mark_purged(blocks, *until),
            Change::Expire { level_0 } => self.expire(level_0, at),
            Change::Forget { deleted } => {
                let before = self.replaced.len();
                deleted.iter().for_each(|name| _ = self.replaced.remove(name));
                if self.replaced.len() < before { Applied::Changed } else { Applied::Already }
            }
        }
    }

    fn replace(&mut self, inputs: &[Name], outputs: &[Block], at: Nanos) -> Applied {
        // IDs are unique: whoever finds its own outputs was here before, whatever became of them since.
        let done = |output: &Block| self.knows(Name::Block(output.id));
        let live = |input: &Name| match input {
            Name::Level0(_) => !self.is_replaced(*input),
            Name::Block(id) => self.blocks.contains_key(id),
            Name::Index(_) => false,
        };
        if outputs.iter().any(done) || (outputs.is_empty() && !inputs.iter().any(live)) {
            return Applied::Already;
        }
        if !inputs.iter().all(live) {
            return Applied::Stale;
        }
        let mut indexed = !inputs.is_empty();
        for input in inputs {
            indexed &= match input {
                Name::Block(id) => self.blocks.remove(id).is_some_and(|block| block.indexed),
                Name::Level0(_) | Name::Index(_) => false,
            };
            self.replaced.insert(*input, at);
        }
        self.blocks.extend(outputs.iter().map(|output| (output.id, Block { indexed, ..output.clone() })));
        Applied::Changed
    }

    fn renew_index(&mut self, old: &[ObjectId], new: &[IndexPart], covers: &[ObjectId], at: Nanos) -> Applied {
        if new.iter().any(|part| self.knows(Name::Index(part.id))) {
            return Applied::Already;
        }
        if !self.index.iter().map(|part| part.id).eq(old.iter().copied()) {
            return Applied::Stale;
        }
        self.replaced.extend(old.iter().map(|id| (Name::Index(*id), at)));
        self.index = new.to_vec();
        for id in covers {
            // One that was merged meanwhile is covered by the next index.
            if let Some(block) = self.blocks.get_mut(id) {
                block.indexed = true;
            }
        }
        Applied::Changed
    }

    fn mark_purged(&mut self, blocks: &[ObjectId], until: u64) -> Applied {
        let mut applied = Applied::Already;
        for id in blocks {
            // One that was rewritten meanwhile has a mark of its own.
            if let Some(block) = self.blocks.get_mut(id).filter(|block| block.purged < until) {
                block.purged = until;
                applied = Applied::Changed;
            }
        }
        applied
    }

    fn expire(&mut self, level_0: &[L0Name], at: Nanos) -> Applied {
        let blocks = std::mem::take(&mut self.blocks).into_keys().map(Name::Block);
        let index = std::mem::take(&mut self.index).into_iter().map(|part| Name::Index(part.id));
        let mut changed = false;
        for name in blocks.chain(index).chain(level_0.iter().copied().map(Name::Level0)) {
            changed |= !self.replaced.contains_key(&name);
            self.replaced.entry(name).or_insert(at);
        }
        if changed { Applied::Changed } else { Applied::Already }
    }
}
