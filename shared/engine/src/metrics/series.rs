use niente_model::{Nanos, TraceId};

use super::labels::Labels;
use crate::Shown;

/// One series of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What tells it apart, in the order in which answers have it.
    pub labels: Vec<(String, Shown)>,
    /// The value of each interval; none where there is no sample.
    pub samples: Vec<Option<f64>>,
    /// Spans that stand for it, by start.
    pub exemplars: Vec<Exemplar>,
}

/// A span that stands for a series.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    /// Its trace.
    pub trace_id: TraceId,
    /// When it began.
    pub start: Nanos,
    /// The value that the function takes of it, or else the sample of its interval.
    pub value: f64,
    /// What the query speaks of.
    pub labels: Vec<(String, Shown)>,
    /// The interval that it lies in.
    pub(crate) interval: usize,
}

impl Series {
    /// A series without exemplars.
    pub(crate) fn new(labels: Labels, samples: Vec<Option<f64>>) -> Self {
        Self { labels, samples, exemplars: Vec::new() }
    }

    /// Whether there is anything to show.
    pub(crate) fn has_samples(&self) -> bool {
        self.samples.iter().any(Option::is_some)
    }

    /// Leaves out the exemplars of intervals that have no sample.
    pub(crate) fn drop_orphans(&mut self) {
        let samples = &self.samples;
        self.exemplars.retain(|exemplar| samples[exemplar.interval].is_some());
    }
}
