//! A metrics query, made ready to be run over traces.

use niente_block::{Error, Projection, ValueType};
use niente_model::TimeRange;
use niente_traceql::{Measure, MetricsFunction, MetricsQuery};

use super::{
    Intervals,
    accumulated::{Accumulated, Accumulator},
    comparison::Comparison,
    exemplars::{Candidate, SLOTS_ALONE, SLOTS_GROUPED, Standing},
    table,
};
use crate::{
    Inspected,
    assemble::Assembly,
    compile::{Access, Common, Compiler, Stage},
    evaluate::Evaluator,
    show::{of_type, well_known},
    value::{Number, Static},
};

/// What the spans of traces are measured by.
pub(crate) struct Measuring {
    intervals: Intervals,
    exemplars: bool,
    projection: Projection,
    common: Common,
    measures: Vec<Compiled>,
}

struct Compiled {
    stages: Vec<Stage>,
    by: Vec<Key>,
    what: What,
    /// What is said of exemplars.
    fields: Vec<Access>,
    slots: usize,
}

/// What spans are grouped by.
struct Key {
    access: Access,
    well_known: Option<ValueType>,
}

/// What is measured of a span.
enum What {
    /// That it is there.
    Span,
    /// A number.
    Number(Access),
    /// The magnitude of a number, which makes a series of its own.
    Magnitude(Access),
    /// Everything that it has, on one of two sides.
    Comparison(Box<Comparison>),
}

impl Measuring {
    pub(crate) fn new(query: &MetricsQuery, intervals: Intervals, exemplars: bool) -> Self {
        let mut compiler = Compiler::new();
        let measures = query.measures().into_iter().map(|measure| Compiled::new(measure, exemplars, &mut compiler));
        let measures = measures.collect();
        let Compiler { projection, common } = compiler;
        Self { intervals, exemplars, projection, common, measures }
    }

    /// The columns that it reads.
    pub(crate) fn projection(&self) -> &Projection {
        &self.projection
    }

    /// Takes in all traces, and says how many were looked at.
    pub(crate) fn measure(&self, assembly: &Assembly, into: &mut Accumulated) -> Result<Inspected, Error> {
        let range = self.intervals.range();
        let mut inspected = Inspected { spans: assembly.rows() as u64, ..Inspected::default() };
        for trace in assembly.traces() {
            inspected.traces += 1;
            if !TimeRange::lasting(trace.start(), trace.duration()).overlaps(range) {
                continue;
            }
            let evaluator = Evaluator { trace: &trace, common: self.common };
            for (measure, into) in self.measures.iter().zip(into.measures()) {
                for set in evaluator.pipeline(&measure.stages) {
                    for span in set.spans {
                        let start = trace.spans()[span].start();
                        if let Some(interval) = self.intervals.of(start) {
                            self.take(measure, &evaluator, span, interval, into)?;
                        }
                    }
                }
            }
        }
        Ok(inspected)
    }

    fn take(
        &self,
        measure: &Compiled,
        evaluator: &Evaluator<'_, '_>,
        span: usize,
        interval: usize,
        into: &mut Accumulator,
    ) -> Result<(), Error> {
        let number = |access: &Access| evaluator.field_value(access, span).number().filter(|n| n.as_f64().is_finite());
        let measured = match &measure.what {
            What::Span => Some((Number::Int(1), None)),
            What::Number(access) => number(access).map(|number| (number, None)),
            What::Magnitude(access) => {
                number(access).and_then(|number| Some((number, Some(Static::Float(magnitude(number)?)))))
            }
            What::Comparison(comparison) => return comparison.count(evaluator, span, interval, into.tally()),
        };
        let Some((number, bucket)) = measured else { return Ok(()) };
        let group = measure.by.iter().map(|key| of_type(key.well_known, evaluator.field_value(&key.access, span)));
        let group: Vec<Static<'_>> = group.chain(bucket).collect();
        let table = into.table();
        table::encode(&group, &mut table.bytes);
        let row = table.row(|| group.iter().map(Static::shown).collect());
        row.cells.add(interval, number);
        if self.exemplars {
            let at = evaluator.trace.spans()[span];
            let value = if let What::Span = measure.what { at.duration().as_i64() as f64 } else { number.as_f64() };
            let span_id = at.batch.span_id(at.row)?;
            let standing = Standing { value, trace_id: evaluator.trace.id, span_id, start: at.start() };
            row.exemplars.offer(self.intervals.slot(at.start(), measure.slots), standing, || Candidate {
                standing,
                fields: measure.fields.iter().map(|access| evaluator.field_value(access, span).shown()).collect(),
            });
        }
        Ok(())
    }
}

impl Compiled {
    fn new(measure: &Measure, exemplars: bool, compiler: &mut Compiler) -> Self {
        let metrics = &measure.metrics;
        let stages = compiler.pipeline(&measure.pipeline);
        let what = match &metrics.function {
            MetricsFunction::Rate | MetricsFunction::CountOverTime => What::Span,
            MetricsFunction::MinOverTime(field)
            | MetricsFunction::MaxOverTime(field)
            | MetricsFunction::AvgOverTime(field)
            | MetricsFunction::SumOverTime(field)
            | MetricsFunction::QuantileOverTime(field, _) => What::Number(compiler.access(field)),
            MetricsFunction::HistogramOverTime(field) => What::Magnitude(compiler.access(field)),
            MetricsFunction::Compare { selection, window, .. } => {
                What::Comparison(Box::new(Comparison::new(selection, *window, compiler)))
            }
        };
        let by = metrics.by.iter().map(|field| Key { access: compiler.access(field), well_known: well_known(field) });
        let by = by.collect();
        let fields = if exemplars { measure.fields() } else { Vec::new() };
        let fields = fields.into_iter().map(|field| compiler.access(field)).collect();
        let is_alone = metrics.by.is_empty() && !matches!(what, What::Magnitude(_));
        Self { stages, by, what, fields, slots: if is_alone { SLOTS_ALONE } else { SLOTS_GROUPED } }
    }
}

/// The least power of two that is not less than the number. What is not positive has none; of integers, and so of
/// nanoseconds, nor has 1, as in Tempo.
fn magnitude(number: Number) -> Option<f64> {
    const MANTISSA: u64 = (1 << 52) - 1;
    match number {
        Number::Int(number) | Number::Duration(number) => {
            let number = u64::try_from(number).ok().filter(|number| *number > 1)?;
            Some(number.next_power_of_two() as f64)
        }
        Number::Float(number) if number <= 0.0 => None,
        Number::Float(number) if number.to_bits() & MANTISSA == 0 => Some(number),
        Number::Float(number) => Some(f64::from_bits((number.to_bits() & !MANTISSA) + MANTISSA + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magnitudes_are_powers_of_two() {
        for (number, expected) in [
            (Number::Int(-5), None),
            (Number::Int(0), None),
            (Number::Int(1), None),
            (Number::Int(2), Some(2.0)),
            (Number::Int(3), Some(4.0)),
            (Number::Duration(16), Some(16.0)),
            (Number::Duration(17), Some(32.0)),
            (Number::Duration(i64::MAX), Some(2_f64.powi(63))),
            (Number::Float(-0.1), None),
            (Number::Float(0.0), None),
            (Number::Float(0.3), Some(0.5)),
            (Number::Float(0.5), Some(0.5)),
            (Number::Float(1.0001), Some(2.0)),
            (Number::Float(1e300), Some(2_f64.powi(997))),
        ] {
            assert_eq!(magnitude(number), expected, "{number:?}");
        }
    }
}
