//! How a question is cut: into waves, the newest first, and each wave into shards of trace keys. No I/O.
//!
//! A search wants the newest traces, and mostly finds enough of them in the newest hours. So it looks there first. A
//! *wave* takes in all objects whose spans start at or after its *edge*, an hour that no object straddles. Whatever
//! trace begins at or after the edge is in there whole. A trace that began before is not, and can look like a younger
//! one: so a wave only counts if each of the traces that it found is known to have nothing before the edge
//! ([`whole`](crate::whole)). Each wave takes in four times what the last one did, and the last one everything: what
//! is read twice is a third at most.

use std::time::Duration;

use niente_block::KeyRange;
use niente_catalog::{BlockReader, BlockRef};
use niente_cost::{Architecture, MemoryTime, Spent};
use niente_model::{Hour, TimeRange};
use niente_store::Counts;

/// How a search is to be cut.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    /// A shard reads about so many bytes.
    pub(crate) shard_bytes: u64,
    /// The first wave has so many shards.
    pub(crate) first_shards: u64,
    /// What an invocation of a worker is billed by; none if shards are answered in this process.
    pub(crate) worker_mib: Option<u32>,
    /// Whether few enough traces are wanted for waves to pay.
    pub(crate) in_waves: bool,
}

/// Which part of large objects a scan reads, told by some of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) read: u64,
    pub(crate) of: u64,
}

/// A part of a search: all objects from its edge on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wave {
    /// Traces that begin at or after this hour are whole in it; none for the last wave, in which all are.
    pub edge: Option<Hour>,
    /// How many objects it reads.
    pub objects: usize,
    /// What they are large.
    pub object_bytes: u64,
    /// About how many bytes it reads of them.
    pub bytes: u64,
    /// Into how many equal ranges of trace keys it is cut.
    pub shards: u64,
    /// About what it costs.
    pub spent: Spent,
}

/// Each wave takes in so many times what the last one did.
const GROWTH: u64 = 4;
/// Requests for an object that is too large to be read whole: its end, and its columns as they lie near each other.
const REQUESTS: u64 = 4;
/// What a function reads in a second, and how long it takes before it does: published measurements of AWS.
const BYTES_A_SECOND: u64 = 75_000_000;
const LATENCY: Duration = Duration::from_millis(120);

impl Share {
    /// All of everything.
    pub(crate) const WHOLE: Share = Share { read: 1, of: 1 };

    /// About how many bytes of an object a scan reads.
    pub(crate) fn of(self, object: &BlockRef) -> u64 {
        if object.size <= BlockReader::WHOLE {
            return object.size;
        }
        let columns = u128::from(object.size) * u128::from(self.read) / u128::from(self.of.max(1));
        u64::try_from(columns).unwrap_or(u64::MAX).saturating_add(object.tail.unwrap_or_default()).min(object.size)
    }
}

impl Wave {
    /// The only wave of a question that has to read everything.
    pub(crate) fn of_everything(objects: &[BlockRef], share: Share, cut: Cut) -> Self {
        Self::new(None, &objects.iter().collect::<Vec<_>>(), share, cut)
    }

    /// One wave of whole objects, each read by one shard.
    pub(crate) fn by_objects(objects: &[BlockRef], share: Share, cut: Cut) -> Self {
        let objects: Vec<&BlockRef> = objects.iter().collect();
        Self::read_by(None, &objects, share, cut, |_, _| 1)
    }

    fn new(edge: Option<Hour>, objects: &[&BlockRef], share: Share, cut: Cut) -> Self {
        Self::read_by(edge, objects, share, cut, |object, shards| {
            (0..shards).filter(|n| KeyRange::shard(*n, shards).overlaps(object.keys)).count() as u64
        })
    }

    /// A wave of these objects, of each of which so many of its shards read their part.
    fn read_by(
        edge: Option<Hour>,
        objects: &[&BlockRef],
        share: Share,
        cut: Cut,
        readers: impl Fn(&BlockRef, u64) -> u64,
    ) -> Self {
        let bytes: u64 = objects.iter().map(|object| share.of(object)).sum();
        let shards = bytes.div_ceil(cut.shard_bytes.max(1)).max(1);
        let (mut gets, mut bytes_read) = (0, bytes);
        for object in objects {
            let readers = readers(object, shards);
            if object.size <= BlockReader::WHOLE {
                // What is read whole is read by each of them.
                gets += readers;
                bytes_read += object.size * readers.saturating_sub(1);
            } else {
                gets += REQUESTS * readers;
            }
        }
        let mut spent = Spent::from(Counts { gets, bytes_read, ..Counts::default() });
        if let Some(mib) = cut.worker_mib.filter(|_| shards > 1) {
            let working = LATENCY * shards as u32 + Duration::from_millis(bytes_read / (BYTES_A_SECOND / 1_000));
            let architecture = Architecture::of_this_build();
            spent += Spent { invocations: shards, ..Spent::compute(architecture, MemoryTime::of(mib, working)) };
        }
        let object_bytes = objects.iter().map(|object| object.size).sum();
        Self { edge, objects: objects.len(), object_bytes, bytes, shards, spent }
    }

