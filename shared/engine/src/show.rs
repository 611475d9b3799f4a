//! Which fields of the found spans an answer shows.

use niente_traceql::{
    Aggregate, Comparison, Element, Field, FieldExpr, Intrinsic, Pipeline, ScalarFilter, SpansetExpr,
};

use crate::{
    FoundSpan, Shown,
    compile::{Access, Compiler},
    evaluate::Evaluator,
    value::{Static, compare, matches},
};

/// A field that the query speaks of, and when its value is shown.
#[derive(Debug)]
struct ShownField {
    key: String,
    field: Field,
    access: Access,
    /// With conditions that compare it with a constant: only values that satisfy one of them. Without: always.
    conditions: Vec<Condition>,
}

/// What a field is compared with where it stands alone against a constant.
#[derive(Debug)]
enum Condition {
    Compare(Comparison, Static<'static>),
    Match { negated: bool, pattern: niente_traceql::Pattern },
    IsNil,
}

/// What an answer shows of each span beyond its place and time.
#[derive(Debug)]
pub(crate) struct Show {
    name: Option<ShownField>,
    fields: Vec<ShownField>,
}

/// Fields with a place of their own in an answer, or left out of it.
const ELSEWHERE: [Intrinsic; 6] = [
    Intrinsic::Duration,
    Intrinsic::TraceDuration,
    Intrinsic::RootName,
    Intrinsic::RootServiceName,
    Intrinsic::TraceId,
    Intrinsic::SpanId,
];

impl Show {
    pub(crate) fn new(pipeline: &Pipeline, compiler: &mut Compiler) -> Self {
        let mut mentions = Mentions::default();
        mentions.pipeline(pipeline);
        let mut name = None;
        let mut fields = Vec::new();
        for Mention { field, always, conditions } in mentions.0 {
            let access = compiler.access(&field);
            let conditions = if always { Vec::new() } else { conditions };
            let shown = ShownField { key: key(&field), access, conditions, field };
            match shown.field {
                Field::Intrinsic(Intrinsic::Name) => name = Some(shown),
                Field::Intrinsic(intrinsic) if ELSEWHERE.contains(&intrinsic) => {}
                _ => fields.push(shown),
            }
        }
        Self { name, fields }
    }

    /// The span as the answer has it.
    pub(crate) fn span(&self, evaluator: &Evaluator<'_, '_>, span: usize) -> Result<FoundSpan, niente_block::Error> {
        let at = evaluator.trace.spans()[span];
        let name = self.name.as_ref().and_then(|name| match name.value(evaluator, span)? {
            Shown::Str(name) => Some(name),
            _ => None,
        });
        let attributes =
            self.fields.iter().filter_map(|field| Some((field.key.clone(), field.value(evaluator, span)?))).collect();
        let span_id = at.batch.span_id(at.row)?;
        Ok(FoundSpan { span_id, name, start: at.start(), duration: at.duration(), attributes })
    }
}

impl ShownField {
    fn value(&self, evaluator: &Evaluator<'_, '_>, span: usize) -> Option<Shown> {
        let satisfies =
            |value: &Static<'_>| self.conditions.is_empty() || self.conditions.iter().any(|c| c.holds(value));
        let value = match self.access {
            // One value a key: that of the last event or link which has one.
            Access::Of { .. } => {
                let mut values = evaluator.child_values(&self.access, span).rev();
                values.find(|value| *value != Static::Nil && satisfies(value))?
            }
            _ => evaluator.field_value(&self.access, span),
        };
        match value {
            Static::Opaque => None,
            Static::Nil => self.conditions.iter().any(|c| matches!(c, Condition::IsNil)).then_some(Shown::Nil),
            value => satisfies(&value).then(|| value.shown()),
        }
    }
}

impl Condition {
    fn holds(&self, value: &Static<'_>) -> bool {
        match self {
            Condition::Compare(op, constant) => compare(*op, value, constant),
            Condition::Match { negated, pattern } => matches(pattern, value).is_some_and(|matched| matched != *negated),
            Condition::IsNil => *value == Static::Nil,
        }
    }
}

/// What the answer calls a field: an attribute's name without its scope.
fn key(field: &Field) -> String {
    match field {
        Field::Attribute { name, .. } => name.clone(),
        Field::Intrinsic(_) => field.to_string(),
    }
}

#[derive(Debug)]
struct Mention {
    field: Field,
    /// Mentioned otherwise than in a comparison with a constant.
    always: bool,
    conditions: Vec<Condition>,
}

/// The fields that a query mentions, in the order in which it first does.
#[derive(Debug, Default)]
struct Mentions(Vec<Mention>);

impl Mentions {
    fn pipeline(&mut self, pipeline: &Pipeline) {
        for element in &pipeline.elements {
            match element {
                Element::Spanset(selection) => self.selection(selection),
                Element::Scalar(ScalarFilter { aggregate, .. }) => match aggregate {
                    Aggregate::Count => {}
                    Aggregate::Min(expr) | Aggregate::Max(expr) | Aggregate::Avg(expr) | Aggregate::Sum(expr) => {
                        self.expr(expr);
                    }
                },
                Element::By(expr) => self.expr(expr),
                Element::Coalesce => {}
                Element::Select(fields) => fields.iter().for_each(|field| self.mention(field).always = true),
            }
        }
    }

