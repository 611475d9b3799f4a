//! The canonical print: what answers use as keys and errors quote, and what parses to the same tree again.
//!
//! An operation that is an operand stands in parentheses, so chains of `&&` and `||` print as nested to the left. (A
//! chain of more than [`MAX_NESTING`](crate::MAX_NESTING) operands therefore prints with more parentheses than are
//! parsed again.)

mod field;
mod literal;
mod pipeline;

use std::fmt::{self, Display, Formatter};

/// `((a && b) && c) && d`
fn chain(f: &mut Formatter<'_>, symbol: &str, operands: impl ExactSizeIterator<Item = impl Display>) -> fmt::Result {
    let last = operands.len().saturating_sub(1);
    for _ in 1..last {
        f.write_str("(")?;
    }
    for (i, operand) in operands.enumerate() {
        match i {
            0 => write!(f, "{operand}")?,
            _ if i < last => write!(f, " {symbol} {operand})")?,
            _ => write!(f, " {symbol} {operand}")?,
        }
    }
    Ok(())
}

/// `a, b, c`
fn list(f: &mut Formatter<'_>, items: impl IntoIterator<Item = impl Display>) -> fmt::Result {
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}
