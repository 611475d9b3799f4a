//! The function `compact`: keeps blocks few and large, and removes what nobody can need any more.
//!
//! It runs by a schedule, and as soon as spans have come where the bucket tells it so. A run looks at what there is,
//! does what is due, and ends when nothing is or when its time is up: what is left is the next run's. It may die
//! anywhere; any number of runs may overlap.

mod task;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use niente_catalog::{Catalog, L0Name, Name, level_0, tenants};
use niente_compact::{Compactor, Event, Found, Gc, Policy, Scope};
use niente_lambda::{Environment, deadline, logs, metrics, now, random_bits};
use niente_model::{Day, Nanos, Tenant};
use serde::Serialize;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use task::Task;

/// How long a replaced object is kept: longer than any query may take.
const GRACE: Nanos = Nanos::from_secs(3_600);
/// What remains of an invocation's time when its work has to end.
const SPARE: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> Result<(), Error> {
    logs::install();
    let environment = Environment::of_process();
    let catalog = Catalog::new(environment.store("NIENTE_STORE", &environment.aws().await)?);
    let keeper = Keeper {
        compactor: Compactor::new(catalog, policy(&environment)?, Arc::new(random_bits)),
        gc: Gc { grace: GRACE, dry_run: false, retention_days: environment.days("NIENTE_RETENTION_DAYS")? },
    };
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| keeper.work(event).await)).await
}

fn policy(environment: &Environment) -> Result<Policy, Error> {
    let defaults = Policy::default();
    let after: Option<u32> = environment.value("NIENTE_COMPACT_AFTER_SECONDS")?;
    let after = after.map(|seconds| Nanos::from_secs(seconds.into()));
    Ok(Policy { level_0_age: after.unwrap_or(defaults.level_0_age), ..defaults })
}

struct Keeper {
    compactor: Compactor,
    gc: Gc,
}

/// What a run did.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    tenants: usize,
    jobs: u64,
    /// Jobs that another run was faster with.
    outrun: u64,
    removed_objects: u64,
    /// Objects as ingest wrote them that still wait.
    level_0_objects: usize,
    /// Whether time ran out before all was done.
    unfinished: bool,
    /// What went wrong, tenant by tenant: the others are looked after all the same.
    failures: Vec<String>,
}

impl Keeper {
    async fn work(&self, event: LambdaEvent<Value>) -> Result<Report, Error> {
        let LambdaEvent { payload, context } = event;
        let task = Task::read(&payload)?;
        let until = ends(&context);
        let mut report = Report::default();
        for tenant in self.tenants(&task).await? {
            report.tenants += 1;
            if task.compacts {
                self.compact(&tenant, until, &mut report).await;
            }
            if task.collects {
                self.collect(&tenant, until, &mut report).await;
            }
        }
        println!("{}", metrics::line(now(), &[], &[("Level0Objects", "Count", report.level_0_objects as f64)]));
        if report.failures.is_empty() { Ok(report) } else { Err(report.failures.join("; ").into()) }
    }

    async fn tenants(&self, task: &Task) -> Result<Vec<Tenant>, Error> {
        match &task.tenant {
            Some(tenant) => Ok(vec![tenant.clone()]),
            None => Ok(tenants(&**self.compactor.catalog().store()).await?),
        }
    }

    async fn compact(&self, tenant: &Tenant, until: Instant, report: &mut Report) {
        let (mut jobs, mut outrun) = (0, 0);
        let mut tell = |event: Event<'_>| match event {
            Event::Begins(..) => {}
            Event::Ended(..) => jobs += 1,
            Event::Outrun(..) => outrun += 1,
        };
        match timeout_at(until, self.compactor.sweep(tenant, Scope::Recent, &mut tell)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => report.failures.push(format!("{tenant}: {error}")),
            Err(_) => report.unfinished = true,
        }
        report.jobs += jobs;
        report.outrun += outrun;
        match timeout_at(until, waiting(self.compactor.catalog(), tenant)).await {
            Ok(Ok(waiting)) => report.level_0_objects += waiting,
            Ok(Err(error)) => report.failures.push(format!("{tenant}: {error}")),
            Err(_) => report.unfinished = true,
        }
    }

    async fn collect(&self, tenant: &Tenant, until: Instant, report: &mut Report) {
        let mut removed = 0;
        let mut tell = |found: &Found| match found {
            Found::Replaced { removed: true, .. } | Found::Orphan { removed: true, .. } => removed += 1,
            _ => {}
        };
        match timeout_at(until, self.gc.run(self.compactor.catalog(), tenant, &mut tell)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => report.failures.push(format!("{tenant}: {error}")),
            Err(_) => report.unfinished = true,
        }
        report.removed_objects += removed;
    }
}

/// How many objects as ingest wrote them nothing has replaced. (Those that something has stay for queries under way.)
///
/// Costs a listing, and a `GET` for each day in it, without a body where the day is known.
async fn waiting(catalog: &Catalog, tenant: &Tenant) -> Result<usize, niente_catalog::Error> {
    let mut by_day: BTreeMap<Day, Vec<L0Name>> = BTreeMap::new();
    for (name, _) in level_0(&**catalog.store(), tenant).await? {
        by_day.entry(name.hour().day()).or_default().push(name);
    }
    let mut waiting = 0;
    for (day, names) in by_day {
        let day = catalog.day(tenant, day).await?;
        waiting += names.into_iter().filter(|name| !day.is_replaced(Name::Level0(*name))).count();
    }
    Ok(waiting)
}

fn ends(context: &Context) -> Instant {
    deadline(context.deadline, SPARE)
}
