//! Spanset expressions, and parentheses between the elements of a pipeline, which may hold anything.

use super::{Level, Parser, Result, logic, logic_node, node};
use crate::{
    ast::{Relation, StructuralForm, StructuralOp},
    error::QueryError,
    syntax::{Element, Logic, Scalar, Spanset, SpansetKind},
    token::Symbol,
};

/// What a parenthesis may turn out to be, and what an operator may stand between.
pub(super) enum Operand {
    Spanset(Spanset, Form),
    Scalar(Scalar),
}

/// How a spanset is written, on which depends what it may be joined with.
///
/// A pipeline has to be in parentheses to be an operand, and then the other operand has to be, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `{ … }`, or an operation in which some operand is bare.
    Bare,
    /// A spanset expression in parentheses, which may also count as a pipeline.
    Parenthesised,
    /// A pipeline in parentheses, or an operation upon one.
    Pipeline,
}

#[derive(Clone, Copy)]
enum Infix {
    Logic(Logic),
    Structural(StructuralOp),
}

impl Parser<'_> {
    /// An operand's operators that bind at least as tightly as `least`, with their other operands.
    pub(super) fn spanset_from(&mut self, first: Spanset, form: Form, least: Level) -> Result<(Spanset, Form)> {
        let (mut lhs, mut form) = (first, form);
        while let Some((op, level)) = self.symbol().and_then(infix)
            && level >= least
        {
            let symbol = self.advance()?;
            let (next, next_form) = self.spanset_operand()?;
            let (rhs, rhs_form) = self.spanset_from(next, next_form, level.right())?;
            form = join_forms(form, rhs_form).ok_or_else(|| {
                let message = format!(
                    "unexpected operand without parentheses at {}, expected parentheses around both operands because \
                     one of them is a pipeline",
                    symbol.kind.describe(),
                );
                QueryError::syntax(if form == Form::Bare { lhs.at } else { rhs.at }, message)
            })?;
            lhs = match op {
                Infix::Logic(op) => logic_node(op, lhs, rhs)?,
                Infix::Structural(op) => {
                    let (at, below) = (lhs.at, lhs.height.max(rhs.height));
                    node(SpansetKind::Structural(op, Box::new(lhs), Box::new(rhs)), at, below)?
                }
            };
        }
        Ok((lhs, form))
    }

    /// What stands on the right of a spanset operator.
    fn spanset_operand(&mut self) -> Result<(Spanset, Form)> {
        let at = self.token.at;
        match self.symbol() {
            Some(Symbol::LeftBrace | Symbol::LeftParen) => match self.operand()? {
                Operand::Spanset(spanset, form) => Ok((spanset, form)),
                Operand::Scalar(_) => Err(QueryError::syntax(at, "unexpected number, expected spans such as `{ }`")),
            },
            _ => Err(self.unexpected(&["`{`", "`(`"])),
        }
    }

    /// `{ … }` or `( … )`.
    pub(super) fn operand(&mut self) -> Result<Operand> {
        if self.symbol() == Some(Symbol::LeftParen) {
            return self.nested(Self::parenthesised);
        }
        let (expr, at) = self.filter()?;
        let below = expr.height;
        Ok(Operand::Spanset(node(SpansetKind::Filter(expr), at, below)?, Form::Bare))
    }

    fn parenthesised(&mut self) -> Result<Operand> {
        let at = self.advance()?.at;
        let (mut elements, number) = self.inner_pipeline()?;
        self.expect(Symbol::RightParen, &["`|`", "an operator"])?;
        match (number, elements.pop()) {
            (Some(number), None) => Ok(Operand::Scalar(number)),
            (Some(_), Some(_)) => Ok(Operand::Scalar(Scalar::Unsupported)),
            (None, Some(Element::Spanset(only))) if elements.is_empty() => {
                let form = if holds_pipeline(&only) { Form::Pipeline } else { Form::Parenthesised };
                Ok(Operand::Spanset(only, form))
            }
            (None, last) => {
                elements.extend(last);
                let below = elements.iter().map(Element::height).max().unwrap_or(0);
                Ok(Operand::Spanset(node(SpansetKind::Pipeline(elements), at, below)?, Form::Pipeline))
            }
        }
    }
}

/// The form of an operation upon two operands, if they may be joined.
fn join_forms(lhs: Form, rhs: Form) -> Option<Form> {
    match (lhs, rhs) {
        (Form::Bare, Form::Pipeline) | (Form::Pipeline, Form::Bare) => None,
        (Form::Bare, _) | (_, Form::Bare) => Some(Form::Bare),
        (Form::Pipeline, _) | (_, Form::Pipeline) => Some(Form::Pipeline),
        (Form::Parenthesised, Form::Parenthesised) => Some(Form::Parenthesised),
    }
}

/// Whether a pipeline is among the operands. If one is, all of them are in parentheses.
fn holds_pipeline(spanset: &Spanset) -> bool {
    match &spanset.kind {
        SpansetKind::Filter(_) => false,
        SpansetKind::Pipeline(_) => true,
        SpansetKind::Logic(_, operands) => operands.iter().any(holds_pipeline),
        SpansetKind::Structural(_, lhs, rhs) => holds_pipeline(lhs) || holds_pipeline(rhs),
    }
}

fn infix(symbol: Symbol) -> Option<(Infix, Level)> {
    use {Relation as R, StructuralForm as F, Symbol as S};

    if let Some(op) = logic(symbol) {
        return Some((Infix::Logic(op), Level::Logic));
    }
    let (relation, form) = match symbol {
        S::Greater => (R::Child, F::Plain),
        S::Less => (R::Parent, F::Plain),
        S::GreaterGreater => (R::Descendant, F::Plain),
        S::LessLess => (R::Ancestor, F::Plain),
        S::Tilde => (R::Sibling, F::Plain),
        S::BangGreater => (R::Child, F::Negated),
        S::BangLess => (R::Parent, F::Negated),
        S::BangGreaterGreater => (R::Descendant, F::Negated),
        S::BangLessLess => (R::Ancestor, F::Negated),
        S::BangTilde => (R::Sibling, F::Negated),
        S::AmpGreater => (R::Child, F::Union),
        S::AmpLess => (R::Parent, F::Union),
        S::AmpGreaterGreater => (R::Descendant, F::Union),
        S::AmpLessLess => (R::Ancestor, F::Union),
        S::AmpTilde => (R::Sibling, F::Union),
        _ => return None,
    };
    Some((Infix::Structural(StructuralOp { relation, form }), Level::Relation))
}
