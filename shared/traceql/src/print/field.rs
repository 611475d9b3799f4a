use std::fmt::{self, Display, Formatter, Write};

use super::{chain, literal::string};
use crate::{
    ast::{Arithmetic, AttributeScope, Comparison, Field, FieldExpr, Intrinsic, Literal},
    names::ends_name,
};

impl Comparison {
    /// How it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Comparison::Eq => "=",
            Comparison::Ne => "!=",
            Comparison::Lt => "<",
            Comparison::Le => "<=",
            Comparison::Gt => ">",
            Comparison::Ge => ">=",
        }
    }
}

impl Arithmetic {
    /// How it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Arithmetic::Add => "+",
            Arithmetic::Sub => "-",
            Arithmetic::Mul => "*",
            Arithmetic::Div => "/",
            Arithmetic::Mod => "%",
            Arithmetic::Pow => "^",
        }
    }

    /// Whether `-x op y` is read as `-(x op y)`.
    fn binds_before_sign(self) -> bool {
        matches!(self, Arithmetic::Mul | Arithmetic::Div | Arithmetic::Mod | Arithmetic::Pow)
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}

impl Display for Arithmetic {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}

impl Display for FieldExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            FieldExpr::Literal(literal) => literal.fmt(f),
            FieldExpr::Field(field) => field.fmt(f),
            FieldExpr::And(operands) => chain(f, "&&", operands.iter().map(Operand)),
            FieldExpr::Or(operands) => chain(f, "||", operands.iter().map(Operand)),
            FieldExpr::Not(operand) => write!(f, "!{}", Operand(operand)),
            FieldExpr::Negate(operand) => write!(f, "-{}", Operand(operand)),
            FieldExpr::Compare { op, lhs, rhs } => write!(f, "{} {op} {}", Operand(lhs), Operand(rhs)),
            FieldExpr::Match { negated, operand, pattern } => {
                write!(f, "{} {} ", Operand(operand), if *negated { "!~" } else { "=~" })?;
                string(f, pattern.source())
            }
            FieldExpr::Arithmetic { op, lhs, rhs } if op.binds_before_sign() && is_negative(lhs) => {
                write!(f, "({lhs}) {op} {}", Operand(rhs))
            }
            FieldExpr::Arithmetic { op, lhs, rhs } => write!(f, "{} {op} {}", Operand(lhs), Operand(rhs)),
            FieldExpr::Nil { negated, operand } => {
                write!(f, "{} {} nil", Operand(operand), if *negated { "!=" } else { "=" })
            }
        }
    }
}

/// An expression as an operand: in parentheses if it is an operation.
struct Operand<'a>(&'a FieldExpr);

impl Display for Operand<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            FieldExpr::Literal(_) | FieldExpr::Field(_) => self.0.fmt(f),
            operation => write!(f, "({operation})"),
        }
    }
}

fn is_negative(expr: &FieldExpr) -> bool {
    match expr {
        FieldExpr::Literal(Literal::Int(int) | Literal::Duration(int)) => *int < 0,
        FieldExpr::Literal(Literal::Float(float)) => float.is_sign_negative(),
        _ => false,
    }
}

impl Display for Field {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Field::Intrinsic(intrinsic) => intrinsic.fmt(f),
            Field::Attribute { scope, name } if needs_quotes(*scope, name) => {
                write!(f, "{scope}\"")?;
                for c in name.chars() {
                    if matches!(c, '"' | '\\') {
                        f.write_char('\\')?;
                    }
                    f.write_char(c)?;
                }
                f.write_char('"')
            }
            Field::Attribute { scope, name } => write!(f, "{scope}{name}"),
        }
    }
}

/// Whether a name would be read as something else without quotes.
fn needs_quotes(scope: AttributeScope, name: &str) -> bool {
    let misread = match scope {
        AttributeScope::Unscoped => name.starts_with(|c: char| c.is_ascii_digit()),
        AttributeScope::Parent => name.starts_with("span.") || name.starts_with("resource."),
        _ => false,
    };
    misread || name.contains(|c| c == '"' || ends_name(c))
}

impl Display for AttributeScope {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.prefix())
    }
}

impl Display for Intrinsic {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.spelling())
    }
}
