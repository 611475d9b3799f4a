//! What queries select: the language's meaning, case by case.

mod vocabulary;

use vocabulary::{Shop, attr, span};

/// Trace T of the language reference's appendix: root R, child A, grandchild B, child C of another service, orphan O.
fn appendix() -> Shop {
    Shop::new(&[
        span("R").name("GET").error().ms(2000).attr("n", 5).attr("f", 5.5),
        span("A")
            .parent("R")
            .name("db")
            .ms(100)
            .attr("n", 7)
            .attr("tags", ["x", "y"])
            .event("e1", &[attr("code", "1")])
            .event("e2", &[attr("code", "2")]),
        span("B").parent("A").name("io"),
        span("C").parent("R").name("cache").service("redis"),
        span("O").parent("gone").name("lost"),
    ])
}

/// The spans that a query selects, by name; spansets apart by `/`; `-` if there are none.
fn check(shop: &Shop, cases: &[(&str, &str)]) {
    for (query, expected) in cases {
        assert_eq!(shop.select(query), *expected, "{query}");
    }
}

#[test]
fn worked_examples() {
    check(
        &appendix(),
        &[
            ("{ span.n != 5 }", "A"),
            ("{ span.n > 4.5 }", "-"), // a double literal meets doubles only, as in Tempo
            ("{ span.f > 4.5 }", "R"),
            ("{ span.n * 1 > 4.5 }", "R A"),
            ("{ span.f > span.n }", "R"),
            ("{ span.n / 2 = 3 }", "A"),
            ("{ span.tags = \"x\" }", "A"),
            ("{ span.tags != nil }", "A"),
            ("{ event:name = \"e1\" && event.code = \"2\" }", "-"),
            ("{ event:name = \"e2\" && event.code = \"2\" }", "A"),
            ("{ name = \"GET\" } > { true }", "A C"),
            ("{ name = \"GET\" } >> { true }", "A B C"),
            ("{ name = \"GET\" } !>> { true }", "R O"),
            ("{ name = \"io\" } << { true }", "R A"),
            ("{ name = \"db\" } ~ { true }", "C"),
            ("{ name = \"GET\" } &> { name = \"db\" }", "R A"),
            ("{ nestedSetParent < 0 }", "R"),
            ("{} | by(resource.service.name) | count() > 1", "R A B O"),
            ("{} | avg(span.n) > 5", "R A B C O"),
            ("{ span.n >= 5 } | max(duration) > 1s", "R A"),
        ],
    );
}

#[test]
fn absence() {
    check(
        &appendix(),
        &[
            ("{ span.n = nil }", "B C O"),
            ("{ span.n != nil }", "R A"),
            ("{ .nosuch = nil }", "R A B C O"),
            ("{ nil = nil }", "-"),
            ("{ nil != nil }", "-"),
            ("{ span.n != \"5\" }", "-"),
            ("{ span.n !~ \"5\" }", "-"),
            ("{ !(span.n = 5) }", "A B C O"),
            ("{ !(span.n != nil) }", "B C O"),
            ("{ span.n = 5 || span.nosuch }", "R"),
            ("{ !span.nosuch }", "R A B C O"),
            ("{ event.code = nil }", "R B C O"),
            ("{ resource.service.name != nil }", "R A B C O"),
        ],
    );
}

#[test]
fn odd_values_spoil_nothing() {
    check(
        &appendix(),
        &[
            ("{ span.n / 0 = 1 }", "-"),
            ("{ span.n % 0 = 1 || name = \"io\" }", "B"),
            ("{ !span.tags }", "R A B C O"),
            ("{ -span.tags > 0 }", "-"),
            ("{ span.tags + 1 > 2 }", "-"),
            ("{ span.tags = span.tags }", "-"),
            ("{ span:id < \"1\" }", "-"),
            ("{ 6 < span.n }", "A"),
            ("{ 5 = span.n }", "R"),
        ],
    );
}

#[test]
fn arrays() {
    check(
        &appendix(),
        &[
            ("{ span.tags != \"x\" }", "-"),
            ("{ span.tags != \"z\" }", "A"),
            ("{ span.tags !~ \"x|z\" }", "-"),
            ("{ span.tags !~ \"z\" }", "A"),
            ("{ span.tags = \"x\" || span.tags = \"y\" }", "A"),
            ("{ span.tags = \"x\" && span.tags = \"y\" }", "A"),
            ("{ span.tags > \"x\" }", "A"),
            ("{ span.tags =~ \"[xz]\" }", "A"),
            ("{ span.tags = 1 }", "-"),
        ],
    );
}

#[test]
fn events() {
    check(
        &appendix(),
        &[
            ("{ event:name = \"e1\" && event:name = \"e2\" }", "-"),
            ("{ event:name = \"e1\" } && { event:name = \"e2\" }", "A"),
            ("{ event:name = \"e2\" || name = \"GET\" }", "R A"),
            ("{ event:name = \"e2\" && (event.code = \"1\" || event.code = \"2\") }", "A"),
            ("{ event:name = \"e2\" && (event.code = \"1\" || event.code = \"3\") }", "-"),
            ("{ event.code != \"1\" }", "A"),
            ("{ !(event.code = \"1\") }", "R B C O"),
            ("{ event:timeSinceStart >= 0s }", "A"),
        ],
    );
}

