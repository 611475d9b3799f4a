//! What has been measured so far: by a worker over its traces, by the planner over its workers.

use niente_traceql::{Measure, MetricsFunction, MetricsQuery};
use serde::{Deserialize, Serialize};

use super::{
    Intervals,
    comparison::{Tallied, Tally},
    finish,
    table::{Row, Table},
};

/// What has been measured, for each measure of a query from left to right.
#[derive(Debug)]
pub(crate) struct Accumulated {
    measures: Vec<Accumulator>,
}

#[derive(Debug)]
pub(crate) enum Accumulator {
    Series(Table),
    Comparison(Tally),
}

/// What a shard's spans measure: it travels, and merges in any order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Part {
    Series { rows: Vec<Row>, cut: bool },
    Comparison(Tallied),
}

impl Accumulated {
    /// Nothing yet, and never more than so many cells a measure.
    pub(crate) fn new(query: &MetricsQuery, intervals: Intervals, most_cells: usize) -> Self {
        let most_series = (most_cells / intervals.count()).max(1);
        let accumulator = |measure: &Measure| match measure.metrics.function {
            MetricsFunction::Compare { .. } => Accumulator::Comparison(Tally::new(intervals.count(), most_series)),
            _ => {
                let keys = finish::group_keys(&measure.metrics);
                Accumulator::Series(Table::new(&measure.metrics.function, keys, intervals.count(), most_series))
            }
        };
        Self { measures: query.measures().into_iter().map(accumulator).collect() }
    }

    pub(crate) fn measures(&mut self) -> impl Iterator<Item = &mut Accumulator> {
        self.measures.iter_mut()
    }

    /// Takes in what a worker measured; says whether that was the same question.
    pub(crate) fn merge(&mut self, Measured(parts): Measured) -> bool {
        if parts.len() != self.measures.len() {
            return false;
        }
        self.measures.iter_mut().zip(parts).all(|(own, part)| match (own, part) {
            (Accumulator::Series(table), Part::Series { rows, cut }) => table.merge(rows, cut),
            (Accumulator::Comparison(tally), Part::Comparison(tallied)) => tally.merge(tallied),
            _ => false,
        })
    }

    pub(crate) fn into_measured(self) -> Measured {
        let part = |accumulator| match accumulator {
            Accumulator::Series(table) => {
                let (rows, cut) = table.into_rows();
                Part::Series { rows, cut }
            }
            Accumulator::Comparison(tally) => Part::Comparison(tally.into_tallied()),
        };
        Measured(self.measures.into_iter().map(part).collect())
    }

    pub(crate) fn into_measures(self) -> Vec<Accumulator> {
        self.measures
    }
}

impl Accumulator {
    /// That of a measure which makes series.
    pub(crate) fn table(&mut self) -> &mut Table {
        match self {
            Accumulator::Series(table) => table,
            Accumulator::Comparison(_) => unreachable!("accumulators are made for the query that is measured"),
        }
    }

    /// That of a measure which compares.
    pub(crate) fn tally(&mut self) -> &mut Tally {
        match self {
            Accumulator::Comparison(tally) => tally,
            Accumulator::Series(_) => unreachable!("accumulators are made for the query that is measured"),
        }
    }
}
