//! From RE2's syntax, as Go reads it, to that of the `regex` crate.
//!
//! The two look alike, but differ in what classes such as `\w` mean, in what is special inside brackets, and in what
//! else there is. The translation therefore rewrites everything that it passes on, and passes on nothing unknown:
//! characters that could be special to `regex` are written as `\x{…}`, groups don't capture.

use std::fmt::Write;

use crate::pattern::InvalidPattern;

type Result<T> = std::result::Result<T, InvalidPattern>;

/// RE2's own limit on counters.
const MAX_REPEAT: u32 = 1000;

/// Translates a pattern. The result has balanced parentheses, so it can be put into a group.
pub(crate) fn translate(source: &str) -> Result<String> {
    let mut translation = Translation { rest: source, out: String::with_capacity(source.len()), depth: 0 };
    while let Some(c) = translation.next() {
        translation.item(c)?;
    }
    match translation.depth {
        0 => Ok(translation.out),
        _ => Err(error("a closing `)` is missing")),
    }
}

struct Translation<'a> {
    rest: &'a str,
    out: String,
    /// How many groups are open.
    depth: usize,
}

impl Translation<'_> {
    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next();
        self.rest = chars.as_str();
        c
    }

    fn eat(&mut self, prefix: &str) -> bool {
        let rest = self.rest.strip_prefix(prefix);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Whatever begins with `c`, outside of brackets.
    fn item(&mut self, c: char) -> Result<()> {
        match c {
            '\\' => self.escape()?,
            '[' => self.class()?,
            '(' => self.group()?,
            ')' if self.depth == 0 => return Err(error("there is a `)` too many")),
            ')' => {
                self.depth -= 1;
                self.out.push(c);
            }
            '{' => self.repeat()?,
            '.' | '^' | '$' | '|' | '*' | '+' | '?' => self.out.push(c),
            c => self.literal(c),
        }
        Ok(())
    }

    fn literal(&mut self, c: char) {
        if c.is_alphanumeric() || c == '_' {
            self.out.push(c);
        } else {
            write!(self.out, "\\x{{{:x}}}", u32::from(c)).expect("a string takes all that is written to it");
        }
    }

    /// What follows a backslash outside of brackets.
    fn escape(&mut self) -> Result<()> {
        if self.eat("Q") {
            let (quoted, rest) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
            self.rest = rest;
            quoted.chars().for_each(|c| self.literal(c));
        } else if self.eat("A") {
            self.out.push_str(r"\A");
        } else if self.eat("z") {
            self.out.push_str(r"\z");
        } else if self.eat("b") {
            self.out.push_str(r"(?-u:\b)");
        } else if self.eat("B") {
            self.out.push_str(r"(?-u:\B)");
        } else if !self.escaped_class()? {
            let c = self.escaped_char()?;
            self.literal(c);
        }
        Ok(())
    }

    /// `\d`, `\pN` and the like, behind the backslash.
    fn escaped_class(&mut self) -> Result<bool> {
        let class = match self.rest.chars().next() {
            Some('d') => "[0-9]",
            Some('D') => "[^0-9]",
            Some('w') => "[0-9A-Za-z_]",
            Some('W') => "[^0-9A-Za-z_]",
            Some('s') => r"[\t\n\x0C\r\x20]",
            Some('S') => r"[^\t\n\x0C\r\x20]",
            Some('p' | 'P') => return self.unicode_class().map(|()| true),
            _ => return Ok(false),
        };
        self.next();
        self.out.push_str(class);
        Ok(true)
    }

    /// `pN`, `p{Greek}`, `p{^Greek}`, or the same with `P`.
    fn unicode_class(&mut self) -> Result<()> {
        let mut negated = self.next() == Some('P');
        let unfinished = || error("`\\p` needs a class, as in `\\pL` or `\\p{Greek}`");
        let name = if self.eat("{") {
            let (name, rest) = self.rest.split_once('}').ok_or_else(unfinished)?;
            self.rest = rest;
            name
        } else {
            let (name, rest) = self.rest.split_at(self.rest.chars().next().map_or(0, char::len_utf8));
            self.rest = rest;
            name
        };
        let positive = name.strip_prefix('^');
        negated ^= positive.is_some();
        let name = positive.unwrap_or(name);
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(unfinished());
        }
        self.out.push_str(if negated { r"\P{" } else { r"\p{" });
        self.out.push_str(name);
        self.out.push('}');
        Ok(())
    }

    /// A single character that is written with a backslash.
    fn escaped_char(&mut self) -> Result<char> {
        let first = self.next().ok_or_else(|| error("there is nothing after the last backslash"))?;
        let c = match first {
            'a' => '\x07',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            'x' => return self.hexadecimal(),
            '1'..='7' if !self.rest.starts_with(|c: char| c.is_digit(8)) => {
                return Err(error("RE2 has no back references"));
            }
            '0'..='7' => return self.octal(first),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => c,
            c => return Err(error(format!("`\\{c}` is no escape"))),
        };
        Ok(c)
    }

    /// `7F` or `{10FFFF}`, behind `\x`.
    fn hexadecimal(&mut self) -> Result<char> {
        let (digits, rest) = match self.rest.strip_prefix('{') {
            Some(braced) => braced.split_once('}'),
            None => self.rest.split_at_checked(2),
        }
        .unwrap_or_default();
        let code = u32::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'));
        self.rest = rest;
        code.and_then(char::from_u32).ok_or_else(|| error("`\\x` needs two digits, or a character's number in braces"))
    }

    /// Up to three digits, the first of which has been taken.
    fn octal(&mut self, first: char) -> Result<char> {
        let mut code = first.to_digit(8).unwrap_or_default();
        for _ in 0..2 {
            let Some(digit) = self.rest.chars().next().and_then(|c| c.to_digit(8)) else { break };
            self.next();
            code = code * 8 + digit;
        }
        char::from_u32(code).ok_or_else(|| error("the octal escape is no character"))
    }

    /// What follows an opening bracket.
    fn class(&mut self) -> Result<()> {
        self.out.push('[');
        if self.eat("^") {
            self.out.push('^');
        }
        let mut is_first = true;
        loop {
            if !is_first && self.eat("]") {
                self.out.push(']');
                return Ok(());
            }
            is_first = false;
            if self.rest.is_empty() {
                return Err(error("a closing `]` is missing"));
            }
            if self.named_class()? || self.rest.starts_with('\\') && self.class_in_class()? {
                continue;
            }
            self.range()?;
        }
    }

    /// `[:alpha:]`
    fn named_class(&mut self) -> Result<bool> {
        const NAMES: &[&str] = &[
            "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper",
            "word", "xdigit",
        ];

        let Some((name, rest)) = self.rest.strip_prefix("[:").and_then(|rest| rest.split_once(":]")) else {
            return Ok(false);
        };
        if !NAMES.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return Err(error(format!("`[:{name}:]` is no class")));
        }
        write!(self.out, "[:{name}:]").expect("a string takes all that is written to it");
        self.rest = rest;
        Ok(true)
    }

    /// `\d` or `\pN` between brackets, where `regex` takes whole classes.
    fn class_in_class(&mut self) -> Result<bool> {
        let before = self.rest;
        self.next();
        let found = self.escaped_class()?;
        if !found {
            self.rest = before;
        }
        Ok(found)
    }

    /// A character or `a-z` between brackets.
    fn range(&mut self) -> Result<()> {
        let low = self.class_char()?;
        self.literal(low);
        // A minus at the end is a character like others.
        if self.rest.starts_with('-') && !self.rest.starts_with("-]") {
            self.next();
            let high = self.class_char()?;
            self.out.push('-');
            self.literal(high);
        }
        Ok(())
    }

    fn class_char(&mut self) -> Result<char> {
        match self.next() {
            Some('\\') => self.escaped_char(),
            Some(c) => Ok(c),
            None => Err(error("a closing `]` is missing")),
        }
    }

    /// What follows an opening parenthesis: a group, or flags for the rest of the one around.
    fn group(&mut self) -> Result<()> {
        if self.eat("?P<") || self.eat("?<") {
            let (name, rest) = self.rest.split_once('>').unwrap_or_default();
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                return Err(error("`(?<` needs a group's name; RE2 has no look-around"));
            }
            self.rest = rest;
        } else if self.eat("?") {
            return self.flags();
        }
        self.open("(?:");
        Ok(())
    }

    /// `i-s:` or `i-s)`
    fn flags(&mut self) -> Result<()> {
        let length = self.rest.find(|c| !matches!(c, 'i' | 'm' | 's' | 'U' | '-')).unwrap_or(self.rest.len());
        let (flags, rest) = self.rest.split_at(length);
        self.rest = rest;
        if self.eat(":") {
            self.open(&format!("(?{flags}:"));
        } else if self.eat(")") {
            write!(self.out, "(?{flags})").expect("a string takes all that is written to it");
        } else {
            return Err(error("RE2 has no groups of this kind: `(?:`, `(?i)` and `(?<name>` are some that it has"));
        }
        Ok(())
    }

    fn open(&mut self, group: &str) {
        self.out.push_str(group);
        self.depth += 1;
    }

    /// What follows an opening brace: a counter, or else the brace is a character like others.
    fn repeat(&mut self) -> Result<()> {
        let Some((counter, rest)) = self.rest.split_once('}') else {
            self.literal('{');
            return Ok(());
        };
        let (least, most) = counter.split_once(',').unwrap_or((counter, ""));
        let is_number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        if !is_number(least) || !most.is_empty() && !is_number(most) {
            self.literal('{');
            return Ok(());
        }
        for number in [least, most] {
            if is_number(number) && !number.parse().is_ok_and(|number: u32| number <= MAX_REPEAT) {
                return Err(error(format!("RE2 repeats {MAX_REPEAT} times at most")));
            }
        }
        write!(self.out, "{{{counter}}}").expect("a string takes all that is written to it");
        self.rest = rest;
        Ok(())
    }
}

fn error(message: impl Into<String>) -> InvalidPattern {
    InvalidPattern(message.into())
}
