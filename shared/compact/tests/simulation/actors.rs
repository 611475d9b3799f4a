//! What the processes do: the real code, over a store that lets each of its requests fail.

use std::sync::Arc;

use futures::{FutureExt, future::LocalBoxFuture};
use niente_catalog::{Catalog, Commit, TenantConfig, put_level0};
use niente_compact::{Compactor, Done, Event, Found, Gc, Policy, Random, Scope, Work};
use niente_model::{Nanos, TimeRange, TraceId};
use niente_store::{ErrorKind, Store};

use crate::{
    checks::{Answer, Question},
    scheduler::Role,
    world::{EARLIEST, World},
};

/// Of longer windows the days are listed rather than asked for.
const MONTH: usize = 32;

/// A process from its start to its end.
pub(crate) fn live(world: Arc<World>, role: Role, store: Arc<dyn Store>) -> LocalBoxFuture<'static, ()> {
    match role {
        Role::Writer => write(world, store).boxed_local(),
        Role::Reader => ask(world, store).boxed_local(),
        Role::Compactor => compact(world, store).boxed_local(),
        Role::Gc => gc(world, store).boxed_local(),
        Role::Operator => operate(world, store).boxed_local(),
    }
}

/// Clients send requests, and send them again if they get no answer, or lose it.
async fn write(world: Arc<World>, store: Arc<dyn Store>) {
    for _ in 0..=world.below(3) {
        let request = world.with(|state| state.truth.next_request(&world.tenant, state.now, &mut state.rng));
        let Some(request) = request else { return };
        match put_level0(&*store, &world.tenant, request.objects.to_vec()).await {
            Ok(_) => {
                world.log(format_args!("request {} is acknowledged", request.number));
                world.with(|state| state.truth.acknowledge(request.number));
            }
            Err(error) => failed(&world, "writing level 0", error.kind(), &error),
        }
    }
}

/// Asks some questions, each until it is answered, or until the asker loses patience.
async fn ask(world: Arc<World>, store: Arc<dyn Store>) {
    let warm = Catalog::new(store.clone());
    world.with(|state| state.warm.push(warm.clone()));
    for _ in 0..=world.below(3) {
        let catalog = if world.one_in(3) { Catalog::new(store.clone()) } else { warm.clone() };
        let (window, trace) = (window(&world), world.one_in(6).then(|| some_trace(&world)).flatten());
        for _ in 0..8 {
            let began = world.now();
            let question = Question::begin(&world, window, trace);
            match Answer::read(&world, &catalog, &question).await {
                Ok(answer) => {
                    // Days are listed before level 0. What is committed and deleted meanwhile, of a day of which
                    // nothing was committed before, is not seen: the one answer that only gc's grace protects.
                    if window.days().len() <= MONTH || world.now().saturating_sub(began) < world.case.grace {
                        question.judge(&world, &answer);
                        world.tell("a question answered");
                    }
                    break;
                }
                Err(error) if error.kind() == ErrorKind::Refresh => world.tell("a snapshot too old to be read"),
                Err(error) => failed(&world, "answering", error.kind(), &error),
            }
        }
    }
}

/// All the time there is in a run, or months, for which days are listed rather than asked for, or some hours.
fn window(world: &World) -> TimeRange {
    let now = world.now();
    match world.below(5) {
        0 | 1 => TimeRange::new(EARLIEST, now).unwrap(),
        2 => TimeRange::new(EARLIEST.saturating_sub(Nanos::from_secs(60 * 24 * 3_600)), now).unwrap(),
        _ => {
            let start = EARLIEST.get() + world.below(now.get() - EARLIEST.get());
            TimeRange::lasting(Nanos::new(start).unwrap(), Nanos::from_secs(world.below(30 * 3_600)))
        }
    }
}

fn some_trace(world: &World) -> Option<TraceId> {
    world.with(|state| state.truth.some_trace(&mut state.rng))
}

