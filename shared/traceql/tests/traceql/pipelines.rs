//! Pipelines, spanset operators, parentheses, scalar filters and hints.

use niente_traceql::{Element, ErrorKind, Literal, SpansetExpr, parse};

use crate::{check, check_same, refuse};

#[test]
fn elements_follow_each_other() {
    check(&[
        ("{ .a } | { .b }", "{ .a } | { .b }"),
        ("{}|count()>2", "{ true } | count() > 2"),
        ("{ } | by(.a) | by(.b) | coalesce() | count() = 1", "{ true } | by(.a) | by(.b) | coalesce() | count() = 1"),
        ("{ } | by(duration > 2s)", "{ true } | by(duration > 2s)"),
        ("{ } | by (1 + span.n)", "{ true } | by(1 + span.n)"),
        ("by(.x)", "by(.x)"),
        ("by(.a) | coalesce()", "by(.a) | coalesce()"),
        ("select(.a, duration , span:id)", "select(.a, duration, span:id)"),
        ("count() > 1", "count() > 1"),
        ("avg(.x) > 0 | { .a }", "avg(.x) > 0 | { .a }"),
        (
            "{ status = error } | by(resource.service.name) | count() > 1",
            "{ status = error } | by(resource.service.name) | count() > 1",
        ),
    ]);
    refuse(
        ErrorKind::Syntax,
        &[
            ("", (1, 1), "unexpected end of query, expected `{`, `(`, an aggregate, `by` or `select`"),
            ("   \n ", (2, 2), "unexpected end of query"),
            ("// only this", (1, 13), "unexpected end of query"),
            ("{", (1, 2), "unexpected end of query"),
            ("{ .a", (1, 5), "unexpected end of query, expected `}` or an operator"),
            ("{ .a = }", (1, 8), "unexpected `}`"),
            ("{ } }", (1, 5), "unexpected `}`, expected end of query"),
            ("{ } |", (1, 6), "unexpected end of query"),
            ("| { }", (1, 1), "unexpected `|`"),
            ("{ } { }", (1, 5), "unexpected `{`"),
            (".a = 1", (1, 1), "unexpected attribute `.a`"),
            ("name", (1, 1), "unexpected intrinsic `name`"),
            ("coalesce()", (1, 1), "unexpected `coalesce`"),
            ("(coalesce()) && ({ })", (1, 2), "unexpected `coalesce`"),
            ("{ } | coalesce(.a)", (1, 16), "unexpected attribute `.a`, expected `)`"),
            ("{ } | by()", (1, 10), "unexpected `)`"),
            ("{ } | by(.a, .b)", (1, 12), "unexpected `,`, expected `)` or an operator"),
            ("{ } | select()", (1, 14), "unexpected `)`, expected an attribute"),
            ("{ } | select(.a + 1)", (1, 17), "unexpected `+`, expected `)` or `,`"),
            ("{ } | select(1)", (1, 14), "unexpected integer `1`"),
            ("{ } | unknown()", (1, 7), "unexpected identifier `unknown`"),
            ("{ nil }", (1, 7), "unexpected `}`, expected `=` or `!=`"),
            ("{ .x > nil }", (1, 8), "unexpected `nil`"),
            ("{ .x =~ nil }", (1, 9), "unexpected `nil`"),
            ("{ .x = 1 + nil }", (1, 12), "unexpected `nil`"),
            ("{ (nil) = .x }", (1, 7), "unexpected `)`"),
            ("{ !nil = .x }", (1, 4), "unexpected `nil`"),
            ("{ .a in (1, 2) }", (1, 6), "unexpected identifier `in`"),
            ("{ .a = [1] }", (1, 8), "unexpected character '['"),
            ("{ (.a }", (1, 7), "unexpected `}`, expected `)` or an operator"),
        ],
    );
}

#[test]
fn structural_operators_bind_tighter_than_logic() {
    check(&[
        ("{ .a } > { .b } > { .c }", "({ .a } > { .b }) > { .c }"),
        ("{ .a } > ({ .b } > { .c })", "{ .a } > ({ .b } > { .c })"),
        ("{ .a } >> { .b } && { .c }", "({ .a } >> { .b }) && { .c }"),
        ("{ .a } && { .b } >> { .c }", "{ .a } && ({ .b } >> { .c })"),
        ("{ .a } || { .b } && { .c }", "({ .a } || { .b }) && { .c }"),
        ("{ .a } && { .b } || { .c } && { .d }", "(({ .a } && { .b }) || { .c }) && { .d }"),
        ("{ .a } && ({ .b } && { .c }) && { .d }", "(({ .a } && { .b }) && { .c }) && { .d }"),
        ("(({ .a }))", "{ .a }"),
        ("{ .a }>>{ .b }|count()>1", "{ .a } >> { .b } | count() > 1"),
    ]);
}

