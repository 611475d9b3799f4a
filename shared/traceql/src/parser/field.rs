//! Expressions over one span: what stands in `{ … }`, in `by(…)` and in aggregates.

use super::{FIELD, Level, Parser, Result, arithmetic, comparison, logic, logic_node, node};
use crate::{
    MAX_PATTERNS,
    ast::{Arithmetic, Comparison, Literal},
    error::{Position, QueryError},
    syntax::{Expr, ExprKind, Logic},
    token::{Symbol, TokenKind, Word},
};

#[derive(Clone, Copy)]
enum Infix {
    Logic(Logic),
    Compare(Comparison),
    Match { negated: bool },
    Arithmetic(Arithmetic),
}

impl Parser<'_> {
    pub(super) fn expr(&mut self) -> Result<Expr> {
        self.expr_from(Level::Logic)
    }

    /// `{ expr }`, with the position of its brace. `{ }` holds for every span.
    pub(super) fn filter(&mut self) -> Result<(Expr, Position)> {
        let at = self.token.at;
        self.expect(Symbol::LeftBrace, &[])?;
        if self.symbol() == Some(Symbol::RightBrace) {
            self.advance()?;
            return Ok((node(ExprKind::Literal(Literal::Bool(true)), at, 0)?, at));
        }
        let expr = self.expr()?;
        self.expect(Symbol::RightBrace, &["an operator"])?;
        Ok((expr, at))
    }

    /// An operand and all operators behind it that bind at least as tightly as `least`.
    fn expr_from(&mut self, least: Level) -> Result<Expr> {
        let mut lhs = self.prefix(least)?;
        while let Some((op, level)) = self.symbol().and_then(infix)
            && level >= least
        {
            self.count_pattern(op)?;
            self.advance()?;
            lhs = self.infix(lhs, op, level)?;
        }
        Ok(lhs)
    }

    fn infix(&mut self, lhs: Expr, op: Infix, level: Level) -> Result<Expr> {
        if let Some(negated) = compares_nil(op)
            && self.word() == Some(Word::Nil)
        {
            self.advance()?;
            return unary(lhs.at, lhs, |operand| ExprKind::Nil { negated, operand });
        }
        let rhs = match level {
            Level::Power => self.nested(|parser| parser.expr_from(level.right()))?,
            _ => self.expr_from(level.right())?,
        };
        match op {
            Infix::Logic(op) => logic_node(op, lhs, rhs),
            Infix::Compare(op) => binary(lhs, rhs, |lhs, rhs| ExprKind::Compare(op, lhs, rhs)),
            Infix::Match { negated } => {
                binary(lhs, rhs, |operand, pattern| ExprKind::Match { negated, operand, pattern })
            }
            Infix::Arithmetic(op) => binary(lhs, rhs, |lhs, rhs| ExprKind::Arithmetic(op, lhs, rhs)),
        }
    }

    fn count_pattern(&mut self, op: Infix) -> Result<()> {
        if let Infix::Match { .. } = op {
            self.patterns += 1;
        }
        if self.patterns <= MAX_PATTERNS {
            return Ok(());
        }
        let message = format!("more than {MAX_PATTERNS} regular expressions, expected fewer with alternatives: `a|b`");
        Err(QueryError::syntax(self.token.at, message))
    }

    fn prefix(&mut self, least: Level) -> Result<Expr> {
        let at = self.token.at;
        match &self.token.kind {
            TokenKind::Literal(literal) => {
                let literal = literal.clone();
                self.advance()?;
                node(ExprKind::Literal(literal), at, 0)
            }
            TokenKind::Field(_) | TokenKind::Word(Word::Parent) => node(ExprKind::Field(self.field()?), at, 0),
            TokenKind::Word(Word::Nil) if least <= Level::Relation => self.nil(),
            TokenKind::Symbol(Symbol::Minus) => unary(at, self.operand_of_prefix(Level::Sum)?, ExprKind::Negate),
            TokenKind::Symbol(Symbol::Bang) => unary(at, self.operand_of_prefix(Level::Not)?, ExprKind::Not),
            TokenKind::Symbol(Symbol::LeftParen) => self.nested(|parser| {
                parser.advance()?;
                let inner = parser.expr()?;
                parser.expect(Symbol::RightParen, &["an operator"])?;
                Ok(inner)
            }),
            _ => Err(self.unexpected(&[&["a value"], FIELD, &["`(`", "`!`", "`-`"]].concat())),
        }
    }

    fn operand_of_prefix(&mut self, level: Level) -> Result<Expr> {
        self.nested(|parser| {
            parser.advance()?;
            parser.expr_from(level.right())
        })
    }

    /// `nil = x`, or `nil != x`.
    fn nil(&mut self) -> Result<Expr> {
        let at = self.advance()?.at;
        let negated = match self.symbol() {
            Some(Symbol::Equal) => false,
            Some(Symbol::BangEqual) => true,
            _ => return Err(self.unexpected(&["`=`", "`!=`"])),
        };
        self.advance()?;
        if self.word() == Some(Word::Nil) {
            self.advance()?;
            // Nothing is neither equal to nor different from nothing.
            return node(ExprKind::Literal(Literal::Bool(false)), at, 0);
        }
        unary(at, self.expr_from(Level::Relation.right())?, |operand| ExprKind::Nil { negated, operand })
    }
}

fn unary(at: Position, operand: Expr, kind: impl FnOnce(Box<Expr>) -> ExprKind) -> Result<Expr> {
    let below = operand.height;
    node(kind(Box::new(operand)), at, below)
}

fn binary(lhs: Expr, rhs: Expr, kind: impl FnOnce(Box<Expr>, Box<Expr>) -> ExprKind) -> Result<Expr> {
    let (at, below) = (lhs.at, lhs.height.max(rhs.height));
    node(kind(Box::new(lhs), Box::new(rhs)), at, below)
}

fn infix(symbol: Symbol) -> Option<(Infix, Level)> {
    match symbol {
        Symbol::EqualTilde => return Some((Infix::Match { negated: false }, Level::Relation)),
        Symbol::BangTilde => return Some((Infix::Match { negated: true }, Level::Relation)),
        _ => {}
    }
    logic(symbol)
        .map(|op| (Infix::Logic(op), Level::Logic))
        .or_else(|| comparison(symbol).map(|op| (Infix::Compare(op), Level::Relation)))
        .or_else(|| arithmetic(symbol).map(|(op, level)| (Infix::Arithmetic(op), level)))
}

/// Whether the operator may have `nil` on its right, and then whether it is the negated one.
fn compares_nil(op: Infix) -> Option<bool> {
    match op {
        Infix::Compare(Comparison::Eq) => Some(false),
        Infix::Compare(Comparison::Ne) => Some(true),
        _ => None,
    }
}
