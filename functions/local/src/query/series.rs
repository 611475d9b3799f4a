//! Series as lines for people: a little picture of each, and its numbers.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::answer::Metrics;
use crate::{Failure, clock::Stopwatch, terminal, units};

/// A picture is so many characters wide.
const WIDTH: usize = 32;
/// From the least to the greatest.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The answer of `/api/metrics/query_range`, as far as a table tells it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Measured {
    series: Vec<Series>,
    metrics: Metrics,
    message: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Series {
    labels: Vec<Label>,
    samples: Vec<Sample>,
}

#[derive(Debug, Deserialize)]
struct Label {
    key: String,
    value: Value,
}

/// A sample; a value that isn't there is zero.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Sample {
    timestamp_ms: String,
    value: Value,
}

impl Measured {
    /// Reads the body of an answer.
    pub(super) fn read(body: &[u8]) -> Result<Self, Failure> {
        serde_json::from_slice(body)
            .map_err(|error| Failure::because("the answer is not one of Tempo's API; is the URL right?", &error))
    }

    /// A line for each series.
    pub(super) fn table(&self) -> String {
        // All pictures are of the same time.
        let times = || self.series.iter().flat_map(|series| series.samples.iter().map(Sample::time));
        let (Some(first), Some(last)) = (times().min(), times().max()) else { return String::new() };
        let row = |series: &Series| {
            let numbers = || series.samples.iter().map(Sample::number);
            let told = |number: Option<f64>| number.map(number_text).unwrap_or_default();
            [
                series.name(),
                picture(&series.samples, first, last),
                told(numbers().reduce(f64::min)),
                told(numbers().reduce(f64::max)),
                told(numbers().next_back()),
            ]
        };
        terminal::table(["SERIES", "OVER TIME", "LEAST>", "GREATEST>", "LAST>"], self.series.iter().map(row))
    }

    pub(super) fn summary(&self, since: Duration, watch: Stopwatch) -> String {
        // The word is its own plural.
        let series = units::count(self.series.len() as u64);
        let cut = self.message.as_ref().map(|message| format!("\n{message}")).unwrap_or_default();
        format!(
            "{series} series of the last {}; looked at {} in {}{cut}",
            humantime::format_duration(since),
            units::bytes(self.metrics.inspected_bytes),
            units::duration(watch.elapsed()),
        )
    }
}

impl Series {
    /// `a=b c=d`; the name of the function alone where that is all.
    fn name(&self) -> String {
        let text = |value: &Value| match value.as_object().and_then(|of| of.values().next()) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        match &self.labels[..] {
            [only] if only.key == "__name__" => text(&only.value),
            labels => {
                let pairs = labels.iter().map(|label| format!("{}={}", label.key, text(&label.value)));
                pairs.collect::<Vec<_>>().join(" ")
            }
        }
    }
}

impl Sample {
    fn time(&self) -> i64 {
        self.timestamp_ms.parse().unwrap_or_default()
    }

    fn number(&self) -> f64 {
        match &self.value {
            Value::Number(number) => number.as_f64().unwrap_or_default(),
            Value::String(text) => text.parse().unwrap_or_default(),
            _ => 0.0,
        }
    }
}

/// The mean of the samples in each part of the time, as bars from zero to the greatest.
fn picture(samples: &[Sample], first: i64, last: i64) -> String {
    let mut parts = [(0.0, 0_u32); WIDTH];
    for sample in samples.iter().filter(|sample| sample.number().is_finite()) {
        let part = ((sample.time() - first) as f64 / (last - first + 1) as f64 * WIDTH as f64) as usize;
        let (sum, count) = &mut parts[part.min(WIDTH - 1)];
        *sum += sample.number();
        *count += 1;
    }
    let means = parts.map(|(sum, count)| (count > 0).then(|| sum / f64::from(count)));
    let greatest = means.iter().flatten().fold(0.0, |greatest: f64, mean| greatest.max(*mean));
    let bar = |mean: Option<f64>| match mean {
        None => ' ',
        Some(mean) if greatest > 0.0 => {
            BARS[((mean.max(0.0) / greatest * BARS.len() as f64) as usize).min(BARS.len() - 1)]
        }
        Some(_) => BARS[0],
    };
    means.map(bar).iter().collect()
}

/// Four digits that count.
fn number_text(number: f64) -> String {
    let digits = if number == 0.0 || !number.is_finite() { 0 } else { number.abs().log10().floor() as i32 };
    let decimals = usize::try_from(3 - digits).unwrap_or(0).min(12);
    let text = format!("{number:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples a second apart; an empty one has no value.
    fn samples(values: &[&str]) -> String {
        let sample = |(at, value): (usize, &&str)| match *value {
            "" => format!(r#"{{"timestampMs": "{}"}}"#, at * 1_000),
            value => format!(r#"{{"timestampMs": "{}", "value": {value}}}"#, at * 1_000),
        };
        values.iter().enumerate().map(sample).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn series_are_lines() {
        let body = format!(
            r#"{{"series": [
                {{"labels": [{{"key": "__name__", "value": {{"stringValue": "rate"}}}}], "samples": [{}]}},
                {{"labels": [{{"key": "n", "value": {{"intValue": "7"}}}}, {{"key": "p", "value": {{"doubleValue": 0.9}}}}],
                  "samples": [{}]}}
            ], "metrics": {{"inspectedBytes": "5"}}}}"#,
            samples(&["", "1", "2", "1234567.8"]),
            samples(&["0.00012345", "\"Infinity\""]),
        );
        let expected = "\
SERIES     OVER TIME                             LEAST  GREATEST     LAST
rate       ▁         ▁          ▁         █          0   1234568  1234568
n=7 p=0.9  █                                 0.0001234       inf      inf
";
        let table = Measured::read(body.as_bytes()).unwrap().table();
        assert_eq!(table, expected, "{table}");
        assert_eq!(Measured::read(b"{}").unwrap().table(), "");
    }
}