async fn compact(world: Arc<World>, store: Arc<dyn Store>) {
    let policy = if world.one_in(4) { Policy::everything() } else { world.case.policy.clone() };
    let compactor = compactor(&world, store, policy);
    for _ in 0..=world.below(2) {
        let scope = if world.one_in(3) { Scope::Everything } else { Scope::Recent };
        let told = world.clone();
        let swept = compactor.sweep(&world.tenant, scope, &mut |event| tell(&told, event)).await;
        if let Err(error) = swept {
            failed(&world, "compacting", error.kind(), &error);
        }
    }
}

/// A compactor whose IDs come from the run's dice.
pub(crate) fn compactor(world: &Arc<World>, store: Arc<dyn Store>, policy: Policy) -> Compactor {
    let dice = world.clone();
    let random: Random = Arc::new(move || dice.with(|state| state.rng.u128(..)));
    Compactor::new(Catalog::new(store), policy, random)
}

fn tell(world: &World, event: Event<'_>) {
    match event {
        Event::Begins(state, job) => world.log(format_args!("  begins {} of {}", what(job), state.day)),
        Event::Outrun(..) => world.tell("a job outrun"),
        Event::Ended(_, Done { work, commit: Commit::Done }) => world.tell(match work {
            Work::Merged { .. } => "objects merged",
            Work::Indexed { .. } => "blocks indexed",
            Work::Purged { .. } => "objects searched for redacted traces",
        }),
        Event::Ended(..) => {}
    }
}

fn what(job: &niente_compact::Job) -> String {
    let inputs: Vec<_> = job.objects().map(|object| object.name).collect();
    format!("a job with {inputs:?}")
}

async fn gc(world: Arc<World>, store: Arc<dyn Store>) {
    let (catalog, gc) = (Catalog::new(store), Gc { grace: world.case.grace, dry_run: false, retention_days: None });
    let told = world.clone();
    let mut tell = |found: &Found| match found {
        Found::Expired { .. } => told.tell("a day expired"),
        Found::Replaced { removed: true, .. } => told.tell("replaced objects removed"),
        Found::Orphan { removed: true, .. } => told.tell("orphans removed"),
        Found::Empty { .. } => told.tell("an empty catalog removed"),
        Found::Redaction { .. } => told.tell("a redaction forgotten"),
        Found::Replaced { .. } | Found::Orphan { .. } => {}
    };
    if let Err(error) = gc.run(&catalog, &world.tenant, &mut tell).await {
        failed(&world, "gc", error.kind(), &error);
    }
}

async fn operate(world: Arc<World>, store: Arc<dyn Store>) {
    if world.case.retention && world.one_in(4) {
        let days = world.with(|state| *state.truth.retention.get_or_insert(1));
        let set = |config: &mut TenantConfig| config.retention_days = Some(days);
        if let Err(error) = TenantConfig::update(&*store, &world.tenant, set).await {
            failed(&world, "setting retention", error.kind(), &error);
        }
    }
    if !world.case.redaction || !world.one_in(4) {
        return;
    }
    // One trace a run, but asked for again and again: it may have been interrupted.
    let asked = world.with(|state| state.truth.redacted.first().copied());
    let Some(id) = asked.or_else(|| some_trace(&world)) else { return };
    world.with(|state| state.truth.redacted.insert(id));
    world.log(format_args!("trace {id} is to be gone"));
    let told = world.clone();
    let compactor = compactor(&world, store, world.case.policy.clone());
    let redacted = compactor.redact(&world.tenant, id, &mut |event| tell(&told, event)).await;
    match redacted {
        Ok(()) => world.tell("a trace redacted"),
        Err(error) => failed(&world, "redacting", error.kind(), &error),
    }
}

/// An error is fine if trying again helps. Any other is a failed check: nobody has broken anything but requests.
fn failed(world: &World, doing: &str, kind: ErrorKind, error: &dyn std::error::Error) {
    world.log(format_args!("{doing} failed: {error}"));
    if kind != ErrorKind::Retry {
        world.violate("nothing fails that trying again won't cure", format_args!("{doing}: {error}"));
    }
}
