//! From what was measured to series: numbers, labels, exemplars.

use niente_traceql::{Field, Intrinsic, Measure, Metrics, MetricsFunction};

use super::{
    Exemplar, Intervals, Series,
    accumulated::Accumulator,
    arithmetic::NAME,
    cells::Cells,
    comparison::{self, Side, Tallied},
    exemplars::Candidate,
    labels::{self, Labels},
    sketch::Sketch,
    table::Row,
};
use crate::Shown;

/// The label of a histogram's bucket: its upper bound.
const BUCKET: &str = "__bucket";
/// The label of a quantile.
const QUANTILE: &str = "p";
/// The label of a side of a comparison.
const SIDE: &str = "__meta_type";
/// The label of a trace, by which Grafana finds it.
const TRACE_ID: &str = "trace:id";

/// What spans are grouped by, as labels call it.
pub(crate) fn group_keys(metrics: &Metrics) -> Vec<String> {
    let mut keys: Vec<String> = metrics.by.iter().map(ToString::to_string).collect();
    if let MetricsFunction::HistogramOverTime(_) = metrics.function {
        keys.push(BUCKET.to_owned());
    }
    keys
}

/// The series of one measure in the order of answers, each with so many exemplars, and whether there were more.
pub(crate) fn series(
    measure: &Measure,
    accumulated: Accumulator,
    intervals: Intervals,
    exemplars: usize,
) -> (Vec<Series>, bool) {
    match accumulated {
        Accumulator::Series(table) => {
            let (mut rows, cut) = table.into_rows();
            if rows.is_empty() && counts_nothing_too(&measure.metrics) {
                let cells = Cells::of(&measure.metrics.function, intervals.count());
                rows.push(Row { group: Vec::new(), cells, exemplars: Default::default() });
            }
            let finish = Finish { measure, intervals, exemplars: exemplars.div_ceil(rows.len().max(1)) };
            let mut series: Vec<Series> = rows.into_iter().flat_map(|row| finish.series(row)).collect();
            series.retain(Series::has_samples);
            (series, cut)
        }
        Accumulator::Comparison(tally) => sides(measure, tally.into_tallied()),
    }
}

/// Whether there is a series of zeros where nothing matches: what a count without groups comes to.
fn counts_nothing_too(metrics: &Metrics) -> bool {
    metrics.by.is_empty() && matches!(metrics.function, MetricsFunction::Rate | MetricsFunction::CountOverTime)
}

struct Finish<'m> {
    measure: &'m Measure,
    intervals: Intervals,
    exemplars: usize,
}

impl Finish<'_> {
    /// The series that a row makes: one, or one for each quantile.
    fn series(&self, Row { group, cells, exemplars }: Row) -> Vec<Series> {
        let metrics = &self.measure.metrics;
        let labels = self.labels(&group);
        let candidates = exemplars.choose(self.exemplars);
        let unit = |number: f64| number / unit_of(&metrics.function);
        let float = |number: &Option<f64>| number.map(unit);
        let samples: Vec<Option<f64>> = match (&metrics.function, &cells) {
            (MetricsFunction::Rate, Cells::Counts(counts)) => {
                counts.iter().map(|count| Some(*count as f64 / self.intervals.seconds())).collect()
            }
            (_, Cells::Counts(counts)) => counts.iter().map(|count| Some(*count as f64)).collect(),
            (_, Cells::Least(numbers) | Cells::Greatest(numbers)) => numbers.iter().map(float).collect(),
            (MetricsFunction::AvgOverTime(_), Cells::Sums(sums)) => {
                let mean = |sum: f64, count: u64| unit(sum) / count as f64;
                sums.iter().map(|(sum, count)| (*count > 0).then(|| mean(sum.value(), *count))).collect()
            }
            (_, Cells::Sums(sums)) => sums.iter().map(|(sum, count)| (*count > 0).then(|| unit(sum.value()))).collect(),
            (MetricsFunction::QuantileOverTime(_, quantiles), Cells::Sketches(sketches)) => {
                return self.quantiles(labels, quantiles, sketches, candidates);
            }
            (_, Cells::Sketches(_)) => unreachable!("only quantiles are told by sketches"),
        };
        let mut series = Series::new(labels, samples);
        let own_value = !matches!(cells, Cells::Counts(_));
        self.stand_for(&mut series, candidates, own_value);
        vec![series]
    }

    fn labels(&self, group: &[Shown]) -> Labels {
        let metrics = &self.measure.metrics;
        // A bucket and a quantile tell enough by themselves.
        let is_named = !matches!(metrics.function, MetricsFunction::QuantileOverTime(..));
        let keys = group_keys(metrics);
        if keys.is_empty() && is_named {
            return vec![(NAME.to_owned(), Shown::Str(name(&metrics.function).to_owned()))];
        }
        let is_empty = group.iter().all(|value| *value == Shown::Nil);
        if is_empty && !is_named { Vec::new() } else { labels::of_group(&keys, &in_seconds(metrics, group)) }
    }

    /// One series a quantile; an exemplar stands for that which is nearest to it.
    fn quantiles(
        &self,
        labels: Labels,
        quantiles: &[f64],
        sketches: &[Sketch],
        candidates: Vec<Candidate>,
    ) -> Vec<Series> {
        let unit = unit_of(&self.measure.metrics.function);
        let mut all = Sketch::default();
        sketches.iter().for_each(|sketch| all.merge(sketch));
        let overall: Vec<f64> = quantiles.iter().map(|quantile| all.quantile(*quantile).unwrap_or_default()).collect();
        let nearest = |candidate: &Candidate| {
            let distances = overall.iter().map(|value| (value - candidate.standing.value).abs());
            distances.enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(at, _)| at)
        };
        let of_quantile = |(at, quantile): (usize, &f64)| {
            let labels = labels.iter().cloned().chain([(QUANTILE.to_owned(), Shown::Float(*quantile))]).collect();
            // Nothing measured is zero here, as in Tempo.
            let samples = sketches.iter().map(|sketch| Some(sketch.quantile(*quantile).unwrap_or_default() / unit));
            let mut series = Series::new(labels, samples.collect());
            let own = candidates.iter().filter(|candidate| nearest(candidate) == Some(at)).cloned().collect();
            self.stand_for(&mut series, own, true);
            series
        };
        quantiles.iter().enumerate().map(of_quantile).collect()
    }

    /// Has these spans stand for the series, with their own values or with those of their intervals' samples.
    fn stand_for(&self, series: &mut Series, candidates: Vec<Candidate>, own_value: bool) {
        let keys: Vec<String> = self.measure.fields().into_iter().map(ToString::to_string).collect();
        let unit = unit_of(&self.measure.metrics.function);
        let samples = &series.samples;
        let exemplar = |candidate: Candidate| {
            let interval = self.intervals.of(candidate.standing.start)?;
            let sample = samples[interval]?;
            let trace = (TRACE_ID.to_owned(), Shown::Str(candidate.standing.trace_id.to_trimmed_hex()));
            let fields = keys.iter().cloned().zip(candidate.fields).filter(|(_, value)| *value != Shown::Nil);
            Some(Exemplar {
                trace_id: candidate.standing.trace_id,
                start: candidate.standing.start,
                value: if own_value { candidate.standing.value / unit } else { sample },
                labels: [trace].into_iter().chain(fields.filter(|(key, _)| key != TRACE_ID)).collect(),
                interval,
            })
        };
        series.exemplars = candidates.into_iter().filter_map(exemplar).collect();
    }
}

