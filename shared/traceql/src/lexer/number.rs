//! Numbers and durations.

use super::{Lexer, Result};
use crate::{ast::Literal, duration::parse_duration, error::QueryError, token::TokenKind};

impl Lexer<'_> {
    /// An integer, float or duration. What can't be read on is left to the next token, where it ends in an error.
    pub(super) fn number(&mut self) -> Result<TokenKind> {
        let at = self.position();
        let rest = self.rest();
        if let Some(length) = hex_float_length(rest) {
            self.skip(length);
            let out_of_range = || QueryError::syntax(at, format!("float `{}` is out of range", &rest[..length]));
            return Ok(TokenKind::Literal(Literal::Float(hex_float(&rest[..length]).ok_or_else(out_of_range)?)));
        }

        let (length, is_float) = number_length(rest);
        let number = &rest[..length];
        if !is_float && number.starts_with('0') && number.contains(['8', '9']) {
            // Decimal all the same; Go's scanner insists because of its own octal literals.
            return Err(QueryError::syntax(at, format!("number `{number}` has a leading zero, expected it without")));
        }
        let run = length + rest[length..].find(|c| !continues_duration(c)).unwrap_or(rest.len() - length);
        if run > length
            && let Some(nanos) = parse_duration(&rest[..run])
        {
            self.skip(run);
            return Ok(TokenKind::Literal(Literal::Duration(nanos)));
        }

        self.skip(length);
        let literal = if is_float {
            number.parse().ok().filter(|float: &f64| float.is_finite()).map(Literal::Float)
        } else {
            number.parse().ok().map(Literal::Int)
        };
        let sort = if is_float { "float" } else { "integer" };
        literal
            .map(TokenKind::Literal)
            .ok_or_else(|| QueryError::syntax(at, format!("{sort} `{number}` is out of range")))
    }
}

fn continues_duration(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '.' | 'n' | 's' | 'u' | '\u{b5}' | '\u{3bc}' | 'm' | 'h' | 'd' | 'w' | 'y')
}

/// How many bytes of the text are a decimal number, and whether it is a float: `1`, `1.5`, `.5`, `1.`, `1.5E-3`.
fn number_length(text: &str) -> (usize, bool) {
    let mut end = digits(text, 0, 10);
    let mut is_float = false;
    if text[end..].starts_with('.') {
        is_float = true;
        end = digits(text, end + 1, 10);
    }
    if let Some(exponent) = exponent_end(text, end, ['e', 'E']) {
        is_float = true;
        end = exponent;
    }
    (end, is_float)
}

/// How many bytes of the text are a hexadecimal float: `0x1.8p3`. Without an exponent it is none.
fn hex_float_length(text: &str) -> Option<usize> {
    if !text.starts_with("0x") && !text.starts_with("0X") {
        return None;
    }
    let mut end = digits(text, 2, 16);
    let mut count = end - 2;
    if text[end..].starts_with('.') {
        let start = end + 1;
        end = digits(text, start, 16);
        count += end - start;
    }
    if count == 0 { None } else { exponent_end(text, end, ['p', 'P']) }
}

/// Where the digits end that begin at `start`.
fn digits(text: &str, start: usize, radix: u32) -> usize {
    text[start..].find(|c: char| !c.is_digit(radix)).map_or(text.len(), |length| start + length)
}

/// Where the exponent ends that begins at `start`, if there is one.
fn exponent_end(text: &str, start: usize, markers: [char; 2]) -> Option<usize> {
    let after_marker = text[start..].strip_prefix(markers)?;
    let unsigned = after_marker.strip_prefix(['+', '-']).unwrap_or(after_marker);
    let first_digit = text.len() - unsigned.len();
    let end = digits(text, first_digit, 10);
    (end > first_digit).then_some(end)
}

/// The value of a hexadecimal float, if it is finite.
fn hex_float(text: &str) -> Option<f64> {
    // One more digit could overflow the mantissa; 61 bits and a sticky one round to 53 correctly.
    const FULL: u64 = 1 << 60;

    let (mantissa_digits, exponent) = text[2..].split_once(['p', 'P'])?;
    // What doesn't fit is far beyond any double, and stays far beyond after the digits have been counted in.
    let extreme = if exponent.starts_with('-') { i32::MIN / 2 } else { i32::MAX / 2 };
    let mut exponent = exponent.parse::<i32>().unwrap_or(extreme).clamp(i32::MIN / 2, i32::MAX / 2);
    let mut mantissa = 0_u64;
    let mut in_fraction = false;
    for c in mantissa_digits.chars() {
        let Some(digit) = c.to_digit(16) else {
            in_fraction = true;
            continue;
        };
        if mantissa < FULL {
            mantissa = mantissa << 4 | u64::from(digit);
            exponent -= if in_fraction { 4 } else { 0 };
        } else {
            mantissa |= u64::from(digit != 0);
            exponent += if in_fraction { 0 } else { 4 };
        }
    }
    if mantissa == 0 {
        return Some(0.0);
    }
    // In two steps, because a double can't hold the power of two that makes the least one out of a large mantissa.
    let half = exponent / 2;
    let float = mantissa as f64 * 2_f64.powi(half) * 2_f64.powi(exponent - half);
    float.is_finite().then_some(float)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_floats_are_exact() {
        for (text, value) in [
            ("0x1p0", Some(1.0)),
            ("0x1.8p1", Some(3.0)),
            ("0X.8P+1", Some(1.0)),
            ("0x1p-2", Some(0.25)),
            ("0x1p-1074", Some(5e-324)),
            ("0x1p-5000", Some(0.0)),
            ("0x0p999999999999", Some(0.0)),
            ("0x1.fffffffffffffp1023", Some(f64::MAX)),
            ("0x1.fffffffffffff8p1023", None),
            ("0x1p1024", None),
            ("0x100000000000000000000p0", Some(2_f64.powi(80))),
            ("0x20000000000001.0000000000001p0", Some(9_007_199_254_740_994.0)),
        ] {
            assert_eq!(hex_float_length(text), Some(text.len()), "{text}");
            assert_eq!(hex_float(text), value, "{text}");
        }
        for text in ["0x10", "0x", "0xp1", "0x1p", "0x1p+", "1p3"] {
            assert_eq!(hex_float_length(text), None, "{text}");
        }
    }
}
