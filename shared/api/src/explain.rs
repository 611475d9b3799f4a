//! `/api/explain`: what a search would read and cost, and why.

use niente_cost::{Dollars, Spent};
use niente_engine::{Estimate, Explanation, Wave};
use niente_model::{Hour, TimeRange};
use serde::Serialize;

use crate::json::to_body;

/// The body of the answer.
pub(crate) fn to_json(query: &str, explanation: &Explanation) -> Vec<u8> {
    to_body(&Explained {
        query,
        window: explanation.window.into(),
        reach: explanation.reach.into(),
        reads: explanation
            .levels
            .iter()
            .map(|level| Reads { level: level.level, objects: level.objects, bytes: level.bytes })
            .collect(),
        pruned: explanation
            .pruned
            .iter()
            .map(|pruned| Pruned { because: pruned.by, objects: pruned.objects, bytes: pruned.bytes })
            .collect(),
        waves: explanation.waves.iter().map(Waves::from).collect(),
        least: explanation.least.into(),
        most: explanation.most.into(),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Explained<'a> {
    /// As it was understood.
    query: &'a str,
    /// Where traces are looked for.
    window: Range,
    /// Where their spans may start.
    reach: Range,
    /// What there is to read.
    reads: Vec<Reads>,
    /// What is passed over, and why.
    pruned: Vec<Pruned>,
    /// One after the other, until the newest traces are known.
    waves: Vec<Waves>,
    /// If the first wave has the answer.
    least: Costs,
    /// If only the last one has.
    most: Costs,
}

/// Nanoseconds since the epoch.
#[derive(Serialize)]
struct Range {
    start: String,
    end: String,
}

#[derive(Serialize)]
struct Reads {
    level: u8,
    objects: usize,
    bytes: u64,
}

#[derive(Serialize)]
struct Pruned {
    because: &'static str,
    objects: usize,
    bytes: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Waves {
    /// From this hour on; none for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    objects: usize,
    shards: u64,
    bytes_to_read: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Costs {
    requests: u64,
    bytes: u64,
    invocations: u64,
    gb_seconds: f64,
    usd: f64,
}

impl From<TimeRange> for Range {
    fn from(range: TimeRange) -> Self {
        Self { start: range.start().get().to_string(), end: range.end().get().to_string() }
    }
}

impl From<&Wave> for Waves {
    fn from(wave: &Wave) -> Self {
        let Wave { edge, objects, shards, bytes, .. } = wave;
        Self {
            since: edge.map(|hour: Hour| hour.to_string()),
            objects: *objects,
            shards: *shards,
            bytes_to_read: *bytes,
        }
    }
}

impl From<Estimate> for Costs {
    fn from(Estimate { spent, dollars }: Estimate) -> Self {
        Self::new(spent, dollars)
    }
}

impl Costs {
    fn new(spent: Spent, dollars: Dollars) -> Self {
        Self {
            requests: spent.store.requests(),
            bytes: spent.store.bytes_read,
            invocations: spent.invocations,
            gb_seconds: spent.memory_time().gb_seconds(),
            usd: dollars.as_f64(),
        }
    }
}
