//! Values while they are computed with, and what the language's operators do to them.

use std::{borrow::Cow, cmp::Ordering};

use niente_block::ValueRef;
use niente_model::{SpanKind, StatusCode, Value};
use niente_traceql::{Arithmetic, Comparison, Kind, Literal, Pattern, Status};

use crate::Shown;

/// A value of an expression on one span.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Static<'a> {
    /// Not there.
    Nil,
    /// There, but of a type that the language has no operators for: bytes, maps, mixed arrays.
    Opaque,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Cow<'a, str>),
    /// Nanoseconds.
    Duration(i64),
    Status(StatusCode),
    Kind(SpanKind),
    /// A trace or span ID in hexadecimal, as answers show it. Compared without case and leading zeros.
    Id(String),
    /// All strings, all integers, all doubles or all booleans; not empty.
    Array(&'a [Value]),
}

/// A number of any of the three numeric types.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Int(i64),
    Float(f64),
    Duration(i64),
}

impl<'a> Static<'a> {
    pub(crate) fn from_stored(value: ValueRef<'a>) -> Self {
        match value {
            ValueRef::Absent => Static::Nil,
            ValueRef::Str(text) => Static::Str(Cow::Borrowed(text)),
            ValueRef::Int(number) => Static::Int(number),
            ValueRef::Float(number) => Static::Float(number),
            ValueRef::Bool(truth) => Static::Bool(truth),
            ValueRef::Other(Value::Array(values)) if is_typed(values) => Static::Array(values),
            ValueRef::Other(_) | ValueRef::Bytes(_) => Static::Opaque,
        }
    }

    /// Whether it is `true`, as a condition must be.
    pub(crate) fn truth(&self) -> bool {
        *self == Static::Bool(true)
    }

    pub(crate) fn number(&self) -> Option<Number> {
        match self {
            Static::Int(number) => Some(Number::Int(*number)),
            Static::Float(number) => Some(Number::Float(*number)),
            Static::Duration(nanos) => Some(Number::Duration(*nanos)),
            _ => None,
        }
    }

    /// The form in which answers and group keys have it.
    pub(crate) fn shown(&self) -> Shown {
        match self {
            Static::Nil | Static::Opaque => Shown::Nil,
            Static::Bool(truth) => Shown::Bool(*truth),
            Static::Int(number) => Shown::Int(*number),
            Static::Float(number) => Shown::Float(*number),
            Static::Str(text) => Shown::Str(text.clone().into_owned()),
            Static::Duration(nanos) => Shown::Duration(*nanos),
            Static::Status(status) => Shown::Status(*status),
            Static::Kind(kind) => Shown::Kind(*kind),
            Static::Id(hex) => Shown::Str(hex.clone()),
            Static::Array(values) => Shown::Array(values.to_vec()),
        }
    }

    pub(crate) fn of_element(element: &'a Value) -> Self {
        match element {
            Value::Str(text) => Static::Str(Cow::Borrowed(text)),
            Value::Int(number) => Static::Int(*number),
            Value::Float(number) => Static::Float(*number),
            Value::Bool(truth) => Static::Bool(*truth),
            Value::Empty | Value::Bytes(_) | Value::Array(_) | Value::Map(_) => Static::Opaque,
        }
    }
}

impl From<&Literal> for Static<'static> {
    fn from(literal: &Literal) -> Self {
        match literal {
            Literal::Int(number) => Static::Int(*number),
            Literal::Float(number) => Static::Float(*number),
            Literal::Str(text) => Static::Str(Cow::Owned(text.clone())),
            Literal::Bool(truth) => Static::Bool(*truth),
            Literal::Duration(nanos) => Static::Duration(*nanos),
            Literal::Status(status) => Static::Status(match status {
                Status::Unset => StatusCode::UNSET,
                Status::Ok => StatusCode::OK,
                Status::Error => StatusCode::ERROR,
            }),
            Literal::Kind(kind) => Static::Kind(match kind {
                Kind::Unspecified => SpanKind::UNSPECIFIED,
                Kind::Internal => SpanKind::INTERNAL,
                Kind::Server => SpanKind::SERVER,
                Kind::Client => SpanKind::CLIENT,
                Kind::Producer => SpanKind::PRODUCER,
                Kind::Consumer => SpanKind::CONSUMER,
            }),
        }
    }
}

