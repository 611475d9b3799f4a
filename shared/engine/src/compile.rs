//! From the syntax tree to something that can be evaluated: fields become accesses to projected columns, and
//! conditions on events and links get their quantifiers.

use niente_block::{AttributeScope as Stored, Column, Projection};
use niente_traceql::{
    Aggregate, Arithmetic, AttributeScope, Comparison, Element, Field, FieldExpr, Intrinsic, Literal, Pattern,
    Pipeline, ScalarFilter, SpansetExpr, StructuralOp,
};

use crate::value::Static;

/// An expression over one span.
#[derive(Debug)]
pub(crate) enum Expr {
    Constant(Static<'static>),
    Field(Access),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    Compare {
        op: Comparison,
        lhs: Box<Expr>,
        rhs: Box<Expr>,
    },
    /// A custom attribute compared with a literal, whose numeric type has to be the attribute's.
    CompareAttribute {
        op: Comparison,
        attribute: Access,
        literal: Static<'static>,
    },
    Match {
        negated: bool,
        operand: Box<Expr>,
        pattern: Pattern,
    },
    Arithmetic {
        op: Arithmetic,
        lhs: Box<Expr>,
        rhs: Box<Expr>,
    },
    IsNil {
        negated: bool,
        operand: Box<Expr>,
    },
    /// True if the condition is, with one of the span's events (or links) in mind.
    ForSome {
        child: Child,
        condition: Box<Expr>,
    },
}

/// What a span has several of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Child {
    Event,
    Link,
}

/// How to get at a field's value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Access {
    /// A column of the span.
    Column(usize),
    /// The span's attribute, or else the resource's.
    Unscoped {
        span: usize,
        resource: usize,
    },
    /// `resource.service.name`: always there.
    ServiceName(usize),
    /// A column of its events or links.
    Of {
        child: Child,
        column: usize,
        form: ChildForm,
    },
    /// A field of the parent span.
    Parent(Box<Access>),
    Duration,
    Status,
    Kind,
    SpanId,
    ParentId,
    ChildCount,
    TraceId,
    TraceDuration,
    RootName,
    RootServiceName,
    NestedSetLeft,
    NestedSetRight,
    NestedSetParent,
}

/// How a column of events or links is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChildForm {
    AsStored,
    /// A time, given as that since the span's start.
    SinceStart,
    /// The bytes of an ID, given in hexadecimal without leading zeros.
    TraceId,
    /// The bytes of an ID, given in hexadecimal.
    SpanId,
}

/// The columns that every answer needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Common {
    pub(crate) name: usize,
    pub(crate) service_name: usize,
}

/// One step of a pipeline.
#[derive(Debug)]
pub(crate) enum Stage {
    Spanset(Selection),
    Scalar { filter: Aggregation, op: Comparison, value: Static<'static> },
    By { expr: Expr, key: String },
    Coalesce,
}

/// Selects spans of a spanset.
#[derive(Debug)]
pub(crate) enum Selection {
    Filter(Expr),
    Pipeline(Vec<Stage>),
    And(Vec<Selection>),
    Or(Vec<Selection>),
    Structural { op: StructuralOp, lhs: Box<Selection>, rhs: Box<Selection> },
}

/// A number computed over a spanset, and what answers call it.
#[derive(Debug)]
pub(crate) struct Aggregation {
    pub(crate) function: AggregateFunction,
    pub(crate) key: String,
}

#[derive(Debug)]
pub(crate) enum AggregateFunction {
    Count,
    Min(Expr),
    Max(Expr),
    Avg(Expr),
    Sum(Expr),
}

/// Compiles parts of one query, and collects the columns that they need.
#[derive(Debug)]
pub(crate) struct Compiler {
    pub(crate) projection: Projection,
    pub(crate) common: Common,
}

impl Compiler {
    pub(crate) fn new() -> Self {
        let mut projection = Projection::default();
        let name = projection.add(Column::Name);
        let service_name = projection.add(Column::Attribute(Stored::Resource, "service.name".into()));
        Self { projection, common: Common { name, service_name } }
    }