#[test]
fn every_structural_operator_is_known() {
    let operators = [">", ">>", "<", "<<", "~", "!>", "!>>", "!<", "!<<", "!~", "&>", "&>>", "&<", "&<<", "&~"];
    for op in operators {
        let query = format!("{{ .a }} {op} {{ .b }}");
        check(&[(&query, &query), (&query.replace(' ', ""), &query)]);
        let Element::Spanset(SpansetExpr::Structural { op: parsed, .. }) = parse(&query).unwrap().pipeline.elements[0]
        else {
            panic!("{query}");
        };
        assert_eq!(parsed.to_string(), op);
    }
    refuse(
        ErrorKind::Syntax,
        &[
            ("{ true } >>> { true }", (1, 12), "unexpected `>`, expected `{` or `(`"),
            ("{ .a } = { .b }", (1, 8), "unexpected `=`"),
            ("{ .a } <= { .b }", (1, 8), "unexpected `<=`"),
            ("{ .a } + { .b }", (1, 8), "unexpected `+`"),
            ("{ .a } !&& { .b }", (1, 8), "unexpected `!`"),
            ("{ .a } =~ { .b }", (1, 8), "unexpected `=~`"),
            ("{ .a } && count() > 1", (1, 11), "unexpected `count`, expected `{` or `(`"),
            ("{ .a } && (count()) > 1", (1, 11), "unexpected number, expected spans"),
        ],
    );
}

#[test]
fn pipelines_in_parentheses_are_joined_with_their_like() {
    check(&[
        (
            "( {.a} | count() > 2 ) && ( {.b} | avg(duration) > 1s )",
            "({ .a } | count() > 2) && ({ .b } | avg(duration) > 1s)",
        ),
        ("({ .a } | count() > 2) || ({ .b })", "({ .a } | count() > 2) || ({ .b })"),
        ("({ .a }) >> (({ .b } | count() > 2))", "({ .a }) >> ({ .b } | count() > 2)"),
        ("({ .a } > { .b }) ~ ({ .c } | by(.d))", "({ .a } > { .b }) ~ ({ .c } | by(.d))"),
        ("(count() > 1) && ({ .a })", "(count() > 1) && ({ .a })"),
        ("({ .a }) && ({ .b }) && ({ .c } | count() > 1)", "(({ .a }) && ({ .b })) && ({ .c } | count() > 1)"),
        ("(({ .a } | count() > 1) || ({ .b })) && ({ .c })", "(({ .a } | count() > 1) || ({ .b })) && ({ .c })"),
        (
            "((({ .a } | count() > 1) || ({ .b })) | by(.x)) > ({ .c })",
            "(({ .a } | count() > 1) || ({ .b }) | by(.x)) > ({ .c })",
        ),
        // After it, the pipeline may go on.
        ("({ .a } | count() > 2) || ({ .b }) | select(.c)", "({ .a } | count() > 2) || ({ .b }) | select(.c)"),
    ]);
    let query = parse("({ .a } | count() > 2) || ({ .b })").unwrap();
    let Element::Spanset(SpansetExpr::Or(operands)) = &query.pipeline.elements[0] else { panic!("{query:?}") };
    assert!(matches!(operands[..], [SpansetExpr::Pipeline(_), SpansetExpr::Filter(_)]));
    // Parentheses around no operand change nothing.
    check_same(&[
        ("({ .a } | count() > 2)", "{ .a } | count() > 2"),
        ("({ .a } | by(.b)) | coalesce() | rate()", "{ .a } | by(.b) | coalesce() | rate()"),
        ("{ .a } | ({ .b } | by(.c))", "{ .a } | { .b } | by(.c)"),
        ("(({ .a } | count() > 2) | by(.b)) || ({ .c })", "({ .a } | count() > 2 | by(.b)) || ({ .c })"),
        ("(count()) > 1", "count() > 1"),
    ]);
    refuse(
        ErrorKind::Syntax,
        &[
            ("({ .a } | count() > 1) >> { .b }", (1, 27), "parentheses around both operands"),
            ("{ .b } || ({ .a } | count() > 1)", (1, 1), "parentheses around both operands"),
            ("({ .a }) && { .b } && ({ .c } | by(.d))", (1, 2), "parentheses around both operands"),
            ("({ .a } | by(.b)) && ({ .c }) && { .d }", (1, 34), "parentheses around both operands"),
            ("({ .a } | rate())", (1, 11), "unexpected `rate`"),
            ("({ .a } | count())", (1, 19), "unexpected end of query, expected a comparison"),
            ("({ .a }", (1, 8), "unexpected end of query, expected `)`, `|` or an operator"),
        ],
    );
}

