//! What makes a query too wide to be answered in bounded time and memory.

use crate::{
    MAX_FIELDS, MAX_STEPS,
    ast::{Element, Field, MetricsQuery, Pipeline, Query, SpansetExpr},
    error::{ErrorKind, QueryError},
};

pub(crate) fn size(query: &Query) -> Result<(), QueryError> {
    within_limits(&query.fields(), steps(&query.pipeline))
}

pub(crate) fn metrics_size(query: &MetricsQuery) -> Result<(), QueryError> {
    // A measure by itself is some work, too.
    let steps = query.measures().iter().map(|measure| 1 + steps(&measure.pipeline)).sum();
    within_limits(&query.fields(), steps)
}

fn within_limits(fields: &[&Field], steps: usize) -> Result<(), QueryError> {
    let refuse = |message: String| Err(QueryError::new(ErrorKind::Invalid, None, message));
    if fields.len() > MAX_FIELDS {
        return refuse(format!("the query mentions {} fields, at most {MAX_FIELDS} are allowed", fields.len()));
    }
    if steps > MAX_STEPS {
        return refuse(format!("the query has {steps} pipeline steps, at most {MAX_STEPS} are allowed"));
    }
    Ok(())
}

fn steps(pipeline: &Pipeline) -> usize {
    let within = |element: &Element| match element {
        Element::Spanset(spanset) => wrapped_steps(spanset),
        _ => 0,
    };
    pipeline.elements.len() + pipeline.elements.iter().map(within).sum::<usize>()
}

fn wrapped_steps(spanset: &SpansetExpr) -> usize {
    match spanset {
        SpansetExpr::Filter(_) => 0,
        SpansetExpr::Pipeline(pipeline) => steps(pipeline),
        SpansetExpr::And(parts) | SpansetExpr::Or(parts) => parts.iter().map(wrapped_steps).sum(),
        SpansetExpr::Structural { lhs, rhs, .. } => wrapped_steps(lhs) + wrapped_steps(rhs),
    }
}
