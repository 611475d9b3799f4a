//! Whatever is parsed, the parser survives; whatever is printed, it reads back.

use niente_traceql::{Pattern, parse, parse_field, parse_metrics};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::trees::{fields, queries};

/// Pieces of the language, whole and broken.
const VOCABULARY: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    ",",
    "|",
    "=",
    "!=",
    "=~",
    "!~",
    "<",
    "<=",
    ">",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "!",
    "&&",
    "||",
    ">>",
    "<<",
    "~",
    "!>>",
    "!<<",
    "!<",
    "!>",
    "&>>",
    "&<<",
    "&<",
    "&>",
    "&~",
    "by",
    "coalesce",
    "select",
    "count",
    "avg",
    "max",
    "min",
    "sum",
    "rate",
    "count_over_time",
    "min_over_time",
    "quantile_over_time",
    "histogram_over_time",
    "compare",
    "topk",
    "bottomk",
    "with",
    "true",
    "false",
    "nil",
    "ok",
    "error",
    "server",
    "minInt",
    "maxInt",
    "name",
    "duration",
    "status",
    "kind",
    "span:id",
    "trace:",
    "event:name",
    "parent",
    "parent.",
    "parent.span.",
    "span.",
    ".",
    ".a",
    "span.b",
    "resource.service.name",
    "span.\"x y\"",
    ".\"",
    "5",
    "0",
    "08",
    "1.5",
    ".5",
    "1e",
    "1e3",
    "0x1p3",
    "1s",
    "1h30m",
    "1h30",
    "5x",
    "`x`",
    "\"x\"",
    "\"\\",
    "`",
    "'",
    "//",
    "/*",
    "*/",
    "\n",
    " ",
    "\u{e9}",
    "\0",
    "()",
    "{}",
    "{ .a }",
    "| count() > 2",
    "({ .a })",
    "| rate()",
    "by (name)",
    "[",
    "`[`",
    "`(?i)\\w+`",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        let _ = parse(&text);
        let _ = parse(&format!("{{ .a = {text} }}"));
        let _ = parse_metrics(&text);
        let _ = parse_field(&text);
        let _ = Pattern::new(&text);
    }

    #[test]
    fn any_pattern_is_answered(pieces in vec(select(vec![
        "(", ")", "(?:", "(?i", "(?<n>", "[", "]", "^", "-", "&&", "[:alpha:]", "[:", ":]", "{", "}", "2", ",", "*", "+",
        "?", "|", "\\", "d", "W", "Q", "E", "p", "x", "0", "7", "a", "\u{e9}", "\n", " ", "#", "~~", "$", "b", "B",
    ]), 0..20)) {
        let source = pieces.concat();
        if let Ok(pattern) = Pattern::new(&source) {
            let _ = pattern.is_match("a\u{e9}\n ");
        }
    }

    #[test]
    fn any_tokens_are_answered(tokens in vec(select(VOCABULARY), 0..30), between in select(vec!["", " "])) {
        let text = tokens.join(between);
        if let Ok(query) = parse(&text) {
            prop_assert_eq!(parse(&query.to_string()), Ok(query));
        }
        if let Ok(query) = parse_metrics(&text) {
            prop_assert_eq!(parse_metrics(&query.to_string()), Ok(query));
        }
    }

    #[test]
    fn any_tree_is_read_back(query in queries()) {
        prop_assert_eq!(parse(&query.to_string()), Ok(query));
    }

    #[test]
    fn any_field_is_read_back(field in fields()) {
        prop_assert_eq!(parse_field(&field.to_string()), Ok(field));
    }
}
