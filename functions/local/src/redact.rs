//! `niente redact`: removes a trace for good.

use std::io::{self, BufRead, IsTerminal};

use niente_catalog::Catalog;
use niente_compact::{Compactor, Event, Policy, Work};
use niente_model::{Tenant, TraceId};

use crate::{
    Failure,
    compact::{self, words},
    logs, random, runtime,
    storage::{Place, StorageArgs},
    tenants, terminal, units,
};

/// Remove a trace for good
///
/// First the trace's ID is put on the tenant's list of redactions: from then on no answer has it, and spans of it that
/// come late are hidden too. Then every object that holds some of it is rewritten without. The replaced objects, and
/// with them the bytes, go with the next `niente gc` once its grace has passed.
///
/// It may be interrupted and repeated. It can't be taken back.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  niente redact --trace 5b8efff798038103d269b633813fc60c
  niente redact --trace 5b8efff798038103d269b633813fc60c --tenant team-a --yes \\
      --store s3://bucket/traces

`niente config` lists a tenant's redactions. Without a terminal to ask on, --yes is needed.")]
pub(crate) struct Args {
    // First: see `StorageArgs`.
    #[command(flatten)]
    storage: StorageArgs,
    /// The trace's ID, in hexadecimal
    #[arg(long, value_name = "ID")]
    trace: TraceId,
    /// Whose trace
    #[arg(long, value_name = "NAME", env = "NIENTE_TENANT", value_parser = Tenant::new, default_value_t = Tenant::single())]
    tenant: Tenant,
    /// Don't ask
    #[arg(long)]
    yes: bool,
}

pub(crate) fn run(args: Args) -> Result<(), Failure> {
    logs::warnings();
    let place = args.storage.place_or_usual();
    if !args.yes && !confirmed(&args, &place)? {
        return Err(Failure::Failed("nothing was changed".to_owned()));
    }
    let rewritten = runtime::run(redact(&args, &place))?;
    terminal::print(&outcome(&args, rewritten))
}

fn confirmed(args: &Args, place: &Place) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::Usage("a redaction can't be taken back: add --yes to say that you mean it".to_owned()));
    }
    eprint!("Remove trace {} of tenant {} from {place}, for good? [y/N] ", args.trace, args.tenant);
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    read.map_err(|error| Failure::because("reading the answer", &error))?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// How many objects were rewritten.
async fn redact(args: &Args, place: &Place) -> Result<u64, Failure> {
    let store = place.open_existing().await?;
    tenants::chosen(&*store, place, Some(args.tenant.clone())).await?;
    let compactor = Compactor::new(Catalog::new(store), Policy::default(), random::system());
    let spinner = compact::spinner();
    let mut rewritten_in_all = 0;
    let mut tell = |event: Event<'_>| match event {
        Event::Begins(state, job) => spinner.set_message(words::begins(state, job)),
        Event::Ended(_, done) => {
            if let Work::Purged { rewritten, .. } = done.work {
                rewritten_in_all += rewritten as u64;
            }
        }
        // It looks again.
        Event::Outrun(..) => {}
    };
    let done = compactor.redact(&args.tenant, args.trace, &mut tell).await;
    spinner.finish_and_clear();
    done.map_err(|error| {
        let doing = format!("removing trace {} of {} (it is safe to run this again)", args.trace, args.tenant);
        Failure::because(doing, &error)
    })?;
    Ok(rewritten_in_all)
}

fn outcome(args: &Args, rewritten: u64) -> String {
    let Args { trace, tenant, .. } = args;
    let objects = match rewritten {
        0 => "No object holds spans of it.\n".to_owned(),
        _ => format!(
            "Rewritten without it: {}. The replaced ones go with `niente gc` once its grace has passed.\n",
            units::counted(rewritten, "object")
        ),
    };
    format!("Trace {trace} of tenant {tenant} is removed: no answer has it, whatever comes late.\n{objects}")
}
