//! `niente gc`: removes what nobody can need any more, and says why.

mod report;

use std::time::Duration;

use niente_catalog::Catalog;
use niente_compact::Gc;
use niente_model::Tenant;

use self::report::Report;
use crate::{Failure, compact, logs, runtime, storage::StorageArgs, tenants, terminal, units};

/// Remove objects that were replaced, have expired, or were left behind
///
/// Compaction and redaction replace objects and leave the old ones to those who are still reading them. Days that have
/// outlived their tenant's retention are as good as replaced by nothing. This deletes such objects after a grace, and
/// what a writer that died has left behind after a day. `niente serve` does so by itself every hour.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  niente gc --dry-run                          what there is to remove from ./data
  niente gc --store s3://bucket/traces
  niente gc --data ./data --tenant team-a --grace 10m

It is the only command that deletes. The bucket's permissions can keep deletion from all others.")]
pub(crate) struct Args {
    // First: see `StorageArgs`.
    #[command(flatten)]
    storage: StorageArgs,
    /// Whose objects [default: those of all tenants]
    #[arg(long, value_name = "NAME", env = "NIENTE_TENANT", value_parser = Tenant::new)]
    tenant: Option<Tenant>,
    /// How long a replaced object is kept: longer than any query takes
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = humantime::parse_duration)]
    grace: Duration,
    /// Only tell what would be removed
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(args: Args) -> Result<(), Failure> {
    logs::warnings();
    let dry_run = args.dry_run;
    let report = runtime::run(collect(args))?;
    terminal::print(&report.text())?;
    if dry_run {
        eprintln!("this was a dry run: nothing was changed");
    }
    Ok(())
}

async fn collect(args: Args) -> Result<Report, Failure> {
    let place = args.storage.place_or_usual();
    let store = place.open_existing().await?;
    let tenants = tenants::chosen(&*store, &place, args.tenant).await?;
    let catalog = Catalog::new(store);
    let gc = Gc { grace: units::nanos(args.grace), dry_run: args.dry_run, retention_days: None };
    let mut report = Report::new(gc);
    let spinner = compact::spinner();
    for tenant in tenants {
        spinner.set_message(format!("{tenant}: looking for what can go"));
        let found = gc.run(&catalog, &tenant, &mut |found| report.add(&tenant, found)).await;
        found.map_err(|error| Failure::because(format_args!("removing objects of {tenant}"), &error))?;
    }
    spinner.finish_and_clear();
    Ok(report)
}
