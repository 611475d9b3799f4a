//! What all actors of a run share: the bucket, the clock, the dice, and the truth that answers are held against.

use std::{
    collections::BTreeMap,
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex},
};

use fastrand::Rng;
use niente_catalog::Catalog;
use niente_model::{Nanos, Span, Tenant};
use niente_store::{MemoryStore, ObjectKey};

use crate::{case::Case, store::Effect, truth::Truth};

/// No process stands still between two answers that it gets for longer than this.
///
/// The one thing that is asked of time. A compactor that slept for a day between its last look at the clock and its
/// commit could find that its blocks were removed ([`niente_compact::ORPHAN_AGE`]); anything shorter must be harmless,
/// wherever it happens.
const LONGEST_STALL: Nanos = Nanos::from_secs(20 * 3_600);
/// A request that its client doesn't wait for any more is done within this time or never.
const LATEST: Nanos = Nanos::from_secs(300);
/// When runs begin: some hours before the end of a day.
pub(crate) const BEGIN: Nanos = Nanos::from_secs((20_000 * 24 + 19) * 3_600);

/// Nothing starts before this.
pub(crate) const EARLIEST: Nanos = Nanos::from_secs((20_000 - 3) * 24 * 3_600);

/// A run's world.
pub(crate) struct World {
    pub(crate) case: Case,
    pub(crate) tenant: Tenant,
    pub(crate) bucket: MemoryStore,
    state: Mutex<State>,
}

/// What changes in it.
pub(crate) struct State {
    pub(crate) rng: Rng,
    pub(crate) now: Nanos,
    /// How often the scheduler has let somebody move.
    pub(crate) turn: u64,
    /// Whether requests are answered at once and without faults: for checks, which are no part of what is simulated.
    pub(crate) at_once: bool,
    /// Whether faults still happen.
    pub(crate) faults: bool,
    /// Writes whose clients don't wait for them any more, with the turn in which they are done.
    pub(crate) late: Vec<(u64, Effect)>,
    /// When each process that is under way was last answered.
    pub(crate) answered: BTreeMap<usize, Nanos>,
    /// How often an object of this key was made. More than once is possible for level 0 alone.
    pub(crate) created: BTreeMap<ObjectKey, u32>,
    /// Whether the bucket has changed since it was last checked.
    pub(crate) changed: bool,
    /// What warm processes remember.
    pub(crate) warm: Vec<Catalog>,
    /// The spans of objects that were read for checks.
    pub(crate) contents: BTreeMap<ObjectKey, Arc<Vec<Span>>>,
    pub(crate) truth: Truth,
    /// How often something happened that runs are made for.
    pub(crate) tally: BTreeMap<&'static str, u64>,
    pub(crate) violation: Option<Violation>,
    /// A hash of everything that was done.
    history: DefaultHasher,
}

/// A check that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// Which.
    pub(crate) check: &'static str,
    /// What was found.
    pub(crate) found: String,
}

impl World {
    pub(crate) fn new(case: Case) -> Arc<Self> {
        let state = State {
            rng: Rng::with_seed(case.seed),
            now: BEGIN,
            turn: 0,
            at_once: false,
            faults: true,
            late: Vec::new(),
            answered: BTreeMap::new(),
            created: BTreeMap::new(),
            changed: false,
            warm: Vec::new(),
            contents: BTreeMap::new(),
            truth: Truth::default(),
            tally: BTreeMap::new(),
            violation: None,
            history: DefaultHasher::new(),
        };
        let bucket = MemoryStore::new();
        bucket.set_now(BEGIN);
        Arc::new(Self { case, tenant: Tenant::single(), bucket, state: Mutex::new(state) })
    }

    /// Looks at the state, or changes it. Never across an await.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap())
    }

    /// One time in so many.
    pub(crate) fn one_in(&self, times: u32) -> bool {
        self.with(|state| state.rng.u32(..times.max(1)) == 0)
    }

    /// A number below this one.
    pub(crate) fn below(&self, end: u64) -> u64 {
        self.with(|state| state.rng.u64(..end.max(1)))
    }

    pub(crate) fn now(&self) -> Nanos {
        self.with(|state| state.now)
    }

    /// Counts something worth having happened.
    pub(crate) fn tell(&self, what: &'static str) {
        self.with(|state| *state.tally.entry(what).or_default() += 1);
    }

    /// A check has failed. The first one counts.
    pub(crate) fn violate(&self, check: &'static str, found: impl fmt::Display) {
        self.log(format_args!("VIOLATION of \"{check}\": {found}"));
        self.with(|state| {
            state.violation.get_or_insert_with(|| Violation { check, found: found.to_string() });
        });
    }

    /// Records what was done.
    pub(crate) fn log(&self, what: fmt::Arguments<'_>) {
        self.with(|state| {
            let line = what.to_string();
            (state.turn, state.now.get(), &line).hash(&mut state.history);
            if self.case.trace {
                eprintln!("{:>6} {} {line}", state.turn, state.now);
            }
        });
    }

    /// A number that only the same run has.
    pub(crate) fn fingerprint(&self) -> u64 {
        self.with(|state| state.history.finish())
    }

    /// Lets time pass, though not so much that somebody would stand still for too long.
    pub(crate) fn advance(&self, by: Nanos) {
        self.with(|state| {
            let stalled = state.answered.values().map(|last| state.now.saturating_sub(*last)).max();
            let by = stalled.map_or(by, |stalled| by.min(LONGEST_STALL.saturating_sub(stalled)));
            if by > LATEST {
                state.late.iter_mut().for_each(|(turn, _)| *turn = 0);
            }
            state.now = state.now.saturating_add(by);
        });
        self.land();
        self.bucket.set_now(self.now());
    }

    /// Does the late writes that are due.
    pub(crate) fn land(&self) {
        loop {
            let due = self.with(|state| {
                let at = state.late.iter().position(|(turn, _)| *turn <= state.turn)?;
                Some(state.late.swap_remove(at).1)
            });
            let Some(effect) = due else { break };
            let done = effect.apply(self);
            self.log(format_args!("late: {effect} -> {}", if done.is_ok() { "done" } else { "refused" }));
            self.tell("a write done after its client had given it up");
        }
    }
}
