//! The end of a run: when all is calm, everything is compacted and cleaned up, and exactly what was sent is left.

use std::{collections::BTreeSet, sync::Arc};

use futures::TryStreamExt;
use niente_catalog::{BlockRef, Catalog, DayCatalog, Error, Name, TenantConfig, catalog_days, level_0};
use niente_compact::{Event, Gc, ORPHAN_AGE, Policy, Scope};
use niente_model::{Day, Nanos, Span, TimeRange};
use niente_store::{ObjectKey, Store, list_all};

use crate::{
    actors,
    bugs::Lens,
    checks::{self, Answer, Question, at_once},
    scheduler::Role,
    store::SimStore,
    world::{EARLIEST, World},
};

/// Lets time go by until nothing that died or was interrupted matters any more, and looks at what is left.
pub(crate) fn check(world: &Arc<World>) {
    let store: Arc<dyn Store> = Arc::new(SimStore::new(world.clone(), usize::MAX, Lens::new(None, Role::Operator)));
    world.log(format_args!("the end"));
    world.advance(Nanos::from_secs(3_600));
    compact_all(world, &store);
    looked_up(world, &store);
    // Redactions wait for a compaction, deletion for its grace, litter for its age, expiry for the next day.
    let rest = ORPHAN_AGE.saturating_add(world.case.grace).saturating_add(Nanos::from_secs(2 * 3_600));
    let calm = (0..20).any(|_| {
        world.advance(rest);
        compact_all(world, &store);
        !clean(world, &store)
    });
    if !calm {
        world.violate("gc comes to an end", "it still finds something after very long");
    }
    checks::whole(world);
    if world.with(|state| state.violation.is_none()) {
        tidy(world, &store);
    }
}

/// Brings everything into its final form; doing so again finds nothing to do.
fn compact_all(world: &Arc<World>, store: &Arc<dyn Store>) {
    let compactor = actors::compactor(world, store.clone(), Policy::everything());
    for done_before in [false, true] {
        let mut jobs = Vec::new();
        let mut tell = |event: Event<'_>| {
            if let Event::Begins(_, job) = event {
                jobs.push(job.clone());
            }
        };
        if let Err(error) = at_once(world, compactor.sweep(&world.tenant, Scope::Everything, &mut tell)) {
            world.violate("compaction succeeds when nothing fails", error);
        }
        if done_before && !jobs.is_empty() {
            world.violate("compaction comes to an end", format_args!("{jobs:?}"));
        }
    }
    checks::whole(world);
}

/// Traces are found by the days' indexes: some of them, since each look-up decodes blocks.
fn looked_up(world: &Arc<World>, store: &Arc<dyn Store>) {
    let catalog = Catalog::new(store.clone());
    let window = TimeRange::new(EARLIEST, world.now()).unwrap();
    let traces: BTreeSet<_> =
        (0..2).filter_map(|_| world.with(|state| state.truth.some_trace(&mut state.rng))).collect();
    for trace in traces {
        let question = Question::begin(world, window, Some(trace));
        match at_once(world, Answer::read(world, &catalog, &question)) {
            Ok(answer) => question.judge(world, &answer),
            Err(error) => world.violate("traces are found by the index", error),
        }
    }
}

/// Says whether there was anything.
fn clean(world: &World, store: &Arc<dyn Store>) -> bool {
    let mut found = false;
    let gc = Gc { grace: world.case.grace, dry_run: false, retention_days: None };
    let catalog = Catalog::new(store.clone());
    if let Err(error) = at_once(world, gc.run(&catalog, &world.tenant, &mut |_| found = true)) {
        world.violate("gc succeeds when nothing fails", error);
    }
    found
}

/// The bucket holds what the catalogs name and nothing else, and that holds what it should.
fn tidy(world: &World, store: &Arc<dyn Store>) {
    match at_once(world, Left::find(world, store)) {
        Ok(left) => left.judge(world),
        Err(error) => world.violate("the bucket can be read at the end", error),
    }
}

struct Left {
    stored: BTreeSet<ObjectKey>,
    named: BTreeSet<ObjectKey>,
    level_0: usize,
    days: Vec<(Day, DayCatalog)>,
    config: TenantConfig,
    spans: Vec<Span>,
}

impl Left {
    async fn find(world: &World, store: &Arc<dyn Store>) -> Result<Self, Error> {
        let (catalog, tenant) = (Catalog::new(store.clone()), &world.tenant);
        let mut left = Self {
            stored: BTreeSet::new(),
            named: BTreeSet::new(),
            level_0: level_0(&**store, tenant).await?.len(),
            days: Vec::new(),
            config: TenantConfig::read(&**store, tenant).await?.0,
            spans: Vec::new(),
        };
        for prefix in [Name::blocks(tenant), Name::indexes(tenant)] {
            let listed: Vec<_> = list_all(&**store, &prefix, None).try_collect().await?;
            left.stored.extend(listed.into_iter().map(|meta| meta.key));
        }
        for day in catalog_days(&**store, tenant).await? {
            let (known, _) = DayCatalog::read(&**store, tenant, day).await?;
            for block in known.blocks() {
                let object = BlockRef::compacted(tenant, day, block);
                let spans = checks::contents(world, &catalog, &object).await?;
                if spans.len() as u64 != block.rows {
                    world.violate("catalogs count spans right", format_args!("{block:?} has {}", spans.len()));
                }
                left.spans.extend(spans.iter().cloned());
                left.named.insert(object.key);
            }
            left.named.extend(known.index().iter().map(|part| Name::Index(part.id).key(tenant, day)));
            left.days.push((day, known));
        }
        Ok(left)
    }

    fn judge(&self, world: &World) {
        if self.level_0 > 0 {
            world.violate("all level 0 is compacted at the end", self.level_0);
        }
        if self.stored != self.named {
            let litter: Vec<_> = self.stored.symmetric_difference(&self.named).collect();
            world.violate("the bucket holds what the catalogs name", format_args!("{litter:?}"));
        }
        for (day, known) in &self.days {
            if known.replaced().len() > 0 || known.is_empty() {
                world.violate("nothing is remembered of what is gone", format_args!("{day}: {known:?}"));
            }
        }
        let mut ids = BTreeSet::new();
        for span in &self.spans {
            if !ids.insert(span.span_id) {
                world.violate("duplicates are merged at the end", span.span_id);
            }
            if self.config.redactions.contains_key(&span.trace_id) {
                world.violate("of what was redacted no byte is left", span.span_id);
            }
            if self.config.has_expired(span.start.hour().day(), world.now()) {
                world.violate("of what has expired no byte is left", span.span_id);
            }
        }
    }
}
