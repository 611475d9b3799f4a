//! Trees as the parser makes them: constants are computed, chains are flat, types fit.

use niente_traceql::{
    Aggregate, Arithmetic, AttributeScope, Comparison, Element, Field, FieldExpr, Intrinsic, Kind, Literal, Metrics,
    MetricsFunction, Pattern, Pipeline, Query, Relation, ScalarFilter, SeriesStage, SpansetExpr, Status,
    StructuralForm, StructuralOp,
};
use proptest::{collection::vec, option, prelude::*, sample::select};

/// Attributes with any name, and intrinsics.
pub(crate) fn fields() -> impl Strategy<Value = Field> {
    prop_oneof![4 => attribute_fields(), 1 => intrinsics().prop_map(Field::Intrinsic)]
}

fn attribute_fields() -> impl Strategy<Value = Field> {
    use AttributeScope::*;
    let scopes = vec![Unscoped, Span, Resource, Event, Link, Instrumentation, Parent, ParentSpan, ParentResource];
    let names = prop_oneof![
        "[a-z.]{1,8}",
        "(?s).{1,8}",
        select(vec!["5xx", "span.x", "resource.", "span.", "a b", "\"", "\\", "//", "name", "é"])
            .prop_map(str::to_owned),
    ];
    (select(scopes), names).prop_map(|(scope, name)| Field::Attribute { scope, name })
}

fn intrinsics() -> impl Strategy<Value = Intrinsic> {
    use Intrinsic::*;
    select(vec![
        Name,
        Duration,
        Status,
        StatusMessage,
        Kind,
        SpanId,
        ParentId,
        ChildCount,
        TraceDuration,
        RootName,
        RootServiceName,
        TraceId,
        EventName,
        EventTimeSinceStart,
        LinkTraceId,
        LinkSpanId,
        InstrumentationName,
        InstrumentationVersion,
        NestedSetLeft,
        NestedSetRight,
        NestedSetParent,
    ])
}

/// Attributes, which have no type and go with everything.
fn attributes() -> impl Strategy<Value = FieldExpr> {
    attribute_fields().prop_map(FieldExpr::Field)
}

fn numbers() -> impl Strategy<Value = Literal> {
    prop_oneof![
        any::<i64>().prop_map(Literal::Int),
        (-9..9_i64).prop_map(Literal::Int),
        any::<f64>().prop_map(Literal::Float),
        // The least of all durations can't be written.
        any::<i64>().prop_map(|nanos| Literal::Duration(nanos.max(-i64::MAX))),
    ]
}

fn literals() -> impl Strategy<Value = Literal> {
    prop_oneof![
        3 => numbers(),
        2 => any::<String>().prop_map(Literal::Str),
        1 => "[`\"\\\\\n\0a]{0,5}".prop_map(Literal::Str),
        1 => any::<bool>().prop_map(Literal::Bool),
        1 => select(vec![Status::Unset, Status::Ok, Status::Error]).prop_map(Literal::Status),
        1 => select(vec![Kind::Unspecified, Kind::Internal, Kind::Server, Kind::Client, Kind::Producer, Kind::Consumer])
            .prop_map(Literal::Kind),
    ]
}

fn comparisons() -> impl Strategy<Value = Comparison> {
    use Comparison::*;
    select(vec![Eq, Ne, Lt, Le, Gt, Ge])
}

/// Expressions that may be compared with any number and are no constants.
fn values() -> impl Strategy<Value = FieldExpr> {
    use Arithmetic::*;
    let leaf = prop_oneof![
        3 => attributes(),
        1 => Just(FieldExpr::Field(Field::Intrinsic(Intrinsic::Duration))),
    ];
    leaf.prop_recursive(3, 12, 2, |inner| {
        let op = select(vec![Add, Sub, Mul, Div, Mod, Pow]);
        let constant = numbers().prop_map(FieldExpr::Literal);
        let other = prop_oneof![inner.clone(), constant];
        prop_oneof![
            inner.clone().prop_map(|operand| FieldExpr::Negate(Box::new(operand))),
            (op, inner, other, any::<bool>()).prop_map(|(op, lhs, rhs, swap)| {
                let (lhs, rhs) = if swap { (rhs, lhs) } else { (lhs, rhs) };
                FieldExpr::Arithmetic { op, lhs: Box::new(lhs), rhs: Box::new(rhs) }
            }),
        ]
    })
}

