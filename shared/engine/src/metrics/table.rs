//! The series of one measure while spans are counted.

use std::collections::HashMap;

use niente_traceql::MetricsFunction;
use serde::{Deserialize, Serialize};

use super::{cells::Cells, exemplars::Exemplars, labels};
use crate::{Shown, value::Static};

/// What is known of one series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    /// The values that spans were grouped by, in the order of the measure's keys.
    pub(crate) group: Vec<Shown>,
    pub(crate) cells: Cells,
    pub(crate) exemplars: Exemplars,
}

/// The series of one measure, at most so many.
///
/// Those stay that come first in the order of answers. What comes after them can't come before them later, so what
/// stays is whole, however many tables are merged in which order: a limit cuts the list of series, never their values.
#[derive(Debug)]
pub(crate) struct Table {
    function: MetricsFunction,
    intervals: usize,
    /// What spans are grouped by, as labels call it.
    keys: Vec<String>,
    most: usize,
    rows: Vec<Row>,
    by_group: HashMap<Vec<u8>, usize>,
    /// What [`encode`] made of the group that is looked for: one buffer for all of them.
    pub(crate) bytes: Vec<u8>,
    /// Whether series were left out.
    cut: bool,
}

impl Table {
    pub(crate) fn new(function: &MetricsFunction, keys: Vec<String>, intervals: usize, most: usize) -> Self {
        let (function, most) = (function.clone(), most.max(1));
        Self {
            function,
            intervals,
            keys,
            most,
            rows: Vec::new(),
            by_group: HashMap::new(),
            bytes: Vec::new(),
            cut: false,
        }
    }

    /// The row of the group whose encoding lies in [`bytes`](Self::bytes), made if it is new.
    pub(crate) fn row(&mut self, group: impl FnOnce() -> Vec<Shown>) -> &mut Row {
        let at = match self.by_group.get(&self.bytes) {
            Some(at) => *at,
            None => {
                self.make_room();
                let cells = Cells::of(&self.function, self.intervals);
                self.rows.push(Row { group: group(), cells, exemplars: Exemplars::default() });
                self.by_group.insert(self.bytes.clone(), self.rows.len() - 1);
                self.rows.len() - 1
            }
        };
        &mut self.rows[at]
    }

    /// Takes in what another table was made into; says whether that was one of the same measure.
    pub(crate) fn merge(&mut self, rows: Vec<Row>, cut: bool) -> bool {
        self.cut |= cut;
        let mut are_alike = true;
        for Row { group, cells, exemplars } in rows {
            self.bytes = encoded(&group);
            let known = self.row(|| group);
            are_alike &= known.cells.is_like(&cells);
            known.cells.merge(&cells);
            known.exemplars.merge(exemplars);
        }
        are_alike
    }

    /// The series, in the order of answers, and whether there were more.
    pub(crate) fn into_rows(mut self) -> (Vec<Row>, bool) {
        self.sort();
        self.cut |= self.rows.len() > self.most;
        self.rows.truncate(self.most);
        (self.rows, self.cut)
    }

    /// Sorting them out is worth it when half can go.
    fn make_room(&mut self) {
        if self.rows.len() < 2 * self.most {
            return;
        }
        self.sort();
        self.rows.truncate(self.most);
        self.cut = true;
        self.by_group = self.rows.iter().enumerate().map(|(at, row)| (encoded(&row.group), at)).collect();
    }

    fn sort(&mut self) {
        let keys = &self.keys;
        self.rows.sort_by_cached_key(|row| labels::Ordered(labels::of_group(keys, &row.group)));
    }
}

/// Writes what tells a group from others.
pub(crate) fn encode(values: &[Static<'_>], bytes: &mut Vec<u8>) {
    bytes.clear();
    values.iter().for_each(|value| labels::encode(value, bytes));
}

fn encoded(group: &[Shown]) -> Vec<u8> {
    let mut bytes = Vec::new();
    group.iter().for_each(|value| labels::encode(&labels::of_shown(value), &mut bytes));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Number;

    /// Counts texts, at most `most` of them, and says how often each is there.
    fn count(most: usize, texts: &[&str]) -> Table {
        let mut table = Table::new(&MetricsFunction::CountOverTime, vec!["name".to_owned()], 1, most);
        for text in texts {
            encode(&[Static::Str((*text).into())], &mut table.bytes);
            table.row(|| vec![Shown::Str((*text).to_owned())]).cells.add(0, Number::Int(0));
        }
        table
    }

    fn check(table: Table, expected: &[(&str, u64)], cut: bool) {
        let (rows, was_cut) = table.into_rows();
        let found: Vec<_> = rows.into_iter().map(|row| (row.group, row.cells)).collect();
        let expected = expected.iter().map(|(text, n)| (vec![Shown::Str((*text).to_owned())], Cells::Counts(vec![*n])));
        assert_eq!((found, was_cut), (expected.collect(), cut));
    }

    #[test]
    fn series_come_in_order() {
        check(count(9, &["b", "a", "b"]), &[("a", 1), ("b", 2)], false);
        check(count(2, &["b", "a", "b"]), &[("a", 1), ("b", 2)], false);
    }

    #[test]
    fn of_too_many_the_first_are_whole() {
        let texts = ["e", "a", "d", "c", "b", "a", "e", "d", "b", "a"];
        check(count(2, &texts), &[("a", 3), ("b", 2)], true);
        for at in 0..texts.len() {
            let mut merged = count(2, &texts[at..]);
            let (rows, cut) = count(2, &texts[..at]).into_rows();
            assert!(merged.merge(rows, cut));
            check(merged, &[("a", 3), ("b", 2)], true);
        }
    }
}
