//! Whether a measure is about spans alone, so that no more objects need to be read than those which hold its spans.

use niente_traceql::{
    Comparison, Element, Field, FieldExpr, Intrinsic, Literal, Measure, MetricsFunction, MetricsQuery, SpansetExpr,
};

use crate::compile::{against_literal, is_of_traces};

/// Whether each span can be measured without the others of its trace.
pub(crate) fn concerns_spans_alone(query: &MetricsQuery) -> bool {
    query.measures().into_iter().all(is_local)
}

fn is_local(measure: &Measure) -> bool {
    let function = match &measure.metrics.function {
        // It also counts by root and by number of children.
        MetricsFunction::Compare { .. } => return false,
        function => function,
    };
    let mut fields_are_local = true;
    function.visit_fields(&mut |field| fields_are_local &= !is_of_traces(field));
    measure.metrics.by.iter().for_each(|field| fields_are_local &= !is_of_traces(field));
    fields_are_local
        && measure.pipeline.elements.iter().all(|element| match element {
            Element::Spanset(selection) => is_local_selection(selection),
            // Spans are counted the same in whatever spanset they are.
            Element::By(_) | Element::Coalesce | Element::Select(_) => true,
            Element::Scalar(_) => false,
        })
}

fn is_local_selection(selection: &SpansetExpr) -> bool {
    match selection {
        SpansetExpr::Filter(condition) => is_local_condition(condition),
        SpansetExpr::Or(parts) => parts.iter().all(is_local_selection),
        SpansetExpr::And(_) | SpansetExpr::Structural { .. } | SpansetExpr::Pipeline(_) => false,
    }
}

fn is_local_condition(condition: &FieldExpr) -> bool {
    match condition {
        FieldExpr::Literal(_) => true,
        FieldExpr::Field(field) => !is_of_traces(field),
        FieldExpr::And(parts) | FieldExpr::Or(parts) => parts.iter().all(is_local_condition),
        FieldExpr::Not(operand)
        | FieldExpr::Negate(operand)
        | FieldExpr::Match { operand, .. }
        | FieldExpr::Nil { operand, .. } => is_local_condition(operand),
        FieldExpr::Compare { op, lhs, rhs } => {
            // The idiom for root spans, which are known by having no parent.
            let roots = (Comparison::Lt, &Field::Intrinsic(Intrinsic::NestedSetParent), &Literal::Int(0));
            against_literal(*op, lhs, rhs) == Some(roots) || (is_local_condition(lhs) && is_local_condition(rhs))
        }
        FieldExpr::Arithmetic { lhs, rhs, .. } => is_local_condition(lhs) && is_local_condition(rhs),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_the_trace_is_known() {
        for (query, local) in [
            ("{ } | rate()", true),
            ("{ status = error && .a > 3 } | { name =~ `x.*` } | rate() by (resource.service.name)", true),
            ("{ nestedSetParent < 0 } | rate()", true),
            ("{ 0 > nestedSetParent && kind = server } | rate()", true),
            ("{ nestedSetParent < 1 } | rate()", false),
            ("{ nestedSetParent = nestedSetLeft } | rate()", false),
            ("{ .a } || { .b } | rate()", true),
            ("{ } | by(.a) | rate()", true),
            ("{ .a } && { .b } | rate()", false),
            ("{ .a } >> { .b } | rate()", false),
            ("{ } | count() > 2 | rate()", false),
            ("{ parent.a = 1 } | rate()", false),
            ("{ traceDuration > 1s } | rate()", false),
            ("{ } | rate() by (rootName)", false),
            ("{ } | quantile_over_time(duration, .9)", true),
            ("{ } | quantile_over_time(traceDuration, .9)", false),
            ("{ } | compare({ status = error })", false),
            ("({ .a } | rate()) / ({ .b } | rate())", true),
            ("({ .a } | rate()) / ({ .a } >> { .b } | rate())", false),
        ] {
            assert_eq!(concerns_spans_alone(&niente_traceql::parse_metrics(query).unwrap()), local, "{query}");
        }
    }
}
