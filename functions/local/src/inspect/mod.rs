//! `niente inspect`: what a block, or a folder of them, holds and weighs.

mod block;
mod folder;
mod open;

use std::path::PathBuf;

use crate::{Failure, logs, terminal};

/// Tell what a block holds and what each of its columns weighs
///
/// Of a file: spans, traces, time range, format version, the attributes that have a column of their own, and all
/// columns by weight. Of a folder: how many objects, spans and bytes each tenant has.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  niente inspect data/single-tenant/l0/2026-11-02T00-1793577606-0f1e….parquet
  niente inspect data

Blocks are plain Parquet: DuckDB, pandas and others read them too.")]
pub(crate) struct Args {
    /// A block, or a folder with blocks somewhere below it
    #[arg(value_name = "PATH")]
    path: PathBuf,
}

pub(crate) fn run(args: Args) -> Result<(), Failure> {
    logs::warnings();
    let text = if args.path.is_dir() { folder::describe(&args.path)? } else { block::describe(&args.path)? };
    terminal::print(&text)
}
