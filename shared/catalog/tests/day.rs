//! How a day's catalog changes, and what its bytes are.

#![allow(clippy::unwrap_used)]

mod vocabulary;

use std::{collections::BTreeSet, sync::Arc};

use niente_block::{AttributeScope, KeyRange};
use niente_catalog::{Applied, Block, Change, ContentHash, DayCatalog, DecodeError, IndexPart, L0Name, Name};
use niente_model::{Day, Nanos, TraceKey};
use proptest::prelude::*;

use vocabulary::{at, block, id};

fn day() -> Day {
    at(0).hour().day()
}

fn level_0(number: u64) -> L0Name {
    L0Name::new(at(0).hour(), at(number), ContentHash::of([number.to_le_bytes()]))
}

fn replace(inputs: &[Name], outputs: &[u128]) -> Change {
    let outputs = outputs.iter().map(|number| block(*number, at(0).hour())).collect();
    Change::Replace { inputs: inputs.to_vec(), outputs }
}

fn part(number: u128) -> IndexPart {
    IndexPart { id: id(number), entries: 3, bytes: 44, keys: KeyRange::ALL }
}

/// Applies changes one after the other, each with what it has to come to.
#[track_caller]
fn check(steps: &[(Change, Applied)]) -> DayCatalog {
    let mut catalog = DayCatalog::default();
    for (step, (change, expected)) in steps.iter().enumerate() {
        let before = catalog.clone();
        assert_eq!(catalog.apply(change, at(step as u64)), *expected, "step {step}: {change:?}");
        assert_eq!(catalog == before, *expected != Applied::Changed, "step {step}: {change:?}");
    }
    catalog
}

fn blocks(catalog: &DayCatalog) -> Vec<Block> {
    catalog.blocks().cloned().collect()
}

#[test]
fn one_of_two_compactions_of_the_same_inputs_counts() {
    use Applied::*;
    let (one, two, three) = (Name::Level0(level_0(1)), Name::Level0(level_0(2)), Name::Level0(level_0(3)));
    let catalog = check(&[
        (replace(&[one, two], &[10]), Changed),
        (replace(&[one, two], &[11]), Stale),
        (replace(&[two, three], &[12]), Stale),
        (replace(&[three], &[13]), Changed),
        (replace(&[Name::Block(id(10)), Name::Block(id(13))], &[14]), Changed),
        (replace(&[Name::Block(id(10))], &[15]), Stale),
    ]);
    assert_eq!(blocks(&catalog), [block(14, at(0).hour())]);
    let replaced: Vec<_> = catalog.replaced().collect();
    let names = [one, two, three, Name::Block(id(10)), Name::Block(id(13))];
    assert_eq!(replaced.iter().map(|(name, _)| *name).collect::<BTreeSet<_>>(), names.into());
}

#[test]
fn a_commit_that_is_repeated_knows_itself() {
    use Applied::*;
    let one = Name::Level0(level_0(1));
    check(&[
        (replace(&[one], &[10]), Changed),
        (replace(&[one], &[10]), Already),
        (replace(&[Name::Block(id(10))], &[11]), Changed),
        // Even when what it made has been replaced since.
        (replace(&[one], &[10]), Already),
        // Nothing was left of it: everything in it was redacted.
        (replace(&[Name::Block(id(11))], &[]), Changed),
        (replace(&[Name::Block(id(11))], &[]), Already),
    ]);
}

#[test]
fn a_block_is_indexed_if_all_that_it_was_made_of_was() {
    use Applied::*;
    let index = |old: &[u128], new: u128, covers: &[u128]| Change::Index {
        old: old.iter().map(|number| id(*number)).collect(),
        new: vec![part(new)],
        covers: covers.iter().map(|number| id(*number)).collect(),
    };
    let catalog = check(&[
        (replace(&[], &[1]), Changed),
        (replace(&[], &[2]), Changed),
        (replace(&[], &[3]), Changed),
        (index(&[], 100, &[1, 2, 9]), Changed),
        (index(&[], 100, &[1, 2, 9]), Already),
        (index(&[], 101, &[3]), Stale),
        (replace(&[Name::Block(id(1)), Name::Block(id(2))], &[4]), Changed),
        (replace(&[Name::Block(id(3)), Name::Block(id(4))], &[5]), Changed),
        (index(&[100], 102, &[4]), Changed),
    ]);
    assert_eq!(blocks(&catalog), [Block { indexed: false, ..block(5, at(0).hour()) }]);
    assert_eq!(catalog.index(), [part(102)]);
    assert!(catalog.is_replaced(Name::Index(id(100))));

    let catalog = check(&[(replace(&[], &[1]), Changed), (index(&[], 100, &[1]), Changed)]);
    assert!(blocks(&catalog)[0].indexed);
}

#[test]
fn an_expired_day_holds_nothing_and_remembers_what_to_delete() {
    use Applied::*;
    let (one, two) = (level_0(1), level_0(2));
    let forget = |deleted: &[Name]| Change::Forget { deleted: deleted.to_vec() };
    let expire = Change::Expire { level_0: vec![two] };
    let catalog = check(&[
        (replace(&[Name::Level0(one)], &[10]), Changed),
        (Change::Index { old: vec![], new: vec![part(100)], covers: vec![id(10)] }, Changed),
        (expire.clone(), Changed),
        (expire, Already),
        // A compaction that was under way.
        (replace(&[Name::Block(id(10))], &[11]), Stale),
        (replace(&[Name::Level0(two)], &[12]), Stale),
    ]);
    assert_eq!((catalog.blocks().len(), catalog.index().len(), catalog.replaced().len()), (0, 0, 4));

    let names: Vec<Name> = catalog.replaced().map(|(name, _)| name).collect();
    let mut catalog = catalog;
    assert_eq!(catalog.apply(&forget(&names[..3]), at(9)), Changed);
    assert!(!catalog.is_empty());
    assert_eq!(catalog.apply(&forget(&names), at(9)), Changed);
    assert!(catalog.is_empty());
    assert_eq!(catalog.apply(&forget(&names), at(9)), Already);
}

