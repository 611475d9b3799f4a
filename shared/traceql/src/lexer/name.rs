//! Attribute names: bare and quoted parts in a row.

use super::{Lexer, Result};
use crate::{error::QueryError, names::ends_name};

impl Lexer<'_> {
    /// The name after a scope's dot.
    pub(super) fn name(&mut self) -> Result<String> {
        let at = self.position();
        let mut name = String::new();
        loop {
            match self.peek() {
                Some('"') => name.push_str(&self.quoted_part()?),
                Some(c) if !ends_name(c) => {
                    name.push(c);
                    self.bump();
                }
                _ => break,
            }
        }
        if name.is_empty() {
            return Err(QueryError::syntax(at, "unexpected end of attribute, expected its name"));
        }
        Ok(name)
    }

    /// `"…"` inside a name. Unlike in strings any character may stand here, and only `\"` and `\\` are escapes.
    fn quoted_part(&mut self) -> Result<String> {
        let opening = self.position();
        self.bump();
        let mut part = String::new();
        loop {
            let at = self.position();
            match self.bump() {
                Some('"') => return Ok(part),
                Some('\\') => match self.bump() {
                    Some(c @ ('"' | '\\')) => part.push(c),
                    _ => {
                        let message = "unknown escape in a quoted attribute name, expected `\\\"` or `\\\\`";
                        return Err(QueryError::syntax(at, message));
                    }
                },
                Some(c) => part.push(c),
                None => {
                    return Err(QueryError::syntax(opening, "unterminated attribute name, expected a closing `\"`"));
                }
            }
        }
    }
}
