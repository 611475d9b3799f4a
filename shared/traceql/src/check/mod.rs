//! From what was written to what it means: types, limits, and everything else that can be refused without data.

mod field;
mod metrics;
mod size;
mod types;

use crate::{
    ast::{
        Aggregate, Element, FieldExpr, Measure, MetricsFunction, MetricsQuery, Pipeline, Query, ScalarFilter,
        SeriesExpr, SpansetExpr,
    },
    check::{
        field::{condition, expression, mentions_field},
        types::Type,
    },
    error::{ErrorKind, Position, QueryError, quote},
    syntax::{self, Logic, Scalar, SeriesKind, SpansetKind},
};

pub(crate) use size::{metrics_size, size};

type Result<T> = std::result::Result<T, QueryError>;

/// Checks a whole query.
pub(crate) fn query(written: syntax::Query) -> Result<Query> {
    Ok(Query {
        pipeline: pipeline(written.pipeline)?,
        metrics: written.metrics.map(metrics::metrics).transpose()?,
        hints: written.hints,
    })
}

/// Checks a whole query for series.
pub(crate) fn metrics_query(written: syntax::MetricsQuery) -> Result<MetricsQuery> {
    let alone = matches!(written.series.kind, SeriesKind::Measure(..));
    Ok(MetricsQuery { series: series(written.series, alone)?, hints: written.hints })
}

fn series(written: syntax::Series, alone: bool) -> Result<SeriesExpr> {
    Ok(match written.kind {
        SeriesKind::Measure(elements, stage) => {
            let pipeline = pipeline(elements)?;
            let Some(stage) = stage else {
                let message = "not a metrics query: it needs a function such as `| rate()` at its end";
                return Err(QueryError::new(ErrorKind::NoMetrics, Some(written.at), message));
            };
            let metrics = metrics::metrics(stage)?;
            if !alone && matches!(metrics.function, MetricsFunction::Compare { .. }) {
                let message = "`compare` can't be reckoned with, since its series belong together: ask for it alone";
                return Err(QueryError::invalid(written.at, message));
            }
            SeriesExpr::Measure(Measure { pipeline, metrics })
        }
        SeriesKind::Number(number) => SeriesExpr::Number(number),
        SeriesKind::Arithmetic(op, lhs, rhs) => {
            SeriesExpr::Arithmetic { op, lhs: Box::new(series(*lhs, false)?), rhs: Box::new(series(*rhs, false)?) }
        }
        SeriesKind::Then(of, stages) => {
            metrics::check_limits(&stages, written.at)?;
            SeriesExpr::Then { of: Box::new(series(*of, false)?), stages }
        }
    })
}

fn pipeline(written: Vec<syntax::Element>) -> Result<Pipeline> {
    let mut elements = Vec::new();
    for element in written {
        match element {
            // Parentheses around a part of a pipeline, no operand of anything: they change nothing.
            syntax::Element::Spanset(syntax::Spanset { kind: SpansetKind::Pipeline(inner), .. }) => {
                elements.extend(pipeline(inner)?.elements);
            }
            syntax::Element::Spanset(written) => elements.push(Element::Spanset(spanset(written)?)),
            syntax::Element::Scalar(written) => elements.push(Element::Scalar(scalar_filter(written)?)),
            syntax::Element::By(written) => elements.push(Element::By(grouping(written)?)),
            syntax::Element::Coalesce => elements.push(Element::Coalesce),
            syntax::Element::Select(fields) => elements.push(Element::Select(fields)),
        }
    }
    Ok(Pipeline { elements })
}

fn spanset(written: syntax::Spanset) -> Result<SpansetExpr> {
    match written.kind {
        SpansetKind::Filter(expr) => Ok(SpansetExpr::Filter(condition(expr)?)),
        SpansetKind::Pipeline(elements) => {
            let mut inner = pipeline(elements)?;
            match (inner.elements.pop(), inner.elements.is_empty()) {
                (Some(Element::Spanset(only)), true) => Ok(only),
                (last, _) => {
                    inner.elements.extend(last);
                    Ok(SpansetExpr::Pipeline(inner))
                }
            }
        }
        SpansetKind::Logic(op, operands) => {
            let operands = operands.into_iter().map(spanset).collect::<Result<_>>()?;
            Ok(match op {
                Logic::And => SpansetExpr::And(operands),
                Logic::Or => SpansetExpr::Or(operands),
            })
        }
        SpansetKind::Structural(op, lhs, rhs) => {
            Ok(SpansetExpr::Structural { op, lhs: Box::new(spanset(*lhs)?), rhs: Box::new(spanset(*rhs)?) })
        }
    }
}

fn grouping(written: syntax::Expr) -> Result<FieldExpr> {
    let at = written.at;
    let key = expression(written)?;
    if !mentions_field(&key) {
        let message = format!("{} is the same for every span: group by an attribute or intrinsic", quote(&key));
        return Err(QueryError::invalid(at, message));
    }
    Ok(key)
}

fn scalar_filter(written: syntax::ScalarFilter) -> Result<ScalarFilter> {
    let syntax::ScalarFilter { lhs, op, rhs, at, text } = written;
    match (aggregate(lhs)?, rhs) {
        (Some(aggregate), Scalar::Literal(value)) => Ok(ScalarFilter { aggregate, op, value }),
        _ => Err(QueryError::unsupported(
            at,
            format!(
                "the filter {} is not yet supported: compare one aggregate with one constant on its right, as in \
                 `count() > 2`",
                quote(&text),
            ),
        )),
    }
}

/// The aggregate, unless the scalar is none.
fn aggregate(written: Scalar) -> Result<Option<Aggregate>> {
    match written {
        Scalar::Count => Ok(Some(Aggregate::Count)),
        Scalar::Aggregate(function, argument) => {
            let at = argument.at;
            let argument = expression(argument)?;
            let type_of_argument = Type::of(&argument);
            let numeric = type_of_argument.is_numeric() || type_of_argument == Type::Unknown;
            let constant = !mentions_field(&argument);
            let aggregate = function(argument);
            if !numeric {
                return Err(not_numeric(at, &aggregate, type_of_argument));
            }
            if constant {
                let message = format!("{} has nothing to do with spans: aggregate an attribute", quote(&aggregate));
                return Err(QueryError::invalid(at, message));
            }
            Ok(Some(aggregate))
        }
        Scalar::Literal(_) | Scalar::Unsupported => Ok(None),
    }
}

fn not_numeric(at: Position, aggregate: &Aggregate, found: Type) -> QueryError {
    let message = format!("{} needs numbers, but is given {found}: aggregate a number or duration", quote(aggregate));
    QueryError::invalid(at, message)
}
