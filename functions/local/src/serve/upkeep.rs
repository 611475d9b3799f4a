//! What a server does besides answering: compaction and gc, on one thread of their own.

use std::{
    convert::Infallible,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::Duration,
};

use clap::Args;
use niente_catalog::{Catalog, tenants};
use niente_compact::{Compactor, Event, Found, Gc, Policy, Scope};
use niente_model::Tenant;
use niente_store::Store;
use tokio::{runtime::Handle, sync::Notify, time::sleep};

use crate::{Failure, clock::Stopwatch, compact::words, random, units};

/// Whether, and how often.
///
/// A look at a store costs a listing of the tenants, and for each tenant a listing of its level 0 and four or five
/// reads of small objects, most of them answered without a body. On Amazon's S3 with one tenant a thousand looks are
/// 1.2 cents: 50 cents a month while spans come in all the time, 5 cents while nothing comes. gc adds 2 cents.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Compaction")]
pub(super) struct UpkeepArgs {
    /// Neither compact nor delete in the background: others do
    #[arg(long, env = "NIENTE_NO_COMPACTION")]
    no_compaction: bool,
    /// How often to look for something to compact while spans come in
    ///
    /// While nothing comes and nothing is due, the time doubles, up to 10 minutes. A look costs a listing of the
    /// tenants, and for each tenant a listing and some five reads of small objects.
    #[arg(
        long,
        value_name = "TIME",
        env = "NIENTE_COMPACT_EVERY",
        default_value = "60s",
        value_parser = humantime::parse_duration
    )]
    compact_every: Duration,
    /// How long replaced objects are kept before they are deleted: longer than any query takes
    #[arg(
        long,
        value_name = "TIME",
        env = "NIENTE_GC_GRACE",
        default_value = "1h",
        value_parser = humantime::parse_duration
    )]
    gc_grace: Duration,
}

/// The longest time between two looks at a store in which nothing happens.
const IDLE: Duration = Duration::from_secs(600);
/// The shortest: one that would be busy with nothing else helps nobody.
const BUSY: Duration = Duration::from_millis(10);
/// How often replaced and expired objects are deleted.
const GC_EVERY: Duration = Duration::from_secs(3_600);

/// Where those who store spans tell that some have come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrivals(Arc<Notify>);

impl Arrivals {
    pub(super) fn tell(&self) {
        self.0.notify_one();
    }
}

impl UpkeepArgs {
    /// Starts the thread, if there is to be one. It is left to itself: a job may end anywhere, so whoever ends the
    /// process need not wait for it.
    pub(super) fn start(&self, store: Arc<dyn Store>) -> Result<Arrivals, Failure> {
        let arrivals = Arrivals::default();
        if self.no_compaction {
            return Ok(arrivals);
        }
        let upkeep = Upkeep {
            compactor: Compactor::new(Catalog::new(store), Policy::default(), random::system()),
            gc: Gc { grace: units::nanos(self.gc_grace), dry_run: false, retention_days: None },
            every: self.compact_every.max(BUSY),
            arrivals: arrivals.clone(),
        };
        let runtime = Handle::current();
        let work = move || loop {
            // Jobs take long between two awaits: the runtime's own threads answer requests.
            let ended = catch_unwind(AssertUnwindSafe(|| runtime.block_on(upkeep.run())));
            match ended {
                Ok(never) => match never {},
                Err(_) => tracing::error!("compaction panicked, and starts again: this is a defect, please report it"),
            }
        };
        thread::Builder::new()
            .name("compaction".to_owned())
            .spawn(work)
            .map_err(|error| Failure::because("starting the thread of compaction", &error))?;
        Ok(arrivals)
    }
}

struct Upkeep {
    compactor: Compactor,
    gc: Gc,
    every: Duration,
    arrivals: Arrivals,
}

impl Upkeep {
    async fn run(&self) -> Infallible {
        let mut pause = self.every;
        let mut since_gc: Option<Stopwatch> = None;
        loop {
            sleep(self.every).await;
            let more = pause.saturating_sub(self.every);
            let arrived = tokio::select! {
                biased;
                () = self.arrivals.0.notified() => true,
                () = sleep(more) => false,
            };
            let gc_is_due = since_gc.is_none_or(|watch| watch.elapsed() >= GC_EVERY);
            if gc_is_due {
                since_gc = Some(Stopwatch::start());
            }
            let worked = self.look(gc_is_due).await;
            pause = if arrived || worked { self.every } else { (2 * pause).min(IDLE.max(self.every)) };
        }
    }

    /// Does what is due, and says whether anything was.
    async fn look(&self, gc_is_due: bool) -> bool {
        let tenants = match tenants(&**self.compactor.catalog().store()).await {
            Ok(tenants) => tenants,
            Err(error) => {
                tracing::error!(%error, "compaction can't list the tenants, and tries again later");
                return false;
            }
        };
        let mut worked = false;
        for tenant in &tenants {
            worked |= self.compact(tenant).await;
            if gc_is_due {
                self.collect(tenant).await;
            }
        }
        worked
    }

    async fn compact(&self, tenant: &Tenant) -> bool {
        let mut worked = false;
        let mut tell = |event: Event<'_>| match event {
            Event::Begins(state, job) => tracing::debug!("{}", words::begins(state, job)),
            Event::Ended(state, done) => {
                worked = true;
                tracing::info!("{}", words::ended(state, done));
            }
            Event::Outrun(state, job) => tracing::debug!("somebody else was faster: {}", words::begins(state, job)),
        };
        if let Err(error) = self.compactor.sweep(tenant, Scope::Recent, &mut tell).await {
            tracing::error!(%tenant, %error, "compaction failed, and tries again later");
        }
        worked
    }

    async fn collect(&self, tenant: &Tenant) {
        let mut deleted = 0_u64;
        let mut tell = |found: &Found| match found {
            Found::Expired { day, objects } => tracing::info!(%tenant, %day, objects, "the day has expired"),
            Found::Replaced { removed, .. } | Found::Orphan { removed, .. } => deleted += u64::from(*removed),
            Found::Empty { .. } | Found::Redaction { .. } => {}
        };
        if let Err(error) = self.gc.run(self.compactor.catalog(), tenant, &mut tell).await {
            tracing::error!(%tenant, %error, "deleting replaced objects failed, and is tried again in an hour");
        }
        if deleted > 0 {
            tracing::info!(%tenant, objects = deleted, "deleted what was replaced, had expired or was left behind");
        }
    }
}
