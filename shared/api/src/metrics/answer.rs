use niente_engine::{Exemplar, MetricsAnswer, MetricsQuestion, Series, Shown};
use niente_model::{Value, value_to_json};
use serde::{Serialize, Serializer};

use crate::{
    inspection::{Inspection, Partial},
    json::{as_double, as_text, is_default, to_body},
};

/// The body of a range query's answer.
///
/// Grafana refuses unknown fields of instant queries' answers alone, but what one may say the other may, too.
pub(crate) fn range(question: &MetricsQuestion, answer: &MetricsAnswer) -> Vec<u8> {
    let ends: Vec<i64> = question.intervals.ends().collect();
    let series = answer.series.iter().map(|series| RangeSeries {
        labels: labels(&series.labels),
        samples: samples(series, &ends),
        exemplars: series.exemplars.iter().map(RangeExemplar::from).collect(),
    });
    to_body(&Answer::new(series.collect(), answer))
}

/// The body of an instant query's answer: the last sample of each series.
pub(crate) fn instant(answer: &MetricsAnswer) -> Vec<u8> {
    let series = answer.series.iter().filter_map(|series| {
        let value = (*series.samples.last()?)?;
        Some(InstantSeries { labels: labels(&series.labels), value })
    });
    to_body(&Answer::new(series.collect(), answer))
}

#[derive(Serialize)]
struct Answer<S> {
    series: Vec<S>,
    metrics: Inspection,
    #[serde(flatten)]
    partial: Partial,
}

#[derive(Serialize)]
struct RangeSeries<'a> {
    labels: Vec<Label<'a>>,
    samples: Vec<Sample>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exemplars: Vec<RangeExemplar<'a>>,
}

#[derive(Serialize)]
struct InstantSeries<'a> {
    labels: Vec<Label<'a>>,
    #[serde(serialize_with = "as_double", skip_serializing_if = "is_default")]
    value: f64,
}

#[derive(Serialize)]
struct Label<'a> {
    key: &'a str,
    value: LabelValue<'a>,
}

/// One of OTLP's `AnyValue`s. Unlike attributes of spans, labels keep their types whatever stands beside them.
#[derive(Serialize)]
enum LabelValue<'a> {
    #[serde(rename = "stringValue")]
    Str(&'a str),
    #[serde(rename = "stringValue")]
    Text(String),
    #[serde(rename = "boolValue")]
    Bool(bool),
    #[serde(rename = "intValue", serialize_with = "as_text")]
    Int(i64),
    #[serde(rename = "doubleValue", serialize_with = "as_double")]
    Float(f64),
    #[serde(rename = "arrayValue", serialize_with = "as_array")]
    Array(&'a [Value]),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sample {
    #[serde(serialize_with = "as_text")]
    timestamp_ms: i64,
    #[serde(serialize_with = "as_double", skip_serializing_if = "is_default")]
    value: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RangeExemplar<'a> {
    labels: Vec<Label<'a>>,
    #[serde(serialize_with = "as_double", skip_serializing_if = "is_default")]
    value: f64,
    #[serde(serialize_with = "as_text")]
    timestamp_ms: u64,
}

impl<S> Answer<S> {
    fn new(series: Vec<S>, answer: &MetricsAnswer) -> Self {
        let metrics = Inspection::of_spans(answer.inspected);
        Self { series, metrics, partial: Partial::of(answer.left_out.clone()) }
    }
}

impl<'a> From<&'a Exemplar> for RangeExemplar<'a> {
    fn from(exemplar: &'a Exemplar) -> Self {
        let timestamp_ms = exemplar.start.get() / 1_000_000;
        Self { labels: labels(&exemplar.labels), value: exemplar.value, timestamp_ms }
    }
}

fn samples(series: &Series, ends: &[i64]) -> Vec<Sample> {
    let samples = series.samples.iter().zip(ends);
    samples.filter_map(|(value, end)| Some(Sample { timestamp_ms: *end, value: (*value)? })).collect()
}

fn labels(labels: &[(String, Shown)]) -> Vec<Label<'_>> {
    labels.iter().map(|(key, value)| Label { key, value: label_value(value) }).collect()
}

fn label_value(value: &Shown) -> LabelValue<'_> {
    match value {
        Shown::Str(text) => LabelValue::Str(text),
        Shown::Int(number) => LabelValue::Int(*number),
        Shown::Float(number) => LabelValue::Float(*number),
        Shown::Bool(truth) => LabelValue::Bool(*truth),
        Shown::Array(values) => LabelValue::Array(values),
        Shown::Nil | Shown::Duration(_) | Shown::Status(_) | Shown::Kind(_) => LabelValue::Text(value.to_string()),
    }
}

fn as_array<S: Serializer>(values: &&[Value], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Array {
        values: Vec<serde_json::Value>,
    }

    Array { values: values.iter().map(value_to_json).collect() }.serialize(serializer)
}
