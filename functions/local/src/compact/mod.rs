//! `niente compact`: merges and indexes what is due, or everything, at once.
//!
//! [`words`] says what a job does and did, here and wherever else jobs run; [`totals`] adds up what came of them.

mod totals;
pub(crate) mod words;

use std::{sync::Arc, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use niente_catalog::Catalog;
use niente_compact::{Compactor, Event, Policy, Scope};
use niente_model::Tenant;
use niente_store::{Counting, Counts};

use self::totals::Totals;
use crate::{Failure, clock::Stopwatch, logs, random, runtime, storage::StorageArgs, tenants, terminal};

/// Merge small objects into few large ones
///
/// Every export makes an object, and each costs a search a request. Compaction merges those of an hour, sorts and
/// compresses them better, gives frequent attributes columns of their own, and writes the index for traces by ID.
/// Answers stay the same. `niente serve` does this by itself in the background; this is for stores that no server
/// looks after, and for those who want it done now.
///
/// It may be interrupted at any time, and any number may run at the same time: what was not finished counts for
/// nothing. The replaced objects stay until `niente gc` removes them.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  niente compact                               what is due in ./data
  niente compact --data /var/lib/niente --tenant team-a
  niente compact --store s3://bucket/traces --all

Due are: an hour's objects when they are many, large or two minutes old; an hour or a day that
ended ten minutes ago. With --all everything goes into its final form, also what has just come.")]
pub(crate) struct Args {
    // First: see `StorageArgs`.
    #[command(flatten)]
    storage: StorageArgs,
    /// Whose traces [default: those of all tenants]
    #[arg(long, value_name = "NAME", env = "NIENTE_TENANT", value_parser = Tenant::new)]
    tenant: Option<Tenant>,
    /// Everything down to its final form, and not only what is due
    #[arg(long)]
    all: bool,
}

pub(crate) fn run(args: Args) -> Result<(), Failure> {
    logs::warnings();
    let watch = Stopwatch::start();
    let (totals, requests) = runtime::run(compact(args))?;
    terminal::print(&totals.text(requests, watch.elapsed()))
}

async fn compact(args: Args) -> Result<(Totals, Counts), Failure> {
    let place = args.storage.place_or_usual();
    let store = Counting::new(place.open_existing().await?);
    let tenants = tenants::chosen(&store, &place, args.tenant).await?;
    let policy = if args.all { Policy::everything() } else { Policy::default() };
    let compactor = Compactor::new(Catalog::new(Arc::new(store.clone())), policy, random::system());
    let mut totals = Totals::default();
    let spinner = spinner();
    for tenant in tenants {
        let mut tell = |event: Event<'_>| {
            totals.add(&event);
            match event {
                Event::Begins(state, job) => spinner.set_message(words::begins(state, job)),
                // Who reads the lines may leave before all are written.
                Event::Ended(state, done) => spinner.suspend(|| terminal::line(&words::ended(state, done))),
                Event::Outrun(state, job) => {
                    spinner.suspend(|| eprintln!("niente: {}: somebody else was faster", words::begins(state, job)));
                }
            }
        };
        let swept = compactor.sweep(&tenant, Scope::Everything, &mut tell).await;
        swept.map_err(|error| Failure::because(format_args!("compacting {tenant}"), &error))?;
    }
    spinner.finish_and_clear();
    Ok((totals, store.counts()))
}

/// Hidden where nobody can see it.
pub(crate) fn spinner() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {wide_msg}").expect("the template names only what there is");
    let spinner = ProgressBar::new_spinner().with_style(style);
    spinner.enable_steady_tick(Duration::from_millis(200));
    spinner
}
