//! Queries as Grafana's own clients send them, blank for blank.

use niente_traceql::parse;

use crate::check;

#[test]
fn traces_drilldown_is_understood() {
    for query in [
        "{} | rate()",
        "{nestedSetParent<0 && true} | rate()  with(sample=true)",
        "{true && true && status=error} | rate()  with(sample=true)",
        "{kind=server && true} | histogram_over_time(duration) with(sample=true)",
        "{kind=consumer && true} | quantile_over_time(duration, 0.9)  with(sample=true)",
        "{nestedSetParent<0 && true && resource.service.name != nil} | rate() by(resource.service.name)",
        "{span.db.system.name!=\"\" && true && name != nil} | quantile_over_time(duration, 0.5,0.75,0.9) by(name)",
        "{kind=server && resource.service.name=\"x\"&&span.foo>3} | rate() ",
        "({nestedSetParent<0 && true } &>> { kind = server }) || ({nestedSetParent<0 && true }) | select(status, \
         resource.service.name, name, nestedSetParent, nestedSetLeft, nestedSetRight)",
        "({nestedSetParent<0 && true && status = error} &>> { status = error }) || ({nestedSetParent<0 && true && \
         status = error}) | select(status)",
        "({nestedSetParent<0 && true && duration > 268ms} &>> { duration > 0 }) || ({nestedSetParent<0 && duration > \
         268ms}) | select(status)",
        "{nestedSetParent<0 && true} | compare({status = error}, 10)",
        "{nestedSetParent<0 && true} | compare({duration >= 2s && duration <= 3s}, 10, 1700000000000000000, \
         1700000001000000000)",
        "{true} | compare({})",
        "{nestedSetParent<0 && true && status = error} | select(resource.service.name, \
         event.exception.message,event.exception.stacktrace,event.exception.type) with(most_recent=true)",
        "{true && status = error && event.exception.message = \"a \\\"b\\\" \\\\ \\n\"} | select(name)",
        "{true && event.exception.message =~ \"^id [0-9]+\\\\s+\\\\S+ (?:[0-9]{1,3}\\\\.){3}(?:\\\\.[0-9]+)?Z?$\"}",
        "{nestedSetParent<0 && true&& duration > 1.5s}",
    ] {
        parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
    }
    // Sent while the page is still loading.
    assert!(parse("{nestedSetParent<0 && true&& duration > }").is_err());
}

#[test]
fn the_search_builder_is_understood() {
    check(&[
        ("{}", "{ true }"),
        (
            "{resource.service.name=\"srekubecraftio-service\" && name=\"createLogEntry-1\" && traceDuration>=300ms}",
            "{ ((resource.service.name = `srekubecraftio-service`) && (name = `createLogEntry-1`)) && (traceDuration >= \
             300ms) }",
        ),
        ("{(.a=\"x\" || .a=\"y\") && .b=~\"x|y\"}", "{ ((.a = `x`) || (.a = `y`)) && (.b =~ `x|y`) }"),
        ("{(.a!=\"x\" && .a!=\"y\")}", "{ (.a != `x`) && (.a != `y`) }"),
        ("{duration>100ms && duration<1.5s}", "{ (duration > 100ms) && (duration < 1.5s) }"),
        ("{event:name=\"x\" && span:id!=\"0a\"}", "{ (event:name = `x`) && (span:id != `0a`) }"),
    ]);
}
