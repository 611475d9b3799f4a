//! From text to tokens, one at a time.
//!
//! The lexer knows when it is inside an attribute's name, where nearly every character counts, and needs nothing
//! from the parser to know it.

mod name;
mod number;
mod string;

use crate::{
    ast::{AttributeScope, Field, Intrinsic, Kind, Literal, Status},
    error::{Position, QueryError},
    token::{Symbol, Token, TokenKind, Word},
};

type Result<T> = std::result::Result<T, QueryError>;

/// Reads tokens from a text.
#[derive(Debug)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    offset: usize,
    line: usize,
    column: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Lexer { text, offset: 0, line: 1, column: 1 }
    }

    /// The next token; [`TokenKind::End`] for ever after the last one.
    pub(crate) fn next(&mut self) -> Result<Token> {
        self.skip_blank()?;
        let at = self.position();
        let start = self.offset;
        let kind = self.token()?;
        Ok(Token { kind, at, bytes: start..self.offset })
    }

    fn token(&mut self) -> Result<TokenKind> {
        let Some(first) = self.peek() else { return Ok(TokenKind::End) };
        let second = self.rest().chars().nth(1);
        match first {
            '"' => Ok(TokenKind::Literal(Literal::Str(self.string()?))),
            '`' => Ok(TokenKind::Literal(Literal::Str(self.raw_string()?))),
            '0'..='9' => self.number(),
            '.' if second.is_some_and(|c| c.is_ascii_digit()) => self.number(),
            '.' => self.attribute(AttributeScope::Unscoped),
            c if starts_word(c) => self.word(),
            c => self.symbol(c),
        }
    }

    fn symbol(&mut self, first: char) -> Result<TokenKind> {
        if let Some(symbol) = Symbol::ALL.iter().find(|symbol| self.rest().starts_with(symbol.text())) {
            self.skip(symbol.text().len());
            return Ok(TokenKind::Symbol(*symbol));
        }
        let advice = match first {
            '\'' => ", expected a string in double quotes or backticks",
            '&' => ", expected `&&` or an operator such as `&>`",
            _ => "",
        };
        Err(QueryError::syntax(self.position(), format!("unexpected character {first:?}{advice}")))
    }

    /// A reserved word, a constant, an intrinsic in either spelling, or an attribute that begins with its scope.
    fn word(&mut self) -> Result<TokenKind> {
        if let Some(scope) = LEADING_SCOPES.iter().find(|scope| self.rest().starts_with(scope.prefix())) {
            return self.attribute(*scope);
        }
        let at = self.position();
        let start = self.offset;
        self.skip_while(continues_word);
        if self.peek() != Some(':') {
            return Ok(lone_word(&self.text[start..self.offset]));
        }
        self.skip(1);
        self.skip_while(continues_word);
        let spelling = &self.text[start..self.offset];
        let unknown = || QueryError::syntax(at, format!("unknown intrinsic `{spelling}`"));
        Intrinsic::from_spelling(spelling).map(|it| TokenKind::Field(Field::Intrinsic(it))).ok_or_else(unknown)
    }

    /// An attribute, standing at its scope's prefix.
    fn attribute(&mut self, scope: AttributeScope) -> Result<TokenKind> {
        self.skip(scope.prefix().len());
        Ok(TokenKind::Field(Field::Attribute { scope, name: self.name()? }))
    }

    fn skip_blank(&mut self) -> Result<()> {
        loop {
            self.skip_while(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
            if self.rest().starts_with("//") {
                self.skip_while(|c| c != '\n');
            } else if self.rest().starts_with("/*") {
                let unterminated = QueryError::syntax(self.position(), "unterminated comment, expected `*/`");
                let end = self.rest()[2..].find("*/").ok_or(unterminated)?;
                self.skip(2 + end + 2);
            } else {
                return Ok(());
            }
        }
    }

    fn position(&self) -> Position {
        Position { line: self.line, column: self.column }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.offset..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.offset += c.len_utf8();
        if c == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(c)
    }

    fn skip(&mut self, bytes: usize) {
        let end = self.offset + bytes;
        while self.offset < end && self.bump().is_some() {}
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.bump();
        }
    }
}

/// The scopes that an attribute may begin with, apart from the lone dot; longer prefixes first.
const LEADING_SCOPES: &[AttributeScope] = &[
    AttributeScope::ParentSpan,
    AttributeScope::ParentResource,
    AttributeScope::Parent,
    AttributeScope::Span,
    AttributeScope::Resource,
    AttributeScope::Event,
    AttributeScope::Link,
    AttributeScope::Instrumentation,
];

fn starts_word(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn continues_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn lone_word(word: &str) -> TokenKind {
    if let Some(literal) = constant(word) {
        return TokenKind::Literal(literal);
    }
    if let Some(intrinsic) = Intrinsic::from_spelling(word) {
        return TokenKind::Field(Field::Intrinsic(intrinsic));
    }
    match Word::ALL.iter().find(|reserved| reserved.text() == word) {
        Some(reserved) => TokenKind::Word(*reserved),
        None => TokenKind::Identifier(word.to_owned()),
    }
}

/// Constants that are spelled as words.
fn constant(word: &str) -> Option<Literal> {
    match word {
        "true" => Some(Literal::Bool(true)),
        "false" => Some(Literal::Bool(false)),
        "minInt" => Some(Literal::Int(i64::MIN)),
        "maxInt" => Some(Literal::Int(i64::MAX)),
        _ => Status::from_spelling(word).map(Literal::Status).or_else(|| Kind::from_spelling(word).map(Literal::Kind)),
    }
}
