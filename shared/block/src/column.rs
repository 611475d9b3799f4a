use std::fmt;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// Whose attribute it is. Events and links have no columns of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttributeScope {
    /// The resource's.
    Resource,
    /// The instrumentation scope's.
    Scope,
    /// The span's own.
    Span,
}

/// The types of attribute that can have a column of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ValueType {
    /// UTF-8 text.
    Str,
    /// Signed 64-bit integers.
    Int,
    /// Doubles.
    Float,
    /// Booleans.
    Bool,
}

/// An attribute with a column of its own: the values that one key has in one scope with one type.
///
/// The column's name says it all and can be turned back: `resource.service.name`, `span.http.status_code:int`.
/// Strings have no suffix. Upper-case letters and whatever could trouble a SQL engine are percent-encoded
/// (`span.user%49d` is `userId`), because engines fold the case of column names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttributeColumn {
    /// Whose attribute.
    pub scope: AttributeScope,
    /// Its key.
    pub key: String,
    /// The type of the values in this column.
    pub value_type: ValueType,
}

/// A column name that is no attribute's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of an attribute column")]
pub struct InvalidColumnName(String);

const ENCODED: &AsciiSet = &{
    let mut set = CONTROLS.add(b' ');
    let punctuation = b"!\"#$%&'()*+,:;<=>?@[\\]^`{|}~";
    let mut at = 0;
    while at < punctuation.len() {
        set = set.add(punctuation[at]);
        at += 1;
    }
    let mut letter = b'A';
    while letter <= b'Z' {
        set = set.add(letter);
        letter += 1;
    }
    set
};

impl AttributeScope {
    /// All of them.
    pub const ALL: [AttributeScope; 3] = [AttributeScope::Resource, AttributeScope::Scope, AttributeScope::Span];

    fn prefix(self) -> &'static str {
        match self {
            AttributeScope::Resource => "resource.",
            AttributeScope::Scope => "scope.",
            AttributeScope::Span => "span.",
        }
    }
}

impl ValueType {
    pub(crate) const ALL: [ValueType; 4] = [ValueType::Str, ValueType::Int, ValueType::Float, ValueType::Bool];

    fn suffix(self) -> &'static str {
        match self {
            ValueType::Str => "",
            ValueType::Int => ":int",
            ValueType::Float => ":float",
            ValueType::Bool => ":bool",
        }
    }
}

impl AttributeColumn {
    /// The column's name in the block.
    pub fn name(&self) -> String {
        self.to_string()
    }

    /// Reads what `name` writes.
    pub fn parse(name: &str) -> Result<Self, InvalidColumnName> {
        let wrong = || InvalidColumnName(name.to_owned());
        let (scope, rest) = AttributeScope::ALL
            .into_iter()
            .find_map(|scope| Some((scope, name.strip_prefix(scope.prefix())?)))
            .ok_or_else(wrong)?;
        let (encoded, value_type) = match rest.rsplit_once(':') {
            None => (rest, ValueType::Str),
            Some((key, "int")) => (key, ValueType::Int),
            Some((key, "float")) => (key, ValueType::Float),
            Some((key, "bool")) => (key, ValueType::Bool),
            Some(_) => return Err(wrong()),
        };
        let key = percent_decode_str(encoded).decode_utf8().map_err(|_| wrong())?.into_owned();
        Ok(Self { scope, key, value_type })
    }
}

impl fmt::Display for AttributeColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = utf8_percent_encode(&self.key, ENCODED);
        write!(f, "{}{key}{}", self.scope.prefix(), self.value_type.suffix())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_readable() {
        for (scope, key, value_type, name) in [
            (AttributeScope::Resource, "service.name", ValueType::Str, "resource.service.name"),
            (AttributeScope::Span, "http.status_code", ValueType::Int, "span.http.status_code:int"),
            (AttributeScope::Span, "userId", ValueType::Str, "span.user%49d"),
            (AttributeScope::Span, "a:int", ValueType::Str, "span.a%3Aint"),
            (AttributeScope::Scope, "", ValueType::Bool, "scope.:bool"),
            (AttributeScope::Span, "größe", ValueType::Float, "span.gr%C3%B6%C3%9Fe:float"),
        ] {
            let column = AttributeColumn { scope, key: key.into(), value_type };
            assert_eq!(column.name(), name);
            assert_eq!(AttributeColumn::parse(name), Ok(column));
        }
        for wrong in ["trace_id", "spam.x", "span.x:text", "span.%FF"] {
            assert!(AttributeColumn::parse(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn names_turn_back_and_never_differ_in_case_alone(a in ".{0,12}", b in "[a-zA-Z:.%]{0,4}", c in "[a-zA-Z:.%]{0,4}") {
            let column = |key: &str| AttributeColumn { scope: AttributeScope::Span, key: key.into(), value_type: ValueType::Str };
            prop_assert_eq!(AttributeColumn::parse(&column(&a).name()), Ok(column(&a)));
            prop_assert_eq!(column(&b).name().eq_ignore_ascii_case(&column(&c).name()), b == c);
        }
    }
}
