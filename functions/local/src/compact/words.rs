//! Jobs in words.

use niente_catalog::{BlockRef, Hours};
use niente_compact::{DayState, Done, Job, Merge, Work};

use crate::units;

/// `acme, 2026-11-02, hour 13: merging 253 objects, 58.9 MiB`.
pub(crate) fn begins(state: &DayState, job: &Job) -> String {
    let what = match job {
        Job::Merge(Merge { inputs, .. }) => format!("merging {}", objects(inputs)),
        Job::Index { blocks } => format!("indexing the traces of {}", units::counted(blocks.len() as u64, "block")),
        Job::Purge { objects } => {
            format!("looking for redacted traces in {}", units::counted(objects.len() as u64, "object"))
        }
    };
    format!("{}{what}", place(state, job.objects()))
}

/// `acme, 2026-11-02, hour 13: merged 253 objects, 58.9 MiB, 1,000,000 spans → 2 blocks, 45.8 MiB, 48.0 B a span`.
pub(crate) fn ended(state: &DayState, done: &Done) -> String {
    match &done.work {
        Work::Merged { inputs, outputs, rows } => {
            let (bytes, kept) = outputs.iter().fold((0, 0), |(b, r), block| (b + block.bytes, r + block.rows));
            let fewer = match rows.saturating_sub(kept) {
                0 => String::new(),
                fewer => format!(" ({} that were doubled or redacted are gone)", units::count(fewer)),
            };
            let made = match outputs.len() as u64 {
                0 => "nothing".to_owned(),
                blocks => format!(
                    "{}, {}, {:.1} B a span",
                    units::counted(blocks, "block"),
                    units::bytes(bytes),
                    bytes as f64 / kept.max(1) as f64
                ),
            };
            let (place, read) = (place(state, inputs.iter()), objects(inputs));
            format!("{place}merged {read}, {} → {made}{fewer}", units::counted(*rows, "span"))
        }
        Work::Indexed { blocks, entries } => format!(
            "{}indexed the traces of {}, {} in all",
            place(state, [].iter()),
            units::counted(*blocks as u64, "block"),
            units::counted(*entries, "key"),
        ),
        Work::Purged { looked_into, rewritten } => {
            let place = place(state, [].iter());
            let searched = units::counted(*looked_into as u64, "object");
            match *rewritten as u64 {
                0 => format!("{place}found no redacted traces in {searched}"),
                1 => format!("{place}found redacted traces in 1 of {searched} and rewrote it"),
                rewritten => {
                    let rewritten = units::count(rewritten);
                    format!("{place}found redacted traces in {rewritten} of {searched} and rewrote them")
                }
            }
        }
    }
}

/// What a job would do, beside others of the same day: `merge 253 objects of hour 13`.
pub(crate) fn due(job: &Job) -> String {
    match job {
        Job::Merge(Merge { inputs, .. }) => {
            let count = units::counted(inputs.len() as u64, "object");
            match hours(inputs.iter()) {
                Some(hours) => format!("merge {count} of {hours}"),
                None => format!("merge {count}"),
            }
        }
        Job::Index { blocks } => format!("index {}", units::counted(blocks.len() as u64, "block")),
        Job::Purge { objects } => {
            format!("search {} for redacted traces", units::counted(objects.len() as u64, "object"))
        }
    }
}

fn objects(inputs: &[BlockRef]) -> String {
    let bytes = inputs.iter().map(|input| input.size).sum();
    format!("{}, {}", units::counted(inputs.len() as u64, "object"), units::bytes(bytes))
}

fn place<'o>(state: &DayState, objects: impl Iterator<Item = &'o BlockRef>) -> String {
    let hours = hours(objects).map(|hours| format!(", {hours}")).unwrap_or_default();
    format!("{}, {}{hours}: ", state.tenant, state.day)
}

fn hours<'o>(objects: impl Iterator<Item = &'o BlockRef>) -> Option<String> {
    let hours = objects.map(|object| object.hours).reduce(Hours::union)?;
    let (first, last) = (hours.first().of_day(), hours.last().of_day());
    Some(if first == last { format!("hour {first:02}") } else { format!("hours {first:02} to {last:02}") })
}
