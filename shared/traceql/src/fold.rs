//! Operations upon operands: as a constant if it can be computed now, as a node of the tree otherwise.
//!
//! The operands have passed the type check. What has no finite result (division by zero) stays as it is written, for
//! the engine to treat as absent.

use std::cmp::Ordering;

use crate::{
    ast::{Arithmetic, Comparison, FieldExpr, Literal},
    pattern::Pattern,
    syntax::Logic,
};

pub(crate) fn logic(op: Logic, operands: Vec<FieldExpr>) -> FieldExpr {
    let constants: Option<Vec<bool>> = operands.iter().map(boolean).collect();
    match (op, constants) {
        (Logic::And, Some(operands)) => bool_literal(operands.iter().all(|operand| *operand)),
        (Logic::Or, Some(operands)) => bool_literal(operands.iter().any(|operand| *operand)),
        (Logic::And, None) => FieldExpr::And(operands),
        (Logic::Or, None) => FieldExpr::Or(operands),
    }
}

pub(crate) fn not(operand: FieldExpr) -> FieldExpr {
    match boolean(&operand) {
        Some(constant) => bool_literal(!constant),
        None => FieldExpr::Not(Box::new(operand)),
    }
}

pub(crate) fn negate(operand: FieldExpr) -> FieldExpr {
    match operand {
        FieldExpr::Literal(literal) => FieldExpr::Literal(negated(literal)),
        operand => FieldExpr::Negate(Box::new(operand)),
    }
}

pub(crate) fn compare(op: Comparison, lhs: FieldExpr, rhs: FieldExpr) -> FieldExpr {
    if let (FieldExpr::Literal(left), FieldExpr::Literal(right)) = (&lhs, &rhs) {
        return bool_literal(holds(op, order(left, right)));
    }
    FieldExpr::Compare { op, lhs: Box::new(lhs), rhs: Box::new(rhs) }
}

pub(crate) fn matches(negated: bool, operand: FieldExpr, pattern: Pattern) -> FieldExpr {
    match operand {
        FieldExpr::Literal(Literal::Str(text)) => bool_literal(pattern.is_match(&text) != negated),
        operand => FieldExpr::Match { negated, operand: Box::new(operand), pattern },
    }
}

pub(crate) fn arithmetic(op: Arithmetic, lhs: FieldExpr, rhs: FieldExpr) -> FieldExpr {
    let folded = match (&lhs, &rhs) {
        (FieldExpr::Literal(Literal::Int(left)), FieldExpr::Literal(Literal::Int(right))) => of_ints(op, *left, *right),
        (FieldExpr::Literal(left), FieldExpr::Literal(right)) => of_floats(op, float(left), float(right)),
        _ => None,
    };
    match folded {
        Some(literal) => FieldExpr::Literal(literal),
        None => FieldExpr::Arithmetic { op, lhs: Box::new(lhs), rhs: Box::new(rhs) },
    }
}

pub(crate) fn nil(negated: bool, operand: FieldExpr) -> FieldExpr {
    match operand {
        FieldExpr::Literal(_) => bool_literal(negated),
        operand => FieldExpr::Nil { negated, operand: Box::new(operand) },
    }
}

pub(crate) fn is_numeric(literal: &Literal) -> bool {
    matches!(literal, Literal::Int(_) | Literal::Float(_) | Literal::Duration(_))
}

/// The number with its sign turned; the least integer, which has no counterpart, stays what it is.
pub(crate) fn negated(literal: Literal) -> Literal {
    match literal {
        Literal::Int(int) => Literal::Int(int.wrapping_neg()),
        Literal::Float(float) => Literal::Float(-float),
        Literal::Duration(nanos) => Literal::Duration(nanos.wrapping_neg()),
        other => other,
    }
}

/// What a series' samples are compared with: durations in seconds, like the samples.
pub(crate) fn seconds(literal: &Literal) -> f64 {
    match literal {
        Literal::Duration(nanos) => *nanos as f64 / 1e9,
        other => float(other),
    }
}

fn boolean(expr: &FieldExpr) -> Option<bool> {
    match expr {
        FieldExpr::Literal(Literal::Bool(constant)) => Some(*constant),
        _ => None,
    }
}

fn bool_literal(constant: bool) -> FieldExpr {
    FieldExpr::Literal(Literal::Bool(constant))
}

/// The number as a double: a duration counts its nanoseconds.
fn float(literal: &Literal) -> f64 {
    match literal {
        Literal::Int(int) | Literal::Duration(int) => *int as f64,
        Literal::Float(float) => *float,
        _ => f64::NAN,
    }
}

