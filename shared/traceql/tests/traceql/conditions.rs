//! Field expressions: precedence, nil, and what may be joined with what.

use niente_traceql::{Element, FieldExpr, SpansetExpr, parse};

use crate::{check_conditions, check_same};

#[test]
fn braces_may_be_empty() {
    check_same(&[("{}", "{ true }"), ("{ }", "{ true }")]);
}

#[test]
fn and_binds_like_or() {
    check_conditions(&[
        (".a || .b && .c", "(.a || .b) && .c"),
        (".a && .b || .c && .d", "((.a && .b) || .c) && .d"),
        (".a || (.b && .c)", ".a || (.b && .c)"),
    ]);
}

#[test]
fn chains_are_one_operation() {
    check_conditions(&[
        (".a && .b && .c && .d", "((.a && .b) && .c) && .d"),
        (".a && (.b && (.c && .d))", "((.a && .b) && .c) && .d"),
        ("(.a || .b) || (.c || .d)", "((.a || .b) || .c) || .d"),
        ("(.a && .b) || (.c && .d)", "(.a && .b) || (.c && .d)"),
    ]);
    let query = parse("{ .a && (.b && .c) && .d }").unwrap();
    let Element::Spanset(SpansetExpr::Filter(FieldExpr::And(operands))) = &query.pipeline.elements[0] else {
        panic!("{query:?}");
    };
    assert_eq!(operands.len(), 4);
}

#[test]
fn operators_bind_as_in_the_table() {
    check_conditions(&[
        (".a + .b * .c ^ .d = 1", "(.a + (.b * (.c ^ .d))) = 1"),
        (".a * .b + .c = 1", "((.a * .b) + .c) = 1"),
        (".a - .b - .c = 1", "((.a - .b) - .c) = 1"),
        (".a / .b % .c * .d = 1", "(((.a / .b) % .c) * .d) = 1"),
        (".a ^ .b ^ .c = 1", "(.a ^ (.b ^ .c)) = 1"),
        ("(.a ^ .b) ^ .c = 1", "((.a ^ .b) ^ .c) = 1"),
        (".a = 1 && .b > 2 || .c =~ `x`", "((.a = 1) && (.b > 2)) || (.c =~ `x`)"),
        // The sign binds like a sum, and is loose towards products.
        ("-.a * 2 = 1", "(-(.a * 2)) = 1"),
        ("-.a ^ 2 = 1", "(-(.a ^ 2)) = 1"),
        ("-.a + 1 = 1", "((-.a) + 1) = 1"),
        ("-.a - .b = 1", "((-.a) - .b) = 1"),
        (".a - -.b = 1", "(.a - (-.b)) = 1"),
        ("- -.a = 1", "(-(-.a)) = 1"),
        (".a ^ -.b * .c = 1", "(.a ^ (-(.b * .c))) = 1"),
        (".a * -.b + .c = 1", "((.a * (-.b)) + .c) = 1"),
        // So does `!`, but a little more tightly.
        ("!.a = .b", "(!.a) = .b"),
        ("!.a && .b", "(!.a) && .b"),
        ("!!.a", "!(!.a)"),
        ("!(.a = .b)", "!(.a = .b)"),
        // Comparisons chain to the left.
        (".x = .y = true", "(.x = .y) = true"),
        (".x = (.y = true)", ".x = (.y = true)"),
        (".x < .y = .z != .w", "((.x < .y) = .z) != .w"),
        // A negative constant keeps its sign to itself.
        ("(-5) * .a = 1", "((-5) * .a) = 1"),
        ("-5 * .a = 1", "(-(5 * .a)) = 1"),
        ("-5 + .a = 1", "(-5 + .a) = 1"),
        (".a ^ -5 = 1", "(.a ^ -5) = 1"),
        ("(-1.5) ^ .a = 1", "((-1.5) ^ .a) = 1"),
        ("(-1s) / .a = 1", "((-1s) / .a) = 1"),
        ("minInt % .a = 1", "((minInt) % .a) = 1"),
        ("-5 = .a", "-5 = .a"),
    ]);
    // `!(a*b)` and `(!a)*b` are both no sensible query, but only one of them is what was written.
    let error = parse("{ !.a * 1 }").unwrap_err();
    assert!(error.to_string().contains("`.a * 1` is an integer"), "{error}");
}

