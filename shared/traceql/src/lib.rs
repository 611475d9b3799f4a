//! TraceQL: from text to a tree that is known to make sense.
//!
//! TraceQL is the query language of Grafana Tempo. [`parse`] takes a query's text and answers either with a
//! [`Query`] or with a [`QueryError`] that says where and why not. Everything that can be known without data is
//! settled here, once: precedence, types, regular expressions, constant arithmetic, limits. Whoever evaluates a
//! [`Query`] never meets a bad pattern, a `status` compared with a number or a chain too deep to recurse over.
//!
//! This crate knows nothing of spans, blocks or HTTP, and does no I/O.
//!
//! The types to know:
//!
//! * [`Query`]: a [`Pipeline`] of [`Element`]s, maybe a [`Metrics`] stage, maybe hints.
//! * [`MetricsQuery`]: what [`parse_metrics`] makes of a query for series, whose [`Measure`]s may be reckoned with.
//! * [`FieldExpr`]: a condition or value over one span, inside `{ … }`, `by(…)` and aggregates.
//! * [`Field`]: an attribute or a built-in field; what an engine has to fetch. [`Query::fields`] lists them.
//! * [`Pattern`]: a compiled regular expression with the meaning that Go's RE2 gives it.
//!
//! Every type of the tree has a [`Display`](std::fmt::Display): the *canonical print*, which parses to the same tree
//! again. Answers use it as keys (`by(resource.service.name)`), errors quote it.
//!
//! ```
//! use niente_traceql::{Element, ErrorKind, parse};
//!
//! let query = parse(r#"{ .env = "prod" && duration > 2 * 30s } | by(name) | count() > 2"#).unwrap();
//! assert_eq!(query.to_string(), "{ (.env = `prod`) && (duration > 6e+10) } | by(name) | count() > 2");
//!
//! let fields: Vec<String> = query.fields().iter().map(|field| field.to_string()).collect();
//! assert_eq!(fields, [".env", "duration", "name"]);
//! assert!(matches!(query.pipeline.elements[2], Element::Scalar(_)));
//!
//! let error = parse("{ status = 2 }").unwrap_err();
//! assert_eq!(error.kind, ErrorKind::Invalid);
//! let error = parse("{ .env = }").unwrap_err();
//! assert!(error.to_string().starts_with("parse error at line 1, col 10: unexpected `}`, expected "));
//! ```
//!
//! Text passes through the private modules in this order: `lexer` makes tokens, `parser` a tree of what was written
//! (`syntax`), `check` the public tree (`ast`), with `fold` evaluating constants on the way. Syntax errors therefore
//! come before all others.

mod ast;
mod check;
mod duration;
mod error;
mod fields;
mod fold;
mod lexer;
mod names;
mod parser;
mod pattern;
mod print;
mod re2;
mod salvage;
mod syntax;
mod token;

pub use ast::{
    Aggregate, Arithmetic, AttributeScope, Comparison, Element, Field, FieldExpr, Intrinsic, Kind, Literal, Measure,
    Metrics, MetricsFunction, MetricsQuery, Pipeline, Query, Relation, ScalarFilter, SeriesExpr, SeriesStage,
    SpansetExpr, Status, StructuralForm, StructuralOp,
};
pub use duration::{format_duration, parse_duration};
pub use error::{ErrorKind, Position, QueryError};
pub use fold::wrapping_pow;
pub use pattern::{InvalidPattern, Pattern};
pub use salvage::salvage_filter;

use parser::Parser;

/// The longest query that is looked at, in bytes.
pub const MAX_QUERY_BYTES: usize = 128 * 1024;

/// The deepest nesting that is accepted: parentheses, prefix operators, and the height of the tree.
///
/// `&&` and `||` of many operands are one level, so a filter may list thousands of values.
pub const MAX_NESTING: usize = 200;

/// The most regular expressions that a query may have.
///
/// Each may take a megabyte and ten milliseconds to compile, and is only some bytes long.
pub const MAX_PATTERNS: usize = 100;

/// The most different fields that a query may mention: each is a column to read.
pub const MAX_FIELDS: usize = 200;

/// The most steps of a pipeline, with those of the pipelines in parentheses within it.
pub const MAX_STEPS: usize = 100;

/// Parses, folds and checks a whole query.
///
/// # Errors
///
/// See [`ErrorKind`]. A syntax error anywhere comes before a query's other faults.
pub fn parse(text: &str) -> Result<Query, QueryError> {
    let query = check::query(Parser::new(text)?.query()?)?;
    check::size(&query)?;
    Ok(query)
}

/// Parses, folds and checks a whole query for series: one with a metrics stage, or arithmetic with several of them in
/// parentheses, which Tempo doesn't have.
///
/// # Errors
///
/// As [`parse`]; and [`ErrorKind::NoMetrics`] if nothing is measured.
///
/// ```
/// use niente_traceql::parse_metrics;
///
/// let ratio = parse_metrics("({ status = error } | rate() by (name)) / ({ } | rate() by (name)) > 0.05").unwrap();
/// assert_eq!(ratio.measures().len(), 2);
///
/// let error = parse_metrics("{ status = error }").unwrap_err();
/// assert!(error.to_string().starts_with("not a metrics query"));
/// ```
pub fn parse_metrics(text: &str) -> Result<MetricsQuery, QueryError> {
    let query = check::metrics_query(Parser::new(text)?.metrics_query()?)?;
    check::metrics_size(&query)?;
    Ok(query)
}

/// Parses an attribute or intrinsic that stands alone, as the tag-value endpoints take it: `.env`,
/// `span."odd name"`, `span:status`, `name`.
///
/// # Errors
///
/// [`ErrorKind::Syntax`] if the text is anything else, [`ErrorKind::Unsupported`] for the bare `parent`.
///
/// ```
/// use niente_traceql::parse_field;
///
/// assert_eq!(parse_field("span:status").unwrap(), parse_field("status").unwrap());
/// assert_eq!(parse_field(r#"span."odd name""#).unwrap().to_string(), r#"span."odd name""#);
/// assert!(parse_field("env").is_err());
/// ```
pub fn parse_field(text: &str) -> Result<Field, QueryError> {
    Parser::new(text)?.lone_field()
}
