//! What is known of a series at each interval, in a form that merges in any order.

use niente_traceql::MetricsFunction;
use serde::{Deserialize, Serialize};

use super::{exact_sum::ExactSum, sketch::Sketch};
use crate::value::Number;

/// One cell an interval, all of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Cells {
    /// How many spans.
    Counts(Vec<u64>),
    /// The least number.
    Least(Vec<Option<f64>>),
    /// The greatest number.
    Greatest(Vec<Option<f64>>),
    /// All numbers together, and how many they are.
    Sums(Vec<(ExactSum, u64)>),
    /// How large the numbers are.
    Sketches(Vec<Sketch>),
}

impl Cells {
    /// Empty ones, of the kind that a function needs.
    pub(crate) fn of(function: &MetricsFunction, intervals: usize) -> Self {
        match function {
            MetricsFunction::Rate
            | MetricsFunction::CountOverTime
            | MetricsFunction::HistogramOverTime(_)
            | MetricsFunction::Compare { .. } => Cells::Counts(vec![0; intervals]),
            MetricsFunction::MinOverTime(_) => Cells::Least(vec![None; intervals]),
            MetricsFunction::MaxOverTime(_) => Cells::Greatest(vec![None; intervals]),
            MetricsFunction::AvgOverTime(_) | MetricsFunction::SumOverTime(_) => {
                Cells::Sums(vec![Default::default(); intervals])
            }
            MetricsFunction::QuantileOverTime(..) => Cells::Sketches(vec![Sketch::default(); intervals]),
        }
    }

    /// Takes in a span of an interval, with its number where the cells are about one.
    pub(crate) fn add(&mut self, interval: usize, number: Number) {
        match self {
            Cells::Counts(counts) => counts[interval] += 1,
            Cells::Least(least) => take_in(&mut least[interval], number.as_f64(), f64::min),
            Cells::Greatest(greatest) => take_in(&mut greatest[interval], number.as_f64(), f64::max),
            Cells::Sums(sums) => {
                let (sum, count) = &mut sums[interval];
                *count += 1;
                match number {
                    Number::Int(number) | Number::Duration(number) => sum.add_int(number),
                    Number::Float(number) => sum.add(number),
                }
            }
            Cells::Sketches(sketches) => sketches[interval].add(number.as_f64()),
        }
    }

    /// Takes in another's cells; of another kind or number there is nothing to take.
    pub(crate) fn merge(&mut self, other: &Self) {
        match (self, other) {
            (Cells::Counts(own), Cells::Counts(others)) => {
                own.iter_mut().zip(others).for_each(|(own, other)| *own += other);
            }
            (Cells::Least(own), Cells::Least(others)) => merge_extremes(own, others, f64::min),
            (Cells::Greatest(own), Cells::Greatest(others)) => merge_extremes(own, others, f64::max),
            (Cells::Sums(own), Cells::Sums(others)) => {
                for ((sum, count), (other, more)) in own.iter_mut().zip(others) {
                    sum.merge(other);
                    *count += more;
                }
            }
            (Cells::Sketches(own), Cells::Sketches(others)) => {
                own.iter_mut().zip(others).for_each(|(own, other)| own.merge(other));
            }
            _ => {}
        }
    }

    /// Whether they are of one kind and number: what two measures of one question are.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other) && self.len() == other.len()
    }

    fn len(&self) -> usize {
        match self {
            Cells::Counts(cells) => cells.len(),
            Cells::Least(cells) | Cells::Greatest(cells) => cells.len(),
            Cells::Sums(cells) => cells.len(),
            Cells::Sketches(cells) => cells.len(),
        }
    }
}

fn take_in(cell: &mut Option<f64>, number: f64, extreme: fn(f64, f64) -> f64) {
    *cell = Some(cell.map_or(number, |known| extreme(known, number)));
}

fn merge_extremes(own: &mut [Option<f64>], others: &[Option<f64>], extreme: fn(f64, f64) -> f64) {
    for (own, other) in own.iter_mut().zip(others) {
        if let Some(other) = other {
            take_in(own, *other, extreme);
        }
    }
}
