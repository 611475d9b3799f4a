//! What came of all jobs together.

use std::{collections::BTreeMap, time::Duration};

use niente_catalog::Name;
use niente_compact::{Event, Work};
use niente_store::{Counts, ObjectKey};

use crate::units;

/// What there was before, and what there is after.
#[derive(Debug, Default)]
pub(super) struct Totals {
    jobs: u64,
    /// Jobs that somebody else was faster at.
    outrun: u64,
    /// Objects that were there before and are replaced.
    before: Size,
    /// Blocks that are there now.
    after: BTreeMap<ObjectKey, Size>,
    /// All that was written, a block that was soon replaced among it.
    written: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Size {
    objects: u64,
    bytes: u64,
    spans: u64,
}

impl Totals {
    pub(super) fn add(&mut self, event: &Event<'_>) {
        match event {
            Event::Begins(..) => {}
            Event::Outrun(..) => self.outrun += 1,
            Event::Ended(state, done) => {
                self.jobs += 1;
                let Work::Merged { inputs, outputs, .. } = &done.work else { return };
                self.merged(
                    inputs.iter().map(|input| (input.key.clone(), input.size)),
                    outputs.iter().map(|block| {
                        let key = Name::Block(block.id).key(&state.tenant, state.day);
                        (key, Size { objects: 1, bytes: block.bytes, spans: block.rows })
                    }),
                );
            }
        }
    }

    fn merged(
        &mut self,
        inputs: impl IntoIterator<Item = (ObjectKey, u64)>,
        outputs: impl IntoIterator<Item = (ObjectKey, Size)>,
    ) {
        for (key, bytes) in inputs {
            // What this run has made was not there before.
            if self.after.remove(&key).is_none() {
                self.before.objects += 1;
                self.before.bytes += bytes;
            }
        }
        for (key, size) in outputs {
            self.written += size.bytes;
            self.after.insert(key, size);
        }
    }

    /// A line for each thing that there is to tell.
    pub(super) fn text(&self, requests: Counts, elapsed: Duration) -> String {
        if self.jobs + self.outrun == 0 {
            return "nothing is due\n".to_owned();
        }
        let mut lines = vec![("jobs", units::count(self.jobs))];
        let after = self.after.values().fold(Size::default(), |sum, size| Size {
            objects: sum.objects + size.objects,
            bytes: sum.bytes + size.bytes,
            spans: sum.spans + size.spans,
        });
        if self.before.objects > 0 {
            let per_span = after.bytes as f64 / after.spans.max(1) as f64;
            let to = |from, to| format!("{from} → {to}");
            lines.push(("objects", to(units::count(self.before.objects), units::count(after.objects))));
            lines.push(("bytes", to(units::bytes(self.before.bytes), units::bytes(after.bytes))));
            lines.push(("written", units::bytes(self.written)));
            lines.push(("spans", units::count(after.spans)));
            lines.push(("bytes a span", format!("{per_span:.1}")));
        }
        lines.push(("requests", requests.to_string()));
        lines.push(("time", units::duration(elapsed)));
        if self.outrun > 0 {
            lines.push(("given up", format!("{}, others were faster", units::counted(self.outrun, "job"))));
        }
        lines.iter().map(|(name, value)| format!("{name:<14}{value}\n")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_and_replaced_on_the_way_counts_as_written_alone() {
        let key = |n: u32| ObjectKey::new(&format!("acme/{n}")).unwrap();
        let size = |bytes| Size { objects: 1, bytes, spans: 100 };
        let mut totals = Totals { jobs: 1, ..Totals::default() };
        totals.merged([(key(1), 600), (key(2), 700)], [(key(3), size(1_000))]);
        totals.merged([(key(3), 1_000), (key(4), 300)], [(key(5), size(1_200))]);
        let text = totals.text(Counts::default(), Duration::from_secs(2));
        for line in
            ["objects       3 → 1", "bytes         1.56 KiB → 1.17 KiB", "written       2.15 KiB", "spans         100"]
        {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
        assert_eq!(Totals::default().text(Counts::default(), Duration::ZERO), "nothing is due\n");
    }
}
