//! What a query mentions, and fields that stand alone.

use niente_traceql::{ErrorKind, parse, parse_field};

#[test]
fn fields_come_in_order_of_first_mention() {
    for (query, fields) in [
        ("{ }", ""),
        ("{ .a = .b && (.a || !span.c) }", ".a .b span.c"),
        ("{ 5 = span.n } >> { -.m ^ 2 = 1 }", "span.n .m"),
        ("{ .a =~ `x` && .b != nil }", ".a .b"),
        ("{ .c } && ({ .a } || { .b })", ".c .a .b"),
        ("({ .a } | count() > 1) || ({ .b })", ".a .b"),
        ("{ span:name = `x` } | by(name) | coalesce() | avg(.x + .y) > 1 | select(.z, .x)", "name .x .y .z"),
        ("{ .a } | quantile_over_time(duration, .5) by (.b, .a)", ".a duration .b"),
        ("{ .a } | compare({ status = error })", ".a status"),
        ("{ } | min_over_time(.m) by (.n)", ".m .n"),
    ] {
        let query = parse(query).unwrap();
        let mentioned: Vec<String> = query.fields().iter().map(|field| field.to_string()).collect();
        assert_eq!(mentioned.join(" "), fields, "{query}");
    }
}

#[test]
fn a_field_stands_alone() {
    for (text, canonical) in [
        (".env", ".env"),
        ("span.http.route", "span.http.route"),
        (r#"resource."odd name""#, r#"resource."odd name""#),
        ("name", "name"),
        ("span:status", "status"),
        ("event:name", "event:name"),
        (" .env ", ".env"),
        ("parent.span.x", "parent.span.x"),
    ] {
        assert_eq!(parse_field(text).unwrap().to_string(), canonical);
    }
    for (text, kind, column) in [
        ("", ErrorKind::Syntax, 1),
        ("env", ErrorKind::Syntax, 1),
        (".env = 1", ErrorKind::Syntax, 6),
        ("span.odd name", ErrorKind::Syntax, 10),
        ("5", ErrorKind::Syntax, 1),
        ("ok", ErrorKind::Syntax, 1),
        ("{ }", ErrorKind::Syntax, 1),
        ("span:nope", ErrorKind::Syntax, 1),
        ("parent", ErrorKind::Unsupported, 1),
    ] {
        let error = parse_field(text).expect_err(text);
        assert_eq!((error.kind, error.position.unwrap().column), (kind, column), "{text}: {error}");
    }
    assert!(parse_field(&format!(".{}", "a".repeat(200_000))).is_err());
}