#[test]
fn scalar_filters_compare_an_aggregate_with_a_constant() {
    check(&[
        ("{ } | count() != 2", "{ true } | count() != 2"),
        ("{ } | min(duration) = 0", "{ true } | min(duration) = 0"),
        ("{ } | max(span.a + span.b) >= 1.5", "{ true } | max(span.a + span.b) >= 1.5"),
        ("{ } | avg(.x) < 200ms", "{ true } | avg(.x) < 200ms"),
        ("{ } | sum(span.size * 2) <= -3", "{ true } | sum(span.size * 2) <= -3"),
        ("{ } | sum(.x) > -1s", "{ true } | sum(.x) > -1s"),
        ("{ } | sum(.x) > -minInt", "{ true } | sum(.x) > minInt"),
        ("{ } | max(span:childCount) > (1)", "{ true } | max(span:childCount) > 1"),
        ("{ } | avg(-.x) > 1", "{ true } | avg(-.x) > 1"),
    ]);
    refuse(
        ErrorKind::Unsupported,
        &[
            ("{ } | count() > 1 + 1", (1, 7), "`count() > 1 + 1` is not yet supported"),
            ("{ } | 2 < count()", (1, 7), "`2 < count()` is not yet supported"),
            ("{ } | max(.a) > min(.b)", (1, 7), "`max(.a) > min(.b)` is not yet supported"),
            ("{ } | avg(.x) + 1 > 2", (1, 7), "not yet supported: compare one aggregate with one constant"),
            ("{ } | (avg(.x) + 1) * 2 ^ 3 > 2", (1, 7), "`(avg(.x) + 1) * 2 ^ 3 > 2` is not yet supported"),
            ("-1 > 2", (1, 1), "`-1 > 2` is not yet supported"),
            ("({ .a } | count()) > ({ .b } | count())", (1, 1), "is not yet supported"),
            ("({ .a } | count()) > 2", (1, 1), "is not yet supported"),
        ],
    );
    refuse(
        ErrorKind::Syntax,
        &[
            ("{ } | count()", (1, 14), "unexpected end of query, expected a comparison"),
            ("{ } | count(.a) > 1", (1, 13), "unexpected attribute `.a`, expected `)`"),
            ("{ } | avg() > 1", (1, 11), "unexpected `)`"),
            ("{ } | count() > \"x\"", (1, 17), "unexpected string `\"x\"`, expected a number or a duration"),
            ("{ } | count() > true", (1, 17), "unexpected boolean `true`"),
            ("{ } | count() > error", (1, 17), "unexpected status `error`"),
            ("{ } | count() > server", (1, 17), "unexpected kind `server`"),
            ("{ } | count() > .a", (1, 17), "unexpected attribute `.a`"),
            ("{ } | count() > - count()", (1, 19), "unexpected `count`, expected a number"),
            ("{ } | count() > 1 > 2", (1, 19), "unexpected `>`, expected end of query"),
            ("{ } | count() =~ 1", (1, 15), "unexpected `=~`"),
            ("{ } | count() > ({ })", (1, 17), "unexpected spans, expected a number"),
            ("{ } | count() > by", (1, 17), "unexpected `by`, expected a number"),
        ],
    );
}

#[test]
fn the_last_hints_count() {
    check(&[
        ("{ } with(most_recent=true)", "{ true } with(most_recent=true)"),
        ("{ } | rate()  with(sample=true)", "{ true } | rate() with(sample=true)"),
        ("{ } with(a=1) with(b=2.5, c = `x`)", "{ true } with(b=2.5, c=`x`)"),
        ("{ } with(a=1s,b=ok,c=server,d=minInt)", "{ true } with(a=1s, b=ok, c=server, d=minInt)"),
        ("{ } | rate() > 5 with (exemplars = 3)", "{ true } | rate() > 5.0 with(exemplars=3)"),
    ]);
    let query = parse("{ } with(sample=0.5, unknown=1, sample=true)").unwrap();
    assert_eq!(query.hint("sample"), Some(&Literal::Bool(true)));
    assert_eq!(query.hint("exemplars"), None);
    assert_eq!(query.hints.len(), 3);
    refuse(
        ErrorKind::Syntax,
        &[
            ("{ } with()", (1, 10), "unexpected `)`, expected a hint's name"),
            ("{ } with(count=1)", (1, 10), "unexpected `count`"),
            ("{ } with(duration=1)", (1, 10), "unexpected intrinsic `duration`"),
            ("{ } with(a=-1)", (1, 12), "unexpected `-`, expected a value"),
            ("{ } with(a=nil)", (1, 12), "unexpected `nil`, expected a value"),
            ("{ } with(a)", (1, 11), "unexpected `)`, expected `=`"),
            ("{ } with(a=1", (1, 13), "unexpected end of query, expected `)` or `,`"),
            ("{ } with(a=1) | count() > 1", (1, 15), "unexpected `|`, expected end of query or `with`"),
        ],
    );
}
