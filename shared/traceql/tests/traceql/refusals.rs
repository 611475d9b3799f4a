//! What is grammatical and can't be meant.

use niente_traceql::{ErrorKind, parse};

use crate::refuse;

#[test]
fn types_that_do_not_fit() {
    refuse(
        ErrorKind::Invalid,
        &[
            ("{ status = 2 }", (1, 3), "`status` is a status and `2` is an integer, which can't be joined by `=`"),
            ("{ status = 1 }", (1, 3), "compare `status` with `ok`, `error` or `unset`"),
            ("{ 1 = status }", (1, 3), "compare `status` with `ok`, `error` or `unset`"),
            ("{ kind = \"server\" }", (1, 3), "compare `kind` with a kind such as `server`"),
            ("{ kind = status }", (1, 3), "can't be joined by `=`"),
            ("{ duration = \"1s\" }", (1, 3), "compare `duration` with a duration such as `100ms`"),
            ("{ name = 5 }", (1, 3), "compare `name` with a string in quotes"),
            ("{ name = true }", (1, 3), "can't be joined by `=`"),
            ("{ 1 + \"a\" = 2 }", (1, 3), "`+` computes with numbers and durations, but `a` is a string"),
            ("{ \"a\" + 1 = 2 }", (1, 3), "`+` computes with numbers and durations, but `a` is a string"),
            ("{ .a && name + 1 > 2 }", (1, 9), "but `name` is a string"),
            ("{ 1 < 2 < 3 }", (1, 3), "`<` compares numbers, durations or strings, but `true` is a boolean"),
            ("{ status > ok }", (1, 3), "`status` is a status: use `=` or `!=`"),
            ("{ kind =~ `server` }", (1, 3), "compare it with a kind such as `server` by `=` or `!=`"),
            ("{ duration =~ `1.*` }", (1, 3), "`=~` compares strings with a pattern, but `duration` is a duration"),
            ("{ .a =~ `x` =~ `y` }", (1, 3), ".a =~ `x` is a boolean"),
            ("{ .a && 5 }", (1, 3), "`&&` joins conditions, but `5` is an integer: compare it with a number"),
            ("{ name || .a }", (1, 3), "`||` joins conditions, but `name` is a string"),
            ("{ -name = 1 }", (1, 3), "`-` computes with numbers and durations, but `name` is a string"),
            ("{ !duration }", (1, 3), "`!` joins conditions, but `duration` is a duration"),
            ("{ !5 }", (1, 3), "but `5` is an integer"),
            ("{ -true = 1 }", (1, 3), "but `true` is a boolean"),
        ],
    );
}

#[test]
fn filters_are_conditions() {
    refuse(
        ErrorKind::Invalid,
        &[
            ("{ 5 }", (1, 3), "`5` is no condition, but an integer: compare it with a number"),
            ("{ 1 }", (1, 3), "`1` is no condition"),
            ("{ \"x\" }", (1, 3), "`x` is no condition, but a string"),
            ("{ name }", (1, 3), "`name` is no condition, but a string: compare it with a string in quotes"),
            ("{ duration }", (1, 3), "`duration` is no condition, but a duration"),
            ("{ status }", (1, 3), "`status` is no condition, but a status"),
            ("{ ok }", (1, 3), "`ok` is no condition"),
            ("{ 1 + 2 }", (1, 3), "`3` is no condition"),
            ("{ .a + 1 }", (1, 3), "`.a + 1` is no condition, but an integer"),
            ("{ .a + .b }", (1, 3), "`.a + .b` is no condition, but a value of unknown type: compare it"),
            ("{ -.a }", (1, 3), "`-.a` is no condition"),
            ("{ .x } && { 5 }", (1, 13), "`5` is no condition"),
            ("{ .x }\n| { 5 }", (2, 5), "`5` is no condition"),
        ],
    );
}

#[test]
fn patterns_are_constants() {
    refuse(
        ErrorKind::Invalid,
        &[
            ("{ span.a =~ 1 }", (1, 13), "`=~` needs a string in quotes on its right, not `1`"),
            ("{ span.a =~ .b }", (1, 13), "not `.b`"),
            ("{ span.a !~ name }", (1, 13), "`!~` needs a string in quotes on its right, not `name`"),
            ("{ span.a =~ \"[\" }", (1, 13), "`[` is no regular expression that RE2 knows: a closing `]` is missing"),
            ("{ span.a =~ `(?=x)` }", (1, 13), "is no regular expression"),
        ],
    );
}

#[test]
fn what_every_span_has_is_not_nil() {
    refuse(
        ErrorKind::Invalid,
        &[
            ("{ duration = nil }", (1, 3), "`duration` can't be nil"),
            ("{ nil = name }", (1, 3), "`name` can't be nil"),
            ("{ event:name = nil }", (1, 3), "`event:name` can't be nil"),
            ("{ resource.service.name = nil }", (1, 3), "`resource.service.name` can't be nil"),
        ],
    );
}

#[test]
fn aggregates_and_groups_are_about_spans() {
    refuse(
        ErrorKind::Invalid,
        &[
            ("{ } | sum(name) > 1", (1, 11), "`sum(name)` needs numbers, but is given a string"),
            ("{ } | avg(name) > 1", (1, 11), "`avg(name)` needs numbers"),
            ("{ } | avg(.a = 1) > 1", (1, 11), "needs numbers, but is given a boolean"),
            ("{ } | max(status) > 1", (1, 11), "needs numbers, but is given a status"),
            ("{ } | max(3) > 1", (1, 11), "`max(3)` has nothing to do with spans"),
            ("{ } | avg(1) > 1", (1, 11), "`avg(1)` has nothing to do with spans"),
            ("{ } | by(1)", (1, 10), "`1` is the same for every span"),
            ("{ } | by(1 + 1 = 2)", (1, 10), "`true` is the same for every span"),
        ],
    );
}

#[test]
fn the_bare_parent_is_unsupported() {
    refuse(
        ErrorKind::Unsupported,
        &[
            ("{ parent = nil }", (1, 3), "`parent` is not yet supported"),
            ("{ nil != parent }", (1, 10), "`parent` is not yet supported"),
            ("{ } | select(parent)", (1, 14), "`parent` is not yet supported"),
        ],
    );
}

#[test]
fn syntax_comes_before_sense() {
    refuse(ErrorKind::Syntax, &[("{ status = 2 } | foo", (1, 18), "unexpected identifier `foo`")]);
}

#[test]
fn errors_read_well() {
    for (query, message) in [
        (
            "{ .a = }",
            "parse error at line 1, col 8: unexpected `}`, expected a value, an attribute such as `.a` or `span.a`, \
                      an intrinsic such as `name`, `(`, `!` or `-`",
        ),
        ("{ 5 }", "`5` is no condition, but an integer: compare it with a number (line 1, col 3)"),
    ] {
        assert_eq!(parse(query).unwrap_err().to_string(), message);
    }
    // A long expression is cut.
    let long = format!("{{ .a && \"{}\" }}", "é".repeat(1000));
    let error = parse(&long).unwrap_err();
    assert!(error.message().chars().count() < 250, "{error}");
    assert!(error.message().contains('…'), "{error}");
}