fn of_ints(op: Arithmetic, left: i64, right: i64) -> Option<Literal> {
    let int = match op {
        Arithmetic::Add => left.wrapping_add(right),
        Arithmetic::Sub => left.wrapping_sub(right),
        Arithmetic::Mul => left.wrapping_mul(right),
        Arithmetic::Div | Arithmetic::Mod if right == 0 => return None,
        Arithmetic::Div => left.wrapping_div(right),
        Arithmetic::Mod => left.wrapping_rem(right),
        Arithmetic::Pow => match u64::try_from(right) {
            Ok(exponent) => wrapping_pow(left, exponent),
            Err(_) => return of_floats(op, left as f64, right as f64),
        },
    };
    Some(Literal::Int(int))
}

fn of_floats(op: Arithmetic, left: f64, right: f64) -> Option<Literal> {
    let float = match op {
        Arithmetic::Add => left + right,
        Arithmetic::Sub => left - right,
        Arithmetic::Mul => left * right,
        Arithmetic::Div => left / right,
        Arithmetic::Mod => left % right,
        Arithmetic::Pow => left.powf(right),
    };
    // An infinity has no spelling, so it could not be printed.
    float.is_finite().then_some(Literal::Float(float))
}

/// `i64::wrapping_pow` for exponents beyond 32 bits: the language's `^` on integers.
pub fn wrapping_pow(mut base: i64, mut exponent: u64) -> i64 {
    let mut power = 1_i64;
    while exponent > 0 {
        if exponent & 1 == 1 {
            power = power.wrapping_mul(base);
        }
        base = base.wrapping_mul(base);
        exponent >>= 1;
    }
    power
}

/// How two constants of compatible types stand to each other. Integers and durations are compared exactly.
fn order(left: &Literal, right: &Literal) -> Option<Ordering> {
    match (left, right) {
        (Literal::Int(left) | Literal::Duration(left), Literal::Int(right) | Literal::Duration(right)) => {
            Some(left.cmp(right))
        }
        (Literal::Str(left), Literal::Str(right)) => Some(left.as_bytes().cmp(right.as_bytes())),
        (Literal::Bool(left), Literal::Bool(right)) => Some(left.cmp(right)),
        (left, right) if is_numeric(left) && is_numeric(right) => float(left).partial_cmp(&float(right)),
        // Statuses and kinds, which have no order, but are equal or not.
        (left, right) => (left == right).then_some(Ordering::Equal),
    }
}

fn holds(op: Comparison, order: Option<Ordering>) -> bool {
    match op {
        Comparison::Eq => order == Some(Ordering::Equal),
        Comparison::Ne => order != Some(Ordering::Equal),
        Comparison::Lt => order == Some(Ordering::Less),
        Comparison::Le => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Comparison::Gt => order == Some(Ordering::Greater),
        Comparison::Ge => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_computed() {
        use Arithmetic::*;
        use Literal::{Duration, Float, Int};

        for (op, left, right, expected) in [
            (Add, Int(i64::MAX), Int(1), Some(Int(i64::MIN))),
            (Sub, Int(i64::MIN), Int(1), Some(Int(i64::MAX))),
            (Mul, Int(i64::MAX), Int(2), Some(Int(-2))),
            (Div, Int(7), Int(2), Some(Int(3))),
            (Div, Int(-7), Int(2), Some(Int(-3))),
            (Div, Int(i64::MIN), Int(-1), Some(Int(i64::MIN))),
            (Mod, Int(-7), Int(4), Some(Int(-3))),
            (Mod, Int(i64::MIN), Int(-1), Some(Int(0))),
            (Div, Int(1), Int(0), None),
            (Mod, Int(1), Int(0), None),
            (Pow, Int(3), Int(2), Some(Int(9))),
            (Pow, Int(0), Int(0), Some(Int(1))),
            (Pow, Int(2), Int(64), Some(Int(0))),
            (Pow, Int(-1), Int(i64::MAX), Some(Int(-1))),
            (Pow, Int(2), Int(-1), Some(Float(0.5))),
            (Pow, Int(0), Int(-1), None),
            (Div, Float(1.0), Float(0.0), None),
            (Div, Float(0.0), Int(0), None),
            (Mod, Float(7.5), Int(2), Some(Float(1.5))),
            (Pow, Float(2.0), Float(0.5), Some(Float(std::f64::consts::SQRT_2))),
            (Add, Duration(1), Duration(1), Some(Float(2.0))),
            (Mul, Duration(1_000), Int(2), Some(Float(2_000.0))),
        ] {
            let (lhs, rhs) = (FieldExpr::Literal(left), FieldExpr::Literal(right));
            let unfolded = FieldExpr::Arithmetic { op, lhs: Box::new(lhs.clone()), rhs: Box::new(rhs.clone()) };
            assert_eq!(arithmetic(op, lhs, rhs), expected.map_or(unfolded.clone(), FieldExpr::Literal), "{unfolded}");
        }
    }
}
