//! Which fields of the found spans an answer shows.

use niente_block::ValueType;
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
    /// If it is well-known and selected: values of any other type are shown as `nil`, and so is absence.
    well_known: Option<ValueType>,
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

/// Attributes that Tempo has columns for by default, of these types. What is selected or grouped by and isn't in such a
/// column, be it absent or of another type, its answers call `nil`; the recorded ones do, and so must these.
const WELL_KNOWN: [(&str, ValueType); 3] = [
    ("span.http.method", ValueType::Str),
    ("span.http.status_code", ValueType::Int),
    ("span.http.url", ValueType::Str),
];

/// The type that a field has where it is selected or grouped by, if it is one of the [`WELL_KNOWN`].
pub(crate) fn well_known(field: &Field) -> Option<ValueType> {
    let spelled = field.to_string();
    WELL_KNOWN.iter().find(|(known, _)| spelled == *known).map(|(_, of)| *of)
}

/// The value, or nil if it has another type than that.
pub(crate) fn of_type<'a>(well_known: Option<ValueType>, value: Static<'a>) -> Static<'a> {
    match (well_known, value) {
        (Some(ValueType::Int), value @ Static::Int(_)) | (Some(ValueType::Str), value @ Static::Str(_)) => value,
        (Some(_), _) => Static::Nil,
        (None, value) => value,
    }
}

impl Show {
    pub(crate) fn new(pipeline: &Pipeline, compiler: &mut Compiler) -> Self {
        let mut mentions = Mentions::default();
        mentions.pipeline(pipeline);
        let mut name = None;
        let mut fields = Vec::new();
        for Mention { field, always, selected, conditions } in mentions.0 {
            let access = compiler.access(&field);
            let conditions = if always { Vec::new() } else { conditions };
            let well_known = if selected { well_known(&field) } else { None };
            let shown = ShownField { key: key(&field), access, conditions, well_known, field };
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
        let value = |access: &Access| {
            let value = of_type(self.well_known, evaluator.field_value(access, span));
            self.shows(&value).then_some(value)
        };
        match &self.access {
            // One value a key: that of the last event or link which has one.
            Access::Of { .. } => {
                let mut values = evaluator.child_values(&self.access, span).rev();
                let last = values.find(|value| *value != Static::Nil && self.shows(value));
                last.iter().map(|value| self.survivors(value)).collect()
            }
            Access::Unscoped { span: own, resource } => {
                let found: Vec<_> =
                    [*own, *resource].into_iter().map(Access::Column).filter_map(|a| value(&a)).collect();
                let is_there = found.iter().any(|value| *value != Static::Nil);
                let kept = found.iter().filter(|value| !is_there || **value != Static::Nil);
                kept.take(if is_there { 2 } else { 1 }).map(|value| self.survivors(value)).collect()
            }
            access => value(access).iter().map(|value| self.survivors(value)).collect(),
        }
    }

    /// The value as it is shown: of an array that was compared, the elements which satisfy a comparison; one of them
    /// stands alone.
    fn survivors(&self, value: &Static<'_>) -> Shown {
        let Static::Array(elements) = value else { return value.shown() };
        let satisfies = |element: &Static<'_>| self.conditions.iter().any(|c| c.holds(&self.field, element));
        let survivors: Vec<_> = elements.iter().filter(|element| satisfies(&Static::of_element(element))).collect();
        match survivors[..] {
            [] => value.shown(),
            [only] => Static::of_element(only).shown(),
            _ => Shown::Array(survivors.into_iter().cloned().collect()),
        }
    }

    fn shows(&self, value: &Static<'_>) -> bool {
        match value {
            Static::Opaque => false,
            Static::Nil => self.well_known.is_some() || self.conditions.iter().any(|c| matches!(c, Condition::IsNil)),
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
