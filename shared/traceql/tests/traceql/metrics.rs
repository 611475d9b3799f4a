//! The metrics stage.

use niente_traceql::{ErrorKind, MetricsFunction, SeriesStage, parse, parse_metrics};

use crate::{check, refuse};

#[test]
fn functions_group_and_go_on() {
    check(&[
        ("{}|rate()", "{ true } | rate()"),
        ("{ } | count_over_time() by (name)", "{ true } | count_over_time() by(name)"),
        ("{ } | min_over_time(duration)", "{ true } | min_over_time(duration)"),
        (
            "{ } | max_over_time(span.amount) by (span.currency)",
            "{ true } | max_over_time(span.amount) by(span.currency)",
        ),
        ("{ } | max_over_time(name)", "{ true } | max_over_time(name)"),
        ("{ } | sum_over_time(.x)", "{ true } | sum_over_time(.x)"),
        ("{ } | avg_over_time(parent.x) by(parent.y)", "{ true } | avg_over_time(parent.x) by(parent.y)"),
        ("{ } | histogram_over_time(duration)", "{ true } | histogram_over_time(duration)"),
        ("{ } | quantile_over_time(duration, 0, .25, 1)", "{ true } | quantile_over_time(duration, 0.0, 0.25, 1.0)"),
        ("{ } | by(.a) | count() > 3 | rate()", "{ true } | by(.a) | count() > 3 | rate()"),
        ("by(.a) | rate()", "by(.a) | rate()"),
        (
            "{ status = error } | rate() by (resource.service.name) > 0.1 | topk(5)",
            "{ status = error } | rate() by(resource.service.name) > 0.1 | topk(5)",
        ),
        ("{ } | rate() | topk(5) | bottomk(2) > 0.05", "{ true } | rate() | topk(5) | bottomk(2) > 0.05"),
        ("{ } | rate() >= 1 <= 2 = 4 != 4", "{ true } | rate() >= 1.0 <= 2.0 = 4.0 != 4.0"),
        ("{ } | avg_over_time(duration) < 100ms", "{ true } | avg_over_time(duration) < 0.1"),
        ("{ } | rate() > -3", "{ true } | rate() > -3.0"),
        ("{ } | rate() by (.a, .b, .c, .d, .e)", "{ true } | rate() by(.a, .b, .c, .d, .e)"),
        ("{ } | avg_over_time(.x) by (.a, .b, .c, .d)", "{ true } | avg_over_time(.x) by(.a, .b, .c, .d)"),
        ("({ .a } | count() > 2) || ({ .b }) | rate()", "({ .a } | count() > 2) || ({ .b }) | rate()"),
    ]);
    let query = parse("{ } | rate() > 1500ms | topk(maxInt)").unwrap();
    let stages = query.metrics.unwrap().then;
    assert!(matches!(
        stages[..],
        [SeriesStage::Filter { value: 1.5, .. }, SeriesStage::TopK(9_223_372_036_854_775_807)]
    ));
}

#[test]
fn compare_takes_a_filter_and_numbers() {
    check(&[
        ("{ } | compare({})", "{ true } | compare({ true }, 10)"),
        ("{ } | compare({ status = error })", "{ true } | compare({ status = error }, 10)"),
        ("{ } | compare({ duration > 500ms }, 3)", "{ true } | compare({ duration > 500ms }, 3)"),
        ("{ } | compare({ status = error }, 10, 1000, 2000)", "{ true } | compare({ status = error }, 10, 1000, 2000)"),
        ("{ } | compare({ .a }, 5000000000)", "{ true } | compare({ .a }, 4294967295)"),
    ]);
    let query = parse("{ } | compare({ .a }, 3, 1000, 2000)").unwrap();
    let function = query.metrics.unwrap().function;
    assert!(matches!(function, MetricsFunction::Compare { top: 3, window: Some((1000, 2000)), .. }));
}

