//! The model test: everything at once, over a bucket that fails and under a clock that leaps.
//!
//! Niente has no locks and no coordinator. That nothing is lost and nothing is seen twice rests on the order in which
//! a few requests are made, by processes that know nothing of each other and may die anywhere. So what is tested here
//! is order: the real code of ingest, snapshots, compaction, redaction, retention and gc runs side by side in one
//! thread, and dice decide which of them moves next.
//!
//! # A run
//!
//! A seed makes a [`Case`]: how many processes of each [`Role`](scheduler::Role), how many faults, how much dying, how
//! time goes. The [`World`] has the bucket, the clock, all dice, and the [`Truth`](truth::Truth): what clients sent and
//! what was acknowledged to them. The [`Scheduler`] lets one process move at a time, for one turn: each request takes
//! one turn to its effect and another to its answer, so that between any two requests, and between any request's
//! effect and its answer, others move, hours go by, or the process is killed.
//!
//! What can go wrong with a request ([`store`]): it is refused, it is lost, its answer is lost, it is done long after
//! its client gave it up (or was killed), or it is done twice, since the client's library asked again, and the second
//! answer tells of what the first has done. Pages of listings are short.
//!
//! One thing is asked of time: no process stands still for most of a day between two of its requests. Anything shorter
//! has to be harmless, whatever gc's grace.
//!
//! # What is checked
//!
//! * Whenever the bucket has changed, a snapshot is taken at that very moment ([`checks::whole`]): all that it names is
//!   there; each acknowledged span is in exactly one of its objects (raw, before duplicates are dropped), no other span
//!   is in more than one; what a catalog says of an object is so; a process that remembers catalogs sees the same.
//! * Readers take their snapshots and read them request by request ([`checks::Question`]), from memory or from cold, of
//!   all time, of a window, or of one trace by the index. What was acknowledged before a question began is in its
//!   answer once, and what was redacted before is not.
//! * Nobody fails but for requests that failed, and everybody ends.
//! * At the end ([`ending`]) all is compacted and cleaned up: doing so again finds nothing to do, and the bucket holds
//!   exactly what the catalogs name and every span exactly once. Nothing is left of what was redacted or has expired.
//!
//! An acknowledged span may be missing only if its trace was asked to be removed or its day has expired. A span may be
//! in two objects in one case only: its request was repeated after gc had deleted the object and forgotten its name,
//! and made it again; `made_again` in [`checks`] has the details.
//!
//! # When it fails
//!
//! The message names the seed. `NIENTE_SIM_SEED=<seed> cargo test -p niente-compact --test simulation one_seed --
//! --nocapture` prints all that happened in its run. `NIENTE_TEST_SCALE=50` tries fifty times as many seeds.
//!
//! The test is tested as well: each [`Bug`] is a mistake on purpose, which some seed has to find.

#![allow(clippy::unwrap_used)]

mod actors;
mod bugs;
mod case;
mod checks;
mod ending;
mod scheduler;
mod store;
mod truth;
mod world;

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use bugs::Bug;
use case::Case;
use scheduler::Scheduler;
use world::{Violation, World};

/// How many seeds CI runs; `NIENTE_TEST_SCALE` multiplies it.
const SEEDS: u64 = 2_000;

/// What became of a run.
struct Run {
    violation: Option<Violation>,
    tally: BTreeMap<&'static str, u64>,
    fingerprint: u64,
}

fn run(case: Case) -> Run {
    let world = World::new(case);
    let mut scheduler = Scheduler::new(world.clone());
    let ran = catch_unwind(AssertUnwindSafe(|| {
        scheduler.run();
        scheduler.settle();
        if world.with(|state| state.violation.is_none()) {
            ending::check(&world);
        }
    }));
    if ran.is_err() {
        return Run {
            violation: Some(Violation { check: "nobody panics", found: "see above".to_owned() }),
            tally: BTreeMap::new(),
            fingerprint: 0,
        };
    }
    let fingerprint = world.fingerprint();
    world.with(|state| Run { violation: state.violation.take(), tally: std::mem::take(&mut state.tally), fingerprint })
}

/// Runs these seeds on all cores until one is found wrong; gives the first of those found, and what happened in all.
fn search(seeds: u64, case: impl Fn(u64) -> Case + Sync) -> (Option<(u64, Violation)>, BTreeMap<&'static str, u64>) {
    let (next, end) = (AtomicU64::new(0), AtomicU64::new(seeds));
    let (found, tally) = (Mutex::new(BTreeMap::new()), Mutex::new(BTreeMap::new()));
    let work = || loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end.load(Ordering::Relaxed) {
            return;
        }
        let run = run(case(seed));
        for (what, times) in run.tally {
            *tally.lock().unwrap().entry(what).or_default() += times;
        }
        if let Some(violation) = run.violation {
            // Lower seeds that others are at are finished, so that the first is always the same one.
            end.fetch_min(seed, Ordering::Relaxed);
            found.lock().unwrap().insert(seed, violation);
        }
    };
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        (0..threads).for_each(|_| drop(scope.spawn(work)));
    });
    (found.into_inner().unwrap().pop_first(), tally.into_inner().unwrap())
}

fn fail(seed: u64, violation: &Violation) -> ! {
    panic!(
        "seed {seed}: the check \"{}\" failed: {}\nto see the run: NIENTE_SIM_SEED={seed} cargo test -p niente-compact \
         --test simulation one_seed -- --nocapture",
        violation.check, violation.found
    )
}

fn number(variable: &str) -> Option<u64> {
    Some(std::env::var(variable).ok()?.parse().expect("it is a number"))
}

#[test]
fn every_acknowledged_span_is_seen_exactly_once() {
    let (found, tally) = search(SEEDS * number("NIENTE_TEST_SCALE").unwrap_or(1), Case::new);
    if let Some((seed, violation)) = found {
        fail(seed, &violation);
    }
    println!("{tally:#?}");
}

#[test]
fn one_seed() {
    let seed = number("NIENTE_SIM_SEED");
    let bug = number("NIENTE_SIM_BUG").map(|bug| Bug::ALL[bug as usize]);
    let Some(seed) = seed else { return };
    let mut case = bug.map_or_else(|| Case::new(seed), |bug| bug.case(seed));
    case.bug = case.bug.filter(|_| number("NIENTE_SIM_HEALED").is_none());
    if let Some(violation) = run(Case { trace: number("NIENTE_SIM_QUIET").is_none(), ..case }).violation {
        fail(seed, &violation);
    }
}

#[test]
fn a_seed_is_always_the_same_run() {
    for seed in 0..20 {
        assert_eq!(run(Case::new(seed)).fingerprint, run(Case::new(seed)).fingerprint, "seed {seed}");
    }
}

/// The test of the test: what no test finds isn't tested.
#[test]
fn planted_bugs_are_found() {
    for bug in Bug::ALL {
        let (found, _) = search(300, |seed| bug.case(seed));
        let Some((seed, violation)) = found else { panic!("{bug:?} was not found") };
        println!("{bug:?}: seed {seed}, \"{}\": {}", violation.check, violation.found);
        let (found, _) = search(seed + 1, |seed| Case { bug: None, ..bug.case(seed) });
        assert_eq!(found, None, "the same without {bug:?}");
    }
}
