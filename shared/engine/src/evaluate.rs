//! The exact evaluator: what a query selects of one whole trace. Small and obvious; faster paths are tested against it.

use std::{
    borrow::Cow,
    collections::{HashMap, hash_map::Entry},
    ops::Range,
};

use niente_block::ValueRef;

use crate::{
    Shown,
    aggregate::aggregate,
    compile::{Access, Child, ChildForm, Common, Expr, Selection, Stage},
    trace::{SpanAt, Trace},
    value::{Static, arithmetic, compare, compare_attribute, matches, negate},
};

/// Spans of one trace that belong together.
#[derive(Clone, Debug)]
pub(crate) struct Spanset {
    /// Positions in the trace, ascending.
    pub(crate) spans: Vec<usize>,
    /// Values of `by(…)` and aggregates, in the order of the pipeline.
    pub(crate) attributes: Vec<(String, Shown)>,
}

/// Evaluates over one trace.
#[derive(Clone, Copy)]
pub(crate) struct Evaluator<'e, 'a> {
    pub(crate) trace: &'e Trace<'a>,
    pub(crate) common: Common,
}

/// The event and the link that a condition speaks of.
#[derive(Clone, Copy, Default)]
struct Bound {
    event: Option<usize>,
    link: Option<usize>,
}

impl<'a> Evaluator<'_, 'a> {
    /// The spansets that the pipeline makes of the trace; none if it doesn't match.
    pub(crate) fn pipeline(&self, stages: &[Stage]) -> Vec<Spanset> {
        let all = Spanset { spans: (0..self.trace.spans().len()).collect(), attributes: Vec::new() };
        self.stages(stages, vec![all])
    }

    fn stages(&self, stages: &[Stage], mut spansets: Vec<Spanset>) -> Vec<Spanset> {
        for stage in stages {
            spansets = match stage {
                Stage::Spanset(selection) => {
                    spansets.into_iter().filter_map(|set| self.narrow(selection, set)).collect()
                }
                Stage::Scalar { filter, op, value } => spansets
                    .into_iter()
                    .filter_map(|mut set| {
                        let computed = aggregate(self, &filter.function, &set.spans)?;
                        let kept = compare(*op, &computed, value);
                        set.attributes.push((filter.key.clone(), computed.shown()));
                        kept.then_some(set)
                    })
                    .collect(),
                Stage::By { expr, key } => spansets.into_iter().flat_map(|set| self.group(expr, key, set)).collect(),
                Stage::Coalesce => coalesce(spansets),
            };
        }
        spansets
    }

    fn narrow(&self, selection: &Selection, set: Spanset) -> Option<Spanset> {
        let spans = self.select(selection, &set.spans);
        (!spans.is_empty()).then_some(Spanset { spans, attributes: set.attributes })
    }

    /// The spans that a selection takes of those given, ascending.
    fn select(&self, selection: &Selection, spans: &[usize]) -> Vec<usize> {
        match selection {
            Selection::Filter(condition) => spans.iter().copied().filter(|span| self.holds(condition, *span)).collect(),
            Selection::Pipeline(stages) => {
                let incoming = Spanset { spans: spans.to_vec(), attributes: Vec::new() };
                union(self.stages(stages, vec![incoming]).into_iter().map(|set| set.spans))
            }
            Selection::And(parts) => {
                let mut selected = Vec::with_capacity(parts.len());
                for part in parts {
                    let spans = self.select(part, spans);
                    if spans.is_empty() {
                        return Vec::new();
                    }
                    selected.push(spans);
                }
                union(selected.into_iter())
            }
            Selection::Or(parts) => union(parts.iter().map(|part| self.select(part, spans))),
            Selection::Structural { op, lhs, rhs } => {
                let lhs = self.marked(&self.select(lhs, spans));
                let rhs = self.marked(&self.select(rhs, spans));
                let related = self.trace.tree().relate(*op, &lhs, &rhs);
                (0..related.len()).filter(|span| related[*span]).collect()
            }
        }
    }

    fn marked(&self, spans: &[usize]) -> Vec<bool> {
        let mut marks = vec![false; self.trace.spans().len()];
        spans.iter().for_each(|span| marks[*span] = true);
        marks
    }

    /// Splits a spanset by a value, in the order in which the values first come.
    fn group(&self, expr: &Expr, key: &str, set: Spanset) -> Vec<Spanset> {
        let mut groups: Vec<(Shown, Vec<usize>)> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        for span in set.spans {
            let value = self.value(expr, span).shown();
            // The debug form tells types apart: `1`, `1.0` and `"1"` are three groups.
            match known.entry(format!("{value:?}")) {
                Entry::Occupied(group) => groups[*group.get()].1.push(span),
                Entry::Vacant(group) => {
                    group.insert(groups.len());
                    groups.push((value, vec![span]));
                }
            }
        }
        groups
            .into_iter()
            .map(|(value, spans)| {
                let attributes = set.attributes.iter().cloned().chain([(key.to_owned(), value)]).collect();
                Spanset { spans, attributes }
            })
            .collect()
    }

    /// Whether a condition is true of a span.
    pub(crate) fn holds(&self, condition: &Expr, span: usize) -> bool {
        self.evaluate(condition, span, Bound::default()).truth()
    }

    /// The value of an expression on a span.
    pub(crate) fn value(&self, expr: &Expr, span: usize) -> Static<'a> {
        self.evaluate(expr, span, Bound::default())
    }

    fn evaluate(&self, expr: &Expr, span: usize, bound: Bound) -> Static<'a> {
        let truth = |condition: &Expr| self.evaluate(condition, span, bound).truth();
        match expr {
            Expr::Constant(constant) => constant.clone(),
            Expr::Field(access) => self.field(access, span, bound),
            Expr::And(parts) => Static::Bool(parts.iter().all(truth)),
            Expr::Or(parts) => Static::Bool(parts.iter().any(truth)),
            Expr::Not(operand) => Static::Bool(!truth(operand)),
            Expr::Negate(operand) => negate(&self.evaluate(operand, span, bound)),
            Expr::Compare { op, lhs, rhs } => {
                Static::Bool(compare(*op, &self.evaluate(lhs, span, bound), &self.evaluate(rhs, span, bound)))
            }
            Expr::CompareAttribute { op, attribute, literal } => {
                Static::Bool(compare_attribute(*op, &self.field(attribute, span, bound), literal))
            }
            Expr::Match { negated, operand, pattern } => {
                let matched = matches(pattern, &self.evaluate(operand, span, bound));
                Static::Bool(matched.is_some_and(|matched| matched != *negated))
            }
            Expr::Arithmetic { op, lhs, rhs } => {
                arithmetic(*op, &self.evaluate(lhs, span, bound), &self.evaluate(rhs, span, bound))
            }
            Expr::IsNil { negated, operand } => {
                let is_nil = self.evaluate(operand, span, bound) == Static::Nil;
                Static::Bool(is_nil != *negated)
            }
            Expr::ForSome { child, condition } => Static::Bool(self.for_some(*child, condition, span, bound)),
        }
    }

    /// Whether the condition holds with one of the span's events in mind; with none, if the span has no events.
    fn for_some(&self, child: Child, condition: &Expr, span: usize, bound: Bound) -> bool {
        let at = self.trace.spans()[span];
        let mut children = children(&at, child);
        if children.is_empty() {
            return self.evaluate(condition, span, bound).truth();
        }
        children.any(|index| {
            let bound = match child {
                Child::Event => Bound { event: Some(index), ..bound },
                Child::Link => Bound { link: Some(index), ..bound },
            };
            self.evaluate(condition, span, bound).truth()
        })
    }

    fn field(&self, access: &Access, span: usize, bound: Bound) -> Static<'a> {
        let at = self.trace.spans()[span];
        match access {
            Access::Column(column) => Static::from_stored(at.value(*column)),
            Access::Unscoped { span, resource } => match Static::from_stored(at.value(*span)) {
                Static::Nil => Static::from_stored(at.value(*resource)),
                own => own,
            },
            Access::ServiceName(column) => service_name(&at, *column),
            Access::Of { child, column, form } => {
                let chosen = match child {
                    Child::Event => bound.event,
                    Child::Link => bound.link,
                };
                let index = chosen.or_else(|| children(&at, *child).next());
                index.map_or(Static::Nil, |index| child_value(&at, *column, *form, index))
            }
            Access::Parent(access) => match self.trace.tree().parent(span) {
                Some(parent) => self.field(access, parent, Bound::default()),
                None => Static::Nil,
            },
            Access::Duration => Static::Duration(at.duration().as_i64()),
            Access::Status => Static::Status(at.status()),
            Access::Kind => Static::Kind(at.kind()),
            Access::SpanId => Static::Id(hex(at.span_id())),
            Access::ParentId => Static::Id(hex(at.parent_span_id().unwrap_or(&[0; 8]))),
            Access::ChildCount => Static::Int(self.trace.tree().child_count(span).into()),
            Access::TraceId => Static::Id(self.trace.id.to_trimmed_hex()),
            Access::TraceDuration => Static::Duration(self.trace.duration().as_i64()),
            Access::RootName => match self.trace.root() {
                Some(root) => Static::from_stored(root.value(self.common.name)),
                None => Static::Str(Cow::Borrowed("")),
            },
            Access::RootServiceName => match self.trace.root() {
                Some(root) => service_name(&root, self.common.service_name),
                None => Static::Str(Cow::Borrowed("")),
            },
            Access::NestedSetLeft => Static::Int(self.trace.tree().nested_set(span).left),
            Access::NestedSetRight => Static::Int(self.trace.tree().nested_set(span).right),
            // The most asked of all conditions, `nestedSetParent < 0`, needs no numbers where the span is a root.
            Access::NestedSetParent if at.parent_span_id().is_none() => Static::Int(-1),
            Access::NestedSetParent => Static::Int(self.trace.tree().nested_set(span).parent),
        }
    }

    /// The value of a field on a span.
    pub(crate) fn field_value(&self, access: &Access, span: usize) -> Static<'a> {
        self.field(access, span, Bound::default())
    }

    /// The values of a field of events or links, one for each of the span's, in their order; none for other fields.
    pub(crate) fn child_values(&self, access: &Access, span: usize) -> impl DoubleEndedIterator<Item = Static<'a>> {
        let at = self.trace.spans()[span];
        let children = if let Access::Of { child, .. } = access { children(&at, *child) } else { 0..0 };
        children.map(move |index| match access {
            Access::Of { column, form, .. } => child_value(&at, *column, *form, index),
            _ => Static::Nil,
        })
    }
}

