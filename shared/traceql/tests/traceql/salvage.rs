//! What is left of a query that is still being typed.

use niente_traceql::{Element, SpansetExpr, parse, salvage_filter};
use proptest::prelude::*;

/// Each query, and what stands between the braces of its filter; `-` if there is none.
fn check(cases: &[(&str, &str)]) {
    for (query, expected) in cases {
        let found = salvage_filter(query);
        let expected = (*expected != "-").then(|| format!("{{ {expected} }}"));
        assert_eq!(found, expected, "{query}");
    }
}

#[test]
fn finished_filters_stay_as_they_are() {
    check(&[
        (r#"{ span.a = "x" }"#, r#"span.a = "x""#),
        ("{span.a=1&&(.b>2||.c<3)}", "span.a=1 && (.b>2 || .c<3)"),
        ("{ .a = 1 || .b = 2 && .c = 3 }", ".a = 1 || .b = 2 && .c = 3"),
        ("{ (.a + .b) * 2 > 3 }", "(.a + .b) * 2 > 3"),
        ("{ !(.a = 1 && .b = 2) }", "!(.a = 1 && .b = 2)"),
        ("{ .a =~ `x|y` } | rate() by (.b)", ".a =~ `x|y`"),
        (r#"{ .a = "}" }"#, r#".a = "}""#),
        ("{ event:name = \"e\" && event.code = \"1\" }", "event:name = \"e\" && event.code = \"1\""),
        ("{ nestedSetParent < 0 && true } | select(", "nestedSetParent < 0 && true"),
        ("{ .a != nil }", ".a != nil"),
        ("{ false }", "false"),
    ]);
}

#[test]
fn what_is_unfinished_may_become_anything() {
    check(&[
        (r#"{ span.a = "x" && span.b = }"#, r#"span.a = "x""#),
        (r#"{ span.b = && span.a = "x" }"#, r#"span.a = "x""#),
        ("{ .a = 1 && .b }", ".a = 1"),
        ("{ .a = 1 && .b = \"unfini", ".a = 1"),
        ("{ .a = 1 && span.", ".a = 1"),
        ("{ .a = 1 && resource:", ".a = 1"),
        ("{ .a = 1 && .b + = 3 }", ".a = 1"),
        ("{ .a = 1 && !(.b = ) }", ".a = 1"),
        ("{ .a = 1 || .b = }", "-"),
        ("{ .a = 1 || .b = && .c = 2 }", ".c = 2"),
        ("{ .a = 1 && (.b = 2 || .c = ) }", ".a = 1"),
        ("{ .a = 1 && status = 7 }", ".a = 1"),
        ("{ .a = 1 && .b =~ `[` }", ".a = 1"),
        ("{ resource.cloud.region = }", "-"),
        ("{ .a }", "-"),
        ("{ }", "-"),
        ("{", "-"),
        ("{ true }", "-"),
        ("{ true || .a = 1 }", "true || .a = 1"),
    ]);
}

#[test]
fn what_is_missing_is_added() {
    check(&[
        ("{ .a = 1", ".a = 1"),
        ("{ .a = 1 &&", ".a = 1"),
        ("{ .a = 1 ||", ".a = 1"),
        ("{ && .a = 1 }", ".a = 1"),
        ("{ .a = 1 && () }", ".a = 1"),
        ("{ (.a = 1 || .b = 2", "(.a = 1 || .b = 2)"),
        ("{ ((.a = 1 && .b = ", "((.a = 1))"),
        ("{ .a = 1 | rate()", ".a = 1"),
        ("{ .a = 1 } | ra?", ".a = 1"),
        ("{ .a = 1 } | \"", ".a = 1"),
        // A parenthesis too many makes its condition one that doesn't stand.
        ("{ .a = 1) && .b = 2 }", ".b = 2"),
    ]);
}

#[test]
fn forms_quote_whatever_they_are_given() {
    check(&[
        (r#"{duration>"1s"}"#, "duration> 1s"),
        (r#"{ status = "error" && kind="server" }"#, "status = error && kind= server"),
        (r#"{ duration > "1s || true" }"#, "-"),
        (r#"{ span.a > "1s" }"#, r#"span.a > "1s""#),
    ]);
}

#[test]
fn what_does_not_begin_with_a_filter_filters_nothing() {
    check(&[
        ("", "-"),
        (".a = 1", "-"),
        ("({ .a = 1 })", "-"),
        ("{ .a = 1 } >> { .b = 2 }", "-"),
        ("{ .a = 1 } && { .b = 2 }", "-"),
        ("by(.a) | { .a = 1 }", "-"),
        ("count() > 1", "-"),
        ("abc", "-"),
    ]);
}

#[test]
fn neither_depth_nor_length_overwhelms_it() {
    let deep = format!("{{ {}.a = 1", "(".repeat(50_000));
    assert_eq!(salvage_filter(&deep), None);
    let long = format!("{{ {}", ".a = 1 && ".repeat(12_000));
    assert!(salvage_filter(&long).is_some());
    assert_eq!(salvage_filter(&format!("{{ .a = `{}` }}", "x".repeat(200_000))), None);
}

/// Pieces of queries, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "{", "}", "(", ")", "&&", "||", "|", "=", "!=", "=~", ">", "!", "-", "+", ".a", "span.b", "name", "status",
            "duration", "error", "1", "2.5", "3s", "\"x\"", "`y", "\"", "nil", "true", "rate()", "by(", "#", ".",
            "span.",
        ])
        .prop_map(str::to_owned),
        ".{0,2}",
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.join(" "))
}

proptest! {
    #[test]
    fn what_is_left_is_one_filter(text in prop_oneof![".{0,40}", pieces(), pieces().prop_map(|rest| format!("{{ {rest}"))]) {
        if let Some(filter) = salvage_filter(&text) {
            let query = parse(&filter).map_err(|error| TestCaseError::fail(format!("{text:?}: {filter}: {error}")))?;
            let filters = matches!(&query.pipeline.elements[..], [Element::Spanset(SpansetExpr::Filter(_))]);
            prop_assert!(filters && query.metrics.is_none(), "{text:?}: {filter}");
            // What is finished stays.
            prop_assert_eq!(salvage_filter(&filter).map(|again| parse(&again)), Some(Ok(query)));
        }
    }

    #[test]
    fn every_beginning_of_a_query_is_understood(end in 0_usize..80) {
        let whole = r#"{ (span.a = "x" || .b >= 2) && !(kind = server) && duration > 1s } | rate()"#;
        let typed = &whole[..end.min(whole.len())];
        if let Some(filter) = salvage_filter(typed) {
            prop_assert!(parse(&filter).is_ok(), "{filter}");
        }
    }
}
