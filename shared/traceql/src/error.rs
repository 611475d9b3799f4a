use std::fmt;

/// Why a query was refused, and where.
///
/// The display is one line for people: `parse error at line 1, col 10: unexpected …, expected …` for syntax errors,
/// a sentence that quotes the offending expression for the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryError {
    /// What sort of fault it is.
    pub kind: ErrorKind,
    /// Where it is, if it is anywhere in particular.
    pub position: Option<Position>,
    message: String,
}

/// What sort of fault a query has. The sender has to change the query in every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// It is not TraceQL.
    Syntax,
    /// It is TraceQL, but can't mean anything: `{ status = 2 }`.
    Invalid,
    /// It has a meaning, but no implementation.
    Unsupported,
    /// It is TraceQL, but measures nothing, where a metrics query was wanted.
    NoMetrics,
}

/// A place in a query's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl QueryError {
    pub(crate) fn new(kind: ErrorKind, position: Option<Position>, message: impl Into<String>) -> Self {
        QueryError { kind, position, message: message.into() }
    }

    pub(crate) fn syntax(at: Position, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Syntax, Some(at), message)
    }

    pub(crate) fn invalid(at: Position, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, Some(at), message)
    }

    pub(crate) fn unsupported(at: Position, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, Some(at), message)
    }

    /// What is wrong, without the position.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, self.position) {
            (ErrorKind::Syntax, Some(at)) => write!(f, "parse error at {at}: {}", self.message),
            (ErrorKind::Syntax, None) => write!(f, "parse error: {}", self.message),
            (_, Some(at)) => write!(f, "{} ({at})", self.message),
            (_, None) => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for QueryError {}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, col {}", self.line, self.column)
    }
}

/// An expression in backticks, for messages, unless it brings some; cut where it would bury the sentence around it.
pub(crate) fn quote(expression: &dyn fmt::Display) -> String {
    const LONGEST: usize = 120;

    let mut text = expression.to_string();
    if let Some((cut, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(cut);
        text.push('…');
    }
    if text.contains('`') { text } else { format!("`{text}`") }
}
