//! A small shop that sells telescopes, and the traces of what happens in it.
//!
//! A [`Shop`] is a function of its seed and the time: what happens in a second is the same whoever asks, and whenever.
//! [`scenes`] tells what can happen, in terms of [`calls`] between [`service`]s; [`story`] keeps the time and records.
//! The shop has its troubles, at the same minutes of each hour: see [`Trouble`].

mod attribute;
mod calls;
mod scenes;
mod service;
mod story;

use std::collections::BTreeMap;

use fastrand::Rng;
use niente_receive::proto::{
    collector::trace::v1::ExportTraceServiceRequest,
    trace::v1::{ResourceSpans, ScopeSpans, span::Link},
};

pub(super) use story::Recorded;

use self::{
    service::Service,
    story::{Outcome, Story},
};

/// A shop, the same for the same seed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shop {
    seed: u64,
}

/// What is wrong in the shop at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    /// Nothing in particular.
    None,
    /// The card gateway answers late or not at all: minutes 12 to 16 of every hour.
    PaymentsDown,
    /// The catalog reads its products without an index and without the cache: minutes 38 to 43.
    SlowCatalog,
}

impl Trouble {
    fn at(second: u64) -> Self {
        match second / 60 % 60 {
            12..=16 => Trouble::PaymentsDown,
            38..=43 => Trouble::SlowCatalog,
            _ => Trouble::None,
        }
    }
}

const SECOND: u64 = 1_000_000_000;
/// Visits in a thousand seconds, on average.
const VISITS: u32 = 950;

impl Shop {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The spans of all traces that begin in this second since the epoch. Some end seconds later.
    pub(super) fn second(&self, second: u64) -> Vec<Recorded> {
        let mut dice = Rng::with_seed(self.seed ^ second.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let trouble = Trouble::at(second);
        let mut spans = Vec::new();
        let mut orders = Vec::new();
        let visits = (0..3).filter(|_| dice.u32(..3_000) < VISITS).count();
        for _ in 0..visits {
            spans.extend(visit(&mut dice, second, trouble, &mut orders));
        }
        if !orders.is_empty() {
            // A little later, so that it reads what was sent.
            spans.extend(told(&mut dice, second + 3, |story| scenes::keep_books(story, orders)));
        }
        if second.is_multiple_of(60) {
            spans.extend(told(&mut dice, second, scenes::count_stock));
        }
        spans
    }

    /// An export request of these spans, as a collector would send it: by pod, and by library.
    pub(super) fn request(&self, spans: Vec<Recorded>) -> ExportTraceServiceRequest {
        let mut pods: BTreeMap<_, BTreeMap<_, Vec<_>>> = BTreeMap::new();
        for Recorded { service, pod, library, span } in spans {
            pods.entry((service, pod)).or_default().entry(library).or_default().push(span);
        }
        let resource_spans = pods.into_iter().map(|((service, pod), libraries)| {
            let scope_spans = libraries.into_iter().map(|(library, spans)| ScopeSpans {
                scope: Some(service.scope(library)),
                spans,
                schema_url: service::SCHEMA.to_owned(),
            });
            ResourceSpans {
                resource: Some(service.resource(pod, self.seed)),
                scope_spans: scope_spans.collect(),
                schema_url: service::SCHEMA.to_owned(),
            }
        });
        ExportTraceServiceRequest { resource_spans: resource_spans.collect() }
    }

    /// How many services there are.
    pub(super) fn services() -> usize {
        Service::ALL.len()
    }
}

fn visit(dice: &mut Rng, second: u64, trouble: Trouble, orders: &mut Vec<Link>) -> Vec<Recorded> {
    let scene = dice.u32(..100);
    told(dice, second, |story| match scene {
        0..40 => scenes::look_at_product(story, trouble),
        40..58 => scenes::search(story, trouble),
        58..74 => scenes::add_to_cart(story, trouble),
        74..84 => scenes::sign_in(story),
        _ => scenes::check_out(story, trouble, orders),
    })
}

/// A scene as a trace that begins somewhere in this second.
fn told(dice: &mut Rng, second: u64, scene: impl FnOnce(&mut Story) -> Outcome) -> Vec<Recorded> {
    let start = second * SECOND + dice.u64(..SECOND);
    let mut story = Story::new(dice.fork(), start);
    // Whether it ends well, its spans tell.
    let _ = scene(&mut story);
    story.into_spans()
}

#[cfg(test)]
mod tests;
