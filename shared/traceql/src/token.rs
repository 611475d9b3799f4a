use std::ops::Range;

use crate::{
    ast::{Field, Literal},
    error::{Position, quote},
};

/// A word of the language, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) at: Position,
    /// The bytes of the text that it was made from.
    pub(crate) bytes: Range<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TokenKind {
    /// A constant, also one that is spelled as a word: `true`, `error`, `minInt`.
    Literal(Literal),
    /// An attribute with its scope, or an intrinsic in either spelling.
    Field(Field),
    /// A reserved word that is neither a constant nor an intrinsic.
    Word(Word),
    /// Any other word. Only a hint's name may be one.
    Identifier(String),
    /// Punctuation or an operator.
    Symbol(Symbol),
    /// The end of the text.
    End,
}

/// Defines an enum whose variants are spelled in one way each.
macro_rules! spelled {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $name { $($variant,)* }

        impl $name {
            pub(crate) const ALL: &[$name] = &[$($name::$variant,)*];

            pub(crate) fn text(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }
        }
    };
}

spelled! {
    /// Reserved words.
    Word {
        By = "by",
        Coalesce = "coalesce",
        Select = "select",
        Count = "count",
        Avg = "avg",
        Max = "max",
        Min = "min",
        Sum = "sum",
        Rate = "rate",
        CountOverTime = "count_over_time",
        MinOverTime = "min_over_time",
        MaxOverTime = "max_over_time",
        AvgOverTime = "avg_over_time",
        SumOverTime = "sum_over_time",
        QuantileOverTime = "quantile_over_time",
        HistogramOverTime = "histogram_over_time",
        Compare = "compare",
        TopK = "topk",
        BottomK = "bottomk",
        With = "with",
        Nil = "nil",
        Parent = "parent",
    }
}

spelled! {
    /// Punctuation and operators, named by their look because several have two meanings. Longer spellings come
    /// before their prefixes: the lexer takes the first that fits.
    Symbol {
        BangGreaterGreater = "!>>",
        BangLessLess = "!<<",
        AmpGreaterGreater = "&>>",
        AmpLessLess = "&<<",
        EqualTilde = "=~",
        BangTilde = "!~",
        BangEqual = "!=",
        BangGreater = "!>",
        BangLess = "!<",
        AmpAmp = "&&",
        AmpGreater = "&>",
        AmpLess = "&<",
        AmpTilde = "&~",
        PipePipe = "||",
        GreaterGreater = ">>",
        GreaterEqual = ">=",
        LessLess = "<<",
        LessEqual = "<=",
        Equal = "=",
        Bang = "!",
        Greater = ">",
        Less = "<",
        Tilde = "~",
        Pipe = "|",
        Plus = "+",
        Minus = "-",
        Star = "*",
        Slash = "/",
        Percent = "%",
        Caret = "^",
        Comma = ",",
        LeftBrace = "{",
        RightBrace = "}",
        LeftParen = "(",
        RightParen = ")",
    }
}

impl TokenKind {
    /// How an error message calls it.
    pub(crate) fn describe(&self) -> String {
        match self {
            TokenKind::Literal(literal) => {
                let sort = match literal {
                    Literal::Int(_) => "integer",
                    Literal::Float(_) => "float",
                    Literal::Str(_) => "string",
                    Literal::Bool(_) => "boolean",
                    Literal::Duration(_) => "duration",
                    Literal::Status(_) => "status",
                    Literal::Kind(_) => "kind",
                };
                match literal {
                    // In double quotes: the canonical backticks would double those of the quotation.
                    Literal::Str(text) => format!("{sort} {}", quote(&format_args!("{text:?}"))),
                    _ => format!("{sort} {}", quote(literal)),
                }
            }
            TokenKind::Field(field @ Field::Attribute { .. }) => format!("attribute {}", quote(field)),
            TokenKind::Field(field) => format!("intrinsic {}", quote(field)),
            TokenKind::Word(word) => format!("`{}`", word.text()),
            TokenKind::Identifier(name) => format!("identifier {}", quote(name)),
            TokenKind::Symbol(symbol) => format!("`{}`", symbol.text()),
            TokenKind::End => "end of query".to_owned(),
        }
    }
}
