//! What is due, for days in all states.

#![allow(clippy::unwrap_used)]

use niente_block::KeyRange;
use niente_catalog::{Block, BlockRef, Change, ContentHash, DayCatalog, Hours, L0Name, Name, ObjectId, TenantConfig};
use niente_compact::{DayState, Job, Merge, Policy};
use niente_model::{Day, Hour, Nanos, Tenant, TimeRange, TraceKey};
use niente_store::ObjectMeta;
use proptest::prelude::*;

const MB: u64 = 1 << 20;

fn day() -> Day {
    Day::parse("2026-11-02").unwrap()
}

fn hour(hour: u8) -> Hour {
    day().hour(hour).unwrap()
}

/// What lies in a day: `level 0` objects by hour, and blocks.
#[derive(Clone, Debug, Default)]
struct Lying {
    level_0: Vec<(u8, usize, u64)>,
    blocks: Vec<Block>,
}

impl Lying {
    /// So many level-0 objects of an hour, of so many bytes each.
    fn level_0(mut self, hour: u8, count: usize, bytes: u64) -> Self {
        self.level_0.push((hour, count, bytes));
        self
    }

    /// A block of some hours; of all keys.
    fn block(self, level: u8, first: u8, last: u8, bytes: u64) -> Self {
        self.part(level, first, last, bytes, (0, 100))
    }

    /// A block of some hours and of keys from one percentage to another.
    fn part(mut self, level: u8, first: u8, last: u8, bytes: u64, percent: (u64, u64)) -> Self {
        let key = |percent: u64| TraceKey(u64::MAX / 100 * percent);
        self.blocks.push(Block {
            id: ObjectId::new(day().start(), self.blocks.len() as u128 + 1),
            level,
            hours: Hours::new(hour(first), hour(last)).unwrap(),
            rows: 1,
            bytes,
            tail: 1,
            times: TimeRange::ALL,
            keys: KeyRange { from: key(percent.0), to: key(percent.1) },
            indexed: false,
            purged: 0,
            services: None,
            attributes: None,
        });
        self
    }

    fn state(&self, now: Nanos, written: Nanos) -> DayState {
        let mut catalog = DayCatalog::default();
        catalog.apply(&Change::Replace { inputs: vec![], outputs: self.blocks.clone() }, Nanos::ZERO);
        let tenant = Tenant::single();
        let mut level_0 = Vec::new();
        for (at, count, size) in &self.level_0 {
            for n in 0..*count {
                let name = L0Name::new(hour(*at), hour(*at).start(), ContentHash::of([n.to_le_bytes()]));
                let meta = ObjectMeta { key: name.key(&tenant), size: *size, modified: written };
                level_0.push((name, meta));
            }
        }
        DayState { tenant, day: day(), catalog, level_0, config: TenantConfig::default(), now }
    }
}

fn words(job: &Job) -> String {
    match job {
        Job::Merge(Merge { inputs, level, partitions, .. }) => {
            let level_0 = inputs.iter().filter(|input| input.level == 0).count();
            let mut parts = Vec::new();
            if level_0 > 0 {
                parts.push(format!("{level_0} objects"));
            }
            if inputs.len() > level_0 {
                parts.push(format!("{} blocks", inputs.len() - level_0));
            }
            let cut = if *partitions > 1 { format!(" in {partitions}") } else { String::new() };
            format!("{} to level {level}{cut}", parts.join(" and "))
        }
        Job::Index { blocks } => format!("index {}", blocks.len()),
        Job::Purge { objects } => format!("purge {}", objects.len()),
    }
}

fn plan(lying: &Lying, now: Nanos, policy: &Policy) -> Vec<String> {
    // All was written a minute ago.
    lying.state(now, now.saturating_sub(Nanos::from_secs(60))).plan(policy).iter().map(words).collect()
}