#[test]
fn comparisons_stay_as_written() {
    check_conditions(&[
        ("5 = span.n", "5 = span.n"),
        ("5 < span.n", "5 < span.n"),
        (".a = .b", ".a = .b"),
        ("1s >= duration", "1s >= duration"),
    ]);
}

#[test]
fn nil_stands_next_to_equality_only() {
    check_conditions(&[
        (".a = nil", ".a = nil"),
        (".a != nil", ".a != nil"),
        ("nil = .a", ".a = nil"),
        ("nil != .a", ".a != nil"),
        ("nil = .a + 1", "(.a + 1) = nil"),
        ("nil = .a = .b", "(.a = nil) = .b"),
        (".a = nil = .b", "(.a = nil) = .b"),
        (".a = .b = nil", "(.a = .b) = nil"),
        (".a != nil && .b", "(.a != nil) && .b"),
        (".a && nil != .b", ".a && (.b != nil)"),
        ("-.a = nil", "(-.a) = nil"),
        ("nil = nil", "false"),
        ("nil != nil", "false"),
        ("5 = nil", "false"),
        ("nil != `x`", "true"),
        ("nil = nil = nil", "false"),
        // Every span has them, so only this direction is sensible.
        ("duration != nil", "duration != nil"),
        ("resource.service.name != nil", "resource.service.name != nil"),
        (".service.name = nil", ".service.name = nil"),
        ("span.service.name = nil", "span.service.name = nil"),
    ]);
}

#[test]
fn types_fit() {
    check_conditions(&[
        (".flag", ".flag"),
        ("span.flag && true", "span.flag && true"),
        ("instrumentation:name", "instrumentation:name"),
        ("instrumentation:version = 2", "instrumentation:version = 2"),
        ("instrumentation:name =~ `x`", "instrumentation:name =~ `x`"),
        ("duration > 100", "duration > 100"),
        ("duration > 1e9", "duration > 1e+09"),
        ("duration = 0", "duration = 0"),
        ("nestedSetParent < 0", "nestedSetParent < 0"),
        ("nestedSetParent = -1", "nestedSetParent = -1"),
        ("event:timeSinceStart > 200ms", "event:timeSinceStart > 200ms"),
        ("name < `b`", "name < `b`"),
        ("name = statusMessage", "name = statusMessage"),
        (".a = ok", ".a = ok"),
        (".a > 1s", ".a > 1s"),
        ("(.a = .b) = true", "(.a = .b) = true"),
        ("!(name = `x`) && true", "(!(name = `x`)) && true"),
        ("parent.a = parent.span.b && parent.resource.c", "(parent.a = parent.span.b) && parent.resource.c"),
        ("trace:id =~ `abc.*`", "trace:id =~ `abc.*`"),
    ]);
}

#[test]
fn literals_print_canonically() {
    check_conditions(&[
        (r#".a = "x""#, ".a = `x`"),
        (r#".a = "back`tick \"q\" \\ \n""#, r#".a = "back`tick \"q\" \\ \n""#),
        (r#".a = "`\x00\u0085""#, r#".a = "`\U00000000\U00000085""#),
        (".a = 2.0", ".a = 2.0"),
        (".a = .50", ".a = 0.5"),
        (".a = 100000.", ".a = 100000.0"),
        (".a = 1234567.5", ".a = 1.2345675e+06"),
        (".a = 1e21", ".a = 1e+21"),
        (".a = 0.0001", ".a = 0.0001"),
        (".a = 0.00001", ".a = 1e-05"),
        (".a = 1e-300", ".a = 1e-300"),
        (".a = -0.0", ".a = -0.0"),
        (".a = 1h", ".a = 1h0m0s"),
        (".a = 60055ms", ".a = 1m0.055s"),
        (".a = 250ms", ".a = 250ms"),
        (".a = 1500ns", ".a = 1.5µs"),
        (".a = 0h", ".a = 0s"),
        (".a = minInt", ".a = minInt"),
        (".a = maxInt", ".a = 9223372036854775807"),
    ]);
}