#[test]
fn what_is_no_metrics_query_is_refused() {
    refuse(
        ErrorKind::Syntax,
        &[
            ("rate()", (1, 1), "unexpected `rate`"),
            ("{ } | rate(1)", (1, 12), "unexpected integer `1`, expected `)`"),
            ("{ } | rate", (1, 11), "unexpected end of query, expected `(`"),
            ("{ } | rate() | rate()", (1, 16), "unexpected `rate`, expected `topk` or `bottomk`"),
            ("{ } | rate() | count() > 1", (1, 16), "unexpected `count`, expected `topk` or `bottomk`"),
            ("{ } | rate() + 1", (1, 14), "unexpected `+`"),
            ("({ } | rate()) / ({ } | rate())", (1, 8), "unexpected `rate`"),
            ("{ } | topk(1)", (1, 7), "unexpected `topk`"),
            ("{ } | rate() by ()", (1, 18), "unexpected `)`, expected an attribute"),
            ("{ } | rate() by (.a + 1)", (1, 21), "unexpected `+`, expected `)` or `,`"),
            ("{ } | min_over_time()", (1, 21), "unexpected `)`, expected an attribute"),
            ("{ } | min_over_time(1)", (1, 21), "unexpected integer `1`"),
            ("{ } | min_over_time(.a + 1)", (1, 24), "unexpected `+`, expected `)`"),
            ("{ } | quantile_over_time(duration)", (1, 34), "unexpected `)`, expected `,`"),
            ("{ } | quantile_over_time(duration, 1s)", (1, 36), "unexpected duration `1s`, expected a quantile"),
            ("{ } | quantile_over_time(duration, -1)", (1, 36), "unexpected `-`"),
            ("{ } | rate() | topk(-1)", (1, 21), "unexpected `-`, expected an integer"),
            ("{ } | rate() | topk(1.5)", (1, 21), "unexpected float `1.5`, expected an integer"),
            ("{ } | rate() | topk()", (1, 21), "unexpected `)`"),
            ("{ } | rate() > .a", (1, 16), "unexpected attribute `.a`, expected a number"),
            ("{ } | rate() | > 1", (1, 16), "unexpected `>`"),
            ("{ } | compare()", (1, 15), "unexpected `)`, expected `{`"),
            ("{ } | compare({ .a } && { .b })", (1, 22), "unexpected `&&`, expected `)` or `,`"),
            ("{ } | compare({ .a }, -1)", (1, 23), "unexpected `-`, expected an integer"),
            ("{ } | compare({ .a }) by (.b)", (1, 23), "unexpected `by`"),
        ],
    );
}

#[test]
fn limits_of_the_metrics_stage() {
    refuse(
        ErrorKind::Invalid,
        &[
            ("{ } | rate() | topk(0)", (1, 7), "`topk(0)` leaves no series"),
            ("{ } | rate() | bottomk(0)", (1, 7), "`bottomk(0)` leaves no series"),
            ("{ } | rate() | topk(minInt)", (1, 7), "leaves no series"),
            ("{ } | quantile_over_time(duration, 0.5, 1.5)", (1, 7), "outside of 0 to 1"),
            ("{ } | quantile_over_time(duration, 90)", (1, 7), "`quantile_over_time(duration, 90.0)` asks for"),
            ("{ } | compare({ .a }, 0)", (1, 7), "can't show 0 values"),
            ("{ } | compare({ .a }, 10, 5)", (1, 7), "both a start and an end"),
            ("{ } | compare({ .a }, 10, 5, 6, 7)", (1, 7), "both a start and an end"),
            ("{ } | compare({ .a }, 10, 0, 5)", (1, 7), "the start has to be positive"),
            ("{ } | compare({ .a }, 10, 5, 5)", (1, 7), "the end after it"),
            ("{ } | compare({ 5 })", (1, 17), "`5` is no condition"),
            ("{ } | compare({ .a }) | topk(5)", (1, 7), "`topk(5)` can't follow `compare`"),
            ("{ } | compare({ .a }) > 5", (1, 7), "`> 5.0` can't follow `compare`"),
        ],
    );
    refuse(
        ErrorKind::Unsupported,
        &[
            (
                "{ } | rate() by (.a, .b, .c, .d, .e, .f)",
                (1, 7),
                "grouping `rate()` by 6 keys is not yet supported: use 5",
            ),
            ("{ } | avg_over_time(.x) by (.a, .b, .c, .d, .e)", (1, 7), "by 5 keys is not yet supported: use 4"),
            ("{ } | histogram_over_time(.x) by (.a, .b, .c, .d, .e)", (1, 7), "use 4 at most"),
            ("{ } | quantile_over_time(.x, .5) by (.a, .b, .c, .d, .e)", (1, 7), "use 4 at most"),
            ("{ } | rate() by (parent)", (1, 18), "`parent` is not yet supported"),
        ],
    );
}

