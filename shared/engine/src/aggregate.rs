//! Numbers computed over a spanset.

use std::cmp::Ordering;

use crate::{
    compile::{AggregateFunction, Expr},
    evaluate::Evaluator,
    value::{Number, Static, compare_numbers},
};

/// The aggregate over the spans that have a number; none if it needs one and no span has.
pub(crate) fn aggregate(
    evaluator: &Evaluator<'_, '_>,
    function: &AggregateFunction,
    spans: &[usize],
) -> Option<Static<'static>> {
    let numbers = |expr: &Expr| {
        let values = spans.iter().filter_map(|span| evaluator.value(expr, *span).number());
        values.collect::<Vec<Number>>()
    };
    match function {
        AggregateFunction::Count => Some(Static::Int(spans.len() as i64)),
        AggregateFunction::Min(expr) => extreme(&numbers(expr), Ordering::Less),
        AggregateFunction::Max(expr) => extreme(&numbers(expr), Ordering::Greater),
        AggregateFunction::Sum(expr) => sum(&numbers(expr)).map(Static::from),
        AggregateFunction::Avg(expr) => {
            let numbers = numbers(expr);
            sum(&numbers).map(|sum| match sum {
                Number::Duration(nanos) => Static::Duration(nanos / numbers.len() as i64),
                sum => Static::Float(sum.as_f64() / numbers.len() as f64),
            })
        }
    }
}

fn extreme(numbers: &[Number], wanted: Ordering) -> Option<Static<'static>> {
    let better = |best: Number, next: Number| if compare_numbers(next, best) == Some(wanted) { next } else { best };
    let comparable = numbers.iter().copied().filter(|number| !number.as_f64().is_nan());
    comparable.reduce(better).map(Static::from)
}

/// The sum: an integer of integers, a duration of durations, a double of anything else or what is too large for them.
fn sum(numbers: &[Number]) -> Option<Number> {
    let whole =
        |of: fn(&Number) -> Option<i64>| numbers.iter().map(of).try_fold(0i64, |sum, number| sum.checked_add(number?));
    if numbers.is_empty() {
        return None;
    }
    let ints = whole(|number| if let Number::Int(number) = number { Some(*number) } else { None });
    let durations = whole(|number| if let Number::Duration(nanos) = number { Some(*nanos) } else { None });
    Some(match (ints, durations) {
        (Some(sum), _) => Number::Int(sum),
        (_, Some(sum)) => Number::Duration(sum),
        _ => Number::Float(float_sum(numbers)),
    })
}

/// The smallest first: it loses least, and doesn't depend on the order of the spans.
fn float_sum(numbers: &[Number]) -> f64 {
    let mut numbers: Vec<f64> = numbers.iter().map(|number| number.as_f64()).collect();
    numbers.sort_by(f64::total_cmp);
    numbers.into_iter().sum()
}
