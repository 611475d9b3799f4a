//! Who moves next, who is killed, and how time passes.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use niente_model::Nanos;

use crate::{actors, bugs::Lens, checks, store::SimStore, world::World};

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Ingest, with its client behind it.
    Writer,
    Reader,
    Compactor,
    Gc,
    /// Asks for redactions and sets retention.
    Operator,
}

/// A process, begun anew after each end.
struct Process {
    who: usize,
    role: Role,
    life: Option<Life>,
}

type Life = Pin<Box<dyn Future<Output = ()>>>;

/// Lets the actors of a run move, one at a time.
pub(crate) struct Scheduler {
    world: Arc<World>,
    processes: Vec<Process>,
    /// Who moves, and how often yet.
    turn: (usize, u64),
}

impl Scheduler {
    pub(crate) fn new(world: Arc<World>) -> Self {
        let case = &world.case;
        let operators = usize::from(case.redaction || case.retention);
        let roles = [
            (Role::Writer, case.writers),
            (Role::Reader, case.readers),
            (Role::Compactor, case.compactors),
            (Role::Gc, case.gcs),
            (Role::Operator, operators),
        ];
        let roles = roles.into_iter().flat_map(|(role, number)| std::iter::repeat_n(role, number));
        let processes = roles.enumerate().map(|(who, role)| Process { who, role, life: None }).collect();
        Self { world, processes, turn: (0, 0) }
    }

    /// Everything at once: faults, deaths, leaps of time. Checks what the bucket shows whenever it has changed.
    pub(crate) fn run(&mut self) {
        for _ in 0..self.world.case.turns {
            let mover = self.mover();
            self.step(mover);
            self.kill();
            self.pass_time();
            if self.is_over() {
                return;
            }
        }
    }

    /// Lets all processes end: nothing fails any more, nobody dies, nothing new begins.
    pub(crate) fn settle(&mut self) {
        self.world.with(|state| state.faults = false);
        for _ in 0..100_000 {
            let alive: Vec<_> = (0..self.processes.len()).filter(|at| self.processes[*at].life.is_some()).collect();
            if alive.is_empty() || self.is_over() {
                return;
            }
            self.step(alive[self.world.below(alive.len() as u64) as usize]);
            self.world.advance(Nanos::from_secs(self.world.below(2)));
        }
        self.world.violate("everything ends", "somebody still runs after very long");
    }

    fn is_over(&self) -> bool {
        self.world.with(|state| state.violation.is_some())
    }

    /// One process gets some turns in a row, then another.
    fn mover(&mut self) -> usize {
        let (mover, left) = self.turn;
        self.turn = match left {
            0 => (self.world.below(self.processes.len() as u64) as usize, self.world.below(self.world.case.burst)),
            _ => (mover, left - 1),
        };
        self.turn.0
    }

    fn step(&mut self, mover: usize) {
        let process = &mut self.processes[mover];
        self.world.with(|state| state.turn += 1);
        let life = process.life.get_or_insert_with(|| {
            let (world, who) = (self.world.clone(), process.who);
            world.with(|state| state.answered.insert(who, state.now));
            world.log(format_args!("{who} begins: {:?}", process.role));
            let store = SimStore::new(world.clone(), who, Lens::new(world.case.bug, process.role));
            actors::live(world, process.role, Arc::new(store))
        });
        if let Poll::Ready(()) = life.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            self.end(mover, "ends");
        }
        self.world.land();
        if self.world.with(|state| std::mem::take(&mut state.changed)) {
            checks::whole(&self.world);
        }
    }

    fn end(&mut self, mover: usize, how: &str) {
        let process = &mut self.processes[mover];
        self.world.log(format_args!("{} {how}", process.who));
        process.life = None;
        self.world.with(|state| state.answered.remove(&process.who));
        self.turn.1 = 0;
    }

    fn kill(&mut self) {
        let every = self.world.case.kill_every;
        if every == 0 || !self.world.one_in(every) {
            return;
        }
        let victim = self.world.below(self.processes.len() as u64) as usize;
        if self.processes[victim].life.is_some() {
            self.end(victim, "is killed");
            self.world.tell("a process killed");
        }
    }

    fn pass_time(&self) {
        let world = &self.world;
        let by = match () {
            () if world.one_in(world.case.leap_every) => world.below(world.case.leap.get()),
            () if world.one_in(12) => world.below(60_000_000_000),
            () => world.below(500_000_000),
        };
        world.advance(Nanos::new(by).unwrap());
    }
}
