use std::fmt::{self, Display, Formatter};

use super::{chain, list, literal::float};
use crate::ast::{
    Aggregate, Element, Literal, Measure, Metrics, MetricsFunction, MetricsQuery, Pipeline, Query, Relation,
    ScalarFilter, SeriesExpr, SeriesStage, SpansetExpr, StructuralForm, StructuralOp,
};

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.pipeline.fmt(f)?;
        if let Some(metrics) = &self.metrics {
            write!(f, " | {metrics}")?;
        }
        hints(f, &self.hints)
    }
}

impl Display for MetricsQuery {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.series.fmt(f)?;
        hints(f, &self.hints)
    }
}

fn hints(f: &mut Formatter<'_>, hints: &[(String, Literal)]) -> fmt::Result {
    if !hints.is_empty() {
        f.write_str(" with(")?;
        list(f, hints.iter().map(|(name, value)| format!("{name}={value}")))?;
        f.write_str(")")?;
    }
    Ok(())
}

impl Display for SeriesExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            SeriesExpr::Measure(measure) => measure.fmt(f),
            SeriesExpr::Number(number) => float(f, *number),
            SeriesExpr::Arithmetic { op, lhs, rhs } => {
                write!(f, "{} {op} {}", SeriesOperand(lhs), SeriesOperand(rhs))
            }
            SeriesExpr::Then { of, stages } => {
                // Those of a measure would be its own.
                match **of {
                    SeriesExpr::Arithmetic { .. } => of.fmt(f)?,
                    _ => SeriesOperand(of).fmt(f)?,
                }
                series_stages(f, stages)
            }
        }
    }
}

struct SeriesOperand<'a>(&'a SeriesExpr);

impl Display for SeriesOperand<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            SeriesExpr::Number(_) => self.0.fmt(f),
            series => write!(f, "({series})"),
        }
    }
}

impl Display for Measure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} | {}", self.pipeline, self.metrics)
    }
}

impl Display for Pipeline {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (i, element) in self.elements.iter().enumerate() {
            if i > 0 {
                f.write_str(" | ")?;
            }
            element.fmt(f)?;
        }
        Ok(())
    }
}

impl Display for Element {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Element::Spanset(spanset) => spanset.fmt(f),
            Element::Scalar(filter) => filter.fmt(f),
            Element::By(key) => write!(f, "by({key})"),
            Element::Coalesce => f.write_str("coalesce()"),
            Element::Select(fields) => {
                f.write_str("select(")?;
                list(f, fields)?;
                f.write_str(")")
            }
        }
    }
}

impl Display for SpansetExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // If one operand is a pipeline, all of them have to be in parentheses.
        let in_parentheses = self.holds_pipeline();
        let operand = |spanset| Operand { spanset, in_parentheses };
        match self {
            SpansetExpr::Filter(condition) => write!(f, "{{ {condition} }}"),
            SpansetExpr::Pipeline(pipeline) => write!(f, "({pipeline})"),
            SpansetExpr::And(operands) => chain(f, "&&", operands.iter().map(operand)),
            SpansetExpr::Or(operands) => chain(f, "||", operands.iter().map(operand)),
            SpansetExpr::Structural { op, lhs, rhs } => write!(f, "{} {op} {}", operand(lhs), operand(rhs)),
        }
    }
}

impl SpansetExpr {
    fn holds_pipeline(&self) -> bool {
        match self {
            SpansetExpr::Filter(_) => false,
            SpansetExpr::Pipeline(_) => true,
            SpansetExpr::And(operands) | SpansetExpr::Or(operands) => operands.iter().any(Self::holds_pipeline),
            SpansetExpr::Structural { lhs, rhs, .. } => lhs.holds_pipeline() || rhs.holds_pipeline(),
        }
    }
}

struct Operand<'a> {
    spanset: &'a SpansetExpr,
    in_parentheses: bool,
}

impl Display for Operand<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.spanset {
            SpansetExpr::Filter(_) if !self.in_parentheses => self.spanset.fmt(f),
            // It brings its own.
            SpansetExpr::Pipeline(_) => self.spanset.fmt(f),
            spanset => write!(f, "({spanset})"),
        }
    }
}

impl Display for StructuralOp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.form, self.relation)
    }
}

impl Display for StructuralForm {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StructuralForm::Plain => "",
            StructuralForm::Negated => "!",
            StructuralForm::Union => "&",
        })
    }
}

impl Display for Relation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Relation::Child => ">",
            Relation::Parent => "<",
            Relation::Descendant => ">>",
            Relation::Ancestor => "<<",
            Relation::Sibling => "~",
        })
    }
}

impl Display for ScalarFilter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.aggregate, self.op, self.value)
    }
}

impl Display for Aggregate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Aggregate::Count => f.write_str("count()"),
            Aggregate::Min(argument) => write!(f, "min({argument})"),
            Aggregate::Max(argument) => write!(f, "max({argument})"),
            Aggregate::Avg(argument) => write!(f, "avg({argument})"),
            Aggregate::Sum(argument) => write!(f, "sum({argument})"),
        }
    }
}

impl Display for Metrics {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.function.fmt(f)?;
        if !self.by.is_empty() {
            f.write_str(" by(")?;
            list(f, &self.by)?;
            f.write_str(")")?;
        }
        series_stages(f, &self.then)
    }
}

fn series_stages(f: &mut Formatter<'_>, stages: &[SeriesStage]) -> fmt::Result {
    for stage in stages {
        match stage {
            SeriesStage::Filter { .. } => write!(f, " {stage}")?,
            SeriesStage::TopK(_) | SeriesStage::BottomK(_) => write!(f, " | {stage}")?,
        }
    }
    Ok(())
}

impl Display for MetricsFunction {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            MetricsFunction::Rate => f.write_str("rate()"),
            MetricsFunction::CountOverTime => f.write_str("count_over_time()"),
            MetricsFunction::MinOverTime(field) => write!(f, "min_over_time({field})"),
            MetricsFunction::MaxOverTime(field) => write!(f, "max_over_time({field})"),
            MetricsFunction::AvgOverTime(field) => write!(f, "avg_over_time({field})"),
            MetricsFunction::SumOverTime(field) => write!(f, "sum_over_time({field})"),
            MetricsFunction::HistogramOverTime(field) => write!(f, "histogram_over_time({field})"),
            MetricsFunction::QuantileOverTime(field, quantiles) => {
                write!(f, "quantile_over_time({field}")?;
                for quantile in quantiles {
                    f.write_str(", ")?;
                    float(f, *quantile)?;
                }
                f.write_str(")")
            }
            MetricsFunction::Compare { selection, top, window } => {
                write!(f, "compare({{ {selection} }}, {top}")?;
                if let Some((start, end)) = window {
                    write!(f, ", {start}, {end}")?;
                }
                f.write_str(")")
            }
        }
    }
}

impl Display for SeriesStage {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            SeriesStage::TopK(series) => write!(f, "topk({series})"),
            SeriesStage::BottomK(series) => write!(f, "bottomk({series})"),
            SeriesStage::Filter { op, value } => {
                write!(f, "{op} ")?;
                float(f, *value)
            }
        }
    }
}