#[track_caller]
fn check(lying: &Lying, now: Nanos, expected: &[&str]) {
    assert_eq!(plan(lying, now, &Policy::default()), expected, "{lying:?}");
}

fn minutes_after(hour: Hour, minutes: u64) -> Nanos {
    hour.end().saturating_add(Nanos::from_secs(60 * minutes))
}

#[test]
fn an_open_hours_level_0_is_merged_when_there_is_enough_of_it() {
    let open = minutes_after(hour(3), 0);
    check(&Lying::default(), open, &[]);
    check(&Lying::default().level_0(3, 499, MB / 10), open, &[]);
    check(&Lying::default().level_0(3, 500, MB / 10), open, &["500 objects to level 1"]);
    check(&Lying::default().level_0(3, 64, MB), open, &["64 objects to level 1"]);
    check(&Lying::default().level_0(3, 700, 1), open, &["500 objects to level 1", "200 objects to level 1"]);
    check(&Lying::default().level_0(3, 100, MB), open, &["64 objects to level 1", "36 objects to level 1"]);
    // Hours are apart.
    check(&Lying::default().level_0(3, 400, 1).level_0(4, 400, 1), open, &[]);
}

#[test]
fn or_when_it_has_waited() {
    let state = |count, waited| {
        let now = minutes_after(hour(3), 0);
        let state = Lying::default().level_0(3, count, MB).state(now, now.saturating_sub(Nanos::from_secs(waited)));
        state.plan(&Policy::default()).iter().map(words).collect::<Vec<_>>()
    };
    assert_eq!(state(2, 119), [""; 0]);
    assert_eq!(state(2, 120), ["2 objects to level 1"]);
    // One is read as easily as a block.
    assert_eq!(state(1, 10_000), [""; 0]);
}

#[test]
fn an_hour_that_grows_large_is_cut_by_keys() {
    let open = minutes_after(hour(3), 0);
    let large = Lying::default().level_0(3, 64, MB).block(1, 3, 3, 250 * MB);
    check(&large, open, &["64 objects to level 1 in 2"]);
    check(&large.block(1, 3, 3, 700 * MB), open, &["64 objects to level 1 in 4"]);
}

#[test]
fn an_open_hours_many_blocks_become_one() {
    let open = minutes_after(hour(3), 0);
    let blocks = |count| (0..count).fold(Lying::default().level_0(3, 500, 1), |lying, _| lying.block(1, 3, 3, MB));
    check(&blocks(7), open, &["500 objects to level 1"]);
    check(&blocks(8), open, &["500 objects and 8 blocks to level 1"]);
}

#[test]
fn a_closed_hour_becomes_one_run() {
    let now = minutes_after(hour(3), 20);
    let lying = Lying::default().block(1, 3, 3, 9 * MB).block(1, 3, 3, 8 * MB);
    check(&lying, minutes_after(hour(3), 9), &[]);
    check(&lying, now, &["2 blocks to level 2"]);
    // What is fresh may be followed by more.
    check(&lying.clone().level_0(3, 5, MB), now, &["2 blocks to level 2"]);
    let waited = lying.level_0(3, 5, MB).state(now, now.saturating_sub(Nanos::from_secs(120)));
    assert_eq!(
        waited.plan(&Policy::default()).iter().map(words).collect::<Vec<_>>(),
        ["5 objects and 2 blocks to level 2"]
    );
    // Parts of one run don't overlap, even where together they are small.
    let large = 200 * MB;
    check(&Lying::default().part(2, 3, 3, large, (0, 49)).part(2, 3, 3, large, (50, 100)), now, &["index 2"]);
    // An hour cut by keys is finished key range by key range.
    let parts = Lying::default()
        .part(1, 3, 3, large, (0, 49))
        .part(1, 3, 3, large, (50, 100))
        .part(1, 3, 3, MB, (0, 49))
        .part(1, 3, 3, MB, (50, 100));
    check(&parts, now, &["2 blocks to level 2", "2 blocks to level 2"]);
}

