//! Reckoning with series.

use std::collections::HashMap;

use niente_traceql::SeriesExpr;

use super::{
    Series,
    labels::{self, Labels},
    stages,
};
use crate::value::float_arithmetic;

/// The label that says which function made a series: it means nothing once that was reckoned with.
pub(crate) const NAME: &str = "__name__";

/// What an expression comes to.
enum Value {
    Number(f64),
    Series(Vec<Series>),
}

/// The series of an expression, whose measures have come to these, from left to right.
pub(crate) fn evaluate(expr: &SeriesExpr, measured: &mut impl Iterator<Item = Vec<Series>>) -> Vec<Series> {
    match value(expr, measured) {
        Value::Series(series) => series,
        Value::Number(_) => unreachable!("a metrics query measures something"),
    }
}

fn value(expr: &SeriesExpr, measured: &mut impl Iterator<Item = Vec<Series>>) -> Value {
    match expr {
        SeriesExpr::Measure(measure) => {
            let series = measured.next().expect("every measure was measured");
            Value::Series(measure.metrics.then.iter().fold(series, |series, stage| stages::apply(stage, series)))
        }
        SeriesExpr::Number(number) => Value::Number(*number),
        SeriesExpr::Then { of, stages } => match value(of, measured) {
            Value::Series(series) => {
                Value::Series(stages.iter().fold(series, |series, stage| stages::apply(stage, series)))
            }
            number => number,
        },
        SeriesExpr::Arithmetic { op, lhs, rhs } => {
            let (lhs, rhs) = (value(lhs, measured), value(rhs, measured));
            let op = |a, b| Some(float_arithmetic(*op, a, b)).filter(|result| !result.is_nan());
            match (lhs, rhs) {
                (Value::Number(a), Value::Number(b)) => Value::Number(op(a, b).unwrap_or(f64::NAN)),
                (Value::Series(series), Value::Number(b)) => Value::Series(each(series, |a| op(a, b))),
                (Value::Number(a), Value::Series(series)) => Value::Series(each(series, |b| op(a, b))),
                (Value::Series(lhs), Value::Series(rhs)) => Value::Series(pairs(lhs, rhs, op)),
            }
        }
    }
}

/// Every sample changed.
fn each(series: Vec<Series>, op: impl Fn(f64) -> Option<f64>) -> Vec<Series> {
    let changed = series.into_iter().map(|series| with_samples(series, |_, sample| op(sample?)));
    changed.filter(Series::has_samples).collect()
}

/// Series of both sides that have the same labels, sample by sample; a side that is one series without labels goes
/// with all of the other.
fn pairs(lhs: Vec<Series>, rhs: Vec<Series>, op: impl Fn(f64, f64) -> Option<f64>) -> Vec<Series> {
    let together = |a: Series, b: &[Option<f64>]| with_samples(a, |at, sample| op(sample?, b[at]?));
    let results: Vec<Series> = if let Some(only) = alone(&rhs) {
        lhs.into_iter().map(|series| together(series, &only.samples)).collect()
    } else if let Some(only) = alone(&lhs) {
        rhs.into_iter().map(|series| with_samples(series, |at, sample| op(only.samples[at]?, sample?))).collect()
    } else {
        let by_labels: HashMap<Vec<u8>, &Series> = rhs.iter().map(|series| (matched_by(series), series)).collect();
        let pair = |series: Series| {
            let other = by_labels.get(&matched_by(&series))?;
            Some(together(series, &other.samples))
        };
        lhs.into_iter().filter_map(pair).collect()
    };
    results.into_iter().filter(Series::has_samples).collect()
}

fn alone(series: &[Series]) -> Option<&Series> {
    match series {
        [only] if only.labels.iter().all(|(key, _)| key == NAME) => Some(only),
        _ => None,
    }
}

fn matched_by(series: &Series) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (key, value) in series.labels.iter().filter(|(key, _)| key != NAME) {
        bytes.extend_from_slice(&(key.len() as u32).to_le_bytes());
        bytes.extend_from_slice(key.as_bytes());
        labels::encode(&labels::of_shown(value), &mut bytes);
    }
    bytes
}

