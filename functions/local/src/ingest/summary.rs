//! What became of all requests together.

use std::{collections::BTreeMap, time::Duration};

use niente_receive::Warnings;

use super::destination::Taken;
use crate::units;

/// The sum of what was taken and what wasn't.
#[derive(Debug, Default)]
pub(super) struct Summary {
    requests: u64,
    /// Requests among these in which there was no span at all.
    empty: u64,
    spans: u64,
    refused: BTreeMap<String, u64>,
    warnings: Warnings,
    objects: u64,
    bytes: u64,
    /// Files and requests that were not taken at all.
    pub(super) rejected: u64,
}

/// Reasons that are told one by one.
const REASONS: usize = 10;

impl Summary {
    pub(super) fn add(&mut self, taken: &Taken) {
        self.requests += 1;
        self.empty += u64::from(taken.spans == 0 && taken.refused.is_empty());
        self.spans += taken.spans;
        self.objects += taken.objects;
        self.bytes += taken.bytes;
        for (reason, spans) in &taken.refused {
            *self.refused.entry(reason.clone()).or_default() += spans;
        }
        let (sum, more) = (&mut self.warnings, &taken.warnings);
        sum.negative_durations += more.negative_durations;
        sum.cut_values += more.cut_values;
        sum.surplus_attributes += more.surplus_attributes;
        sum.long_keys += more.long_keys;
        sum.surplus_events += more.surplus_events;
        sum.surplus_links += more.surplus_links;
    }

    /// For the progress bar.
    pub(super) fn rate(&self, elapsed: Duration) -> String {
        format!("{}, {}", units::counted(self.spans, "span"), self.per_second(elapsed))
    }

    fn per_second(&self, elapsed: Duration) -> String {
        let rate = self.spans as f64 / elapsed.as_secs_f64().max(1e-3);
        format!("{} a second", units::count(rate as u64))
    }

    /// A line for each thing that there is to tell.
    pub(super) fn text(&self, elapsed: Duration) -> String {
        let empty = match self.empty {
            0 => String::new(),
            empty => format!(", {} without any span", units::count(empty)),
        };
        let mut lines = vec![
            ("requests", units::count(self.requests) + &empty),
            ("spans", format!("{}, {}", units::count(self.spans), self.per_second(elapsed))),
        ];
        if self.objects > 0 {
            let per_span = self.bytes as f64 / self.spans.max(1) as f64;
            lines.push(("objects", format!("{}, {}", units::count(self.objects), units::bytes(self.bytes))));
            lines.push(("bytes a span", format!("{per_span:.1}")));
        }
        lines.push(("time", units::duration(elapsed)));
        let refused: u64 = self.refused.values().sum();
        if refused > 0 {
            lines.push(("refused", units::counted(refused, "span")));
        }
        let mut text: String = lines.iter().map(|(name, value)| format!("{name:<14}{value}\n")).collect();
        let mut reasons: Vec<_> = self.refused.iter().collect();
        reasons.sort_by_key(|(reason, spans)| (std::cmp::Reverse(**spans), *reason));
        for (reason, spans) in reasons.iter().take(REASONS) {
            text += &format!("{:<14}{}: {reason}\n", "", units::count(**spans));
        }
        if reasons.len() > REASONS {
            text += &format!("{:<14}and {} other reasons\n", "", reasons.len() - REASONS);
        }
        if !self.warnings.is_empty() {
            text += &format!("{}\n", self.warnings);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_tells_what_there_is_to_tell() {
        let mut summary = Summary::default();
        let taken = Taken { spans: 1_000, objects: 2, bytes: 61_500, ..Taken::default() };
        summary.add(&taken);
        let text = "\
requests      1
spans         1,000, 500 a second
objects       2, 60.1 KiB
bytes a span  61.5
time          2 s
";
        assert_eq!(summary.text(Duration::from_secs(2)), text);

        let refused = vec![("start time is missing or 0".to_owned(), 2), ("too old".to_owned(), 5)];
        let warnings = Warnings { cut_values: 3, ..Warnings::default() };
        summary.add(&Taken { refused, warnings, ..Taken::default() });
        let text = summary.text(Duration::from_secs(2));
        summary.add(&Taken::default());
        assert!(summary.text(Duration::from_secs(2)).starts_with("requests      3, 1 without any span\n"));
        let told: Vec<_> = text.lines().skip(5).collect();
        assert_eq!(
            told,
            [
                "refused       7 spans",
                "              5: too old",
                "              2: start time is missing or 0",
                "taken with changes: attribute values were cut for their size or depth, niente.truncated lists their \
                 keys (3)",
            ]
        );
    }
}
