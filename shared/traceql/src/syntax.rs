//! What was written, before it is known to make sense: the parser's tree, which `check` turns into the public one.
//!
//! Nodes know where they stand, for errors, and how high they are, so that no tree is ever built that would exhaust
//! the stack of whoever walks it, drops it or prints it.

use crate::{
    ast::{self, Arithmetic, Comparison, Field, FieldExpr, Literal, MetricsFunction, SeriesStage, StructuralOp},
    error::Position,
};

#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) pipeline: Vec<Element>,
    pub(crate) metrics: Option<Metrics>,
    pub(crate) hints: Vec<(String, Literal)>,
}

/// What a metrics endpoint is asked.
#[derive(Debug)]
pub(crate) struct MetricsQuery {
    pub(crate) series: Series,
    pub(crate) hints: Vec<(String, Literal)>,
}

pub(crate) type Series = Node<SeriesKind>;

#[derive(Debug)]
pub(crate) enum SeriesKind {
    /// A pipeline and its metrics stage, if it has one.
    Measure(Vec<Element>, Option<Metrics>),
    Number(f64),
    Arithmetic(Arithmetic, Box<Series>, Box<Series>),
    Then(Box<Series>, Vec<SeriesStage>),
}

#[derive(Debug)]
pub(crate) enum Element {
    Spanset(Spanset),
    Scalar(ScalarFilter),
    By(Expr),
    Coalesce,
    Select(Vec<Field>),
}

/// Part of a tree, where it begins, and how many nodes lie on the longest way down from it.
#[derive(Debug)]
pub(crate) struct Node<Kind> {
    pub(crate) kind: Kind,
    pub(crate) at: Position,
    pub(crate) height: usize,
}

pub(crate) type Spanset = Node<SpansetKind>;

#[derive(Debug)]
pub(crate) enum SpansetKind {
    Filter(Expr),
    /// A parenthesised pipeline of more than a spanset expression.
    Pipeline(Vec<Element>),
    Logic(Logic, Vec<Spanset>),
    Structural(StructuralOp, Box<Spanset>, Box<Spanset>),
}

#[derive(Debug)]
pub(crate) struct ScalarFilter {
    pub(crate) lhs: Scalar,
    pub(crate) op: Comparison,
    pub(crate) rhs: Scalar,
    pub(crate) at: Position,
    /// As written.
    pub(crate) text: String,
}

#[derive(Debug)]
pub(crate) enum Scalar {
    Count,
    /// The aggregate that is made of the expression.
    Aggregate(fn(FieldExpr) -> ast::Aggregate, Expr),
    Literal(Literal),
    /// Arithmetic, or a parenthesised pipeline that ends in an aggregate: grammatical, but refused unseen.
    Unsupported,
}

pub(crate) type Expr = Node<ExprKind>;

#[derive(Debug)]
pub(crate) enum ExprKind {
    Literal(Literal),
    Field(Field),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    Logic(Logic, Vec<Expr>),
    Compare(Comparison, Box<Expr>, Box<Expr>),
    Match { negated: bool, operand: Box<Expr>, pattern: Box<Expr> },
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    Nil { negated: bool, operand: Box<Expr> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Logic {
    And,
    Or,
}

#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) function: Function,
    pub(crate) by: Vec<Field>,
    pub(crate) then: Vec<SeriesStage>,
    pub(crate) at: Position,
}

#[derive(Debug)]
pub(crate) enum Function {
    /// Anything but `compare`; quantiles are not yet checked.
    OfSpans(MetricsFunction),
    /// The selection, and the numbers that follow.
    Compare(Expr, Vec<i64>),
}

impl Logic {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Logic::And => "&&",
            Logic::Or => "||",
        }
    }
}

/// What `&&` and `||` can be put between.
pub(crate) trait Operand: Sized {
    fn logic(op: Logic, operands: Vec<Node<Self>>) -> Self;

    /// The operands, if it is such an operation itself.
    fn into_operands(self, op: Logic) -> Result<Vec<Node<Self>>, Self>;
}

impl Operand for ExprKind {
    fn logic(op: Logic, operands: Vec<Expr>) -> Self {
        ExprKind::Logic(op, operands)
    }

    fn into_operands(self, op: Logic) -> Result<Vec<Expr>, Self> {
        match self {
            ExprKind::Logic(own, operands) if own == op => Ok(operands),
            other => Err(other),
        }
    }
}

impl Operand for SpansetKind {
    fn logic(op: Logic, operands: Vec<Spanset>) -> Self {
        SpansetKind::Logic(op, operands)
    }

    fn into_operands(self, op: Logic) -> Result<Vec<Spanset>, Self> {
        match self {
            SpansetKind::Logic(own, operands) if own == op => Ok(operands),
            other => Err(other),
        }
    }
}

impl Element {
    pub(crate) fn height(&self) -> usize {
        match self {
            Element::Spanset(spanset) => spanset.height,
            Element::Scalar(filter) => filter.lhs.height().max(filter.rhs.height()),
            Element::By(expr) => expr.height,
            Element::Coalesce | Element::Select(_) => 0,
        }
    }
}

impl Scalar {
    fn height(&self) -> usize {
        match self {
            Scalar::Aggregate(_, argument) => argument.height,
            Scalar::Count | Scalar::Literal(_) | Scalar::Unsupported => 0,
        }
    }
}
