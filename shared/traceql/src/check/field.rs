//! Expressions over one span.

use std::slice;

use super::{
    Result,
    types::{Operation, Type},
};
use crate::{
    ast::{AttributeScope, Comparison, Field, FieldExpr, Literal},
    error::{Position, QueryError, quote},
    fold,
    pattern::Pattern,
    syntax::{Expr, ExprKind},
};

/// What stands between braces: something that is true or false, or an attribute that may be.
pub(super) fn condition(written: Expr) -> Result<FieldExpr> {
    let at = written.at;
    let expr = expression(written)?;
    let found = Type::of(&expr);
    let is_field = matches!(expr, FieldExpr::Field(_));
    if found == Type::Bool || found == Type::Unknown && is_field {
        return Ok(expr);
    }
    let advice = match found {
        Type::Unknown => "compare it with something".to_owned(),
        _ => format!("compare it with {}", found.counterpart()),
    };
    let message = format!("{} is no condition, but {found}: {advice}", quote(&expr));
    Err(QueryError::invalid(at, message))
}

/// Any expression, of any type.
pub(super) fn expression(written: Expr) -> Result<FieldExpr> {
    let at = written.at;
    match written.kind {
        ExprKind::Literal(literal) => Ok(FieldExpr::Literal(literal)),
        ExprKind::Field(field) => Ok(FieldExpr::Field(field)),
        ExprKind::Not(operand) => {
            let operand = expression(*operand)?;
            require("!", Operation::Logic, slice::from_ref(&operand), at)?;
            Ok(fold::not(operand))
        }
        ExprKind::Negate(operand) => {
            let operand = expression(*operand)?;
            require("-", Operation::Arithmetic, slice::from_ref(&operand), at)?;
            Ok(fold::negate(operand))
        }
        ExprKind::Logic(op, operands) => {
            let operands = operands.into_iter().map(expression).collect::<Result<Vec<_>>>()?;
            require(op.symbol(), Operation::Logic, &operands, at)?;
            Ok(fold::logic(op, operands))
        }
        ExprKind::Compare(op, lhs, rhs) => {
            let operation = match op {
                Comparison::Eq | Comparison::Ne => Operation::Equality,
                _ => Operation::Order,
            };
            let [lhs, rhs] = operands(op.symbol(), operation, *lhs, *rhs, at)?;
            Ok(fold::compare(op, lhs, rhs))
        }
        ExprKind::Arithmetic(op, lhs, rhs) => {
            let [lhs, rhs] = operands(op.symbol(), Operation::Arithmetic, *lhs, *rhs, at)?;
            Ok(fold::arithmetic(op, lhs, rhs))
        }
        ExprKind::Match { negated, operand, pattern } => match_pattern(negated, *operand, *pattern, at),
        ExprKind::Nil { negated, operand } => {
            let operand = expression(*operand)?;
            refuse_always_present(negated, &operand, at)?;
            Ok(fold::nil(negated, operand))
        }
    }
}

/// Whether the expression depends on the span.
pub(super) fn mentions_field(expr: &FieldExpr) -> bool {
    let mut found = false;
    expr.visit_fields(&mut |_| found = true);
    found
}

fn operands(symbol: &str, operation: Operation, lhs: Expr, rhs: Expr, at: Position) -> Result<[FieldExpr; 2]> {
    let operands = [expression(lhs)?, expression(rhs)?];
    require(symbol, operation, &operands, at)?;
    Ok(operands)
}

/// Checks that the operator can be applied to each of the operands, and to all of them together.
fn require(symbol: &str, operation: Operation, operands: &[FieldExpr], at: Position) -> Result<()> {
    for operand in operands {
        let found = Type::of(operand);
        if !found.allows(operation) {
            let message = format!(
                "`{symbol}` {}, but {} is {found}: {}",
                operation.purpose(),
                quote(operand),
                advice(operation, found),
            );
            return Err(QueryError::invalid(at, message));
        }
    }
    let [lhs, rhs] = operands else { return Ok(()) };
    let (left, right) = (Type::of(lhs), Type::of(rhs));
    if left.fits(right) {
        return Ok(());
    }
    // The side that is not a constant says what the other should be.
    let (other, wanted) = if matches!(lhs, FieldExpr::Literal(_)) { (rhs, right) } else { (lhs, left) };
    let message = format!(
        "{} is {left} and {} is {right}, which can't be joined by `{symbol}`: compare {} with {}",
        quote(lhs),
        quote(rhs),
        quote(other),
        wanted.counterpart(),
    );
    Err(QueryError::invalid(at, message))
}

/// What to do when a value of the type can't be used in the operation.
fn advice(operation: Operation, found: Type) -> String {
    match operation {
        Operation::Logic => format!("compare it with {}", found.counterpart()),
        Operation::Order => "use `=` or `!=`".to_owned(),
        Operation::Match => format!("compare it with {} by `=` or `!=`", found.counterpart()),
        Operation::Equality | Operation::Arithmetic => "use a number or an attribute".to_owned(),
    }
}

fn match_pattern(negated: bool, operand: Expr, pattern: Expr, at: Position) -> Result<FieldExpr> {
    let symbol = if negated { "!~" } else { "=~" };
    let operand = expression(operand)?;
    require(symbol, Operation::Match, slice::from_ref(&operand), at)?;
    let pattern_at = pattern.at;
    let source = match expression(pattern)? {
        FieldExpr::Literal(Literal::Str(source)) => source,
        other => {
            let message = format!("`{symbol}` needs a string in quotes on its right, not {}", quote(&other));
            return Err(QueryError::invalid(pattern_at, message));
        }
    };
    let pattern = Pattern::new(&source).map_err(|error| {
        let message = format!("{} is no regular expression that RE2 knows: {error}", quote(&source));
        QueryError::invalid(pattern_at, message)
    })?;
    Ok(fold::matches(negated, operand, pattern))
}

/// Refuses `= nil` for what every span has.
fn refuse_always_present(negated: bool, operand: &FieldExpr, at: Position) -> Result<()> {
    let FieldExpr::Field(field) = operand else { return Ok(()) };
    let always_present = match field {
        Field::Intrinsic(_) => true,
        Field::Attribute { scope, name } => *scope == AttributeScope::Resource && name == "service.name",
    };
    if negated || !always_present {
        return Ok(());
    }
    let message = format!("{} can't be nil, every span has it: compare it with a value", quote(field));
    Err(QueryError::invalid(at, message))
}
