//! Traces as lines for people.

use std::time::Duration;

use niente_model::Nanos;

use super::answer::Trace;
use crate::{terminal, units};

/// A line for each trace.
pub(super) fn of(traces: &[Trace]) -> String {
    let columns =
        ["TRACE ID", "START (UTC)", "DURATION>", "SERVICE", "NAME", "MATCHED>", "SPANS>", "ERRORS>", "SERVICES>"];
    terminal::table(columns, traces.iter().map(row))
}

fn row(trace: &Trace) -> [String; 9] {
    let matched: u64 = trace.span_sets.iter().map(|set| set.matched).sum();
    let spans: u64 = trace.service_stats.values().map(|stats| stats.span_count).sum();
    let errors: u64 = trace.service_stats.values().map(|stats| stats.error_count).sum();
    [
        // The API leaves out leading zeros.
        format!("{:0>32}", trace.trace_id),
        Nanos::new(trace.start_time_unix_nano).map(units::moment).unwrap_or_default(),
        duration(trace.duration_ms),
        trace.root_service_name.clone(),
        trace.root_trace_name.clone(),
        units::count(matched),
        units::count(spans),
        units::count(errors),
        trace.service_stats.len().to_string(),
    ]
}

/// The API tells whole milliseconds, rounded down.
fn duration(milliseconds: u64) -> String {
    match milliseconds {
        0 => "<1 ms".to_owned(),
        _ => units::duration(Duration::from_millis(milliseconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::answer::Found, *};

    #[test]
    fn traces_are_lines() {
        let found = Found::read(
            br#"{"traces": [
                {"traceID": "5b8efff798038103d269b633813fc60c", "rootServiceName": "web", "rootTraceName": "GET /",
                 "startTimeUnixNano": "1793577605026456407", "durationMs": 1250,
                 "spanSets": [{"spans": [], "matched": 3}, {"spans": [], "matched": 1}],
                 "serviceStats": {"web": {"spanCount": 1200, "errorCount": 2}, "db": {"spanCount": 5}}},
                {"traceID": "3c", "rootServiceName": "a-longer-name", "startTimeUnixNano": 5}
            ], "metrics": {"inspectedTraces": 2}}"#,
        )
        .unwrap();
        assert_eq!(found.metrics.inspected_traces, 2);
        let expected = "\
TRACE ID                          START (UTC)              DURATION  SERVICE        NAME   MATCHED  SPANS  ERRORS  SERVICES
5b8efff798038103d269b633813fc60c  2026-11-02 00:00:05.026    1.25 s  web            GET /        4  1,205       2         2
0000000000000000000000000000003c  1970-01-01 00:00:00.000     <1 ms  a-longer-name               0      0       0         0
";
        assert_eq!(of(&found.traces), expected);
    }
}
