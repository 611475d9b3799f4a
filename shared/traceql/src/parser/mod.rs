//! From tokens to a tree of what was written: recursive descent, with precedence climbing where there are operators.
//!
//! This module holds what the grammar's parts share; each part has a module of its own.

mod field;
mod metrics;
mod pipeline;
mod scalar;
mod series;
mod spanset;

use crate::{
    MAX_NESTING, MAX_QUERY_BYTES,
    ast::{Arithmetic, Comparison, Field, Literal},
    error::{ErrorKind, Position, QueryError},
    lexer::Lexer,
    syntax::{Logic, Node, Operand},
    token::{Symbol, Token, TokenKind, Word},
};

type Result<T> = std::result::Result<T, QueryError>;

/// How tightly operators bind, from loose to tight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    /// `&&` and `||`, which are equals.
    Logic,
    /// Comparisons of fields; structural operators between spansets.
    Relation,
    /// `+`, `-` and the sign.
    Sum,
    /// `!`
    Not,
    /// `*`, `/` and `%`
    Product,
    /// `^`
    Power,
}

#[derive(Debug)]
pub(crate) struct Parser<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    /// The token that comes next.
    token: Token,
    /// Where the last token ended.
    end: usize,
    depth: usize,
    /// How many regular expressions have been met.
    patterns: usize,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(text: &'a str) -> Result<Self> {
        if text.len() > MAX_QUERY_BYTES {
            let message = format!("the query is {} bytes long, more than {MAX_QUERY_BYTES}", text.len());
            return Err(QueryError::new(ErrorKind::Syntax, None, message));
        }
        let mut lexer = Lexer::new(text);
        let token = lexer.next()?;
        Ok(Parser { text, lexer, token, end: 0, depth: 0, patterns: 0 })
    }

    /// An attribute or intrinsic, and nothing after it.
    pub(crate) fn lone_field(mut self) -> Result<Field> {
        let field = self.field()?;
        self.expect_end(&[])?;
        Ok(field)
    }

    /// Takes the next token.
    fn advance(&mut self) -> Result<Token> {
        let next = self.lexer.next()?;
        let token = std::mem::replace(&mut self.token, next);
        self.end = token.bytes.end;
        Ok(token)
    }

    fn symbol(&self) -> Option<Symbol> {
        match self.token.kind {
            TokenKind::Symbol(symbol) => Some(symbol),
            _ => None,
        }
    }

    fn word(&self) -> Option<Word> {
        match self.token.kind {
            TokenKind::Word(word) => Some(word),
            _ => None,
        }
    }

    /// Takes the symbol if it comes next.
    fn eat(&mut self, symbol: Symbol) -> Result<bool> {
        let found = self.symbol() == Some(symbol);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    /// Takes a symbol that has to come next; `besides` names what else could have.
    fn expect(&mut self, symbol: Symbol, besides: &[&str]) -> Result<()> {
        if self.eat(symbol)? {
            return Ok(());
        }
        let symbol = format!("`{}`", symbol.text());
        Err(self.unexpected(&[&[symbol.as_str()], besides].concat()))
    }

    fn expect_end(&self, besides: &[&str]) -> Result<()> {
        match self.token.kind {
            TokenKind::End => Ok(()),
            _ => Err(self.unexpected(&[&["end of query"], besides].concat())),
        }
    }

    /// The error that the next token is none of what could come here.
    fn unexpected(&self, expected: &[&str]) -> QueryError {
        let found = self.token.kind.describe();
        let expected = match expected {
            [] => String::new(),
            [only] => (*only).to_owned(),
            [most @ .., last] => format!("{} or {last}", most.join(", ")),
        };
        QueryError::syntax(self.token.at, format!("unexpected {found}, expected {expected}"))
    }

    /// Things in parentheses, with commas between them.
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        self.expect(Symbol::LeftParen, &[])?;
        let mut items = vec![item(self)?];
        while self.eat(Symbol::Comma)? {
            items.push(item(self)?);
        }
        self.expect(Symbol::RightParen, &["`,`"])?;
        Ok(items)
    }

    /// `()`
    fn no_arguments(&mut self) -> Result<()> {
        self.expect(Symbol::LeftParen, &[])?;
        self.expect(Symbol::RightParen, &[])
    }

    /// An attribute or intrinsic.
    fn field(&mut self) -> Result<Field> {
        match &self.token.kind {
            TokenKind::Field(field) => {
                let field = field.clone();
                self.advance()?;
                Ok(field)
            }
            TokenKind::Word(Word::Parent) => Err(QueryError::unsupported(
                self.token.at,
                "the intrinsic `parent` is not yet supported: ask for the parent's attributes with `parent.x`, or for \
                 its ID with `span:parentID`",
            )),
            _ => Err(self.unexpected(FIELD)),
        }
    }

    /// An integer, which the grammar wants as it is, without a sign.
    fn integer(&mut self) -> Result<i64> {
        match self.token.kind {
            TokenKind::Literal(Literal::Int(number)) => {
                self.advance()?;
                Ok(number)
            }
            _ => Err(self.unexpected(&["an integer"])),
        }
    }

    /// Goes one level of nesting deeper.
    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        within_limit(self.depth + 1, self.token.at)?;
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }
}