fn is_typed(values: &[Value]) -> bool {
    let same = |matches: fn(&Value) -> bool| values.iter().all(matches);
    !values.is_empty()
        && (same(|v| matches!(v, Value::Str(_)))
            || same(|v| matches!(v, Value::Int(_)))
            || same(|v| matches!(v, Value::Float(_)))
            || same(|v| matches!(v, Value::Bool(_))))
}

/// `value op literal` for an attribute: as [`compare`], but an integer literal meets integers only and a double only
/// doubles. So it is in Tempo, and saved queries count on it.
pub(crate) fn compare_attribute(op: Comparison, value: &Static<'_>, literal: &Static<'_>) -> bool {
    let meet = |value: &Static<'_>| {
        !matches!((value, literal), (Static::Int(_), Static::Float(_)) | (Static::Float(_), Static::Int(_)))
    };
    let meets = match value {
        Static::Array(elements) => elements.first().map(Static::of_element).is_some_and(|first| meet(&first)),
        value => meet(value),
    };
    meets && compare(op, value, literal)
}

/// `lhs op rhs`: false where a side is absent or the types don't go together.
///
/// With an array on one side, any of its elements may satisfy the comparison; `!=` holds if none is equal.
pub(crate) fn compare(op: Comparison, lhs: &Static<'_>, rhs: &Static<'_>) -> bool {
    match (lhs, rhs) {
        (Static::Array(_), Static::Array(_)) => false,
        (Static::Array(elements), scalar) => any_element(op, elements, |op, element| compare(op, element, scalar)),
        (scalar, Static::Array(elements)) => any_element(op, elements, |op, element| compare(op, scalar, element)),
        _ => compare_scalars(op, lhs, rhs),
    }
}