#[test]
fn late_data_is_a_second_run_until_it_has_grown_to_a_tenth() {
    let now = minutes_after(hour(3), 20);
    let run = || Lying::default().block(2, 3, 3, 100 * MB);
    check(&run().block(2, 3, 3, 9 * MB), now, &["index 2"]);
    check(&run().block(2, 3, 3, 10 * MB), now, &["2 blocks to level 2"]);
    let late = run().block(2, 3, 3, 3 * MB).level_0(3, 2, MB).state(now, now.saturating_sub(Nanos::from_secs(600)));
    assert_eq!(
        late.plan(&Policy::default()).iter().map(words).collect::<Vec<_>>(),
        ["2 objects and 1 blocks to level 2"]
    );

    // A large hour is not rewritten for a few late spans: they are cut by keys, and stay apart until they are many.
    let run = || Lying::default().part(2, 3, 3, 200 * MB, (0, 49)).part(2, 3, 3, 200 * MB, (50, 100));
    let late = run().level_0(3, 1, MB).state(now, now.saturating_sub(Nanos::from_secs(600)));
    assert_eq!(late.plan(&Policy::default()).iter().map(words).collect::<Vec<_>>(), ["1 objects to level 1 in 2"]);
    check(&run().part(1, 3, 3, MB, (0, 49)).part(1, 3, 3, MB, (50, 100)), now, &["index 4"]);
    check(&run().part(1, 3, 3, 20 * MB, (0, 49)), now, &["2 blocks to level 2"]);
}

#[test]
fn small_hours_of_a_closed_day_become_blocks_of_several_hours() {
    let hours = |bytes| (0..24).fold(Lying::default(), |lying, hour| lying.block(2, hour, hour, bytes));
    let now = minutes_after(hour(23), 20);
    check(&hours(10 * MB), minutes_after(hour(23), 9), &["index 23"]);
    check(&hours(10 * MB), now, &["24 blocks to level 3"]);
    check(&hours(60 * MB), now, &["4 blocks to level 3"; 6]);
    check(&hours(130 * MB), now, &["index 24"]);
    // Level 0 first.
    check(&hours(10 * MB).level_0(5, 1, MB), now, &["index 24"]);
    // What was merged stays merged.
    let merged = Lying::default().block(3, 0, 23, 240 * MB);
    check(&merged, now, &["index 1"]);
    check(&merged.clone().block(2, 7, 7, 5 * MB), now, &["index 2"]);
    check(&Lying::default().block(3, 0, 23, 40 * MB).block(2, 7, 7, 5 * MB), now, &["2 blocks to level 3"]);
}

#[test]
fn everything_at_once_needs_no_waiting() {
    let lying = Lying::default().level_0(3, 1, MB).level_0(4, 2, MB).block(2, 4, 4, 200 * MB);
    let policy = Policy::everything();
    let expected = ["1 objects to level 2", "2 objects and 1 blocks to level 2"];
    assert_eq!(plan(&lying, minutes_after(hour(3), 0), &policy), expected);
}

#[test]
fn blocks_from_before_a_redaction_are_looked_into() {
    let now = minutes_after(hour(3), 20);
    let mut state = Lying::default().block(2, 3, 3, MB).level_0(4, 1, MB).state(now, now);
    state.config.redact("5".parse().unwrap(), now);
    assert_eq!(state.plan(&Policy::default()).iter().map(words).collect::<Vec<_>>(), ["purge 1"]);
    assert_eq!(state.suspects().len(), 2);
    let id = state.catalog.blocks().next().unwrap().id;
    state.catalog.apply(&Change::Purged { blocks: vec![id], until: 1 }, now);
    assert_eq!(state.plan(&Policy::default()).iter().map(words).collect::<Vec<_>>(), ["index 1"]);
}

