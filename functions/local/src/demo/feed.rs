//! The shop's spans on their way into the store, as they end.

use std::{convert::Infallible, time::Duration};

use futures::future::try_join_all;
use niente_api::Api;
use niente_model::{Nanos, Tenant, TraceId};
use niente_receive::Request;

use super::shop::{Recorded, Shop};
use crate::{Failure, clock};

/// How much of the past there is at the start, in seconds.
const PAST: u64 = 3_600;
/// Between two requests. Each makes an object, 360 an hour, and a search takes about half a millisecond for each.
pub(super) const INTERVAL: Duration = Duration::from_secs(10);
/// After a longer pause, such as a laptop's sleep, the shop was closed.
const LONGEST_GAP: u64 = 900;
/// Spans of a request at the start: few enough for all cores to have some.
const REQUEST_SPANS: usize = 12_000;

/// Stores what the shop records.
#[derive(Debug)]
pub(super) struct Feed {
    shop: Shop,
    api: Api,
    /// The first second that has not been told.
    next: u64,
    /// Spans that have begun but not ended.
    open: Vec<Recorded>,
}

/// What there is at the start.
#[derive(Debug)]
pub(super) struct Past {
    /// Goes on from there.
    pub(super) feed: Feed,
    pub(super) traces: usize,
    pub(super) spans: usize,
    /// A trace worth looking at.
    pub(super) order: Option<TraceId>,
}

impl Feed {
    pub(super) fn new(shop: Shop, api: Api) -> Self {
        Self { shop, api, next: 0, open: Vec::new() }
    }

    /// Stores the past hour.
    pub(super) async fn fill(mut self, now: Nanos) -> Result<Past, Failure> {
        self.next = now.as_secs().saturating_sub(PAST);
        let spans = self.ended(now);
        let roots = || spans.iter().filter(|recorded| recorded.span.parent_span_id.is_empty());
        let traces = roots().count();
        let order = roots().rev().find(|recorded| recorded.span.name == "POST /api/checkout");
        let order = order.and_then(|root| TraceId::from_slice(&root.span.trace_id).ok());
        let count = spans.len();
        let mut requests = Vec::new();
        let mut rest = spans;
        while !rest.is_empty() {
            let later = rest.split_off(rest.len().min(REQUEST_SPANS));
            requests.push(std::mem::replace(&mut rest, later));
        }
        try_join_all(requests.into_iter().map(|spans| {
            let (shop, api) = (self.shop, self.api.clone());
            let stored = tokio::spawn(async move { store(&shop, &api, spans).await });
            async move { stored.await.map_err(|error| Failure::because("storing the shop's past", &error))? }
        }))
        .await?;
        Ok(Past { feed: self, traces, spans: count, order })
    }

    /// Stores what happens, as it happens.
    pub(super) async fn run(mut self) -> Infallible {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let now = clock::now();
            self.next = self.next.max(now.as_secs().saturating_sub(LONGEST_GAP));
            let spans = self.ended(now);
            if let Err(failure) = store(&self.shop, &self.api, spans).await {
                tracing::warn!(?failure, "the shop's traces of a moment are lost");
            }
        }
    }

    /// The spans that have ended by now and were not told yet.
    fn ended(&mut self, now: Nanos) -> Vec<Recorded> {
        let mut spans = std::mem::take(&mut self.open);
        // The current second is still going on.
        while self.next < now.as_secs() {
            spans.extend(self.shop.second(self.next));
            self.next += 1;
        }
        let (ended, open) = spans.into_iter().partition(|recorded| recorded.span.end_time_unix_nano <= now.get());
        self.open = open;
        ended
    }
}

async fn store(shop: &Shop, api: &Api, spans: Vec<Recorded>) -> Result<(), Failure> {
    if spans.is_empty() {
        return Ok(());
    }
    let request = Request::from(shop.request(spans));
    let stored = api.ingest(&Tenant::single(), request).await;
    stored.map(drop).map_err(|error| Failure::because("storing the shop's traces", &error))
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, sync::Arc};

    use niente_api::{Gate, Settings};
    use niente_store::MemoryStore;

    use super::*;

    #[test]
    fn every_span_is_told_once_and_not_before_its_end() {
        let api = Api::new(Arc::new(MemoryStore::new()), Settings::default(), Gate::Open, clock::system());
        let mut feed = Feed::new(Shop::new(1), api);
        let from = 1_793_577_600;
        feed.next = from;
        let mut told = HashSet::new();
        for now in (from..from + 300).step_by(5).map(|second| Nanos::new(second * 1_000_000_000 + 7).unwrap()) {
            for Recorded { span, .. } in feed.ended(now) {
                assert!(span.end_time_unix_nano <= now.get());
                assert!(told.insert((span.trace_id, span.span_id)));
            }
        }
        let all: usize = (from..from + 295).map(|second| Shop::new(1).second(second).len()).sum();
        assert_eq!(told.len() + feed.open.len(), all);
    }
}
