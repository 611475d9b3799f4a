//! A whole store: each tenant's days.

use std::collections::BTreeMap;

use niente_catalog::{Catalog, Inventory, Name, inventory};
use niente_compact::{Compactor, DayState, Policy, Scope};
use niente_model::{Day, Tenant};

use super::amplification;
use crate::{
    Failure,
    compact::{self, words},
    random,
    storage::Place,
    tenants, terminal, units,
};

/// Tells people about the store. Reads catalogs, and no block.
pub(super) async fn describe(place: &Place, tenant: Option<Tenant>) -> Result<String, Failure> {
    if let Place::Folder(path) = place
        && path.is_dir()
        && !holds_tenants(path)
    {
        // To open a folder is to make it a store.
        return Err(Failure::Failed(format!("there are no traces in {place}: name the folder that --data takes")));
    }
    let store = place.open_existing().await?;
    let tenants = tenants::chosen(&*store, place, tenant).await?;
    let compactor = Compactor::new(Catalog::new(store), Policy::default(), random::system());
    let spinner = compact::spinner();
    let mut texts = Vec::new();
    for tenant in tenants {
        spinner.set_message(format!("{tenant}: reading catalogs"));
        let told = of_tenant(&compactor, &tenant).await;
        texts.push(told.map_err(|error| Failure::because(format_args!("looking at {tenant} in {place}"), &error))?);
    }
    spinner.finish_and_clear();
    Ok(texts.join("\n"))
}

/// Whether some folder in it looks like a tenant's.
fn holds_tenants(folder: &std::path::Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return true };
    entries
        .flatten()
        .any(|entry| ["l0", "catalog", "blocks", "config"].iter().any(|kind| entry.path().join(kind).exists()))
}

async fn of_tenant(compactor: &Compactor, tenant: &Tenant) -> Result<String, niente_compact::Error> {
    // Objects before catalogs: what is committed in between is known by then.
    let stored = inventory(&**compactor.catalog().store(), tenant).await?;
    let days = compactor.survey(tenant, Scope::Everything).await?;
    let days: Vec<_> = days.into_iter().filter(|day| !(day.level_0.is_empty() && day.catalog.is_empty())).collect();
    Ok(text(tenant, &days, &stored))
}

fn text(tenant: &Tenant, days: &[DayState], stored: &Inventory) -> String {
    let sizes: BTreeMap<(Day, Name), u64> =
        stored.objects.iter().map(|(day, name, meta)| ((*day, *name), meta.size)).collect();
    let bytes: u64 = sizes.values().sum();
    let mut text = format!(
        "{tenant}: {}, {}, {}",
        units::counted(days.len() as u64, "day"),
        units::counted(sizes.len() as u64, "object"),
        units::bytes(bytes)
    );
    if let Some(config) = days.first().map(|day| &day.config) {
        if let Some(days) = config.retention_days {
            text += &format!(", kept for {}", units::counted(days.into(), "day"));
        }
        if !config.redactions.is_empty() {
            text += &format!(", {}", units::counted(config.redactions.len() as u64, "redaction"));
        }
    }
    text.push('\n');
    let columns = [
        "DAY",
        "LEVEL 0>",
        "BYTES>",
        "BLOCKS>",
        "L1+L2+L3>",
        "SPANS>",
        "BYTES>",
        "A SPAN>",
        "HOUR>",
        "LOOKUP>",
        "INDEXED>",
        "REPLACED>",
        "BYTES>",
        "NEXT",
    ];
    text += &terminal::table(columns, days.iter().map(|day| row(day, &sizes)));
    let left_behind = left_behind(days, stored);
    if left_behind.0 > 0 {
        let (count, bytes) = (units::counted(left_behind.0, "object"), units::bytes(left_behind.1));
        text += &format!("no catalog knows {count}, {bytes}: unfinished work, which `niente gc` removes after a day\n");
    }
    if let [first, rest @ ..] = &stored.foreign[..] {
        let more = match rest.len() as u64 {
            0 => String::new(),
            more => format!(" and {}", units::counted(more, "other object")),
        };
        let key = first.key.as_str().escape_debug();
        text += &format!("not written by Niente, and left alone: {key}{more}\n");
    }
    text
}

fn row(day: &DayState, sizes: &BTreeMap<(Day, Name), u64>) -> [String; 14] {
    let catalog = &day.catalog;
    let level_0: u64 = day.level_0.iter().map(|(_, meta)| meta.size).sum();
    let rows: u64 = catalog.blocks().map(|block| block.rows).sum();
    let bytes: u64 = catalog.blocks().map(|block| block.bytes).sum();
    let indexed: u64 = catalog.blocks().filter(|block| block.indexed).map(|block| block.rows).sum();
    let at_level = |level| catalog.blocks().filter(|block| block.level == level).count();
    let replaced: Vec<_> = catalog.replaced().filter_map(|(name, _)| sizes.get(&(day.day, name))).collect();
    let none_if = |none: bool, text: String| if none { "-".to_owned() } else { text };
    let no_blocks = catalog.blocks().len() == 0;
    [
        day.day.to_string(),
        none_if(day.level_0.is_empty(), units::count(day.level_0.len() as u64)),
        none_if(day.level_0.is_empty(), units::bytes(level_0)),
        none_if(no_blocks, units::count(catalog.blocks().len() as u64)),
        none_if(no_blocks, format!("{}+{}+{}", at_level(1), at_level(2), at_level(3))),
        none_if(no_blocks, units::count(rows)),
        none_if(no_blocks, units::bytes(bytes)),
        none_if(no_blocks, format!("{:.1} B", bytes as f64 / rows.max(1) as f64)),
        units::count(amplification::of_an_hour(day) as u64),
        units::count(amplification::of_a_trace(day) as u64),
        none_if(no_blocks, format!("{} %", 100 * indexed / rows.max(1))),
        none_if(replaced.is_empty(), units::count(replaced.len() as u64)),
        none_if(replaced.is_empty(), units::bytes(replaced.into_iter().sum())),
        next(day),
    ]
}

/// What compaction would do now.
fn next(day: &DayState) -> String {
    if day.config.has_expired(day.day, day.now) {
        return "expire: gc removes the day".to_owned();
    }
    let jobs = day.plan(&Policy::default());
    match &jobs[..] {
        [] if day.level_0.is_empty() => "-".to_owned(),
        [] => "wait for more or for time to pass".to_owned(),
        [first, rest @ ..] => {
            let more = if rest.is_empty() { String::new() } else { format!(", {} more", rest.len()) };
            format!("{}{more}", words::due(first))
        }
    }
}

/// How many objects are there that no catalog knows, and their bytes.
fn left_behind(days: &[DayState], stored: &Inventory) -> (u64, u64) {
    let known: BTreeMap<Day, &DayState> = days.iter().map(|day| (day.day, day)).collect();
    let unknown = stored.objects.iter().filter(|(day, name, _)| {
        !matches!(name, Name::Level0(_)) && !known.get(day).is_some_and(|state| state.catalog.knows(*name))
    });
    unknown.fold((0, 0), |(count, bytes), (_, _, meta)| (count + 1, bytes + meta.size))
}