/// Conditions that are no constants.
fn conditions() -> impl Strategy<Value = FieldExpr> {
    let compare = |op, lhs, rhs| FieldExpr::Compare { op, lhs: Box::new(lhs), rhs: Box::new(rhs) };
    let patterns = select(vec!["", "a.*", "x|y", "`\\d`", "[\"\\\\]"]);
    let leaf = prop_oneof![
        attributes(),
        (values(), comparisons(), values()).prop_map(move |(lhs, op, rhs)| compare(op, lhs, rhs)),
        (values(), comparisons(), numbers(), any::<bool>()).prop_map(move |(value, op, number, swap)| {
            let number = FieldExpr::Literal(number);
            if swap { compare(op, number, value) } else { compare(op, value, number) }
        }),
        (attributes(), any::<bool>(), literals()).prop_map(move |(field, negated, literal)| {
            let op = if negated { Comparison::Ne } else { Comparison::Eq };
            compare(op, field, FieldExpr::Literal(literal))
        }),
        (attributes(), any::<bool>(), patterns).prop_map(|(operand, negated, source)| FieldExpr::Match {
            negated,
            operand: Box::new(operand),
            pattern: Pattern::new(source).expect("RE2 knows it"),
        }),
        (values(), any::<bool>()).prop_map(|(operand, negated)| match operand {
            FieldExpr::Field(Field::Intrinsic(_)) => FieldExpr::Nil { negated: true, operand: Box::new(operand) },
            operand => FieldExpr::Nil { negated, operand: Box::new(operand) },
        }),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|operand| FieldExpr::Not(Box::new(operand))),
            (inner.clone(), vec(inner, 1..4), any::<bool>(), any::<bool>()).prop_map(|(first, rest, and, constant)| {
                let mut operands = Vec::new();
                for operand in std::iter::once(first).chain(rest) {
                    match operand {
                        FieldExpr::And(inner) if and => operands.extend(inner),
                        FieldExpr::Or(inner) if !and => operands.extend(inner),
                        other => operands.push(other),
                    }
                }
                if constant {
                    operands.push(FieldExpr::Literal(Literal::Bool(and)));
                }
                if and { FieldExpr::And(operands) } else { FieldExpr::Or(operands) }
            }),
        ]
    })
}

fn filters() -> impl Strategy<Value = SpansetExpr> {
    prop_oneof![
        5 => conditions(),
        1 => any::<bool>().prop_map(|constant| FieldExpr::Literal(Literal::Bool(constant))),
    ]
    .prop_map(SpansetExpr::Filter)
}

fn operators() -> impl Strategy<Value = StructuralOp> {
    use {Relation::*, StructuralForm::*};
    let relations = select(vec![Child, Parent, Descendant, Ancestor, Sibling]);
    (relations, select(vec![Plain, Negated, Union])).prop_map(|(relation, form)| StructuralOp { relation, form })
}

fn spansets() -> impl Strategy<Value = SpansetExpr> {
    filters().prop_recursive(3, 8, 3, |inner| {
        let joined = (inner.clone(), vec(inner.clone(), 1..3), any::<bool>()).prop_map(|(first, rest, and)| {
            let mut operands = Vec::new();
            for operand in std::iter::once(first).chain(rest) {
                match operand {
                    SpansetExpr::And(inner) if and => operands.extend(inner),
                    SpansetExpr::Or(inner) if !and => operands.extend(inner),
                    other => operands.push(other),
                }
            }
            if and { SpansetExpr::And(operands) } else { SpansetExpr::Or(operands) }
        });
        let related = |lhs: SpansetExpr, op, rhs: SpansetExpr| SpansetExpr::Structural {
            op,
            lhs: Box::new(lhs),
            rhs: Box::new(rhs),
        };
        prop_oneof![
            joined,
            (inner.clone(), operators(), inner.clone()).prop_map(move |(lhs, op, rhs)| related(lhs, op, rhs)),
            (inner.clone(), vec(later_elements(inner.clone()), 1..3), operators(), inner, any::<bool>()).prop_map(
                move |(first, rest, op, other, swap)| {
                    let elements = std::iter::once(Element::Spanset(first)).chain(rest).collect();
                    let pipeline = SpansetExpr::Pipeline(Pipeline { elements });
                    if swap { related(pipeline, op, other) } else { related(other, op, pipeline) }
                }
            ),
        ]
    })
}

