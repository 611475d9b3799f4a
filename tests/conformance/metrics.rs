//! Recorded series, compared as `check.py` compares them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{list, sorted};
use crate::harness::Case;

/// Quantiles pass within this factor: those of Tempo come from buckets of powers of two.
const QUANTILE_FACTOR: f64 = 2.0001;

/// Attributes with values that Tempo's `compare` shows as `nil`: arrays.
const ARRAYS: [&str; 5] = ["span.tags", "span.numbers", "span.ratios", "span.flags", "span.nested"];

/// Samples by labels: a time and a value each, or the one value of an instant.
type Series = BTreeMap<String, Vec<(i64, f64)>>;

/// Says how an answer differs from the recorded one, if it does.
pub(super) fn difference(case: &Case, body: &Value) -> Option<String> {
    let query = case.0["params"]["q"].as_str().unwrap_or_default();
    let (mut recorded, mut ours) = (recorded(&case.0["answer"]), series(body));
    if case.text("category") == "metrics_compare" {
        let limit = query.rsplit_once("}, ").and_then(|(_, end)| end.trim_end_matches(')').parse().ok());
        let cut: BTreeSet<String> =
            [&recorded, &ours].into_iter().flat_map(|s| at_limit(s, limit.unwrap_or(10))).collect();
        for series in [&mut recorded, &mut ours] {
            series.retain(|labels, _| compared(labels).is_some_and(|(_, name)| !cut.contains(&name)));
        }
    }
    if recorded.keys().ne(ours.keys()) {
        let only = |a: &Series, b: &Series| a.keys().find(|labels| !b.contains_key(*labels)).cloned();
        return Some(format!("only recorded: {:?}, only here: {:?}", only(&recorded, &ours), only(&ours, &recorded)));
    }
    let factor = query.contains("quantile_over_time").then_some(QUANTILE_FACTOR);
    recorded.iter().find_map(|(labels, samples)| {
        let close =
            |((time, a), (other_time, b)): (&(i64, f64), &(i64, f64))| time == other_time && close(*a, *b, factor);
        let ours = &ours[labels];
        let same = samples.len() == ours.len() && samples.iter().zip(ours).all(close);
        (!same).then(|| format!("{labels}: {samples:?} recorded, {ours:?} here"))
    })
}

fn close(a: f64, b: f64, factor: Option<f64>) -> bool {
    match factor {
        Some(factor) if a > 0.0 && b > 0.0 => a / b <= factor && b / a <= factor,
        _ => (a - b).abs() <= (1e-6 * a.abs().max(b.abs())).max(1e-9),
    }
}

/// A server's series.
fn series(body: &Value) -> Series {
    let number = |value: &Value| value.as_f64().unwrap_or_default();
    let time = |sample: &Value| sample["timestampMs"].as_str().and_then(|text| text.parse().ok()).unwrap_or_default();
    let of = |series: &Value| {
        let labels = list(&series["labels"]).iter().map(|label| json!([label["key"], label["value"]]));
        let samples = match &series["samples"] {
            Value::Array(samples) => samples.iter().map(|sample| (time(sample), number(&sample["value"]))).collect(),
            _ => vec![(0, number(&series["value"]))],
        };
        (sorted(&labels.collect()).to_string(), samples)
    };
    list(&body["series"]).iter().map(of).collect()
}

/// The series that were recorded.
fn recorded(answer: &Value) -> Series {
    let sample = |sample: &Value| match sample {
        Value::Array(pair) => (pair[0].as_i64().unwrap_or_default(), pair[1].as_f64().unwrap_or_default()),
        value => (0, value.as_f64().unwrap_or_default()),
    };
    let of =
        |series: &Value| (sorted(&series["labels"]).to_string(), list(&series["samples"]).iter().map(sample).collect());
    list(answer).iter().map(of).collect()
}

/// The side and the attribute of a comparison's series, unless it is a total or has no value.
fn compared(labels: &str) -> Option<(String, String)> {
    let labels: Value = serde_json::from_str(labels).unwrap_or_default();
    let side = list(&labels).iter().find(|label| label[0] == "__meta_type")?;
    let side = side[1]["stringValue"].as_str().filter(|side| ["baseline", "selection"].contains(side))?;
    let attribute = list(&labels).iter().find(|label| label[0].as_str().is_some_and(|key| !key.starts_with("__")))?;
    let name = attribute[0].as_str().filter(|name| attribute[1]["stringValue"] != "nil" && !ARRAYS.contains(name))?;
    Some((side.to_owned(), name.to_owned()))
}

/// Attributes of which as many values are shown as may be: which of more these are is not told.
fn at_limit(series: &Series, limit: usize) -> Vec<String> {
    let mut values: BTreeMap<(String, String), usize> = BTreeMap::new();
    series.keys().filter_map(|labels| compared(labels)).for_each(|of| *values.entry(of).or_default() += 1);
    values.into_iter().filter(|(_, values)| *values >= limit).map(|((_, name), _)| name).collect()
}
