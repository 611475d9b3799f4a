//! What a metrics endpoint is asked: a measure of spans, or arithmetic with several of them in parentheses.

use std::collections::HashSet;

use super::{Level, Parser, Result, arithmetic, node};
use crate::{
    fold,
    lexer::Lexer,
    syntax::{MetricsQuery, Series, SeriesKind},
    token::{Symbol, TokenKind, Word},
};

const OPERAND: &[&str] = &["a number", "a metrics query in parentheses such as `({ } | rate())`"];

/// Where the parentheses open that have a metrics stage in them. Any others are about spans.
struct Parentheses(HashSet<usize>);

impl Parser<'_> {
    pub(crate) fn metrics_query(mut self) -> Result<MetricsQuery> {
        let around_series = Parentheses::of(self.text);
        let series = self.series(&around_series)?;
        let hints = self.hints_to_the_end()?;
        Ok(MetricsQuery { series, hints })
    }

    fn series(&mut self, around_series: &Parentheses) -> Result<Series> {
        let at = self.token.at;
        let is_arithmetic = match &self.token.kind {
            TokenKind::Literal(literal) => fold::is_numeric(literal) && around_series.any(),
            TokenKind::Symbol(Symbol::Minus) => around_series.any(),
            _ => around_series.open_here(self),
        };
        if !is_arithmetic {
            let (pipeline, metrics) = self.pipeline_and_metrics()?;
            return node(SeriesKind::Measure(pipeline, metrics), at, 0);
        }
        let first = self.series_operand(around_series)?;
        let series = self.series_from(first, Level::Sum, around_series)?;
        let stages = self.series_stages()?;
        if stages.is_empty() {
            return Ok(series);
        }
        let height = series.height;
        node(SeriesKind::Then(Box::new(series), stages), at, height)
    }

    /// An operand's operators that bind at least as tightly as `least`, with their other operands.
    fn series_from(&mut self, first: Series, least: Level, around_series: &Parentheses) -> Result<Series> {
        let mut lhs = first;
        while let Some((op, level)) = self.symbol().and_then(arithmetic)
            && level >= least
        {
            self.advance()?;
            let rhs = self.nested(|parser| {
                let next = parser.series_operand(around_series)?;
                parser.series_from(next, level.right(), around_series)
            })?;
            let (at, height) = (lhs.at, lhs.height.max(rhs.height));
            lhs = node(SeriesKind::Arithmetic(op, Box::new(lhs), Box::new(rhs)), at, height)?;
        }
        Ok(lhs)
    }

    fn series_operand(&mut self, around_series: &Parentheses) -> Result<Series> {
        let at = self.token.at;
        match &self.token.kind {
            TokenKind::Symbol(Symbol::LeftParen) => {
                self.advance()?;
                let series = self.nested(|parser| parser.series(around_series))?;
                self.expect(Symbol::RightParen, &["`|`", "an operator"])?;
                Ok(series)
            }
            TokenKind::Symbol(Symbol::Minus) => {
                self.advance()?;
                let number = fold::seconds(&fold::negated(self.number()?));
                node(SeriesKind::Number(number), at, 0)
            }
            TokenKind::Literal(literal) if fold::is_numeric(literal) => {
                let number = fold::seconds(&self.number()?);
                node(SeriesKind::Number(number), at, 0)
            }
            _ => Err(self.unexpected(OPERAND)),
        }
    }
}

impl Parentheses {
    /// Those of a text, up to where it is none of the language: that is for the parser to say.
    fn of(text: &str) -> Self {
        let mut found = HashSet::new();
        // Those that are open, and how many of them are known to have a metrics stage in them.
        let (mut open, mut known) = (Vec::new(), 0);
        let (mut lexer, mut after_pipe) = (Lexer::new(text), false);
        while let Ok(token) = lexer.next() {
            match token.kind {
                TokenKind::End => break,
                TokenKind::Symbol(Symbol::LeftParen) => open.push(token.bytes.start),
                TokenKind::Symbol(Symbol::RightParen) => {
                    open.pop();
                    known = known.min(open.len());
                }
                TokenKind::Word(word) if after_pipe && is_metrics(word) => {
                    found.extend(&open[known..]);
                    known = open.len();
                }
                _ => {}
            }
            after_pipe = token.kind == TokenKind::Symbol(Symbol::Pipe);
        }
        Self(found)
    }

    fn any(&self) -> bool {
        !self.0.is_empty()
    }

    /// Whether the parser's next token opens one.
    fn open_here(&self, parser: &Parser<'_>) -> bool {
        self.0.contains(&parser.token.bytes.start)
    }
}

fn is_metrics(word: Word) -> bool {
    matches!(
        word,
        Word::Rate
            | Word::CountOverTime
            | Word::MinOverTime
            | Word::MaxOverTime
            | Word::AvgOverTime
            | Word::SumOverTime
            | Word::QuantileOverTime
            | Word::HistogramOverTime
            | Word::Compare
    )
}
