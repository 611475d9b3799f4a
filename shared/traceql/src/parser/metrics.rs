//! The metrics stage: its function, its grouping and what is done with its series.

use super::{Parser, Result, comparison};
use crate::{
    ast::{Field, Literal, MetricsFunction, SeriesStage},
    fold,
    syntax::{Function, Metrics},
    token::{Symbol, TokenKind, Word},
};

impl Parser<'_> {
    /// The metrics stage, if one stands here, behind its pipe.
    pub(super) fn metrics(&mut self) -> Result<Option<Metrics>> {
        let at = self.token.at;
        let Some(function) = self.metrics_function()? else { return Ok(None) };
        let grouped = self.word() == Some(Word::By) && !matches!(function, Function::Compare(..));
        let by = if grouped {
            self.advance()?;
            self.list(Self::field)?
        } else {
            Vec::new()
        };
        Ok(Some(Metrics { function, by, then: self.series_stages()?, at }))
    }

    /// What is done with series, up to where nothing of that kind follows.
    pub(super) fn series_stages(&mut self) -> Result<Vec<SeriesStage>> {
        let mut stages = Vec::new();
        while let Some(stage) = self.series_stage()? {
            stages.push(stage);
        }
        Ok(stages)
    }

    fn metrics_function(&mut self) -> Result<Option<Function>> {
        let Some(word) = self.word() else { return Ok(None) };
        let of_field: fn(Field) -> MetricsFunction = match word {
            Word::Rate => return self.metrics_without_argument(MetricsFunction::Rate).map(Some),
            Word::CountOverTime => return self.metrics_without_argument(MetricsFunction::CountOverTime).map(Some),
            Word::QuantileOverTime => return self.quantiles().map(Some),
            Word::Compare => return self.compare().map(Some),
            Word::MinOverTime => MetricsFunction::MinOverTime,
            Word::MaxOverTime => MetricsFunction::MaxOverTime,
            Word::AvgOverTime => MetricsFunction::AvgOverTime,
            Word::SumOverTime => MetricsFunction::SumOverTime,
            Word::HistogramOverTime => MetricsFunction::HistogramOverTime,
            _ => return Ok(None),
        };
        self.advance()?;
        self.expect(Symbol::LeftParen, &[])?;
        let field = self.field()?;
        self.expect(Symbol::RightParen, &[])?;
        Ok(Some(Function::OfSpans(of_field(field))))
    }

    fn metrics_without_argument(&mut self, function: MetricsFunction) -> Result<Function> {
        self.advance()?;
        self.no_arguments()?;
        Ok(Function::OfSpans(function))
    }

    /// `quantile_over_time(field, q, …)`
    fn quantiles(&mut self) -> Result<Function> {
        self.advance()?;
        self.expect(Symbol::LeftParen, &[])?;
        let field = self.field()?;
        self.expect(Symbol::Comma, &[])?;
        let mut quantiles = vec![self.quantile()?];
        while self.eat(Symbol::Comma)? {
            quantiles.push(self.quantile()?);
        }
        self.expect(Symbol::RightParen, &["`,`"])?;
        Ok(Function::OfSpans(MetricsFunction::QuantileOverTime(field, quantiles)))
    }

    /// An integer or float; its range is checked later.
    fn quantile(&mut self) -> Result<f64> {
        match self.token.kind {
            TokenKind::Literal(Literal::Float(quantile)) => {
                self.advance()?;
                Ok(quantile)
            }
            TokenKind::Literal(Literal::Int(quantile)) => {
                self.advance()?;
                Ok(quantile as f64)
            }
            _ => Err(self.unexpected(&["a quantile such as `0.9`"])),
        }
    }

    /// `compare({…}, top, start, end)`
    fn compare(&mut self) -> Result<Function> {
        self.advance()?;
        self.expect(Symbol::LeftParen, &[])?;
        let (selection, _) = self.filter()?;
        let mut numbers = Vec::new();
        while self.eat(Symbol::Comma)? {
            numbers.push(self.integer()?);
        }
        self.expect(Symbol::RightParen, &["`,`"])?;
        Ok(Function::Compare(selection, numbers))
    }

    /// `| topk(5)`, or `> 10` without a pipe.
    fn series_stage(&mut self) -> Result<Option<SeriesStage>> {
        if let Some(op) = self.symbol().and_then(comparison) {
            self.advance()?;
            let negative = self.eat(Symbol::Minus)?;
            let number = self.number()?;
            let value = fold::seconds(&if negative { fold::negated(number) } else { number });
            return Ok(Some(SeriesStage::Filter { op, value }));
        }
        if !self.eat(Symbol::Pipe)? {
            return Ok(None);
        }
        let stage = match self.word() {
            Some(Word::TopK) => SeriesStage::TopK,
            Some(Word::BottomK) => SeriesStage::BottomK,
            _ => return Err(self.unexpected(&["`topk`", "`bottomk`"])),
        };
        self.advance()?;
        self.expect(Symbol::LeftParen, &[])?;
        // `minInt` is the only integer without a sign that is negative: as little a number of series as zero.
        let series = u64::try_from(self.integer()?).unwrap_or(0);
        self.expect(Symbol::RightParen, &[])?;
        Ok(Some(stage(series)))
    }
}
