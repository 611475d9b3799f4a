//! What is known about an expression's values before there are any.

use std::fmt;

use crate::ast::{Field, FieldExpr, Intrinsic, Literal};

/// The type of an expression's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// Whatever a span holds. All that is known about attributes.
    Unknown,
    Int,
    Float,
    Duration,
    Str,
    Bool,
    Status,
    Kind,
}

/// What an operator does, as far as types care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// `&&`, `||` and `!`
    Logic,
    /// `=` and `!=`
    Equality,
    /// `<`, `<=`, `>` and `>=`
    Order,
    /// `=~` and `!~`
    Match,
    /// `+ - * / % ^` and the sign
    Arithmetic,
}

impl Type {
    pub(super) fn of(expr: &FieldExpr) -> Type {
        match expr {
            FieldExpr::Literal(literal) => Type::of_literal(literal),
            FieldExpr::Field(field) => Type::of_field(field),
            FieldExpr::Negate(operand) => Type::of(operand),
            FieldExpr::Arithmetic { lhs, rhs, .. } => match Type::of(lhs) {
                Type::Unknown => Type::of(rhs),
                known => known,
            },
            FieldExpr::And(_)
            | FieldExpr::Or(_)
            | FieldExpr::Not(_)
            | FieldExpr::Compare { .. }
            | FieldExpr::Match { .. }
            | FieldExpr::Nil { .. } => Type::Bool,
        }
    }

    fn of_literal(literal: &Literal) -> Type {
        match literal {
            Literal::Int(_) => Type::Int,
            Literal::Float(_) => Type::Float,
            Literal::Str(_) => Type::Str,
            Literal::Bool(_) => Type::Bool,
            Literal::Duration(_) => Type::Duration,
            Literal::Status(_) => Type::Status,
            Literal::Kind(_) => Type::Kind,
        }
    }

    fn of_field(field: &Field) -> Type {
        let Field::Intrinsic(intrinsic) = field else { return Type::Unknown };
        match intrinsic {
            Intrinsic::Name
            | Intrinsic::StatusMessage
            | Intrinsic::SpanId
            | Intrinsic::ParentId
            | Intrinsic::RootName
            | Intrinsic::RootServiceName
            | Intrinsic::TraceId
            | Intrinsic::EventName
            | Intrinsic::LinkTraceId
            | Intrinsic::LinkSpanId => Type::Str,
            Intrinsic::Duration | Intrinsic::TraceDuration | Intrinsic::EventTimeSinceStart => Type::Duration,
            Intrinsic::ChildCount
            | Intrinsic::NestedSetLeft
            | Intrinsic::NestedSetRight
            | Intrinsic::NestedSetParent => Type::Int,
            Intrinsic::Status => Type::Status,
            Intrinsic::Kind => Type::Kind,
            // Tempo stores them like attributes, and lets them be compared with anything.
            Intrinsic::InstrumentationName | Intrinsic::InstrumentationVersion => Type::Unknown,
        }
    }

    pub(super) fn is_numeric(self) -> bool {
        matches!(self, Type::Int | Type::Float | Type::Duration)
    }

    /// Whether values of the two types can stand on either side of an operator.
    pub(super) fn fits(self, other: Type) -> bool {
        self == other || self == Type::Unknown || other == Type::Unknown || self.is_numeric() && other.is_numeric()
    }

    /// Whether the type knows the operation.
    pub(super) fn allows(self, operation: Operation) -> bool {
        match self {
            Type::Unknown => true,
            Type::Int | Type::Float | Type::Duration => {
                matches!(operation, Operation::Arithmetic | Operation::Equality | Operation::Order)
            }
            Type::Str => matches!(operation, Operation::Equality | Operation::Order | Operation::Match),
            Type::Bool => matches!(operation, Operation::Logic | Operation::Equality),
            Type::Status | Type::Kind => operation == Operation::Equality,
        }
    }

    /// What a value of the type may be compared with, for messages.
    pub(super) fn counterpart(self) -> &'static str {
        match self {
            Type::Unknown => "anything",
            Type::Int | Type::Float => "a number",
            Type::Duration => "a duration such as `100ms`",
            Type::Str => "a string in quotes",
            Type::Bool => "`true` or `false`",
            Type::Status => "`ok`, `error` or `unset`",
            Type::Kind => "a kind such as `server`",
        }
    }
}

impl Operation {
    /// What the operation is for, for messages.
    pub(super) fn purpose(self) -> &'static str {
        match self {
            Operation::Logic => "joins conditions",
            Operation::Equality => "compares values of one type",
            Operation::Order => "compares numbers, durations or strings",
            Operation::Match => "compares strings with a pattern",
            Operation::Arithmetic => "computes with numbers and durations",
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::Unknown => "a value of unknown type",
            Type::Int => "an integer",
            Type::Float => "a float",
            Type::Duration => "a duration",
            Type::Str => "a string",
            Type::Bool => "a boolean",
            Type::Status => "a status",
            Type::Kind => "a kind",
        })
    }
}
