//! Which fields a query mentions.

use std::collections::HashSet;

use crate::ast::{
    Aggregate, Element, Field, FieldExpr, Literal, Measure, Metrics, MetricsFunction, MetricsQuery, Pipeline, Query,
    SeriesExpr, SpansetExpr,
};

impl Query {
    /// Every field that is mentioned anywhere, in order of first mention, each once.
    pub fn fields(&self) -> Vec<&Field> {
        distinct(|visit| self.visit_fields(visit))
    }

    /// Calls `visit` with every mention of a field, from left to right.
    pub fn visit_fields<'a>(&'a self, visit: &mut dyn FnMut(&'a Field)) {
        self.pipeline.visit_fields(visit);
        if let Some(metrics) = &self.metrics {
            metrics.visit_fields(visit);
        }
    }

    /// The value of a hint; where it was given twice in one `with(…)`, the last one.
    pub fn hint(&self, name: &str) -> Option<&Literal> {
        hint(&self.hints, name)
    }
}

impl MetricsQuery {
    /// What is measured, from left to right; at least one.
    pub fn measures(&self) -> Vec<&Measure> {
        let mut measures = Vec::new();
        self.series.visit_measures(&mut |measure| measures.push(measure));
        measures
    }

    /// Every field that is mentioned anywhere, in order of first mention, each once.
    pub fn fields(&self) -> Vec<&Field> {
        distinct(|visit| self.measures().into_iter().for_each(|measure| measure.visit_fields(visit)))
    }

    /// The value of a hint; where it was given twice in one `with(…)`, the last one.
    pub fn hint(&self, name: &str) -> Option<&Literal> {
        hint(&self.hints, name)
    }
}

impl SeriesExpr {
    fn visit_measures<'a>(&'a self, visit: &mut dyn FnMut(&'a Measure)) {
        match self {
            SeriesExpr::Measure(measure) => visit(measure),
            SeriesExpr::Number(_) => {}
            SeriesExpr::Arithmetic { lhs, rhs, .. } => {
                lhs.visit_measures(visit);
                rhs.visit_measures(visit);
            }
            SeriesExpr::Then { of, .. } => of.visit_measures(visit),
        }
    }
}

impl Measure {
    /// Every field that is mentioned, in order of first mention, each once.
    pub fn fields(&self) -> Vec<&Field> {
        distinct(|visit| self.visit_fields(visit))
    }

    /// Calls `visit` with every mention of a field, from left to right.
    pub fn visit_fields<'a>(&'a self, visit: &mut dyn FnMut(&'a Field)) {
        self.pipeline.visit_fields(visit);
        self.metrics.visit_fields(visit);
    }
}

fn hint<'a>(hints: &'a [(String, Literal)], name: &str) -> Option<&'a Literal> {
    hints.iter().rev().find(|(hint, _)| hint == name).map(|(_, value)| value)
}

fn distinct<'a>(visit_all: impl FnOnce(&mut dyn FnMut(&'a Field))) -> Vec<&'a Field> {
    let mut seen = HashSet::new();
    let mut fields = Vec::new();
    visit_all(&mut |field| {
        if seen.insert(field) {
            fields.push(field);
        }
    });
    fields
}

impl Pipeline {
    /// Calls `visit` with every mention of a field, from left to right.
    pub fn visit_fields<'a>(&'a self, visit: &mut dyn FnMut(&'a Field)) {
        for element in &self.elements {
            element.visit_fields(visit);
        }
    }
}

impl Element {
    /// Calls `visit` with every mention of a field, from left to right.
    pub fn visit_fields<'a>(&'a self, visit: &mut dyn FnMut(&'a Field)) {
        match self {
            Element::Spanset(spanset) => spanset.visit_fields(visit),
            Element::Scalar(filter) => filter.aggregate.visit_fields(visit),
            Element::By(key) => key.visit_fields(visit),
            Element::Coalesce => {}
            Element::Select(fields) => fields.iter().for_each(visit),
        }
    }
}

impl SpansetExpr {
    /// Calls `visit` with every mention of a field, from left to right.
    pub fn visit_fields<'a>(&'a self, visit: &mut dyn FnMut(&'a Field)) {
        match self {
            SpansetExpr::Filter(condition) => condition.visit_fields(visit),
            SpansetExpr::Pipeline(pipeline) => pipeline.visit_fields(visit),
            SpansetExpr::And(operands) | SpansetExpr::Or(operands) => {
                operands.iter().for_each(|operand| operand.visit_fields(visit));
            }
            SpansetExpr::Structural { lhs, rhs, .. } => {
                lhs.visit_fields(visit);
                rhs.visit_fields(visit);
            }
        }
    }
}

impl Aggregate {
    /// Calls `visit` with every mention of a field, from left to right.
    pub fn visit_fields<'a>(&'a self, visit: &mut dyn FnMut(&'a Field)) {
        match self {
            Aggregate::Count => {}
            Aggregate::Min(argument)
            | Aggregate::Max(argument)
            | Aggregate::Avg(argument)
            | Aggregate::Sum(argument) => {
                argument.visit_fields(visit);
            }
        }
    }
}

impl FieldExpr {
    /// Calls `visit` with every mention of a field, from left to right.
    pub fn visit_fields<'a>(&'a self, visit: &mut dyn FnMut(&'a Field)) {
        match self {
            FieldExpr::Literal(_) => {}
            FieldExpr::Field(field) => visit(field),
            FieldExpr::And(operands) | FieldExpr::Or(operands) => {
                operands.iter().for_each(|operand| operand.visit_fields(visit));
            }
            FieldExpr::Not(operand)
            | FieldExpr::Negate(operand)
            | FieldExpr::Match { operand, .. }
            | FieldExpr::Nil { operand, .. } => operand.visit_fields(visit),
            FieldExpr::Compare { lhs, rhs, .. } | FieldExpr::Arithmetic { lhs, rhs, .. } => {
                lhs.visit_fields(visit);
                rhs.visit_fields(visit);
            }
        }
    }
}

impl Metrics {
    /// Calls `visit` with every mention of a field, from left to right.
    pub fn visit_fields<'a>(&'a self, visit: &mut dyn FnMut(&'a Field)) {
        self.function.visit_fields(visit);
        self.by.iter().for_each(visit);
    }
}

impl MetricsFunction {
    /// Calls `visit` with every mention of a field, from left to right.
    pub fn visit_fields<'a>(&'a self, visit: &mut dyn FnMut(&'a Field)) {
        match self {
            MetricsFunction::Rate | MetricsFunction::CountOverTime => {}
            MetricsFunction::MinOverTime(field)
            | MetricsFunction::MaxOverTime(field)
            | MetricsFunction::AvgOverTime(field)
            | MetricsFunction::SumOverTime(field)
            | MetricsFunction::QuantileOverTime(field, _)
            | MetricsFunction::HistogramOverTime(field) => visit(field),
            MetricsFunction::Compare { selection, .. } => selection.visit_fields(visit),
        }
    }
}
