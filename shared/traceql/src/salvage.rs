//! What can be used of a query that is still being typed.
//!
//! Editors ask for values while their users type, and send along what is there: `{ span.a = "x" && span.b = }`. The
//! first filter of it is taken apart at `&&`, `||` and parentheses. A condition that stands by itself is kept as it is
//! written. One that doesn't, and a field that is only mentioned, may still become anything: it counts as true, so that
//! what is found is never less than the finished query would find.

use std::ops::Range;

use crate::{
    MAX_NESTING, MAX_QUERY_BYTES,
    ast::{Element, Field, FieldExpr, Literal, Query, SpansetExpr},
    lexer::Lexer,
    parse,
    syntax::Logic,
    token::{Symbol, Token, TokenKind},
};

/// The filter with which a query begins, as far as it has been typed: the text of a query `{ … }` that
/// [`parse`](crate::parse) accepts. None if it begins with anything else, or if nothing is left that filters.
///
/// Whatever follows the first `|` is passed over. Missing brackets are added.
///
/// ```
/// use niente_traceql::salvage_filter;
///
/// assert_eq!(salvage_filter(r#"{ span.a = "x" && span.b = } | rate()"#).unwrap(), r#"{ span.a = "x" }"#);
/// assert_eq!(salvage_filter("{ (status = error || kind = "), None);
/// ```
pub fn salvage_filter(text: &str) -> Option<String> {
    let tokens = filter_tokens(text)?;
    let Part::Condition(condition) = (Draft { text, tokens: &tokens }).chain(0) else { return None };
    let filter = format!("{{ {condition} }}");
    let filters = !matches!(condition_of(&parse(&filter).ok()?)?, FieldExpr::Literal(Literal::Bool(true)));
    filters.then_some(filter)
}

/// What is to be said of some of the filter.
enum Part {
    /// There is nothing.
    Nothing,
    /// It may become anything.
    Anything,
    /// It is a condition.
    Condition(String),
}

/// Tokens of a filter, without its braces.
struct Draft<'t> {
    text: &'t str,
    tokens: &'t [Token],
}

/// The tokens between the braces of a query that begins with a filter and goes on with a pipeline, if at all.
fn filter_tokens(text: &str) -> Option<Vec<Token>> {
    if text.len() > MAX_QUERY_BYTES {
        return None;
    }
    let mut lexer = Lexer::new(text);
    let mut next = || lexer.next();
    if next().ok()?.kind != TokenKind::Symbol(Symbol::LeftBrace) {
        return None;
    }
    let mut tokens = Vec::new();
    loop {
        match next() {
            Ok(Token { kind: TokenKind::End | TokenKind::Symbol(Symbol::Pipe), .. }) => return Some(tokens),
            Ok(Token { kind: TokenKind::Symbol(Symbol::RightBrace), .. }) => break,
            Ok(token) => tokens.push(token),
            // A text without its end, or what begins no token yet: it may become anything.
            Err(_) => {
                let bytes = tokens.last().map_or(0, |token| token.bytes.end)..text.len();
                let at = crate::Position { line: 1, column: 1 };
                tokens.push(Token { kind: TokenKind::Identifier(String::new()), at, bytes });
                return Some(tokens);
            }
        }
    }
    // A text that has become unreadable behind the filter says nothing about it.
    let ends = next().map_or(true, |token| matches!(token.kind, TokenKind::End | TokenKind::Symbol(Symbol::Pipe)));
    ends.then_some(tokens)
}

