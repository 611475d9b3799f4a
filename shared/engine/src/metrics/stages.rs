//! What is done with finished series: `topk`, `bottomk` and comparisons.

use std::cmp::Ordering;

use niente_traceql::{Comparison, SeriesStage};

use super::{Series, labels};

/// The series after a stage; those without any sample left are gone.
pub(crate) fn apply(stage: &SeriesStage, mut series: Vec<Series>) -> Vec<Series> {
    match stage {
        SeriesStage::TopK(most) => keep(&mut series, *most, Ordering::reverse),
        SeriesStage::BottomK(most) => keep(&mut series, *most, |ordering| ordering),
        SeriesStage::Filter { op, value } => series.iter_mut().for_each(|series| filter(series, *op, *value)),
    }
    series.retain(Series::has_samples);
    series
}

/// Of each interval the first samples in this order; of equal ones `topk` prefers those of the first series, and
/// `bottomk` those of the last, as Tempo does.
fn keep(series: &mut [Series], most: u64, order: fn(Ordering) -> Ordering) {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    if series.len() <= most {
        return;
    }
    let mut by_label: Vec<usize> = (0..series.len()).collect();
    by_label.sort_by(|a, b| labels::order(&series[*a].labels, &series[*b].labels));
    if order(Ordering::Less) == Ordering::Less {
        by_label.reverse();
    }
    for interval in 0..series.first().map_or(0, |first| first.samples.len()) {
        let mut samples: Vec<(f64, usize)> =
            by_label.iter().filter_map(|at| Some((series[*at].samples[interval]?, *at))).collect();
        // Stable: ties stay in the order of the labels.
        samples.sort_by(|(a, _), (b, _)| order(a.total_cmp(b)));
        for (_, loser) in samples.into_iter().skip(most) {
            series[loser].samples[interval] = None;
        }
    }
    series.iter_mut().for_each(Series::drop_orphans);
}

fn filter(series: &mut Series, op: Comparison, value: f64) {
    let holds = |sample: f64| match op {
        Comparison::Eq => sample == value,
        Comparison::Ne => sample != value,
        Comparison::Lt => sample < value,
        Comparison::Le => sample <= value,
        Comparison::Gt => sample > value,
        Comparison::Ge => sample >= value,
    };
    series.samples.iter_mut().for_each(|sample| *sample = sample.filter(|sample| holds(*sample)));
    series.exemplars.retain(|exemplar| holds(exemplar.value));
    series.drop_orphans();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shown;

    /// Series `a`, `b`, … with these samples, where `_` is none, after these stages.
    fn check(series: &[&str], stages: &str, expected: &[&str]) {
        let samples = |text: &&str| text.split(' ').map(|sample| sample.parse().ok()).collect::<Vec<Option<f64>>>();
        let name = |at: usize| char::from(b'a' + at as u8).to_string();
        let of = |(at, text)| Series::new(vec![("x".to_owned(), Shown::Str(name(at)))], samples(text));
        let series = series.iter().enumerate().map(of).collect();
        let query = niente_traceql::parse(&format!("{{ }} | rate() by (.x) {stages}")).unwrap();
        let found = query.metrics.unwrap().then.iter().fold(series, |series, stage| apply(stage, series));
        let text = |series: Series| {
            let sample = |sample: &Option<f64>| sample.map_or("_".to_owned(), |sample| sample.to_string());
            let samples: Vec<_> = series.samples.iter().map(sample).collect();
            format!("{}: {}", series.labels[0].1, samples.join(" "))
        };
        assert_eq!(found.into_iter().map(text).collect::<Vec<_>>(), expected, "{stages}");
    }

    #[test]
    fn the_largest_and_the_smallest_of_each_interval() {
        let series = ["1 5 _", "2 4 0", "3 3 1"];
        check(&series, "| topk(1)", &["a: _ 5 _", "c: 3 _ 1"]);
        check(&series, "| topk(2)", &["a: _ 5 _", "b: 2 4 0", "c: 3 _ 1"]);
        check(&series, "| bottomk(1)", &["a: 1 _ _", "b: _ _ 0", "c: _ 3 _"]);
        check(&series, "| topk(3)", &["a: 1 5 _", "b: 2 4 0", "c: 3 3 1"]);
    }

    #[test]
    fn ties_go_by_label() {
        check(&["0", "0", "0"], "| topk(1)", &["a: 0"]);
        check(&["0", "0", "0"], "| bottomk(2)", &["b: 0", "c: 0"]);
    }

    #[test]
    fn comparisons_drop_samples_and_then_series() {
        check(&["0 1 2", "0 0 0"], "> 0", &["a: _ 1 2"]);
        check(&["0 1 _"], "!= 1", &["a: 0 _ _"]);
        check(&["0 1 2"], ">= 1 <= 1", &["a: _ 1 _"]);
        check(&["1 5", "2 6", "3 7"], "| topk(2) > 2", &["b: _ 6", "c: 3 7"]);
        check(&["1 5", "2 6", "3 7"], "> 2 | topk(2)", &["b: _ 6", "c: 3 7"]);
    }
}
