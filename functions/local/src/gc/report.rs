//! What gc has found, by kind, and what it has left behind by name.

use std::{collections::BTreeMap, time::Duration};

use niente_catalog::Name;
use niente_compact::{Found, Gc, ORPHAN_AGE};
use niente_model::{Nanos, Tenant};

use crate::{terminal, units};

/// What was found for all tenants.
#[derive(Debug)]
pub(super) struct Report {
    gc: Gc,
    kinds: BTreeMap<(String, Kind), Counts>,
    orphans: Vec<[String; 4]>,
}

/// In the order in which they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    ExpiredDay,
    ReplacedLevel0,
    ReplacedBlock,
    ReplacedIndex,
    Orphan,
    EmptyDay,
    Redaction,
}

impl Kind {
    fn what(self) -> &'static str {
        match self {
            Kind::ExpiredDay => "expired days",
            Kind::ReplacedLevel0 => "replaced objects as ingest wrote them",
            Kind::ReplacedBlock => "replaced blocks",
            Kind::ReplacedIndex => "replaced trace indexes",
            Kind::Orphan => "objects that were left behind",
            Kind::EmptyDay => "catalogs of empty days",
            Kind::Redaction => "redactions",
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    removed: u64,
    kept: u64,
}

impl Report {
    pub(super) fn new(gc: Gc) -> Self {
        Self { gc, kinds: BTreeMap::new(), orphans: Vec::new() }
    }

    pub(super) fn add(&mut self, tenant: &Tenant, found: &Found) {
        let (kind, removed, count) = match found {
            Found::Expired { .. } => (Kind::ExpiredDay, true, 1),
            Found::Replaced { name: Name::Level0(_), removed, .. } => (Kind::ReplacedLevel0, *removed, 1),
            Found::Replaced { name: Name::Block(_), removed, .. } => (Kind::ReplacedBlock, *removed, 1),
            Found::Replaced { name: Name::Index(_), removed, .. } => (Kind::ReplacedIndex, *removed, 1),
            Found::Orphan { day, name, bytes, since, removed } => {
                let (key, becomes) = (name.key(tenant, *day).to_string(), self.verb(*removed).to_owned());
                self.orphans.push([key, units::bytes(*bytes), units::second(*since), becomes]);
                (Kind::Orphan, *removed, 1)
            }
            Found::Empty { .. } => (Kind::EmptyDay, true, 1),
            Found::Redaction { count } => (Kind::Redaction, true, *count as u64),
        };
        let counts = self.kinds.entry((tenant.to_string(), kind)).or_default();
        if removed {
            counts.removed += count;
        } else {
            counts.kept += count;
        }
    }

    fn verb(&self, removed: bool) -> &'static str {
        match (removed, self.gc.dry_run) {
            (true, false) => "removed",
            (true, true) => "would be removed",
            (false, _) => "kept",
        }
    }

    /// A line for each kind and tenant, and one for each object that was left behind.
    pub(super) fn text(&self) -> String {
        if self.kinds.is_empty() {
            return "there is nothing to remove\n".to_owned();
        }
        let rows = self.kinds.iter().map(|((tenant, kind), counts)| {
            let number = |number: u64| if number == 0 { "-".to_owned() } else { units::count(number) };
            [tenant.clone(), kind.what().to_owned(), number(counts.removed), number(counts.kept), self.why(*kind)]
        });
        let removed = if self.gc.dry_run { "WOULD GO>" } else { "REMOVED>" };
        let mut text = terminal::table(["TENANT", "WHAT", removed, "KEPT>", "WHY"], rows);
        if !self.orphans.is_empty() {
            text.push('\n');
            text += &terminal::table(["LEFT BEHIND", "BYTES>", "SINCE (UTC)", "NOW"], self.orphans.iter().cloned());
        }
        text
    }

    fn why(&self, kind: Kind) -> String {
        match kind {
            Kind::ExpiredDay => "beyond the tenant's retention; their objects go after the grace".to_owned(),
            Kind::ReplacedLevel0 | Kind::ReplacedBlock | Kind::ReplacedIndex => {
                format!("kept for {} after they were replaced", length(self.gc.grace))
            }
            Kind::Orphan => format!("written but never committed; kept until {} old", length(ORPHAN_AGE)),
            Kind::EmptyDay => "nothing is left to know of them".to_owned(),
            Kind::Redaction => "retention has removed all that they could hide".to_owned(),
        }
    }
}

fn length(nanos: Nanos) -> humantime::FormattedDuration {
    humantime::format_duration(Duration::from_nanos(nanos.get()))
}