    pub(crate) fn pipeline(&mut self, pipeline: &Pipeline) -> Vec<Stage> {
        // `select` filters nothing; what it shows is found by `show`.
        let stages = pipeline.elements.iter().filter(|element| !matches!(element, Element::Select(_)));
        stages.map(|element| self.stage(element)).collect()
    }

    fn stage(&mut self, element: &Element) -> Stage {
        match element {
            Element::Spanset(selection) => Stage::Spanset(self.selection(selection)),
            Element::Scalar(ScalarFilter { aggregate, op, value }) => Stage::Scalar {
                filter: Aggregation { function: self.aggregate(aggregate), key: aggregate.to_string() },
                op: *op,
                value: value.into(),
            },
            Element::By(expr) => Stage::By { expr: self.value(expr), key: element.to_string() },
            Element::Coalesce => Stage::Coalesce,
            Element::Select(_) => unreachable!("left out above"),
        }
    }

    fn aggregate(&mut self, aggregate: &Aggregate) -> AggregateFunction {
        match aggregate {
            Aggregate::Count => AggregateFunction::Count,
            Aggregate::Min(expr) => AggregateFunction::Min(self.value(expr)),
            Aggregate::Max(expr) => AggregateFunction::Max(self.value(expr)),
            Aggregate::Avg(expr) => AggregateFunction::Avg(self.value(expr)),
            Aggregate::Sum(expr) => AggregateFunction::Sum(self.value(expr)),
        }
    }

    fn selection(&mut self, selection: &SpansetExpr) -> Selection {
        match selection {
            SpansetExpr::Filter(condition) => Selection::Filter(self.condition(condition)),
            SpansetExpr::Pipeline(pipeline) => Selection::Pipeline(self.pipeline(pipeline)),
            SpansetExpr::And(parts) => Selection::And(parts.iter().map(|part| self.selection(part)).collect()),
            SpansetExpr::Or(parts) => Selection::Or(parts.iter().map(|part| self.selection(part)).collect()),
            SpansetExpr::Structural { op, lhs, rhs } => Selection::Structural {
                op: *op,
                lhs: Box::new(self.selection(lhs)),
                rhs: Box::new(self.selection(rhs)),
            },
        }
    }

    /// A condition on a span.
    ///
    /// What is joined by `&&` speaks of one and the same event, and of one and the same link; so do the parts of an
    /// `||` within it. The parts of an `||` that stands alone look for theirs each on its own. `!` denies all events,
    /// but within such an `||` only the one that is spoken of. So there is never a loop over events within another.
    pub(crate) fn condition(&mut self, condition: &FieldExpr) -> Expr {
        self.bound_condition(condition, Bound::default())
    }

    /// A value of a span. An event's field is that of its first event.
    pub(crate) fn value(&mut self, expr: &FieldExpr) -> Expr {
        self.bound_value(expr, Bound::default())
    }

    fn bound_condition(&mut self, condition: &FieldExpr, bound: Bound) -> Expr {
        match condition {
            FieldExpr::Or(parts) => Expr::Or(parts.iter().map(|part| self.bound_condition(part, bound)).collect()),
            FieldExpr::Not(operand) => Expr::Not(Box::new(self.bound_condition(operand, bound))),
            FieldExpr::And(parts) => {
                let spoken = Bound::spoken_of(condition);
                let (joint, own): (Vec<_>, Vec<_>) =
                    parts.iter().partition(|part| Bound::spoken_of(part) != Bound::default());
                // The span's own conditions come first: they are cheaper.
                let mut all: Vec<_> = own.into_iter().map(|part| self.bound_condition(part, bound)).collect();
                if !joint.is_empty() {
                    let joint = joint.into_iter().map(|part| self.bound_condition(part, bound.and(spoken))).collect();
                    all.push(quantify(Expr::And(joint), spoken.without(bound)));
                }
                Expr::And(all)
            }
            leaf => {
                let spoken = Bound::spoken_of(leaf);
                quantify(self.bound_value(leaf, bound.and(spoken)), spoken.without(bound))
            }
        }
    }