#[test]
fn a_block_that_was_looked_into_is_marked() {
    use Applied::*;
    let purged = |until| Change::Purged { blocks: vec![id(1), id(9)], until };
    let catalog =
        check(&[(replace(&[], &[1]), Changed), (purged(5), Changed), (purged(5), Already), (purged(3), Already)]);
    assert_eq!(blocks(&catalog)[0].purged, 5);
}

#[test]
fn five_thousand_blocks_stay_under_a_mebibyte() {
    // Twenty of a hundred services and eighty of five hundred attributes in each block, every block with its own
    // choice, and every hour's level 0 still remembered: worse than any day.
    let mut random = proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha);
    let mut number = |below: usize| (random.next_u64() % below as u64) as usize;
    let mut outputs = Vec::new();
    for n in 0..5_000 {
        let hour = day().hour((n % 24) as u8).unwrap();
        let services: BTreeSet<_> = (0..20).map(|_| format!("service-{}", number(100))).collect();
        let keys = (0..80).map(|_| (AttributeScope::Span, format!("some.attribute.key-{}", number(500))));
        let attributes: BTreeSet<_> = keys.collect();
        let from = TraceKey(u64::MAX / 5_000 * n as u64 + number(1 << 40) as u64);
        outputs.push(Block {
            id: id((n as u128) << 40 | number(1 << 40) as u128),
            rows: 1_000_000 + number(1 << 20) as u64,
            bytes: 50_000_000 + number(1 << 24) as u64,
            keys: KeyRange { from, to: TraceKey(from.0 + number(1 << 50) as u64) },
            services: Some(Arc::new(services)),
            attributes: Some(Arc::new(attributes)),
            ..block(0, hour)
        });
    }
    let mut catalog = DayCatalog::default();
    let inputs = (0..5_000).map(|n| Name::Level0(level_0(n))).collect();
    catalog.apply(&Change::Replace { inputs, outputs }, at(0));
    let bytes = catalog.encode(day());
    assert!(bytes.len() < 1 << 20, "{} bytes", bytes.len());
    assert_eq!(DayCatalog::decode(&bytes, day()).unwrap(), catalog);
}

#[test]
fn what_is_no_catalog_is_refused() {
    let mut catalog = DayCatalog::default();
    catalog.apply(&replace(&[], &[1]), at(0));
    let bytes = catalog.encode(day()).to_vec();
    let with = |at: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        DayCatalog::decode(&bytes, day())
    };
    assert_eq!(with(4, 9), Err(DecodeError::TooNew(9)));
    assert!(matches!(with(0, b'X'), Err(DecodeError::Damaged(_))));
    for cut in 0..bytes.len() {
        assert!(DayCatalog::decode(&bytes[..cut], day()).is_err(), "cut to {cut} bytes");
    }
}

fn some_block() -> impl Strategy<Value = Block> {
    let names = || prop::option::of(prop::collection::btree_set("[a-z.]{0,6}", 0..5));
    let scope = prop_oneof![Just(AttributeScope::Resource), Just(AttributeScope::Scope), Just(AttributeScope::Span)];
    let attributes = prop::option::of(prop::collection::btree_set((scope, "[a-z.]{0,6}"), 0..5));
    let numbers = (any::<u128>(), 0..24u8, 1..9u8, any::<u64>(), any::<u64>(), any::<bool>());
    (numbers, names(), attributes).prop_map(|((number, hour, level, a, b, flag), services, attributes)| Block {
        level,
        rows: a,
        bytes: b,
        tail: a ^ b,
        keys: KeyRange { from: TraceKey(a.min(b)), to: TraceKey(a.max(b)) },
        indexed: flag,
        purged: b,
        services: services.map(Arc::new),
        attributes: attributes.map(Arc::new),
        ..block(number, day().hour(hour).unwrap())
    })
}

proptest! {
    #[test]
    fn catalogs_come_back_from_their_bytes(
        outputs in prop::collection::vec(some_block(), 0..20),
        inputs in prop::collection::vec(0..3_600u64, 0..20),
        parts in prop::collection::vec(any::<u128>(), 0..3),
        time in 0..Nanos::MAX.get(),
    ) {
        let mut catalog = DayCatalog::default();
        let indexed: Vec<_> = outputs.iter().filter(|block| block.indexed).map(|block| block.id).collect();
        let inputs = inputs.into_iter().map(|number| Name::Level0(level_0(number))).collect();
        catalog.apply(&Change::Replace { inputs, outputs }, Nanos::new(time).unwrap());
        let new = parts.into_iter().map(part).collect();
        catalog.apply(&Change::Index { old: vec![], new, covers: indexed }, at(3));
        prop_assert_eq!(DayCatalog::decode(&catalog.encode(day()), day()).unwrap(), catalog);
    }
}