/// What a job leaves behind, if each byte stays.
fn carry_out(lying: &DayState, jobs: &[Job], next_id: &mut u128) -> DayState {
    let mut state = lying.clone();
    for job in jobs {
        match job {
            Job::Merge(merge) => {
                let mut outputs = Vec::new();
                let hours = merge.inputs.iter().map(|input| input.hours).reduce(|a, b| a.union(b)).unwrap();
                let bytes: u64 = merge.inputs.iter().map(|input: &BlockRef| input.size).sum();
                // As a merge does: a new block at each border and after so many bytes.
                let cuts = bytes.div_ceil(merge.block_bytes).max(merge.partitions);
                let from = merge.inputs.iter().map(|input| input.keys.from).min().unwrap().0;
                let width = merge.inputs.iter().map(|input| input.keys.to).max().unwrap().0 - from;
                for cut in 0..cuts {
                    *next_id += 1;
                    let key = |n: u64| TraceKey(from + width / cuts * n);
                    outputs.push(Block {
                        id: ObjectId::new(day().start(), *next_id),
                        level: merge.level,
                        hours,
                        bytes: bytes / cuts,
                        keys: KeyRange { from: key(cut), to: TraceKey(key(cut + 1).0 - 1) },
                        ..Lying::default().block(1, 0, 0, 1).blocks.remove(0)
                    });
                }
                let change = Change::Replace { inputs: merge.names(), outputs };
                assert_eq!(state.catalog.apply(&change, state.now), niente_catalog::Applied::Changed);
            }
            Job::Index { blocks } => {
                let covers = blocks.iter().filter_map(|block| match block.name {
                    Name::Block(id) => Some(id),
                    Name::Level0(_) | Name::Index(_) => None,
                });
                let old = state.catalog.index().iter().map(|part| part.id).collect();
                let change = Change::Index { old, new: vec![], covers: covers.collect() };
                state.catalog.apply(&change, state.now);
            }
            Job::Purge { .. } => unreachable!("nothing was redacted"),
        }
    }
    state.level_0.retain(|(name, _)| !state.catalog.is_replaced(Name::Level0(*name)));
    state
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// From any state, planning and doing comes to an end, in which a closed day has no level 0, and of each hour few
    /// blocks.
    #[test]
    fn plans_come_to_an_end(
        level_0 in prop::collection::vec((0..24u8, 1..900usize, 1..20 * MB), 0..6),
        blocks in prop::collection::vec((1..4u8, 0..24u8, 0..24u8, 1..400 * MB, 0..50u64, 51..100u64), 0..12),
        all in any::<bool>(),
    ) {
        let mut lying = Lying { level_0, ..Lying::default() };
        lying.level_0.sort_unstable();
        lying.level_0.dedup_by_key(|(hour, _, _)| *hour);
        for (level, a, b, bytes, from, to) in blocks {
            let last = if level == 3 { a.max(b) } else { a.min(b) };
            lying = lying.part(level, a.min(b), last, bytes, (from, to));
        }
        let now = minutes_after(hour(23), 60);
        let policy = if all { Policy::everything() } else { Policy::default() };
        let mut state = lying.state(now, Nanos::ZERO);
        let (mut rounds, mut next_id) = (0, 1 << 40);
        loop {
            let jobs = state.plan(&policy);
            if jobs.is_empty() {
                break;
            }
            let mut touched: Vec<_> = jobs.iter().flat_map(Job::objects).map(|object| &object.key).collect();
            touched.sort_unstable();
            let objects = touched.len();
            touched.dedup();
            prop_assert_eq!(objects, touched.len(), "two jobs touch one object");
            state = carry_out(&state, &jobs, &mut next_id);
            rounds += 1;
            prop_assert!(rounds < 12, "still {:?}", jobs.iter().map(words).collect::<Vec<_>>());
        }
        prop_assert!(state.level_0.is_empty());
        prop_assert!(state.catalog.blocks().all(|block| block.indexed));
    }
}
