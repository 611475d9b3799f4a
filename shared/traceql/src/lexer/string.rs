//! String literals, with the escapes of Go.

use super::{Lexer, Result};
use crate::error::{Position, QueryError};

const UNTERMINATED: &str = "unterminated string, expected a closing";

impl Lexer<'_> {
    /// `` `…` ``: everything up to the next backtick, as it stands.
    pub(super) fn raw_string(&mut self) -> Result<String> {
        let opening = self.position();
        let rest = &self.rest()[1..];
        let length = rest.find('`').ok_or_else(|| QueryError::syntax(opening, format!("{UNTERMINATED} backtick")))?;
        self.skip(1 + length + 1);
        Ok(rest[..length].to_owned())
    }

    /// `"…"` on one line, with escapes.
    pub(super) fn string(&mut self) -> Result<String> {
        let opening = self.position();
        self.bump();
        // Bytes, because `\xHH` and `\ooo` are bytes: `"\xc3\xa9"` is "é".
        let mut bytes = Vec::new();
        loop {
            let at = self.position();
            match self.bump() {
                Some('"') => break,
                Some('\\') => self.escape(at, &mut bytes)?,
                None | Some('\n') => return Err(QueryError::syntax(opening, format!("{UNTERMINATED} `\"`"))),
                Some(c) => push(&mut bytes, c),
            }
        }
        String::from_utf8(bytes)
            .map_err(|_| QueryError::syntax(opening, "string is not UTF-8, expected escapes that make up characters"))
    }

    /// What follows a backslash.
    fn escape(&mut self, at: Position, bytes: &mut Vec<u8>) -> Result<()> {
        let unknown =
            || QueryError::syntax(at, "unknown escape in string, expected one of Go's or a string in backticks");
        match self.bump().ok_or_else(unknown)? {
            'a' => bytes.push(0x07),
            'b' => bytes.push(0x08),
            'f' => bytes.push(0x0c),
            'n' => bytes.push(b'\n'),
            'r' => bytes.push(b'\r'),
            't' => bytes.push(b'\t'),
            'v' => bytes.push(0x0b),
            c @ ('\\' | '"') => push(bytes, c),
            'x' => bytes.push(self.code(2, 16).and_then(|code| code.try_into().ok()).ok_or_else(unknown)?),
            'u' => push(bytes, self.code(4, 16).and_then(char::from_u32).ok_or_else(unknown)?),
            'U' => push(bytes, self.code(8, 16).and_then(char::from_u32).ok_or_else(unknown)?),
            first @ '0'..='7' => {
                let rest = self.code(2, 8).ok_or_else(unknown)?;
                let code = first.to_digit(8).map(|high| high << 6 | rest);
                bytes.push(code.and_then(|code| code.try_into().ok()).ok_or_else(unknown)?);
            }
            _ => return Err(unknown()),
        }
        Ok(())
    }

    /// A number of exactly so many digits.
    fn code(&mut self, digits: usize, radix: u32) -> Option<u32> {
        let text = self.rest().get(..digits).filter(|text| text.chars().all(|c| c.is_digit(radix)))?;
        self.skip(digits);
        u32::from_str_radix(text, radix).ok()
    }
}

fn push(bytes: &mut Vec<u8>, c: char) {
    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}
