use std::fmt;

use regex::{Regex, RegexBuilder};

use crate::re2;

/// The largest program that a pattern may compile to, in bytes. Nested counters can ask for gigabytes.
const MAX_PROGRAM_BYTES: usize = 1024 * 1024;

/// A compiled regular expression, with the syntax and meaning of RE2 as Go has it.
///
/// The whole value has to match, `.` also matches a newline, and `\d`, `\w`, `\s` and `\b` are ASCII. Matching takes
/// time linear in the value. Patterns are equal when their sources are.
///
/// ```
/// use niente_traceql::Pattern;
///
/// let pattern = Pattern::new(r"GET /api/\w+").unwrap();
/// assert!(pattern.is_match("GET /api/cart"));
/// assert!(!pattern.is_match("GET /api/cart/7"));
/// assert_eq!(pattern.source(), r"GET /api/\w+");
/// ```
#[derive(Clone)]
pub struct Pattern {
    source: String,
    regex: Regex,
}

/// Why a text is no pattern, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidPattern(pub(crate) String);

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    ///
    /// What RE2 doesn't know (look-around, back references) or what would compile to too large a program.
    pub fn new(source: &str) -> Result<Self, InvalidPattern> {
        let translated = re2::translate(source)?;
        let regex = RegexBuilder::new(&format!(r"\A(?s:{translated})\z"))
            .size_limit(MAX_PROGRAM_BYTES)
            .build()
            .map_err(|error| InvalidPattern(reason(&error)))?;
        Ok(Pattern { source: source.to_owned(), regex })
    }

    /// Whether the whole of the value matches.
    pub fn is_match(&self, value: &str) -> bool {
        self.regex.is_match(value)
    }

    /// What it was compiled from.
    pub fn source(&self) -> &str {
        &self.source
    }
}

/// The error in a line, without the drawing of the translated pattern.
fn reason(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "it is too large once its repetitions are written out".to_owned(),
        error => {
            let text = error.to_string();
            let line = text.lines().last().unwrap_or_default();
            line.strip_prefix("error: ").unwrap_or(line).to_owned()
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.source).finish()
    }
}

impl fmt::Display for InvalidPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidPattern {}