    fn bound_value(&mut self, expr: &FieldExpr, bound: Bound) -> Expr {
        match expr {
            FieldExpr::And(_) | FieldExpr::Or(_) | FieldExpr::Not(_) => self.bound_condition(expr, bound),
            FieldExpr::Literal(literal) => Expr::Constant(literal.into()),
            FieldExpr::Field(field) => Expr::Field(self.access(field)),
            FieldExpr::Negate(operand) => Expr::Negate(Box::new(self.bound_value(operand, bound))),
            FieldExpr::Compare { op, lhs, rhs } => match against_literal(*op, lhs, rhs) {
                Some((op, field @ Field::Attribute { .. }, literal)) => {
                    Expr::CompareAttribute { op, attribute: self.access(field), literal: literal.into() }
                }
                _ => Expr::Compare {
                    op: *op,
                    lhs: Box::new(self.bound_value(lhs, bound)),
                    rhs: Box::new(self.bound_value(rhs, bound)),
                },
            },
            FieldExpr::Match { negated, operand, pattern } => Expr::Match {
                negated: *negated,
                operand: Box::new(self.bound_value(operand, bound)),
                pattern: pattern.clone(),
            },
            FieldExpr::Arithmetic { op, lhs, rhs } => Expr::Arithmetic {
                op: *op,
                lhs: Box::new(self.bound_value(lhs, bound)),
                rhs: Box::new(self.bound_value(rhs, bound)),
            },
            FieldExpr::Nil { negated, operand } => {
                Expr::IsNil { negated: *negated, operand: Box::new(self.bound_value(operand, bound)) }
            }
        }
    }

    pub(crate) fn access(&mut self, field: &Field) -> Access {
        match field {
            Field::Attribute { scope, name } => self.attribute(*scope, name),
            Field::Intrinsic(intrinsic) => self.intrinsic(*intrinsic),
        }
    }

    fn attribute(&mut self, scope: AttributeScope, name: &str) -> Access {
        let mut column = |scope| self.projection.add(Column::Attribute(scope, name.to_owned()));
        match scope {
            AttributeScope::Span => Access::Column(column(Stored::Span)),
            AttributeScope::Resource if name == "service.name" => Access::ServiceName(column(Stored::Resource)),
            AttributeScope::Resource => Access::Column(column(Stored::Resource)),
            AttributeScope::Instrumentation => Access::Column(column(Stored::Scope)),
            AttributeScope::Unscoped => {
                Access::Unscoped { span: column(Stored::Span), resource: column(Stored::Resource) }
            }
            AttributeScope::Event => self.child(Column::EventAttribute(name.into()), Child::Event, ChildForm::AsStored),
            AttributeScope::Link => self.child(Column::LinkAttribute(name.into()), Child::Link, ChildForm::AsStored),
            AttributeScope::Parent => Access::Parent(Box::new(self.attribute(AttributeScope::Unscoped, name))),
            AttributeScope::ParentSpan => Access::Parent(Box::new(self.attribute(AttributeScope::Span, name))),
            AttributeScope::ParentResource => Access::Parent(Box::new(self.attribute(AttributeScope::Resource, name))),
        }
    }

    fn child(&mut self, column: Column, child: Child, form: ChildForm) -> Access {
        Access::Of { child, column: self.projection.add(column), form }
    }

