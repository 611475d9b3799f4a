//! Metrics: from the spans of many traces to series over time.
//!
//! A worker runs a query that was made ready ([`measuring`]) over the traces of its shard, and counts into what is
//! [`accumulated`]: a [`table`] of series for each measure of the query, or a tally for a [`comparison`]. Everything
//! that is kept of spans on the way is chosen so that it merges in any order and any tree, to the same bits: counts,
//! extremes, exact sums ([`exact_sum`]), quantile sketches ([`sketch`]), exemplars that are chosen by what they are
//! ([`exemplars`]), and the first series of too many. Only the planner, which has seen all of it, makes series
//! of it ([`finish`]), reckons with them ([`arithmetic`]) and picks among them ([`stages`]).
//!
//! A query that is about spans alone ([`locality`]) reads the objects of its own time and no others.

mod accumulated;
mod arithmetic;
mod cells;
mod comparison;
mod exact_sum;
mod exemplars;
mod finish;
mod intervals;
mod labels;
mod locality;
mod measuring;
mod planned;
mod series;
mod sketch;
mod stages;
mod table;

use niente_traceql::MetricsQuery;

use crate::Inspected;

pub use accumulated::Measured;
pub use intervals::Intervals;
pub use series::{Exemplar, Series};

pub(crate) use accumulated::Accumulated;
pub(crate) use measuring::Measuring;
pub(crate) use planned::{explain, measure, reach};

/// What is to be measured.
#[derive(Clone, Debug)]
pub struct MetricsQuestion {
    /// The query.
    pub query: MetricsQuery,
    /// The query as it was asked, which reads as `query`: what workers are sent.
    pub text: String,
    /// Spans that start in these are measured.
    pub intervals: Intervals,
    /// How many exemplars to answer at most; none for instant queries.
    pub exemplars: usize,
    /// How many series to answer at most; none for as many as there is room for.
    pub most_series: Option<usize>,
}

/// What was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricsAnswer {
    /// In order: fewer labels first, then by their keys and values.
    pub series: Vec<Series>,
    /// What was looked at.
    pub inspected: Inspected,
    /// What was left out, in words; none if nothing was.
    pub left_out: Option<String>,
}
