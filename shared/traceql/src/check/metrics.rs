//! The metrics stage.

use super::{Result, field::condition};
use crate::{
    ast::{FieldExpr, Metrics, MetricsFunction, SeriesStage},
    error::{Position, QueryError, quote},
    syntax::{self, Function},
};

/// How many values of an attribute `compare` shows unless it is told.
const DEFAULT_TOP: u32 = 10;

pub(super) fn metrics(written: syntax::Metrics) -> Result<Metrics> {
    let syntax::Metrics { function, by, then, at } = written;
    let function = match function {
        Function::OfSpans(function) => function,
        Function::Compare(selection, numbers) => compare(condition(selection)?, &numbers, at)?,
    };
    check_quantiles(&function, at)?;
    let metrics = Metrics { function, by, then };
    check_grouping(&metrics, at)?;
    check_stages(&metrics, at)?;
    Ok(metrics)
}

fn compare(selection: FieldExpr, numbers: &[i64], at: Position) -> Result<MetricsFunction> {
    let invalid = |message: String| Err(QueryError::invalid(at, message));
    let (top, window) = match *numbers {
        [] => (i64::from(DEFAULT_TOP), None),
        [top] => (top, None),
        [top, start, end] => (top, Some((start, end))),
        _ => {
            return invalid(format!(
                "`compare({{ {selection} }}, …)` takes how many values to show, and then both a start and an end in \
                 nanoseconds, but is given {} numbers",
                numbers.len(),
            ));
        }
    };
    if top <= 0 {
        return invalid(format!("`compare` can't show {top} values of an attribute: ask for one at least"));
    }
    if let Some((start, end)) = window
        && (start <= 0 || end <= start)
    {
        return invalid(format!(
            "`compare` can't select spans from {start} to {end}: the start has to be positive, the end after it"
        ));
    }
    let top = u32::try_from(top).unwrap_or(u32::MAX);
    Ok(MetricsFunction::Compare { selection, top, window })
}

fn check_quantiles(function: &MetricsFunction, at: Position) -> Result<()> {
    let MetricsFunction::QuantileOverTime(_, quantiles) = function else { return Ok(()) };
    if quantiles.iter().all(|quantile| (0.0..=1.0).contains(quantile)) {
        return Ok(());
    }
    let message = format!("{} asks for a quantile outside of 0 to 1: write `0.9` for 90 percent", quote(function));
    Err(QueryError::invalid(at, message))
}

/// The label that a function adds by itself takes one key's place.
fn check_grouping(metrics: &Metrics, at: Position) -> Result<()> {
    let most = match metrics.function {
        MetricsFunction::AvgOverTime(_)
        | MetricsFunction::QuantileOverTime(..)
        | MetricsFunction::HistogramOverTime(_) => 4,
        _ => 5,
    };
    if metrics.by.len() <= most {
        return Ok(());
    }
    let message = format!(
        "grouping {} by {} keys is not yet supported: use {most} at most",
        quote(&metrics.function),
        metrics.by.len(),
    );
    Err(QueryError::unsupported(at, message))
}

fn check_stages(metrics: &Metrics, at: Position) -> Result<()> {
    if let Some(stage) = metrics.then.first()
        && let MetricsFunction::Compare { .. } = metrics.function
    {
        let message = format!("{} can't follow `compare`, whose series belong together: leave it out", quote(stage));
        return Err(QueryError::invalid(at, message));
    }
    check_limits(&metrics.then, at)
}

pub(super) fn check_limits(stages: &[SeriesStage], at: Position) -> Result<()> {
    for stage in stages {
        if let SeriesStage::TopK(0) | SeriesStage::BottomK(0) = stage {
            let message = format!("{} leaves no series: ask for one at least", quote(stage));
            return Err(QueryError::invalid(at, message));
        }
    }
    Ok(())
}