fn later_elements(spansets: impl Strategy<Value = SpansetExpr> + 'static) -> impl Strategy<Value = Element> {
    prop_oneof![
        spansets.prop_map(Element::Spanset),
        (aggregates(), comparisons(), numbers()).prop_map(|(aggregate, op, value)| Element::Scalar(ScalarFilter {
            aggregate,
            op,
            value
        })),
        prop_oneof![values(), conditions()].prop_map(Element::By),
        Just(Element::Coalesce),
        vec(fields(), 1..4).prop_map(Element::Select),
    ]
}

fn aggregates() -> impl Strategy<Value = Aggregate> {
    prop_oneof![
        Just(Aggregate::Count),
        values().prop_map(Aggregate::Min),
        values().prop_map(Aggregate::Max),
        values().prop_map(Aggregate::Avg),
        values().prop_map(Aggregate::Sum),
    ]
}

fn metrics() -> impl Strategy<Value = Metrics> {
    let functions = prop_oneof![
        Just(MetricsFunction::Rate),
        Just(MetricsFunction::CountOverTime),
        fields().prop_map(MetricsFunction::MinOverTime),
        fields().prop_map(MetricsFunction::MaxOverTime),
        fields().prop_map(MetricsFunction::AvgOverTime),
        fields().prop_map(MetricsFunction::SumOverTime),
        fields().prop_map(MetricsFunction::HistogramOverTime),
        (fields(), vec(0.0..=1.0_f64, 1..4)).prop_map(|(field, q)| MetricsFunction::QuantileOverTime(field, q)),
    ];
    let stages = prop_oneof![
        (1..=i64::MAX.unsigned_abs()).prop_map(SeriesStage::TopK),
        (1..9_u64).prop_map(SeriesStage::BottomK),
        (comparisons(), any::<f64>()).prop_map(|(op, value)| SeriesStage::Filter { op, value }),
    ];
    let comparing =
        (conditions(), 1..u32::MAX, option::of((1..100_i64, 1..100_i64))).prop_map(|(selection, top, window)| {
            let window = window.map(|(start, length)| (start, start + length));
            Metrics { function: MetricsFunction::Compare { selection, top, window }, by: Vec::new(), then: Vec::new() }
        });
    prop_oneof![
        4 => (functions, vec(fields(), 0..=4), vec(stages, 0..3))
            .prop_map(|(function, by, then)| Metrics { function, by, then }),
        1 => comparing,
    ]
}

/// Whole queries.
pub(crate) fn queries() -> impl Strategy<Value = Query> {
    // Hints have no sign, so of the negative integers only the one that is spelled as a word.
    let unsigned = literals().prop_map(|literal| match literal {
        Literal::Int(int) if int != i64::MIN => Literal::Int(int.wrapping_abs()),
        Literal::Float(float) => Literal::Float(float.abs()),
        Literal::Duration(nanos) => Literal::Duration(nanos.abs()),
        other => other,
    });
    let hints = vec(("x_[a-z0-9_]{0,5}", unsigned), 0..3);
    (spansets(), vec(later_elements(spansets()), 0..3), option::of(metrics()), hints).prop_map(
        |(first, rest, metrics, hints)| {
            let elements = std::iter::once(Element::Spanset(first)).chain(rest).collect();
            Query { pipeline: Pipeline { elements }, metrics, hints }
        },
    )
}
