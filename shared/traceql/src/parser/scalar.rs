//! Numbers over a spanset, for filters such as `count() > 2`.
//!
//! The grammar knows arithmetic here, of which only is kept that it is some: no query with it is supported.

use super::{Level, Parser, Result, arithmetic, spanset::Operand};
use crate::{
    ast::{Aggregate, FieldExpr, Literal},
    error::QueryError,
    fold,
    syntax::Scalar,
    token::{Symbol, TokenKind, Word},
};

const NUMBER: &[&str] = &["a number", "a duration"];

impl Parser<'_> {
    /// Whether what comes next can only be a number. A parenthesis may be one, too.
    pub(super) fn starts_scalar(&self) -> bool {
        match &self.token.kind {
            TokenKind::Literal(literal) => fold::is_numeric(literal),
            TokenKind::Word(word) => *word == Word::Count || aggregate(*word).is_some(),
            TokenKind::Symbol(symbol) => *symbol == Symbol::Minus,
            _ => false,
        }
    }

    /// An operand's operators that bind at least as tightly as `least`, with their other operands.
    pub(super) fn scalar_from(&mut self, first: Scalar, least: Level) -> Result<Scalar> {
        let mut lhs = first;
        while let Some((_, level)) = self.symbol().and_then(arithmetic)
            && level >= least
        {
            self.advance()?;
            self.nested(|parser| {
                let next = parser.scalar_operand()?;
                parser.scalar_from(next, level.right())
            })?;
            lhs = Scalar::Unsupported;
        }
        Ok(lhs)
    }

    pub(super) fn scalar_operand(&mut self) -> Result<Scalar> {
        match self.token.kind {
            TokenKind::Symbol(Symbol::Minus) => {
                self.advance()?;
                Ok(Scalar::Literal(fold::negated(self.number()?)))
            }
            TokenKind::Symbol(Symbol::LeftParen) => {
                let at = self.token.at;
                match self.operand()? {
                    Operand::Scalar(scalar) => Ok(scalar),
                    Operand::Spanset(..) => Err(QueryError::syntax(at, "unexpected spans, expected a number")),
                }
            }
            TokenKind::Word(Word::Count) => {
                self.advance()?;
                self.no_arguments()?;
                Ok(Scalar::Count)
            }
            TokenKind::Word(word) => match aggregate(word) {
                Some(function) => {
                    self.advance()?;
                    self.expect(Symbol::LeftParen, &[])?;
                    let argument = self.expr()?;
                    self.expect(Symbol::RightParen, &["an operator"])?;
                    Ok(Scalar::Aggregate(function, argument))
                }
                None => Err(self.unexpected(NUMBER)),
            },
            _ => self.number().map(Scalar::Literal),
        }
    }

    /// An unsigned integer, float or duration.
    pub(super) fn number(&mut self) -> Result<Literal> {
        match &self.token.kind {
            TokenKind::Literal(literal) if fold::is_numeric(literal) => {
                let literal = literal.clone();
                self.advance()?;
                Ok(literal)
            }
            _ => Err(self.unexpected(NUMBER)),
        }
    }
}

/// The aggregates that have an argument.
fn aggregate(word: Word) -> Option<fn(FieldExpr) -> Aggregate> {
    match word {
        Word::Min => Some(Aggregate::Min),
        Word::Max => Some(Aggregate::Max),
        Word::Avg => Some(Aggregate::Avg),
        Word::Sum => Some(Aggregate::Sum),
        _ => None,
    }
}