/// A series that came of another one: it has no function's name any more, and its exemplars' values are its samples.
fn with_samples(series: Series, sample: impl Fn(usize, Option<f64>) -> Option<f64>) -> Series {
    let labels: Labels = series.labels.into_iter().filter(|(key, _)| key != NAME).collect();
    let samples: Vec<_> = series.samples.into_iter().enumerate().map(|(at, known)| sample(at, known)).collect();
    let mut exemplars = series.exemplars;
    exemplars.retain_mut(|exemplar| {
        let value = samples[exemplar.interval];
        exemplar.value = value.unwrap_or_default();
        value.is_some()
    });
    Series { labels, samples, exemplars }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shown;

    /// Series by `<label>: <samples>`, where `_` is none, and `` is no label.
    fn series(texts: &[&str]) -> Vec<Series> {
        let of = |text: &&str| {
            let (label, samples) = text.split_once(": ").unwrap();
            let label = if label.is_empty() { (NAME, "rate") } else { ("x", label) };
            let samples = samples.split(' ').map(|sample| sample.parse().ok()).collect();
            Series::new(vec![(label.0.to_owned(), Shown::Str(label.1.to_owned()))], samples)
        };
        texts.iter().map(of).collect()
    }

    /// An expression in which `A` and `B` stand for measures that came to these series.
    fn check(expr: &str, a: &[&str], b: &[&str], expected: &[&str]) {
        let measure = "({ } | rate() by (.x))";
        let text = expr.replace(['A', 'B'], measure);
        let query = niente_traceql::parse_metrics(&text).unwrap();
        let order = expr.chars().filter(|c| ['A', 'B'].contains(c));
        let measured: Vec<_> = order.map(|name| series(if name == 'A' { a } else { b })).collect();
        let text = |series: Series| {
            let sample = |sample: &Option<f64>| sample.map_or("_".to_owned(), |sample| sample.to_string());
            let samples: Vec<_> = series.samples.iter().map(sample).collect();
            let label = series.labels.first().map(|(_, value)| value.to_string()).unwrap_or_default();
            format!("{label}: {}", samples.join(" "))
        };
        let found = evaluate(&query.series, &mut measured.into_iter());
        assert_eq!(found.into_iter().map(text).collect::<Vec<_>>(), expected, "{expr}");
    }

    #[test]
    fn series_with_the_same_labels_go_together() {
        check("A / B", &["a: 1 2", "b: 3 _", "c: 1 1"], &["a: 2 8", "b: 2 2", "d: 1 1"], &["a: 0.5 0.25", "b: 1.5 _"]);
        check("A - A", &["a: 1 2"], &[], &["a: 0 0"]);
        check("A / B", &["a: 1"], &[], &[]);
    }

    #[test]
    fn a_series_without_labels_goes_with_all() {
        check("A / B", &["a: 1 2", "b: 3 4"], &[": 2 4"], &["a: 0.5 0.5", "b: 1.5 1"]);
        check("B / A", &["a: 1 2", "b: 4 8"], &[": 2 4"], &["a: 2 2", "b: 0.5 0.5"]);
        check("A + B", &[": 1 2"], &[": 2 4"], &[": 3 6"]);
    }

    #[test]
    fn numbers_go_with_every_sample() {
        check("A * 100", &["a: 1 _"], &[], &["a: 100 _"]);
        check("1 - A", &["a: 0.25"], &[], &["a: 0.75"]);
        check("(A / B) * 100", &["a: 1"], &["a: 4"], &["a: 25"]);
        check("A * (2 + 3)", &["a: 1"], &[], &["a: 5"]);
        check("-1 * A ^ 2", &["a: 3"], &[], &["a: -9"]);
        check("A % 500ms", &["a: 0.75"], &[], &["a: 0.25"]);
    }

    #[test]
    fn what_is_no_number_is_no_sample() {
        check("A / B", &["a: 0 1 -1"], &["a: 0 0 0"], &["a: _ inf -inf"]);
        check("A / B", &["a: 0"], &["a: 0"], &[]);
    }

    #[test]
    fn stages_follow() {
        check("A / B > 0.5 | topk(1)", &["a: 3 1", "b: 2 4"], &["a: 4 4", "b: 4 4"], &["a: 0.75 _", "b: _ 1"]);
        check("(A > 1) + 1", &["a: 1 2"], &[], &["a: _ 3"]);
    }
}