    fn selection(&mut self, selection: &SpansetExpr) {
        match selection {
            SpansetExpr::Filter(condition) => self.expr(condition),
            SpansetExpr::Pipeline(pipeline) => self.pipeline(pipeline),
            SpansetExpr::And(parts) | SpansetExpr::Or(parts) => parts.iter().for_each(|part| self.selection(part)),
            SpansetExpr::Structural { lhs, rhs, .. } => {
                self.selection(lhs);
                self.selection(rhs);
            }
        }
    }

    fn expr(&mut self, expr: &FieldExpr) {
        match expr {
            FieldExpr::Literal(_) => {}
            FieldExpr::Field(field) => self.mention(field).always = true,
            FieldExpr::And(parts) | FieldExpr::Or(parts) => parts.iter().for_each(|part| self.expr(part)),
            FieldExpr::Not(operand) | FieldExpr::Negate(operand) => self.expr(operand),
            FieldExpr::Compare { op, lhs, rhs } => match (&**lhs, &**rhs) {
                (FieldExpr::Field(field), FieldExpr::Literal(constant)) => {
                    self.mention(field).conditions.push(Condition::Compare(*op, constant.into()));
                }
                (FieldExpr::Literal(constant), FieldExpr::Field(field)) => {
                    self.mention(field).conditions.push(Condition::Compare(flipped(*op), constant.into()));
                }
                (lhs, rhs) => {
                    self.expr(lhs);
                    self.expr(rhs);
                }
            },
            FieldExpr::Match { negated, operand, pattern } => match &**operand {
                FieldExpr::Field(field) => {
                    let condition = Condition::Match { negated: *negated, pattern: pattern.clone() };
                    self.mention(field).conditions.push(condition);
                }
                operand => self.expr(operand),
            },
            FieldExpr::Arithmetic { lhs, rhs, .. } => {
                self.expr(lhs);
                self.expr(rhs);
            }
            FieldExpr::Nil { negated: false, operand } if matches!(**operand, FieldExpr::Field(_)) => {
                if let FieldExpr::Field(field) = &**operand {
                    self.mention(field).conditions.push(Condition::IsNil);
                }
            }
            FieldExpr::Nil { operand, .. } => self.expr(operand),
        }
    }

    fn mention(&mut self, field: &Field) -> &mut Mention {
        let at = self.0.iter().position(|mention| mention.field == *field).unwrap_or_else(|| {
            self.0.push(Mention { field: field.clone(), always: false, conditions: Vec::new() });
            self.0.len() - 1
        });
        &mut self.0[at]
    }
}

fn flipped(op: Comparison) -> Comparison {
    match op {
        Comparison::Lt => Comparison::Gt,
        Comparison::Le => Comparison::Ge,
        Comparison::Gt => Comparison::Lt,
        Comparison::Ge => Comparison::Le,
        Comparison::Eq | Comparison::Ne => op,
    }
}
