//! Traces Drilldown: its queries, letter by letter, and what each of its tabs needs of the answers.

mod comparison;
mod series;
mod spans;

use crate::harness::CLOSES;

/// "Root spans", "All spans", "Server spans", "Consumer spans", "Database calls".
const SIGNALS: [&str; 5] = ["nestedSetParent<0", "true", "kind=server", "kind=consumer", r#"span.db.system.name!="""#];

/// What people filter by, as the app writes it: values that look like numbers bare, no blanks.
const FILTERS: [&str; 4] = [
    "true",
    r#"resource.service.name=~"c.*|payment|frontend|fulfilment"&&duration>1ms"#,
    r#"resource.k8s.namespace.name="shop"&&span.server.port!=443"#,
    r#"span.messaging.destination.partition.id="3""#,
];

/// The app's default: the last half hour.
const RANGE: (u64, u64) = (CLOSES - 1_800, CLOSES);

/// What the app calls F in all of its queries: a signal and filters.
fn filters() -> impl Iterator<Item = String> {
    SIGNALS.into_iter().flat_map(|signal| FILTERS.map(|filter| format!("{signal} && {filter}")))
}