    /// Whether it reads the object.
    pub fn takes_in(&self, object: &BlockRef) -> bool {
        self.edge.is_none_or(|edge| object.hours.first() >= edge)
    }
}

/// The waves of a search over these objects, the last of which takes in all of them.
pub(crate) fn waves(objects: &[BlockRef], window: TimeRange, share: Share, cut: Cut) -> Vec<Wave> {
    let all: Vec<&BlockRef> = objects.iter().collect();
    let last = Wave::new(None, &all, share, cut);
    let mut waves = Vec::new();
    let mut wanted = cut.first_shards.max(1) * cut.shard_bytes;
    if cut.in_waves {
        for (edge, bytes) in edges(&all, share) {
            // Not worth a wave of its own if the last one is hardly larger.
            if bytes.saturating_mul(2) > last.bytes {
                break;
            }
            if bytes >= wanted && edge <= window.end().hour() {
                let newer: Vec<&BlockRef> = all.iter().copied().filter(|object| object.hours.first() >= edge).collect();
                waves.push(Wave::new(Some(edge), &newer, share, cut));
                wanted = bytes.saturating_mul(GROWTH);
            }
        }
    }
    waves.push(last);
    waves
}

/// The hours that no object straddles, the latest first, with the bytes to read from there on.
fn edges(objects: &[&BlockRef], share: Share) -> Vec<(Hour, u64)> {
    let mut by_first: Vec<&BlockRef> = objects.to_vec();
    by_first.sort_by_key(|object| object.hours.first());
    // For each object in that order, the latest hour of those before it.
    let mut latest = None;
    let mut before = Vec::with_capacity(by_first.len());
    for object in &by_first {
        before.push(latest);
        latest = latest.max(Some(object.hours.last()));
    }
    let mut edges = Vec::new();
    let mut bytes = 0;
    for (at, object) in by_first.iter().enumerate().rev() {
        bytes += share.of(object);
        let hour = object.hours.first();
        let begins = at == 0 || by_first[at - 1].hours.first() < hour;
        if begins && before[at].is_none_or(|last| last < hour) {
            edges.push((hour, bytes));
        }
    }
    edges
}

#[cfg(test)]
mod tests {
    use niente_catalog::{Hours, Name, ObjectId};
    use niente_model::Nanos;
    use niente_store::ObjectKey;

    use super::*;

    const MB: u64 = 1_000_000;

    fn hour(n: u64) -> Hour {
        Nanos::from_secs(n * 3_600).hour()
    }

    /// A block of these hours and this size.
    fn block(first: u64, last: u64, size: u64) -> BlockRef {
        let hours = Hours::new(hour(first), hour(last)).unwrap();
        BlockRef {
            key: ObjectKey::new("t/blocks/x").unwrap(),
            name: Name::Block(ObjectId::from_bytes([0; 16])),
            size,
            level: 2,
            times: hours.times(),
            hours,
            keys: KeyRange::ALL,
            tail: None,
            indexed: true,
        }
    }

    /// The edges' hours and the megabytes to read of each wave of a search up to hour 24, in shards of 10 MB.
    fn check(objects: &[BlockRef], expected: &[(Option<u64>, u64, u64)]) {
        let cut = Cut { shard_bytes: 10 * MB, first_shards: 1, worker_mib: None, in_waves: true };
        let window = TimeRange::new(Nanos::ZERO, hour(24).start()).unwrap();
        let waves = waves(objects, window, Share::WHOLE, cut);
        let found: Vec<_> = waves.iter().map(|wave| (wave.edge, wave.bytes / MB, wave.shards)).collect();
        let expected: Vec<_> = expected.iter().map(|(edge, mb, shards)| (edge.map(hour), *mb, *shards)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_little_is_searched_at_once() {
        check(&[], &[(None, 0, 1)]);
        check(&[block(1, 1, 5 * MB), block(2, 2, 4 * MB)], &[(None, 9, 1)]);
    }

    #[test]
    fn waves_grow_and_the_last_takes_in_everything() {
        let hours: Vec<_> = (0..24).map(|n| block(n, n, 10 * MB)).collect();
        check(&hours, &[(Some(23), 10, 1), (Some(20), 40, 4), (None, 240, 24)]);
    }

    #[test]
    fn no_edge_cuts_an_object() {
        let day = [block(0, 23, 100 * MB), block(5, 5, 30 * MB), block(22, 22, 30 * MB)];
        check(&day, &[(None, 160, 16)]);
        let two = [block(0, 9, 100 * MB), block(10, 12, 10 * MB), block(11, 11, 10 * MB)];
        check(&two, &[(Some(10), 20, 2), (None, 120, 12)]);
    }

    #[test]
    fn what_lies_after_the_window_makes_no_wave() {
        check(&[block(1, 1, 90 * MB), block(30, 30, 10 * MB)], &[(None, 100, 10)]);
    }

    #[test]
    fn shares_are_of_large_objects() {
        let share = Share { read: 1, of: 10 };
        assert_eq!(share.of(&block(1, 1, 100 * MB)), 10 * MB);
        assert_eq!(share.of(&block(1, 1, 1_000)), 1_000);
    }
}
