//! A folder with blocks below it: each tenant's share.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use niente_catalog::L0Name;
use niente_model::{Nanos, Tenant};

use super::open::BlockFile;
use crate::{Failure, terminal, units};

/// What a tenant has.
#[derive(Debug)]
struct Share {
    objects: u64,
    spans: u64,
    bytes: u64,
    from: Nanos,
    to: Nanos,
}

impl Default for Share {
    fn default() -> Self {
        Self { objects: 0, spans: 0, bytes: 0, from: Nanos::MAX, to: Nanos::ZERO }
    }
}

/// Tells people about the folder. Reads the footer of each block and nothing else.
pub(super) fn describe(folder: &Path) -> Result<String, Failure> {
    let mut blocks = Vec::new();
    find(folder, &mut blocks).map_err(|error| Failure::because(folder.display(), &error))?;
    if blocks.is_empty() {
        return Err(Failure::Failed(format!("{}: there are no blocks below this folder", folder.display())));
    }
    let mut shares: BTreeMap<String, Share> = BTreeMap::new();
    for path in &blocks {
        let block = BlockFile::open(path)?;
        let key = path.strip_prefix(folder).unwrap_or(path).to_string_lossy();
        let (tenant, name) = owner(&key);
        let share = shares.entry(tenant).or_default();
        share.objects += 1;
        share.spans += block.footer.rows();
        share.bytes += block.footer.size();
        if let Some(name) = name {
            share.from = share.from.min(name.hour().start());
            share.to = share.to.max(name.end());
        }
    }
    Ok(table(&shares))
}

/// The files that are called like blocks. Hidden folders and the store's own hold none.
fn find(folder: &Path, blocks: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if entry.file_type()?.is_dir() {
            if !name.starts_with('.') {
                find(&path, blocks)?;
            }
        } else if name.ends_with(".parquet") {
            blocks.push(path);
        }
    }
    Ok(())
}

/// Whose object this is by its path below the folder, and its name if that tells its time.
fn owner(key: &str) -> (String, Option<L0Name>) {
    let Some((first, _)) = key.split_once('/') else { return (".".to_owned(), None) };
    let name = Tenant::new(first).ok().and_then(|tenant| L0Name::parse(&tenant, key));
    (first.to_owned(), name)
}

fn table(shares: &BTreeMap<String, Share>) -> String {
    let rows = shares.iter().map(|(tenant, share)| {
        let known = share.from <= share.to;
        let moment = |time| if known { units::second(time) } else { String::new() };
        [
            tenant.clone(),
            units::count(share.objects),
            units::count(share.spans),
            units::bytes(share.bytes),
            format!("{:.1} B", share.bytes as f64 / share.spans.max(1) as f64),
            moment(share.from),
            moment(share.to),
        ]
    });
    terminal::table(["TENANT", "OBJECTS>", "SPANS>", "BYTES>", "A SPAN>", "FROM (UTC)", "TO (UTC)"], rows)
}