/// `resource.service.name`, which reads as empty where it is absent or no text.
pub(crate) fn service_name<'a>(span: &SpanAt<'a>, column: usize) -> Static<'a> {
    match Static::from_stored(span.value(column)) {
        Static::Str(name) => Static::Str(name),
        _ => Static::Str(Cow::Borrowed("")),
    }
}

/// The indices of a span's events or links in their columns.
fn children(at: &SpanAt<'_>, child: Child) -> Range<usize> {
    match child {
        Child::Event => at.batch.events(at.row),
        Child::Link => at.batch.links(at.row),
    }
}

fn child_value<'a>(at: &SpanAt<'a>, column: usize, form: ChildForm, index: usize) -> Static<'a> {
    match (form, at.batch.value(column, index)) {
        (ChildForm::SinceStart, ValueRef::Int(time)) => Static::Duration(time.wrapping_sub(at.start().as_i64())),
        (ChildForm::TraceId, ValueRef::Bytes(id)) => Static::Id(hex(id).trim_start_matches('0').to_owned()),
        (ChildForm::SpanId, ValueRef::Bytes(id)) => Static::Id(hex(id)),
        (_, value) => Static::from_stored(value),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn coalesce(spansets: Vec<Spanset>) -> Vec<Spanset> {
    let spans = union(spansets.into_iter().map(|set| set.spans));
    if spans.is_empty() { Vec::new() } else { vec![Spanset { spans, attributes: Vec::new() }] }
}

fn union(parts: impl Iterator<Item = Vec<usize>>) -> Vec<usize> {
    let mut all: Vec<usize> = parts.flatten().collect();
    all.sort_unstable();
    all.dedup();
    all
}