    fn intrinsic(&mut self, intrinsic: Intrinsic) -> Access {
        let mut column = |column| self.projection.add(column);
        match intrinsic {
            Intrinsic::Name => Access::Column(column(Column::Name)),
            Intrinsic::StatusMessage => Access::Column(column(Column::StatusMessage)),
            Intrinsic::InstrumentationName => Access::Column(column(Column::ScopeName)),
            Intrinsic::InstrumentationVersion => Access::Column(column(Column::ScopeVersion)),
            Intrinsic::EventName => self.child(Column::EventName, Child::Event, ChildForm::AsStored),
            Intrinsic::EventTimeSinceStart => self.child(Column::EventTime, Child::Event, ChildForm::SinceStart),
            Intrinsic::LinkTraceId => self.child(Column::LinkTraceId, Child::Link, ChildForm::TraceId),
            Intrinsic::LinkSpanId => self.child(Column::LinkSpanId, Child::Link, ChildForm::SpanId),
            Intrinsic::Duration => Access::Duration,
            Intrinsic::Status => Access::Status,
            Intrinsic::Kind => Access::Kind,
            Intrinsic::SpanId => Access::SpanId,
            Intrinsic::ParentId => Access::ParentId,
            Intrinsic::ChildCount => Access::ChildCount,
            Intrinsic::TraceId => Access::TraceId,
            Intrinsic::TraceDuration => Access::TraceDuration,
            Intrinsic::RootName => Access::RootName,
            Intrinsic::RootServiceName => Access::RootServiceName,
            Intrinsic::NestedSetLeft => Access::NestedSetLeft,
            Intrinsic::NestedSetRight => Access::NestedSetRight,
            Intrinsic::NestedSetParent => Access::NestedSetParent,
        }
    }
}

/// A comparison of a field with a literal, the field first whichever way it was written.
pub(crate) fn against_literal<'q>(
    op: Comparison,
    lhs: &'q FieldExpr,
    rhs: &'q FieldExpr,
) -> Option<(Comparison, &'q Field, &'q Literal)> {
    match (lhs, rhs) {
        (FieldExpr::Field(field), FieldExpr::Literal(literal)) => Some((op, field, literal)),
        (FieldExpr::Literal(literal), FieldExpr::Field(field)) => Some((flipped(op), field, literal)),
        _ => None,
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

/// Which of a span's several things are fixed: a condition speaks of one event, or one link.
#[derive(Clone, Copy, Default, PartialEq)]
struct Bound {
    event: bool,
    link: bool,
}

impl Bound {
    /// What an expression speaks of, but for what `!` denies.
    fn spoken_of(expr: &FieldExpr) -> Self {
        match expr {
            FieldExpr::Literal(_) | FieldExpr::Not(_) => Bound::default(),
            FieldExpr::Field(field) => {
                let child = child_of(field);
                Bound { event: child == Some(Child::Event), link: child == Some(Child::Link) }
            }
            FieldExpr::And(parts) | FieldExpr::Or(parts) => {
                parts.iter().map(Self::spoken_of).fold(Bound::default(), Bound::and)
            }
            FieldExpr::Negate(operand) | FieldExpr::Match { operand, .. } | FieldExpr::Nil { operand, .. } => {
                Self::spoken_of(operand)
            }
            FieldExpr::Compare { lhs, rhs, .. } | FieldExpr::Arithmetic { lhs, rhs, .. } => {
                Self::spoken_of(lhs).and(Self::spoken_of(rhs))
            }
        }
    }

    fn and(self, other: Self) -> Self {
        Self { event: self.event || other.event, link: self.link || other.link }
    }

    fn without(self, other: Self) -> Self {
        Self { event: self.event && !other.event, link: self.link && !other.link }
    }
}

fn quantify(mut condition: Expr, wanted: Bound) -> Expr {
    for (child, wanted) in [(Child::Link, wanted.link), (Child::Event, wanted.event)] {
        if wanted {
            condition = Expr::ForSome { child, condition: Box::new(condition) };
        }
    }
    condition
}

/// Whether a field is one of events or links.
fn child_of(field: &Field) -> Option<Child> {
    match field {
        Field::Attribute { scope: AttributeScope::Event, .. }
        | Field::Intrinsic(Intrinsic::EventName | Intrinsic::EventTimeSinceStart) => Some(Child::Event),
        Field::Attribute { scope: AttributeScope::Link, .. }
        | Field::Intrinsic(Intrinsic::LinkTraceId | Intrinsic::LinkSpanId) => Some(Child::Link),
        Field::Attribute { .. } | Field::Intrinsic(_) => None,
    }
}

/// Whether a field is one of a whole trace, or of another span than the one that is looked at.
pub(crate) fn is_of_traces(field: &Field) -> bool {
    match field {
        Field::Attribute { scope, .. } => {
            matches!(scope, AttributeScope::Parent | AttributeScope::ParentSpan | AttributeScope::ParentResource)
        }
        Field::Intrinsic(intrinsic) => matches!(
            intrinsic,
            Intrinsic::ChildCount
                | Intrinsic::TraceDuration
                | Intrinsic::RootName
                | Intrinsic::RootServiceName
                | Intrinsic::NestedSetLeft
                | Intrinsic::NestedSetRight
                | Intrinsic::NestedSetParent
        ),
    }
}