/// Buckets of durations are told in seconds.
fn in_seconds(metrics: &Metrics, group: &[Shown]) -> Vec<Shown> {
    let mut group = group.to_vec();
    if let (MetricsFunction::HistogramOverTime(_), Some(Shown::Float(bound))) = (&metrics.function, group.last_mut()) {
        *bound /= unit_of(&metrics.function);
    }
    group
}

/// Two series a side and attribute: its values, and the spans that have any.
fn sides(measure: &Measure, Tallied(attributes): Tallied) -> (Vec<Series>, bool) {
    let MetricsFunction::Compare { top, .. } = measure.metrics.function else { return (Vec::new(), false) };
    let labels = |side: &str, name: &str, value: Shown| -> Labels {
        vec![(SIDE.to_owned(), Shown::Str(side.to_owned())), (name.to_owned(), value)]
    };
    let samples = |counts: &[u64]| counts.iter().map(|count| Some(*count as f64)).collect();
    let (mut series, mut any_cut) = (Vec::new(), false);
    for (name, both) in attributes {
        for (side, (total, mut rows, cut)) in Side::BOTH.into_iter().zip(both) {
            any_cut |= cut;
            if rows.is_empty() {
                continue;
            }
            // Stable: ties stay in the order of the values.
            rows.sort_by_key(|row| std::cmp::Reverse(comparison::counts(&row.cells).iter().sum::<u64>()));
            rows.truncate(top as usize);
            series.extend(rows.into_iter().filter_map(|row| {
                let counts = comparison::counts(&row.cells);
                let value = row.group.into_iter().next()?;
                Some(Series::new(labels(side.name(), &name, value), samples(counts)))
            }));
            series.push(Series::new(labels(side.name_of_total(), &name, Shown::Nil), samples(&total)));
        }
    }
    series.sort_by(|a, b| labels::order(&a.labels, &b.labels));
    (series, any_cut)
}

/// What numbers are divided by: durations are kept in nanoseconds and told in seconds. Fields other than `duration` are
/// told in seconds only by quantiles and histograms, as in Tempo.
fn unit_of(function: &MetricsFunction) -> f64 {
    const SECOND: f64 = 1e9;
    let is_duration = |field: &Field| {
        let durations = [Intrinsic::Duration, Intrinsic::TraceDuration, Intrinsic::EventTimeSinceStart];
        durations.iter().any(|duration| *field == Field::Intrinsic(*duration))
    };
    match function {
        MetricsFunction::MinOverTime(field)
        | MetricsFunction::MaxOverTime(field)
        | MetricsFunction::AvgOverTime(field)
        | MetricsFunction::SumOverTime(field)
            if *field == Field::Intrinsic(Intrinsic::Duration) =>
        {
            SECOND
        }
        MetricsFunction::QuantileOverTime(field, _) | MetricsFunction::HistogramOverTime(field)
            if is_duration(field) =>
        {
            SECOND
        }
        _ => 1.0,
    }
}

/// How the language spells a function.
fn name(function: &MetricsFunction) -> &'static str {
    match function {
        MetricsFunction::Rate => "rate",
        MetricsFunction::CountOverTime => "count_over_time",
        MetricsFunction::MinOverTime(_) => "min_over_time",
        MetricsFunction::MaxOverTime(_) => "max_over_time",
        MetricsFunction::AvgOverTime(_) => "avg_over_time",
        MetricsFunction::SumOverTime(_) => "sum_over_time",
        MetricsFunction::QuantileOverTime(..) => "quantile_over_time",
        MetricsFunction::HistogramOverTime(_) => "histogram_over_time",
        MetricsFunction::Compare { .. } => "compare",
    }
}
