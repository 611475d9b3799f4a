use std::fmt::{self, Display, Formatter, Write};

use crate::{
    ast::{Kind, Literal, Status},
    duration::format_duration,
};

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            // Its digits alone would be one too many for an integer.
            Literal::Int(i64::MIN) => f.write_str("minInt"),
            Literal::Int(int) => int.fmt(f),
            Literal::Float(number) => float(f, *number),
            Literal::Str(text) => string(f, text),
            Literal::Bool(truth) => truth.fmt(f),
            Literal::Duration(nanos) => f.write_str(&format_duration(*nanos)),
            Literal::Status(status) => status.fmt(f),
            Literal::Kind(kind) => kind.fmt(f),
        }
    }
}

impl Display for Status {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.spelling())
    }
}

impl Display for Kind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.spelling())
    }
}

/// The shortest digits that mean the number, as Go's `%g` lays them out, recognisable as a float.
pub(super) fn float(f: &mut Formatter<'_>, number: f64) -> fmt::Result {
    // Powers of ten that Go prints without an exponent.
    const PLAIN: std::ops::RangeInclusive<i32> = -4..=5;

    let scientific = format!("{number:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return f.write_str(&scientific) };
    let exponent: i32 = exponent.parse().map_err(|_| fmt::Error)?;
    if PLAIN.contains(&exponent) {
        let plain = number.to_string();
        let point = if plain.contains('.') { "" } else { ".0" };
        return write!(f, "{plain}{point}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    write!(f, "{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

/// A string in backticks; in double quotes if there are backticks in it.
pub(super) fn string(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    if !text.contains('`') {
        return write!(f, "`{text}`");
    }
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c if c.is_control() => write!(f, "\\U{:08x}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}
