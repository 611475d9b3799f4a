//! A whole query: its pipeline, and what follows it.

use super::{Level, Parser, Result, comparison, spanset::Operand};
use crate::{
    ast::Literal,
    syntax::{Element, Metrics, Query, Scalar, ScalarFilter},
    token::{Symbol, TokenKind, Word},
};

/// What a pipeline may consist of, in parentheses: elements, and maybe a number where a filter would be.
pub(super) enum Step {
    Element(Element),
    Scalar(Scalar),
}

const ELEMENT: &[&str] = &["`{`", "`(`", "an aggregate", "`by`", "`select`"];
const LATER_ELEMENT: &[&str] = &["`coalesce`", "a metrics function"];

impl Parser<'_> {
    pub(crate) fn query(mut self) -> Result<Query> {
        let (pipeline, metrics) = self.pipeline_and_metrics()?;
        let hints = self.hints_to_the_end()?;
        Ok(Query { pipeline, metrics, hints })
    }

    /// A pipeline, and its metrics stage if it has one.
    pub(super) fn pipeline_and_metrics(&mut self) -> Result<(Vec<Element>, Option<Metrics>)> {
        let mut pipeline = vec![self.element(ELEMENT)?];
        let mut metrics = None;
        while metrics.is_none() && self.eat(Symbol::Pipe)? {
            metrics = self.metrics()?;
            if metrics.is_none() {
                pipeline.push(self.later_element()?);
            }
        }
        Ok((pipeline, metrics))
    }

    /// What may follow a query, and then nothing more.
    pub(super) fn hints_to_the_end(&mut self) -> Result<Vec<(String, Literal)>> {
        let mut hints = Vec::new();
        while self.word() == Some(Word::With) {
            self.advance()?;
            hints = self.list(Self::hint)?;
        }
        self.expect_end(if hints.is_empty() { &["`|`", "an operator", "`with`"] } else { &["`with`"] })?;
        Ok(hints)
    }

    /// The steps of a pipeline up to a closing parenthesis, of which only the last may be a number.
    pub(super) fn inner_pipeline(&mut self) -> Result<(Vec<Element>, Option<Scalar>)> {
        let mut elements = Vec::new();
        let mut step = self.step(ELEMENT)?;
        loop {
            match step {
                Step::Element(element) => elements.push(element),
                Step::Scalar(number) => return Ok((elements, Some(number))),
            }
            if !self.eat(Symbol::Pipe)? {
                return Ok((elements, None));
            }
            step = match self.coalesce()? {
                Some(coalesce) => Step::Element(coalesce),
                None => self.step(ELEMENT)?,
            };
        }
    }

    fn later_element(&mut self) -> Result<Element> {
        match self.coalesce()? {
            Some(coalesce) => Ok(coalesce),
            None => self.element(&[ELEMENT, LATER_ELEMENT].concat()),
        }
    }

    fn element(&mut self, expected: &[&str]) -> Result<Element> {
        match self.step(expected)? {
            Step::Element(element) => Ok(element),
            Step::Scalar(_) => Err(self.unexpected(&["a comparison such as `> 2`"])),
        }
    }

    fn step(&mut self, expected: &[&str]) -> Result<Step> {
        let element = match self.word() {
            Some(Word::By) => {
                self.advance()?;
                self.expect(Symbol::LeftParen, &[])?;
                let key = self.expr()?;
                self.expect(Symbol::RightParen, &["an operator"])?;
                Element::By(key)
            }
            Some(Word::Select) => {
                self.advance()?;
                Element::Select(self.list(Self::field)?)
            }
            _ => return self.spanset_or_scalar(expected),
        };
        Ok(Step::Element(element))
    }

    /// Which of them it is may be known only after some parentheses.
    fn spanset_or_scalar(&mut self, expected: &[&str]) -> Result<Step> {
        let (at, start) = (self.token.at, self.token.bytes.start);
        let first = if self.starts_scalar() {
            Operand::Scalar(self.scalar_operand()?)
        } else if matches!(self.symbol(), Some(Symbol::LeftBrace | Symbol::LeftParen)) {
            self.operand()?
        } else {
            return Err(self.unexpected(expected));
        };
        let lhs = match first {
            Operand::Spanset(first, form) => {
                let (spanset, _) = self.spanset_from(first, form, Level::Logic)?;
                return Ok(Step::Element(Element::Spanset(spanset)));
            }
            Operand::Scalar(first) => self.scalar_from(first, Level::Sum)?,
        };
        let Some(op) = self.symbol().and_then(comparison) else { return Ok(Step::Scalar(lhs)) };
        self.advance()?;
        let first = self.scalar_operand()?;
        let rhs = self.scalar_from(first, Level::Sum)?;
        let text = self.text[start..self.end].to_owned();
        Ok(Step::Element(Element::Scalar(ScalarFilter { lhs, op, rhs, at, text })))
    }

    /// `coalesce()`. It needs something before it, so it is no [`Self::step`].
    fn coalesce(&mut self) -> Result<Option<Element>> {
        if self.word() != Some(Word::Coalesce) {
            return Ok(None);
        }
        self.advance()?;
        self.no_arguments()?;
        Ok(Some(Element::Coalesce))
    }

    /// `name = value`
    fn hint(&mut self) -> Result<(String, Literal)> {
        let TokenKind::Identifier(name) = &self.token.kind else {
            return Err(self.unexpected(&["a hint's name"]));
        };
        let name = name.clone();
        self.advance()?;
        self.expect(Symbol::Equal, &[])?;
        let TokenKind::Literal(value) = &self.token.kind else {
            return Err(self.unexpected(&["a value"]));
        };
        let value = value.clone();
        self.advance()?;
        Ok((name, value))
    }
}