fn any_element(op: Comparison, elements: &[Value], holds: impl Fn(Comparison, &Static<'_>) -> bool) -> bool {
    let mut elements = elements.iter().map(Static::of_element);
    match op {
        Comparison::Ne => elements.all(|element| holds(Comparison::Ne, &element)),
        _ => elements.any(|element| holds(op, &element)),
    }
}

fn compare_scalars(op: Comparison, lhs: &Static<'_>, rhs: &Static<'_>) -> bool {
    let is_equality = matches!(op, Comparison::Eq | Comparison::Ne);
    let ordering = match (lhs, rhs) {
        (Static::Str(a), Static::Str(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
        (Static::Id(id), Static::Str(text)) | (Static::Str(text), Static::Id(id)) if is_equality => {
            equality(same_id(id, text))
        }
        (Static::Id(a), Static::Id(b)) if is_equality => equality(same_id(a, b)),
        (Static::Bool(a), Static::Bool(b)) if is_equality => equality(a == b),
        (Static::Status(a), Static::Status(b)) if is_equality => equality(a == b),
        (Static::Kind(a), Static::Kind(b)) if is_equality => equality(a == b),
        _ => match (lhs.number(), rhs.number()) {
            (Some(a), Some(b)) => match compare_numbers(a, b) {
                Some(ordering) => Some(ordering),
                None => return op == Comparison::Ne, // NaN differs from everything
            },
            _ => None,
        },
    };
    ordering.is_some_and(|ordering| match op {
        Comparison::Eq => ordering == Ordering::Equal,
        Comparison::Ne => ordering != Ordering::Equal,
        Comparison::Lt => ordering == Ordering::Less,
        Comparison::Le => ordering != Ordering::Greater,
        Comparison::Gt => ordering == Ordering::Greater,
        Comparison::Ge => ordering != Ordering::Less,
    })
}

fn equality(equal: bool) -> Option<Ordering> {
    Some(if equal { Ordering::Equal } else { Ordering::Less })
}

/// The order of two numbers of the numeric family; none if one is NaN.
pub(crate) fn compare_numbers(a: Number, b: Number) -> Option<Ordering> {
    match (a, b) {
        (Number::Int(a) | Number::Duration(a), Number::Int(b) | Number::Duration(b)) => Some(a.cmp(&b)),
        (a, b) => a.as_f64().partial_cmp(&b.as_f64()),
    }
}

/// Whether some text names an ID: hexadecimal digits, compared without case and leading zeros.
fn same_id(id: &str, text: &str) -> bool {
    let is_id = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id(text) && id.trim_start_matches('0').eq_ignore_ascii_case(text.trim_start_matches('0'))
}

/// Whether the pattern matches: a string, an ID, or any element of an array of strings. `None` where it can't apply.
pub(crate) fn matches(pattern: &Pattern, operand: &Static<'_>) -> Option<bool> {
    match operand {
        Static::Str(text) => Some(pattern.is_match(text)),
        Static::Id(hex) => Some(pattern.is_match(hex)),
        Static::Array(values) if matches!(values[0], Value::Str(_)) => {
            Some(values.iter().any(|value| matches!(value, Value::Str(text) if pattern.is_match(text))))
        }
        _ => None,
    }
}

/// `lhs op rhs`; nil where a side is no number, or where an integer is divided by zero.
pub(crate) fn arithmetic(op: Arithmetic, lhs: &Static<'_>, rhs: &Static<'_>) -> Static<'static> {
    match (lhs.number(), rhs.number()) {
        (Some(Number::Int(a)), Some(Number::Int(b))) => integer_arithmetic(op, a, b),
        (Some(a), Some(b)) => Static::Float(float_arithmetic(op, a.as_f64(), b.as_f64())),
        _ => Static::Nil,
    }
}

fn integer_arithmetic(op: Arithmetic, a: i64, b: i64) -> Static<'static> {
    let whole = match op {
        Arithmetic::Add => Some(a.wrapping_add(b)),
        Arithmetic::Sub => Some(a.wrapping_sub(b)),
        Arithmetic::Mul => Some(a.wrapping_mul(b)),
        Arithmetic::Div => (b != 0).then(|| a.wrapping_div(b)),
        Arithmetic::Mod => (b != 0).then(|| a.wrapping_rem(b)),
        Arithmetic::Pow => match u64::try_from(b) {
            Ok(exponent) => Some(niente_traceql::wrapping_pow(a, exponent)),
            Err(_) => return Static::Float((a as f64).powf(b as f64)),
        },
    };
    whole.map_or(Static::Nil, Static::Int)
}

pub(crate) fn float_arithmetic(op: Arithmetic, a: f64, b: f64) -> f64 {
    match op {
        Arithmetic::Add => a + b,
        Arithmetic::Sub => a - b,
        Arithmetic::Mul => a * b,
        Arithmetic::Div => a / b,
        Arithmetic::Mod => a % b,
        Arithmetic::Pow => a.powf(b),
    }
}

/// `-operand`; nil where it is no number.
pub(crate) fn negate(operand: &Static<'_>) -> Static<'static> {
    match operand.number() {
        Some(Number::Int(number)) => Static::Int(number.wrapping_neg()),
        Some(Number::Float(number)) => Static::Float(-number),
        Some(Number::Duration(nanos)) => Static::Duration(nanos.wrapping_neg()),
        None => Static::Nil,
    }
}

impl Number {
    pub(crate) fn as_f64(self) -> f64 {
        match self {
            Number::Int(number) | Number::Duration(number) => number as f64,
            Number::Float(number) => number,
        }
    }
}

impl From<Number> for Static<'static> {
    fn from(number: Number) -> Self {
        match number {
            Number::Int(number) => Static::Int(number),
            Number::Float(number) => Static::Float(number),
            Number::Duration(nanos) => Static::Duration(nanos),
        }
    }
}