/// Queries for series with their canonical prints, which parse to the same trees.
#[track_caller]
fn check_series(cases: &[(&str, &str)]) {
    for (query, canonical) in cases {
        let tree = parse_metrics(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        assert_eq!(tree.to_string(), *canonical, "{query}");
        assert_eq!(parse_metrics(canonical).as_ref(), Ok(&tree), "{canonical}");
    }
}

#[test]
fn series_are_reckoned_with() {
    check_series(&[
        ("{}|rate()", "{ true } | rate()"),
        ("({ .a } | rate()) / ({ } | rate())", "({ .a } | rate()) / ({ true } | rate())"),
        (
            "({ .a } | rate() by (name)) / ({ } | rate() by (name)) > 0.05 | topk(3)",
            "({ .a } | rate() by(name)) / ({ true } | rate() by(name)) > 0.05 | topk(3)",
        ),
        ("100 * ({ } | rate())", "100.0 * ({ true } | rate())"),
        ("-1 + ({ } | rate())", "-1.0 + ({ true } | rate())"),
        ("({ } | rate()) * 1m", "({ true } | rate()) * 60.0"),
        ("({ } | rate()) + 2 * ({ } | rate()) ^ 2", "({ true } | rate()) + (2.0 * (({ true } | rate()) ^ 2.0))"),
        ("(({ } | rate()) + 1) / 2", "(({ true } | rate()) + 1.0) / 2.0"),
        ("({ } | rate()) * (1 + 1)", "({ true } | rate()) * (1.0 + 1.0)"),
        ("({ } | rate()) > 2", "({ true } | rate()) > 2.0"),
        ("({ } | rate() > 2) - 1", "({ true } | rate() > 2.0) - 1.0"),
        ("(({ } | rate()))", "{ true } | rate()"),
        // Parentheses without a metrics stage in them are about spans.
        ("({ .a } >> { .b }) | rate()", "{ .a } >> { .b } | rate()"),
        ("(({ .a } >> { .b }) | rate()) / 2", "({ .a } >> { .b } | rate()) / 2.0"),
        (
            "(({ .a } | count() > 1) || ({ .b }) | rate()) / 2 with(exemplars=false)",
            "(({ .a } | count() > 1) || ({ .b }) | rate()) / 2.0 with(exemplars=false)",
        ),
    ]);
    let query = parse_metrics("({ .a } | rate()) / ({ .b } | rate() by (.c)) with(exemplars=3)").unwrap();
    let fields: Vec<String> = query.fields().iter().map(ToString::to_string).collect();
    assert_eq!(fields, [".a", ".b", ".c"]);
    assert_eq!(query.hint("exemplars").map(ToString::to_string).as_deref(), Some("3"));
    assert_eq!(query.measures().len(), 2);
}

#[test]
fn what_is_no_query_for_series_is_refused() {
    for (kind, query, words) in [
        (ErrorKind::NoMetrics, "{ .a }", "not a metrics query: it needs a function such as `| rate()` at its end"),
        (ErrorKind::NoMetrics, "({ .a } | rate()) / ({ .b })", "not a metrics query"),
        (ErrorKind::Syntax, "({ .a }) / ({ .b } | rate())", "unexpected `/`"),
        (ErrorKind::Syntax, "({ .a }) / ({ .b })", "unexpected `/`"),
        (ErrorKind::Syntax, "{ } | rate() + 1", "unexpected `+`"),
        (ErrorKind::Syntax, "({ } | rate()) +", "unexpected end of query, expected a number"),
        (ErrorKind::Syntax, "({ } | rate()) / { } | rate()", "unexpected `{`, expected a number"),
        (ErrorKind::Syntax, "({ } | rate() / 2", "unexpected `/`"),
        (ErrorKind::Syntax, "({ } | rate() with(exemplars=3)) / 2", "unexpected `with`"),
        (ErrorKind::Syntax, "1 + 2", "unexpected end of query"),
        (ErrorKind::Syntax, "- ({ } | rate())", "unexpected `(`, expected a number"),
        (ErrorKind::Invalid, "({ } | compare({ .a })) / 2", "`compare` can't be reckoned with"),
        (ErrorKind::Invalid, "({ } | rate()) / 2 | topk(0)", "`topk(0)` leaves no series"),
        (ErrorKind::Invalid, "({ status = 1 } | rate()) / 2", "`status`"),
    ] {
        let error = parse_metrics(query).expect_err(query);
        assert_eq!(error.kind, kind, "{query}: {error}");
        assert!(error.to_string().contains(words), "{query}: {error}");
    }
}

#[test]
fn queries_for_series_are_bounded() {
    let sum = |operands: usize| vec!["({ } | rate())"; operands].join(" + ");
    assert!(parse_metrics(&sum(50)).is_ok());
    let error = parse_metrics(&sum(51)).unwrap_err();
    assert!(error.to_string().contains("102 pipeline steps"), "{error}");
    let nested = |levels: usize| format!("{}{{ }} | rate(){}", "(".repeat(levels), ")".repeat(levels));
    assert!(parse_metrics(&nested(150)).is_ok());
    for too_much in [nested(100_000), sum(5_000), format!("{}1", "1 + ".repeat(30_000)), "(".repeat(100_000)] {
        assert!(parse_metrics(&too_much).is_err());
    }
}