const FIELD: &[&str] = &["an attribute such as `.a` or `span.a`", "an intrinsic such as `name`"];

/// A node upon others, the highest of which is `below` high.
fn node<K>(kind: K, at: Position, below: usize) -> Result<Node<K>> {
    let height = below + 1;
    within_limit(height, at)?;
    Ok(Node { kind, at, height })
}

/// `lhs op rhs`. Chains of one operator become one node, on whichever side they hang.
fn logic_node<K: Operand>(op: Logic, lhs: Node<K>, rhs: Node<K>) -> Result<Node<K>> {
    let at = lhs.at;
    let (mut operands, left) = links(op, lhs);
    let (more, right) = links(op, rhs);
    operands.extend(more);
    node(K::logic(op, operands), at, left.max(right))
}

/// What an operand adds to a chain, and how high it is.
fn links<K: Operand>(op: Logic, Node { kind, at, height }: Node<K>) -> (Vec<Node<K>>, usize) {
    match kind.into_operands(op) {
        Ok(operands) => (operands, height - 1),
        Err(kind) => (vec![Node { kind, at, height }], height),
    }
}

fn within_limit(nesting: usize, at: Position) -> Result<()> {
    if nesting <= MAX_NESTING {
        return Ok(());
    }
    Err(QueryError::syntax(at, format!("nested more than {MAX_NESTING} levels deep, expected a simpler expression")))
}

fn comparison(symbol: Symbol) -> Option<Comparison> {
    let op = match symbol {
        Symbol::Equal => Comparison::Eq,
        Symbol::BangEqual => Comparison::Ne,
        Symbol::Less => Comparison::Lt,
        Symbol::LessEqual => Comparison::Le,
        Symbol::Greater => Comparison::Gt,
        Symbol::GreaterEqual => Comparison::Ge,
        _ => return None,
    };
    Some(op)
}

fn arithmetic(symbol: Symbol) -> Option<(Arithmetic, Level)> {
    let op = match symbol {
        Symbol::Plus => (Arithmetic::Add, Level::Sum),
        Symbol::Minus => (Arithmetic::Sub, Level::Sum),
        Symbol::Star => (Arithmetic::Mul, Level::Product),
        Symbol::Slash => (Arithmetic::Div, Level::Product),
        Symbol::Percent => (Arithmetic::Mod, Level::Product),
        Symbol::Caret => (Arithmetic::Pow, Level::Power),
        _ => return None,
    };
    Some(op)
}

fn logic(symbol: Symbol) -> Option<Logic> {
    match symbol {
        Symbol::AmpAmp => Some(Logic::And),
        Symbol::PipePipe => Some(Logic::Or),
        _ => None,
    }
}

impl Level {
    /// The least level of what may stand on the right of an operator of this level. All group to the left but `^`.
    fn right(self) -> Level {
        match self {
            Level::Logic => Level::Relation,
            Level::Relation => Level::Sum,
            Level::Sum => Level::Not,
            Level::Not => Level::Product,
            Level::Product | Level::Power => Level::Power,
        }
    }
}
