//! Which fields of the found spans an answer shows.

use niente_traceql::{
    Aggregate, Comparison, Element, Field, FieldExpr, Intrinsic, Pipeline, ScalarFilter, SpansetExpr,
};

use crate::{
    FoundSpan, Shown,
    compile::{Access, Compiler, against_literal},
    evaluate::Evaluator,
    value::{Static, compare, compare_attribute, matches},
};

/// A field that the query speaks of, and when its value is shown.
#[derive(Debug)]
struct ShownField {
    key: String,
    field: Field,
    access: Access,
    /// With conditions that compare it with a constant: only values that satisfy one of them. Without: always.
    conditions: Vec<Condition>,
    /// Whether its absence is shown too.
    shows_nil: bool,
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

/// Attributes that Tempo has columns for by default: where they are selected and absent, its answers say `nil`.
const WELL_KNOWN: [&str; 3] = ["span.http.method", "span.http.status_code", "span.http.url"];

impl Show {
    pub(crate) fn new(pipeline: &Pipeline, compiler: &mut Compiler) -> Self {
        let mut mentions = Mentions::default();
        mentions.pipeline(pipeline);
        let mut name = None;
        let mut fields = Vec::new();
        for Mention { field, always, selected, conditions } in mentions.0 {
            let access = compiler.access(&field);
            let conditions = if always { Vec::new() } else { conditions };
            let shows_nil = selected && WELL_KNOWN.iter().any(|known| field.to_string() == *known);
            let shown = ShownField { key: key(&field), access, conditions, shows_nil, field };
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
        let name = self.name.as_ref().and_then(|name| match name.values(evaluator, span).pop()? {
            Shown::Str(name) => Some(name),
            _ => None,
        });
        let values = |field: &ShownField| {
            let values = field.values(evaluator, span).into_iter();
            values.map(|value| (field.key.clone(), value)).collect::<Vec<_>>()
        };
        let attributes = self.fields.iter().flat_map(values).collect();
        let span_id = at.batch.span_id(at.row)?;
        Ok(FoundSpan { span_id, name, start: at.start(), duration: at.duration(), attributes })
    }
}

impl ShownField {
    /// The values to show, mostly one or none. An unscoped field can have two: the span's and the resource's.
    fn values(&self, evaluator: &Evaluator<'_, '_>, span: usize) -> Vec<Shown> {
        let value = |access: &Access| Some(evaluator.field_value(access, span)).filter(|value| self.shows(value));
        match &self.access {
            // One value a key: that of the last event or link which has one.
            Access::Of { .. } => {
                let mut values = evaluator.child_values(&self.access, span).rev();
                let last = values.find(|value| *value != Static::Nil && self.shows(value));
                last.iter().map(Static::shown).collect()
            }
            Access::Unscoped { span: own, resource } => {
                let found: Vec<_> =
                    [*own, *resource].into_iter().map(Access::Column).filter_map(|a| value(&a)).collect();
                let is_there = found.iter().any(|value| *value != Static::Nil);
                let kept = found.iter().filter(|value| !is_there || **value != Static::Nil);
                kept.take(if is_there { 2 } else { 1 }).map(Static::shown).collect()
            }
            access => value(access).iter().map(Static::shown).collect(),
        }
    }

    fn shows(&self, value: &Static<'_>) -> bool {
        match value {
            Static::Opaque => false,
            Static::Nil => self.shows_nil || self.conditions.iter().any(|c| matches!(c, Condition::IsNil)),
            value => self.conditions.is_empty() || self.conditions.iter().any(|c| c.holds(&self.field, value)),
        }
    }
}

impl Condition {
    fn holds(&self, field: &Field, value: &Static<'_>) -> bool {
        match (self, field) {
            (Condition::Compare(op, literal), Field::Attribute { .. }) => compare_attribute(*op, value, literal),
            (Condition::Compare(op, literal), Field::Intrinsic(_)) => compare(*op, value, literal),
            (Condition::Match { negated, pattern }, _) => {
                matches(pattern, value).is_some_and(|matched| matched != *negated)
            }
            (Condition::IsNil, _) => *value == Static::Nil,
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
    /// Mentioned in a `select`.
    selected: bool,
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
                Element::Select(fields) => fields.iter().for_each(|field| {
                    let mention = self.mention(field);
                    (mention.always, mention.selected) = (true, true);
                }),
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
            FieldExpr::Compare { op, lhs, rhs } => match against_literal(*op, lhs, rhs) {
                Some((op, field, literal)) => {
                    self.mention(field).conditions.push(Condition::Compare(op, literal.into()));
                }
                None => {
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
            self.0.push(Mention { field: field.clone(), always: false, selected: false, conditions: Vec::new() });
            self.0.len() - 1
        });
        &mut self.0[at]
    }
}
