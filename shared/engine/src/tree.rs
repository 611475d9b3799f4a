//! How the spans of a trace hang together: parents, relations, nested-set numbers.

use std::collections::HashMap;

use niente_model::Parents;
use niente_traceql::{Relation, StructuralForm, StructuralOp};

use crate::trace::SpanAt;

/// Parents by span ID, so that orphans and traces without a root are related rightly too. Always a forest: where
/// spans claim to be each other's ancestors, the first of them in the trace's order counts as an orphan.
#[derive(Debug)]
pub(crate) struct Tree {
    parents: Vec<Option<usize>>,
    /// Spans with one number are siblings.
    families: Vec<usize>,
    /// Every span after its parent.
    top_down: Vec<usize>,
    child_counts: Vec<u32>,
    numbers: Vec<NestedSet>,
}

/// A span's place in the depth-first order of its trace's roots; all zeros if no root leads to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct NestedSet {
    pub(crate) left: i64,
    pub(crate) right: i64,
    /// The parent's `left`; -1 for a root.
    pub(crate) parent: i64,
}

/// Whose child a span is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Family<'a> {
    Root,
    Of(usize),
    /// The parent isn't there: known by its ID alone.
    Missing(&'a [u8]),
}

impl Tree {
    pub(crate) fn new(spans: &[SpanAt<'_>]) -> Self {
        let by_id = Parents::new(spans.iter().map(|span| (span.span_id(), span.kind())));
        let parent = |(at, span): (usize, &SpanAt<'_>)| by_id.find(span.parent_span_id()?, span.kind(), at);
        let mut parents: Vec<_> = spans.iter().enumerate().map(parent).collect();
        cut_cycles(&mut parents);

        let mut children: Vec<Vec<usize>> = vec![Vec::new(); spans.len()];
        for (at, parent) in parents.iter().enumerate() {
            if let Some(parent) = parent {
                children[*parent].push(at);
            }
        }
        let mut known: HashMap<Family<'_>, usize> = HashMap::new();
        let families = spans
            .iter()
            .zip(&parents)
            .map(|(span, parent)| {
                let family = match (span.parent_span_id(), parent) {
                    (None, _) => Family::Root,
                    (Some(_), Some(parent)) => Family::Of(*parent),
                    (Some(id), None) => Family::Missing(id),
                };
                let next = known.len();
                *known.entry(family).or_insert(next)
            })
            .collect();
        let mut top_down: Vec<usize> = (0..spans.len()).filter(|at| parents[*at].is_none()).collect();
        let mut next = 0;
        while next < top_down.len() {
            top_down.extend_from_slice(&children[top_down[next]]);
            next += 1;
        }
        let is_root = |at: &usize| spans[*at].parent_span_id().is_none();
        Self {
            numbers: number((0..spans.len()).filter(is_root), &children),
            child_counts: children.iter().map(|children| children.len() as u32).collect(),
            families,
            top_down,
            parents,
        }
    }

    pub(crate) fn parent(&self, span: usize) -> Option<usize> {
        self.parents[span]
    }

    pub(crate) fn child_count(&self, span: usize) -> u32 {
        self.child_counts[span]
    }

    pub(crate) fn nested_set(&self, span: usize) -> NestedSet {
        self.numbers[span]
    }

    /// The spans that a structural operator returns; both sides and the answer by span.
    pub(crate) fn relate(&self, op: StructuralOp, lhs: &[bool], rhs: &[bool]) -> Vec<bool> {
        let related = self.related(op.relation, lhs);
        let right = rhs.iter().zip(&related);
        match op.form {
            StructuralForm::Plain => right.map(|(rhs, related)| *rhs && *related).collect(),
            StructuralForm::Negated => right.map(|(rhs, related)| *rhs && !*related).collect(),
            StructuralForm::Union => {
                let related_back = self.related(inverse(op.relation), rhs);
                let left = lhs.iter().zip(&related_back).map(|(lhs, related)| *lhs && *related);
                left.zip(right).map(|(left, (rhs, related))| left || (*rhs && *related)).collect()
            }
        }
    }

    /// The spans that stand in the relation to some span of `lhs`.
    fn related(&self, relation: Relation, lhs: &[bool]) -> Vec<bool> {
        let mut related = vec![false; lhs.len()];
        match relation {
            Relation::Child => {
                for (span, parent) in self.parents.iter().enumerate() {
                    related[span] = parent.is_some_and(|parent| lhs[parent]);
                }
            }
            Relation::Parent => {
                for (span, parent) in self.parents.iter().enumerate() {
                    if let (true, Some(parent)) = (lhs[span], parent) {
                        related[*parent] = true;
                    }
                }
            }
            Relation::Descendant => {
                for &span in &self.top_down {
                    related[span] = self.parents[span].is_some_and(|parent| lhs[parent] || related[parent]);
                }
            }
            Relation::Ancestor => {
                for &span in self.top_down.iter().rev() {
                    if let Some(parent) = self.parents[span] {
                        related[parent] |= lhs[span] || related[span];
                    }
                }
            }
            Relation::Sibling => {
                let mut members = vec![0u32; lhs.len()];
                for (span, family) in self.families.iter().enumerate() {
                    members[*family] += u32::from(lhs[span]);
                }
                for (span, family) in self.families.iter().enumerate() {
                    related[span] = members[*family] > u32::from(lhs[span]);
                }
            }
        }
        related
    }
}

fn inverse(relation: Relation) -> Relation {
    match relation {
        Relation::Child => Relation::Parent,
        Relation::Parent => Relation::Child,
        Relation::Descendant => Relation::Ancestor,
        Relation::Ancestor => Relation::Descendant,
        Relation::Sibling => Relation::Sibling,
    }
}

/// Makes the first span of each cycle an orphan.
fn cut_cycles(parents: &mut [Option<usize>]) {
    const UNSEEN: usize = usize::MAX;
    let mut seen_from = vec![UNSEEN; parents.len()];
    for start in 0..parents.len() {
        let mut at = start;
        while seen_from[at] == UNSEEN {
            seen_from[at] = start;
            match parents[at] {
                Some(parent) => at = parent,
                None => break,
            }
        }
        // Back at a span of this very walk, and not at its end: a cycle.
        if seen_from[at] == start && parents[at].is_some() {
            let mut first = at;
            let mut member = parents[at];
            while let Some(next) = member.filter(|next| *next != at) {
                first = first.min(next);
                member = parents[next];
            }
            parents[first] = None;
        }
    }
}

/// Numbers the spans below the roots depth first: on the way in, and on the way out.
fn number(roots: impl Iterator<Item = usize>, children: &[Vec<usize>]) -> Vec<NestedSet> {
    let mut numbers = vec![NestedSet::default(); children.len()];
    let mut counter = 0;
    let mut path: Vec<(usize, usize)> = Vec::new(); // a span, and how many of its children are done
    for root in roots {
        counter += 1;
        numbers[root] = NestedSet { left: counter, right: 0, parent: -1 };
        path.push((root, 0));
        while let Some((span, done)) = path.last_mut() {
            counter += 1;
            if let Some(&child) = children[*span].get(*done) {
                *done += 1;
                numbers[child] = NestedSet { left: counter, right: 0, parent: numbers[*span].left };
                path.push((child, 0));
            } else {
                numbers[*span].right = counter;
                path.pop();
            }
        }
    }
    numbers
}
