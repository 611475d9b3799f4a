//! Section 1 of the language: blanks, literals, attribute names, intrinsics.

use niente_traceql::{AttributeScope, Element, ErrorKind, Field, FieldExpr, Literal, SpansetExpr, parse, parse_field};

use crate::{check, check_conditions, check_same, refuse};

/// The literal that `.x` is compared with.
fn literal(text: &str) -> Literal {
    let query = parse(&format!("{{ .x = {text} }}")).unwrap_or_else(|error| panic!("{text}: {error}"));
    let Element::Spanset(SpansetExpr::Filter(FieldExpr::Compare { rhs, .. })) = &query.pipeline.elements[0] else {
        panic!("{text}: {query:?}");
    };
    let FieldExpr::Literal(literal) = &**rhs else { panic!("{text}: {rhs:?}") };
    literal.clone()
}

#[test]
fn blanks_and_comments_separate() {
    check(&[
        ("{.a=1}", "{ .a = 1 }"),
        ("{\t.a\r\n=\n1 }", "{ .a = 1 }"),
        ("{ .a = 1 } // to the end", "{ .a = 1 }"),
        ("{ .a // the attribute\n = 1 }", "{ .a = 1 }"),
        ("/* before */{/**/.a /* it's * and / */= 1}", "{ .a = 1 }"),
        ("{ .a = 4 /2 }", "{ .a = 2 }"),
    ]);
    refuse(
        ErrorKind::Syntax,
        &[
            ("{ } /* no end", (1, 5), "unterminated comment"),
            ("{ } /*/", (1, 5), "unterminated comment"),
            ("{ .a = 1; }", (1, 9), "unexpected character ';'"),
            ("{ .a ? 1 }", (1, 6), "unexpected character '?'"),
            ("{ .a = @1 }", (1, 8), "unexpected character '@'"),
            ("{ .a = 'x' }", (1, 8), "expected a string in double quotes"),
            ("{ .a & .b }", (1, 6), "unexpected character '&', expected `&&`"),
            ("{ .a =\u{a0}1 }", (1, 7), "unexpected character"),
            ("{ foo = 1 }", (1, 3), "unexpected identifier `foo`"),
            ("{ foo.bar = 1 }", (1, 3), "unexpected identifier `foo`, expected a value, an attribute such as `.a`"),
            ("{ span = 1 }", (1, 3), "unexpected identifier `span`"),
            ("{\n  .a = 1 &&\n  .é = foo\n}", (3, 8), "unexpected identifier `foo`"),
        ],
    );
}

