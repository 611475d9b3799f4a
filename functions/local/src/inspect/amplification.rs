//! How many objects a question has to read of a day, by what is known without reading any.

use std::collections::BTreeMap;

use niente_catalog::Block;
use niente_compact::DayState;
use niente_model::Hour;

/// How many objects a search over one hour of the day reads at most.
pub(super) fn of_an_hour(day: &DayState) -> usize {
    let mut level_0: BTreeMap<Hour, usize> = BTreeMap::new();
    for (name, _) in &day.level_0 {
        *level_0.entry(name.hour()).or_default() += 1;
    }
    let of = |hour: Hour| {
        let blocks = day.catalog.blocks().filter(|block| covers(block, hour)).count();
        blocks + level_0.get(&hour).copied().unwrap_or_default()
    };
    hours(day).map(of).max().unwrap_or_default()
}

/// How many objects may hold a trace of one hour of the day: all of level 0, of blocks those with its key, and of
/// those that the trace index knows only the hour's.
pub(super) fn of_a_trace(day: &DayState) -> usize {
    let unknown = deepest(day.catalog.blocks().filter(|block| !block.indexed));
    let of = |hour| deepest(day.catalog.blocks().filter(|block| block.indexed && covers(block, hour)));
    day.level_0.len() + unknown + hours(day).map(of).max().unwrap_or_default()
}

fn hours(day: &DayState) -> impl Iterator<Item = Hour> {
    let day = day.day;
    (0..24).filter_map(move |hour| day.hour(hour))
}

fn covers(block: &Block, hour: Hour) -> bool {
    block.hours.first() <= hour && hour <= block.hours.last()
}

/// The most blocks whose key ranges have a key in common.
fn deepest<'b>(blocks: impl Iterator<Item = &'b Block>) -> usize {
    let keys: Vec<_> = blocks.map(|block| block.keys).collect();
    // Where the most ranges meet, one of them begins.
    let at = |key| keys.iter().filter(|range| range.contains(key)).count();
    keys.iter().map(|range| at(range.from)).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use niente_block::KeyRange;
    use niente_catalog::{Applied, Change, ContentHash, DayCatalog, Hours, L0Name, ObjectId, TenantConfig};
    use niente_model::{Day, Nanos, Tenant, TimeRange, TraceKey};
    use niente_store::ObjectMeta;

    use super::*;

    fn day() -> Day {
        Day::parse("2026-11-02").unwrap()
    }

    /// A block's hours, its keys, and whether it is indexed.
    type Shape = ((u8, u8), (u64, u64), bool);

    /// A day with so many level-0 objects in each of these hours and blocks of these hours and keys.
    fn check(level_0: &[(u8, u8)], blocks: &[Shape], hour: usize, lookup: usize) {
        let of = |hour| day().hour(hour).unwrap();
        let tenant = Tenant::single();
        let objects = level_0.iter().flat_map(|(hour, count)| (0..*count).map(|n| (*hour, n)));
        let objects = objects.map(|(hour, n)| {
            let name = L0Name::new(of(hour), Nanos::ZERO, ContentHash::from_bytes([n; 16]));
            (name, ObjectMeta { key: name.key(&tenant), size: 1, modified: Nanos::ZERO })
        });
        let made = blocks.iter().enumerate().map(|(n, ((first, last), (from, to), indexed))| Block {
            id: ObjectId::new(Nanos::ZERO, n as u128),
            level: 1,
            hours: Hours::new(of(*first), of(*last)).unwrap(),
            rows: 1,
            bytes: 1,
            tail: 1,
            times: TimeRange::new(of(*first).start(), of(*last).end()).unwrap(),
            keys: KeyRange { from: TraceKey(*from), to: TraceKey(*to) },
            indexed: *indexed,
            purged: 0,
            services: None,
            attributes: None,
        });
        let made: Vec<Block> = made.collect();
        let covers = made.iter().filter(|block| block.indexed).map(|block| block.id).collect();
        let mut catalog = DayCatalog::default();
        for change in [
            Change::Replace { inputs: Vec::new(), outputs: made },
            Change::Index { old: Vec::new(), new: Vec::new(), covers },
        ] {
            assert_ne!(catalog.apply(&change, Nanos::ZERO), Applied::Stale);
        }
        let state = DayState {
            tenant: tenant.clone(),
            day: day(),
            catalog,
            level_0: objects.collect(),
            config: TenantConfig::default(),
            now: Nanos::ZERO,
        };
        assert_eq!((of_an_hour(&state), of_a_trace(&state)), (hour, lookup), "{level_0:?} {blocks:?}");
    }

    #[test]
    fn objects_are_counted_where_they_meet() {
        check(&[], &[], 0, 0);
        check(&[(1, 3), (2, 1)], &[], 3, 4);
        let indexed =
            [((0, 0), (0, 9), true), ((1, 1), (0, 9), true), ((1, 1), (10, 19), true), ((5, 7), (0, 9), true)];
        check(&[], &indexed, 2, 1);
        check(&[(6, 2)], &indexed, 3, 3);
        let young = [((1, 1), (0, 9), false), ((1, 1), (9, 19), false), ((2, 2), (20, 29), false)];
        check(&[], &young, 2, 2);
        check(&[(2, 1)], &[&indexed[..], &young].concat(), 4, 4);
    }
}