#[test]
fn structure_by_span_ids() {
    let rootless = Shop::new(&[
        span("A").parent("gone").name("a"),
        span("B").parent("A").name("b"),
        span("C").parent("B").name("c"),
        span("D").parent("gone").name("d"),
    ]);
    check(
        &rootless,
        &[
            ("{ name = \"a\" } >> { true }", "B C"),
            ("{ name = \"a\" } !>> { true }", "A D"),
            ("{ name = \"a\" } ~ { true }", "D"),
            ("{ name = \"c\" } << { true }", "A B"),
            ("{ nestedSetParent < 0 }", "-"),
            ("{ span:childCount = 1 }", "A B"),
            ("{ rootName = \"\" }", "A B C D"),
        ],
    );
    let two_roots = Shop::new(&[span("R").name("r"), span("S").name("s"), span("A").parent("S").name("a")]);
    check(
        &two_roots,
        &[
            ("{ name = \"r\" } ~ { true }", "S"),
            ("{ nestedSetLeft = 3 && nestedSetRight = 6 }", "S"),
            ("{ name = \"nosuch\" } !> { true }", "R S A"),
        ],
    );
    let circle =
        Shop::new(&[span("A").parent("B").name("a"), span("B").parent("A").name("b"), span("C").parent("C").name("c")]);
    check(
        &circle,
        &[("{ name = \"a\" } >> { true }", "B"), ("{ } >> { name = \"c\" }", "-"), ("{ nestedSetLeft = 0 }", "A B C")],
    );
}

#[test]
fn unions_return_both_sides_of_every_pair() {
    let shop = appendix();
    check(
        &shop,
        &[
            ("{ name = \"GET\" } &>> { name =~ \"io|cache\" }", "R B C"),
            ("{ name =~ \"GET|db\" } &>> { name = \"io\" }", "R A B"),
            ("{ name = \"io\" } &<< { name =~ \"GET|db|lost\" }", "R A B"),
            ("{ name = \"db\" } &~ { true }", "A C"),
            ("({ name = \"GET\" } &>> { name = \"io\" }) || ({ name = \"lost\" })", "R B O"),
        ],
    );
}

#[test]
fn parents() {
    check(
        &appendix(),
        &[
            ("{ parent.n = 5 }", "A C"),
            ("{ parent.span.n = 7 }", "B"),
            ("{ parent.resource.service.name = \"shop\" && resource.service.name = \"redis\" }", "C"),
            ("{ parent.n = nil }", "R O"),
        ],
    );
}

#[test]
fn pipelines() {
    check(
        &appendix(),
        &[
            ("{} | by(resource.service.name)", "R A B O / C"),
            ("{} | by(resource.service.name) | by(span.n != nil)", "R A / B O / C"),
            ("{} | by(resource.service.name) | coalesce()", "R A B C O"),
            ("{} | by(1 + span.n)", "R / A / B C O"),
            ("{ span.n > 0 } | { span.n > 6 }", "A"),
            ("{} | by(resource.service.name) | { name = \"cache\" }", "C"),
            ("({ name = \"GET\" } | count() > 1) || ({ name = \"io\" })", "B"),
            ("({ span.n > 0 } | count() > 1) && ({ name = \"io\" })", "R A B"),
            ("{} | count() = 5", "R A B C O"),
            ("{} | sum(span.n) = 12", "R A B C O"),
            ("{} | max(span.f) = 5.5", "R A B C O"),
            ("{ name = \"io\" } | min(span.n) < 100", "-"),
            ("{} | select(span.n)", "R A B C O"),
        ],
    );
}

#[test]
fn ids_are_compared_without_case_and_leading_zeros() {
    let shop = appendix();
    check(
        &shop,
        &[
            ("{ span:id = \"0000000000000041\" }", "A"),
            ("{ span:id = \"41\" }", "A"),
            ("{ span:parentID = \"0000000000000000\" }", "R"),
            ("{ span:parentID = \"\" }", "-"),
            ("{ trace:id = \"00ab\" && name = \"io\" }", "B"),
            ("{ trace:id = \"AB\" && name = \"io\" }", "B"),
            ("{ trace:id = \"zz\" }", "-"),
            ("{ span:id =~ \".*41\" }", "A"),
        ],
    );
}

#[test]
fn scopes_shadow() {
    let shop = Shop::new(&[
        span("R").name("r").attr("env", "a").resource_attr("env", "b"),
        span("S").parent("R").name("s").resource_attr("env", "b"),
    ]);
    check(
        &shop,
        &[
            ("{ .env = \"a\" }", "R"),
            ("{ .env = \"b\" }", "S"),
            ("{ resource.env = \"b\" }", "R S"),
            ("{ span.env = \"a\" }", "R"),
        ],
    );
}

#[test]
fn shown_attributes_are_those_that_the_query_speaks_of() {
    let shop = appendix();
    for (query, expected) in [
        ("{ span.n > 0 }", "R{n=Int(5)} A{n=Int(7)}"),
        ("{ span.n = 7 || name = \"GET\" }", "R[GET]{} A{n=Int(7)}"),
        ("{ name = \"db\" } | select(span.n, span.f, status)", "A[db]{n=Int(7) status=Status(StatusCode(0))}"),
        ("{ span.n = nil && name = \"io\" }", "B[io]{n=Nil}"),
        ("{ span.tags = \"x\" }", "A{tags=Str(\"x\")}"),
        ("{ span.tags =~ \"x|y\" }", "A{tags=Array([Str(\"x\"), Str(\"y\")])}"),
        ("{ name = \"db\" } | select(event.code)", "A[db]{code=Str(\"2\")}"),
        ("{ duration > 1s && kind = unspecified }", "R{kind=Kind(SpanKind(0))}"),
    ] {
        assert_eq!(shop.show(query), expected, "{query}");
    }
}