impl Draft<'_> {
    /// Operands with `&&` and `||` between them, which have one precedence and group to the left.
    fn chain(&self, depth: usize) -> Part {
        let mut chain = Part::Nothing;
        let mut op = Logic::And;
        for (operand, next) in self.operands() {
            let operand = Draft { text: self.text, tokens: &self.tokens[operand] }.operand(depth);
            chain = joined(chain, op, operand);
            op = next.unwrap_or(op);
        }
        chain
    }

    /// The operands, each with the operator behind it.
    fn operands(&self) -> Vec<(Range<usize>, Option<Logic>)> {
        let mut operands = Vec::new();
        let (mut from, mut open) = (0, 0_usize);
        for (at, token) in self.tokens.iter().enumerate() {
            let op = match token.kind {
                TokenKind::Symbol(Symbol::LeftParen) => {
                    open += 1;
                    continue;
                }
                TokenKind::Symbol(Symbol::RightParen) => {
                    open = open.saturating_sub(1);
                    continue;
                }
                TokenKind::Symbol(Symbol::AmpAmp) => Logic::And,
                TokenKind::Symbol(Symbol::PipePipe) => Logic::Or,
                _ => continue,
            };
            if open == 0 {
                operands.push((from..at, Some(op)));
                from = at + 1;
            }
        }
        operands.push((from..self.tokens.len(), None));
        operands
    }

    fn operand(&self, depth: usize) -> Part {
        match self.inside() {
            _ if self.tokens.is_empty() => Part::Nothing,
            Some(_) if depth == MAX_NESTING => Part::Anything,
            Some(inside) => match (Draft { text: self.text, tokens: inside }).chain(depth + 1) {
                Part::Condition(condition) => Part::Condition(format!("({condition})")),
                other => other,
            },
            None => self.condition(),
        }
    }

    /// What is in the parentheses, if they are around all of it. The closing one may not be typed yet.
    fn inside(&self) -> Option<&[Token]> {
        if self.tokens.first()?.kind != TokenKind::Symbol(Symbol::LeftParen) {
            return None;
        }
        let mut open = 0_usize;
        for (at, token) in self.tokens.iter().enumerate() {
            match token.kind {
                TokenKind::Symbol(Symbol::LeftParen) => open += 1,
                TokenKind::Symbol(Symbol::RightParen) => open -= 1,
                _ => {}
            }
            if open == 0 {
                return (at + 1 == self.tokens.len()).then_some(&self.tokens[1..at]);
            }
        }
        Some(&self.tokens[1..])
    }

    /// A condition without `&&` and `||` around it.
    fn condition(&self) -> Part {
        let written = &self.text[self.tokens[0].bytes.start..self.tokens[self.tokens.len() - 1].bytes.end];
        if stands(written) {
            return Part::Condition(written.to_owned());
        }
        match self.unquoted() {
            Some(unquoted) if stands(&unquoted) => Part::Condition(unquoted),
            _ => Part::Anything,
        }
    }

    /// `duration > 1s` for `duration > "1s"`: forms quote whatever they are given.
    fn unquoted(&self) -> Option<String> {
        let [field, op, value] = self.tokens else { return None };
        let (TokenKind::Field(Field::Intrinsic(_)), TokenKind::Literal(Literal::Str(value))) =
            (&field.kind, &value.kind)
        else {
            return None;
        };
        let mut lexer = Lexer::new(value);
        let is_literal = matches!(lexer.next().ok()?.kind, TokenKind::Literal(_));
        let ends = lexer.next().ok()?.kind == TokenKind::End;
        (is_literal && ends).then(|| format!("{} {value}", &self.text[field.bytes.start..op.bytes.end]))
    }
}

/// Whether a text is a condition by itself. A field that is only mentioned is none.
fn stands(condition: &str) -> bool {
    let Ok(query) = parse(&format!("{{ {condition} }}")) else { return false };
    condition_of(&query).is_some_and(|condition| !matches!(condition, FieldExpr::Field(_)))
}

/// The condition of a query that is one filter and nothing else.
fn condition_of(query: &Query) -> Option<&FieldExpr> {
    match (&query.pipeline.elements[..], &query.metrics) {
        ([Element::Spanset(SpansetExpr::Filter(condition))], None) => Some(condition),
        _ => None,
    }
}

fn joined(lhs: Part, op: Logic, rhs: Part) -> Part {
    match (lhs, op, rhs) {
        (Part::Nothing, _, other) | (other, _, Part::Nothing) => other,
        (Part::Anything, Logic::And, other) | (other, Logic::And, Part::Anything) => other,
        (Part::Anything, Logic::Or, _) | (_, Logic::Or, Part::Anything) => Part::Anything,
        (Part::Condition(lhs), Logic::And, Part::Condition(rhs)) => Part::Condition(format!("{lhs} && {rhs}")),
        (Part::Condition(lhs), Logic::Or, Part::Condition(rhs)) => Part::Condition(format!("{lhs} || {rhs}")),
    }
}