#[test]
fn strings_have_the_escapes_of_go() {
    for (text, value) in [
        (r#""""#, ""),
        (r#""a b""#, "a b"),
        (r#""\a\b\f\n\r\t\v\\\"""#, "\x07\x08\x0c\n\r\t\x0b\\\""),
        (r#""\x41\x7a""#, "Az"),
        (r#""\101\060""#, "A0"),
        (r#""\xc3\xa9 \303\251""#, "é é"),
        (r#""\u00e9\U0001F600""#, "é😀"),
        (r#""it's `quoted`""#, "it's `quoted`"),
        (r"``", ""),
        (r#"`a\d"b"`"#, r#"a\d"b""#),
        ("`two\nlines`", "two\nlines"),
    ] {
        assert_eq!(literal(text), Literal::Str(value.to_owned()), "{text}");
    }
    refuse(
        ErrorKind::Syntax,
        &[
            (r#"{ .a = "\d" }"#, (1, 9), "unknown escape"),
            (r#"{ .a = "x\'" }"#, (1, 10), "unknown escape"),
            (r#"{ .a = "\x4" }"#, (1, 9), "unknown escape"),
            (r#"{ .a = "\18" }"#, (1, 9), "unknown escape"),
            (r#"{ .a = "\400" }"#, (1, 9), "unknown escape"),
            (r#"{ .a = "\ud800" }"#, (1, 9), "unknown escape"),
            (r#"{ .a = "\U00110000" }"#, (1, 9), "unknown escape"),
            (r#"{ .a = "\xff" }"#, (1, 8), "not UTF-8"),
            ("{ .a = \"x\n\" }", (1, 8), "unterminated string"),
            (r#"{ .a = "x }"#, (1, 8), "unterminated string"),
            (r#"{ .a = "x\"#, (1, 10), "unknown escape"),
            ("{ .a = `x }", (1, 8), "unterminated string"),
        ],
    );
}

#[test]
fn numbers_are_decimal() {
    for (text, value) in [
        ("0", Literal::Int(0)),
        ("17", Literal::Int(17)),
        ("010", Literal::Int(10)),
        ("9223372036854775807", Literal::Int(i64::MAX)),
        ("minInt", Literal::Int(i64::MIN)),
        ("maxInt", Literal::Int(i64::MAX)),
        ("-minInt", Literal::Int(i64::MIN)),
        ("-5", Literal::Int(-5)),
        ("1.5", Literal::Float(1.5)),
        (".5", Literal::Float(0.5)),
        ("1.", Literal::Float(1.0)),
        ("08.5", Literal::Float(8.5)),
        ("1e3", Literal::Float(1e3)),
        ("1.5E-3", Literal::Float(1.5e-3)),
        ("1e+3", Literal::Float(1e3)),
        ("0x1.8p1", Literal::Float(3.0)),
    ] {
        assert_eq!(literal(text), value, "{text}");
    }
    refuse(
        ErrorKind::Syntax,
        &[
            ("{ .a = 08 }", (1, 8), "`08` has a leading zero"),
            ("{ .a = 0x10 }", (1, 9), "unexpected identifier `x10`"),
            ("{ .a = 0b1 }", (1, 9), "unexpected identifier `b1`"),
            ("{ .a = 0o7 }", (1, 9), "unexpected identifier `o7`"),
            ("{ .a = 1_000 }", (1, 9), "unexpected identifier `_000`"),
            ("{ .a = 9223372036854775808 }", (1, 8), "integer `9223372036854775808` is out of range"),
            ("{ .a = 1e999 }", (1, 8), "float `1e999` is out of range"),
            ("{ .a = 0x1p1024 }", (1, 8), "float `0x1p1024` is out of range"),
            ("{ .a = 1e }", (1, 9), "unexpected identifier `e`"),
            ("{ .a = 1.2.3 }", (1, 11), "unexpected float `0.3`"),
        ],
    );
}

#[test]
fn durations_are_of_one_family() {
    const SECOND: i64 = 1_000_000_000;

    for (text, nanos) in [
        ("1d", 86_400 * SECOND),
        ("1w2d", 9 * 86_400 * SECOND),
        ("1y", 365 * 86_400 * SECOND),
        ("1h30m", 5_400 * SECOND),
        ("1d12h", 36 * 3_600 * SECOND),
        ("1.5h", 5_400 * SECOND),
        (".5s", SECOND / 2),
        ("30m1h", 5_400 * SECOND),
        ("1h15m30.9s", 4_530 * SECOND + 900_000_000),
        ("100us", 100_000),
        ("100µs", 100_000),
        ("10ns", 10),
        ("0s", 0),
        (".24h", 864 * SECOND),
    ] {
        assert_eq!(literal(text), Literal::Duration(nanos), "{text}");
        assert_eq!(literal(&format!("-{text}")), Literal::Duration(-nanos), "-{text}");
    }
    refuse(
        ErrorKind::Syntax,
        &[
            ("{ duration > 1.5d }", (1, 17), "unexpected identifier `d`"),
            ("{ duration > 1d100ns }", (1, 15), "unexpected identifier `d100ns`"),
            ("{ duration > 1h30 }", (1, 15), "unexpected identifier `h30`"),
            ("{ duration > 1e3s }", (1, 17), "unexpected identifier `s`"),
            ("{ duration > 5x }", (1, 15), "unexpected identifier `x`"),
            ("{ duration > 300y }", (1, 17), "unexpected identifier `y`"),
        ],
    );
}

#[test]
fn words_are_constants_of_their_type() {
    check_conditions(&[
        ("true", "true"),
        ("false", "false"),
        ("status = ok", "status = ok"),
        ("status != error", "status != error"),
        ("status = unset", "status = unset"),
        ("kind = unspecified", "kind = unspecified"),
        ("kind = internal", "kind = internal"),
        ("kind = server", "kind = server"),
        ("kind = client", "kind = client"),
        ("kind = producer", "kind = producer"),
        ("kind = consumer", "kind = consumer"),
    ]);
}

#[test]
fn attribute_names_run_on() {
    use AttributeScope::*;

    for (text, scope, name) in [
        (".foo", Unscoped, "foo"),
        (".foo//x", Unscoped, "foo//x"),
        (".foo/*x*/", Unscoped, "foo/*x*/"),
        (".a-1", Unscoped, "a-1"),
        (".a*2", Unscoped, "a*2"),
        (".count", Unscoped, "count"),
        (".by", Unscoped, "by"),
        (".name", Unscoped, "name"),
        (".duration", Unscoped, "duration"),
        (".ü.[0]@#$;?'%:\\", Unscoped, "ü.[0]@#$;?'%:\\"),
        ("..5", Unscoped, ".5"),
        ("span.status", Span, "status"),
        ("span.5xx", Span, "5xx"),
        ("span.http.route", Span, "http.route"),
        ("span.resource.x", Span, "resource.x"),
        ("span.parent.x", Span, "parent.x"),
        ("resource.service.name", Resource, "service.name"),
        ("event.exception.message", Event, "exception.message"),
        ("link.link-type", Link, "link-type"),
        ("instrumentation.language", Instrumentation, "language"),
        ("parent.x", Parent, "x"),
        ("parent.span", Parent, "span"),
        ("parent.event.x", Parent, "event.x"),
        ("parent.spanner.x", Parent, "spanner.x"),
        ("parent.span.x", ParentSpan, "x"),
        ("parent.span.resource.x", ParentSpan, "resource.x"),
        ("parent.resource.service.name", ParentResource, "service.name"),
        (r#"span.app."user id".tier"#, Span, "app.user id.tier"),
        (r#".foo."bar""#, Unscoped, "foo.bar"),
        (r#"."5xx""#, Unscoped, "5xx"),
        (r#"span."a\"b\\c""#, Span, r#"a"b\c"#),
        ("span.\"two\nlines\"", Span, "two\nlines"),
        (r#"parent."span.x""#, Parent, "span.x"),
        (r#"parent.span."a b""#, ParentSpan, "a b"),
        (r#"."attribute name with space""#, Unscoped, "attribute name with space"),
    ] {
        let field = Field::Attribute { scope, name: name.to_owned() };
        assert_eq!(parse_field(text).as_ref(), Ok(&field), "{text}");
        assert_eq!(parse_field(&field.to_string()).as_ref(), Ok(&field), "{field}");
    }
    check_conditions(&[
        // Every character that ends a name.
        (".a=1", ".a = 1"),
        (".a!=1", ".a != 1"),
        (".a<1", ".a < 1"),
        (".a>1", ".a > 1"),
        (".a=~``", ".a =~ ``"),
        (".a&&.b||.c", "(.a && .b) || .c"),
        (".a^2=1", "(.a ^ 2) = 1"),
        ("(.a)", ".a"),
        (".a", ".a"),
        (".a - 1 = 0", "(.a - 1) = 0"),
        (".a-1 = 0", ".a-1 = 0"),
        // What needs quotes in print.
        (r#"."a b" = 1"#, r#"."a b" = 1"#),
        (r#"span."(x)""#, r#"span."(x)""#),
        (r#"span."plain""#, "span.plain"),
        (r#"span.a"b"c"#, "span.abc"),
        (r#"span."a\"b""#, r#"span."a\"b""#),
        (r"span.a\b", r"span.a\b"),
        (r#"parent."resource.x""#, r#"parent."resource.x""#),
        (r#"."5""#, r#"."5""#),
    ]);
    check(&[("{}|select(.a,span.b)", "{ true } | select(.a, span.b)")]);
    refuse(
        ErrorKind::Syntax,
        &[
            ("{ . = 1 }", (1, 4), "unexpected end of attribute, expected its name"),
            ("{ span. x }", (1, 8), "expected its name"),
            ("{ span .x }", (1, 3), "unexpected identifier `span`"),
            (r#"{ ."" = 1 }"#, (1, 4), "expected its name"),
            ("{ parent.span. = 1 }", (1, 15), "expected its name"),
            (r#"{ ."a\n" = 1 }"#, (1, 6), "unknown escape in a quoted attribute name"),
            (r#"{ ."a = 1 }"#, (1, 4), "unterminated attribute name"),
            ("{ name.x = 1 }", (1, 7), "unexpected attribute `.x`"),
            ("{ .5xx = 1 }", (1, 5), "unexpected identifier `xx`"),
        ],
    );
}

#[test]
fn intrinsics_have_two_spellings() {
    check_same(&[
        ("{ span:name = `x` }", "{ name = `x` }"),
        ("{ span:duration > 1s }", "{ duration > 1s }"),
        ("{ span:status = ok }", "{ status = ok }"),
        ("{ span:statusMessage = `` }", "{ statusMessage = `` }"),
        ("{ span:kind = server }", "{ kind = server }"),
        ("{ trace:duration > 1s }", "{ traceDuration > 1s }"),
        ("{ trace:rootName = `x` }", "{ rootName = `x` }"),
        ("{ trace:rootService = `x` }", "{ rootServiceName = `x` }"),
    ]);
    for (spelling, canonical) in [
        ("name", "name"),
        ("span:name", "name"),
        ("span:duration", "duration"),
        ("span:status", "status"),
        ("span:statusMessage", "statusMessage"),
        ("span:kind", "kind"),
        ("span:id", "span:id"),
        ("span:parentID", "span:parentID"),
        ("span:childCount", "span:childCount"),
        ("trace:duration", "traceDuration"),
        ("trace:rootName", "rootName"),
        ("trace:rootService", "rootServiceName"),
        ("trace:id", "trace:id"),
        ("event:name", "event:name"),
        ("event:timeSinceStart", "event:timeSinceStart"),
        ("link:traceID", "link:traceID"),
        ("link:spanID", "link:spanID"),
        ("instrumentation:name", "instrumentation:name"),
        ("instrumentation:version", "instrumentation:version"),
        ("nestedSetLeft", "nestedSetLeft"),
        ("nestedSetRight", "nestedSetRight"),
        ("nestedSetParent", "nestedSetParent"),
    ] {
        assert_eq!(parse_field(spelling).unwrap().to_string(), canonical);
    }
    refuse(
        ErrorKind::Syntax,
        &[
            ("{ trace:rootServiceName = `x` }", (1, 3), "unknown intrinsic `trace:rootServiceName`"),
            ("{ span:rootName = `x` }", (1, 3), "unknown intrinsic `span:rootName`"),
            ("{ childCount = 1 }", (1, 3), "unexpected identifier `childCount`"),
            ("{ id = `x` }", (1, 3), "unexpected identifier `id`"),
            ("{ resource:x = `x` }", (1, 3), "unknown intrinsic `resource:x`"),
            ("{ span : name = `x` }", (1, 3), "unexpected identifier `span`"),
            ("{ span: name = `x` }", (1, 3), "unknown intrinsic `span:`"),
            ("{ Name = `x` }", (1, 3), "unexpected identifier `Name`"),
        ],
    );
}
