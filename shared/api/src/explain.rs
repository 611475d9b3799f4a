//! `/api/explain`: what a question would read and cost, and why.

use std::collections::BTreeMap;

use niente_cost::{Prices, Spent};
use niente_engine::{Explanation, MetricsQuestion, SearchQuestion, Wave};
use niente_model::{Hour, Tenant, TimeRange};
use serde::Serialize;

use crate::json::to_body;

/// What is to be explained.
pub(crate) enum Explained {
    /// A search.
    Search(SearchQuestion),
    /// Measuring.
    Metrics(MetricsQuestion),
}

impl Explained {
    /// The query as it was understood.
    pub(crate) fn text(&self) -> String {
        match self {
            Explained::Search(question) => question.query.to_string(),
            Explained::Metrics(question) => question.query.to_string(),
        }
    }
}

/// The body of the answer about these tenants, which are asked one after the other. There is one at least, and of each an
/// explanation.
pub(crate) fn to_json(query: &str, tenants: &[Tenant], explanations: &[Explanation], prices: &Prices) -> Vec<u8> {
    let (mut reads, mut pruned) = (BTreeMap::new(), Vec::<Pruned>::new());
    for level in explanations.iter().flat_map(|explanation| &explanation.levels) {
        let reads = reads.entry(level.level).or_insert(Reads { level: level.level, objects: 0, bytes: 0 });
        reads.objects += level.objects;
        reads.bytes += level.bytes;
    }
    for left_out in explanations.iter().flat_map(|explanation| &explanation.pruned) {
        match pruned.iter_mut().find(|pruned| pruned.because == left_out.by) {
            Some(pruned) => {
                pruned.objects += left_out.objects;
                pruned.bytes += left_out.bytes;
            }
            None => pruned.push(Pruned { because: left_out.by, objects: left_out.objects, bytes: left_out.bytes }),
        }
    }
    let last = explanations.last().expect("a question is about one tenant at least");
    let cost = |spent: fn(&Explanation) -> Spent| {
        // All of them ask on one account: what the last has explained for is what all have.
        let spent = explanations.iter().map(spent).fold(last.spent, |all, spent| all + spent);
        Costs::new(spent, prices)
    };
    let several = tenants.len() > 1;
    let waves = tenants.iter().zip(explanations).flat_map(|(tenant, explanation)| {
        explanation.waves.iter().map(move |wave| Waves::new(wave, several.then(|| tenant.to_string())))
    });
    to_body(&Explanations {
        query,
        window: last.window.into(),
        reach: last.reach.into(),
        reads: reads.into_values().collect(),
        pruned,
        waves: waves.collect(),
        least: cost(|explanation| explanation.waves.first().map(|wave| wave.spent).unwrap_or_default()),
        most: cost(|explanation| explanation.waves.iter().map(|wave| wave.spent).sum()),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Explanations<'a> {
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
    /// One after the other, until the newest traces are known: of each tenant.
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
    /// Whose; none if the question is about one tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
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

impl Waves {
    fn new(wave: &Wave, tenant: Option<String>) -> Self {
        let Wave { edge, objects, shards, bytes, .. } = wave;
        Self {
            tenant,
            since: edge.map(|hour: Hour| hour.to_string()),
            objects: *objects,
            shards: *shards,
            bytes_to_read: *bytes,
        }
    }
}

impl Costs {
    fn new(spent: Spent, prices: &Prices) -> Self {
        Self {
            requests: spent.store.requests(),
            bytes: spent.store.bytes_read,
            invocations: spent.invocations,
            gb_seconds: spent.memory_time().gb_seconds(),
            usd: prices.of(&spent).as_f64(),
        }
    }
}
