//! `niente inspect`: what a store holds day by day, or what a block holds and weighs.

mod amplification;
mod block;
mod open;
mod store;

use std::path::PathBuf;

use crate::{
    Failure, logs, runtime,
    storage::{Place, StorageArgs},
    terminal,
};

/// Tell what a store holds day by day, or what a block holds and weighs
///
/// Of a store, for each tenant and day:
///   LEVEL 0   objects as ingest wrote them, and their bytes
///   BLOCKS    compacted ones: how many at levels 1 (open hour), 2 (hour) and 3 (day)
///   SPANS     of the blocks; nobody has counted those of level 0
///   HOUR      how many objects a search over one hour of the day reads at most
///   LOOKUP    how many objects may hold one trace, by what is known without reading
///   INDEXED   the share of the blocks' spans that the trace index knows
///   REPLACED  objects that compaction has replaced and gc hasn't deleted yet
///   NEXT      what compaction would do now
///
/// Of a block's file: spans, traces, time range, format version, the attributes that have a column
/// of their own, and all columns by weight.
#[derive(clap::Args, Debug)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  niente inspect                               the folder ./data
  niente inspect /var/lib/niente --tenant team-a
  niente inspect --store s3://bucket/traces
  niente inspect data/single-tenant/l0/2026-11-02T00-1793577606-0f1e….parquet

Blocks are plain Parquet: DuckDB, pandas and others read them too."
)]
pub(crate) struct Args {
    // First: see `StorageArgs`.
    #[command(flatten)]
    storage: StorageArgs,
    /// A folder with data, or a block's file
    #[arg(value_name = "PATH")]
    path: Option<PathBuf>,
    /// Only this tenant
    #[arg(long, value_name = "NAME", env = "NIENTE_TENANT", value_parser = niente_model::Tenant::new)]
    tenant: Option<niente_model::Tenant>,
}

pub(crate) fn run(args: Args) -> Result<(), Failure> {
    logs::warnings();
    let place = match args.path {
        Some(path) if !path.is_dir() => return terminal::print(&block::describe(&path)?),
        Some(folder) => Place::Folder(folder),
        None => args.storage.place_or_usual(),
    };
    terminal::print(&runtime::run(store::describe(&place, args.tenant))?)
}
