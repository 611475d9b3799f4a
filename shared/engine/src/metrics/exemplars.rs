//! Which spans stand for a series: some of its traces, spread over time, the slow ones and others.

use std::collections::BTreeMap;

use niente_model::{Nanos, SpanId, TraceId};
use serde::{Deserialize, Serialize};

use crate::Shown;

/// So many slots of time have exemplars of a series that stands alone, and of one among others.
pub(crate) const SLOTS_ALONE: usize = 50;
pub(crate) const SLOTS_GROUPED: usize = 10;

/// The exemplars of a series: in each slot of time the span with the greatest value, and one that is as good as drawn by
/// lot. Which these are depends on the spans alone, so partial ones merge in any order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Exemplars {
    slots: BTreeMap<u16, Slot>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Slot {
    greatest: Candidate,
    drawn: Candidate,
}

/// A span that may become an exemplar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Candidate {
    /// What makes it one of few.
    pub(crate) standing: Standing,
    /// What the query knows of it, by the measure's fields.
    pub(crate) fields: Vec<Shown>,
}

/// What candidates are compared by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// The function's argument, or else the span's duration in nanoseconds.
    pub(crate) value: f64,
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    /// When it began.
    pub(crate) start: Nanos,
}

impl Standing {
    fn lot(&self) -> (u64, TraceId, SpanId, Nanos) {
        let bytes = [self.trace_id.as_bytes().as_slice(), self.span_id.as_bytes()].concat();
        (twox_hash::XxHash64::oneshot(0, &bytes), self.trace_id, self.span_id, self.start)
    }

    fn is_greater(&self, other: &Self) -> bool {
        self.value.total_cmp(&other.value).then_with(|| other.lot().cmp(&self.lot())).is_gt()
    }

    fn is_drawn_before(&self, other: &Self) -> bool {
        self.lot() < other.lot()
    }
}

impl Exemplars {
    /// Looks at a span; only one that stays is looked into.
    pub(crate) fn offer(&mut self, slot: usize, standing: Standing, look_into: impl Fn() -> Candidate) {
        match self.slots.get_mut(&(slot as u16)) {
            None => {
                let candidate = look_into();
                self.slots.insert(slot as u16, Slot { greatest: candidate.clone(), drawn: candidate });
            }
            Some(known) => {
                if standing.is_greater(&known.greatest.standing) {
                    known.greatest = look_into();
                }
                if standing.is_drawn_before(&known.drawn.standing) {
                    known.drawn = look_into();
                }
            }
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (slot, Slot { greatest, drawn }) in other.slots {
            for candidate in [greatest, drawn] {
                self.offer(slot.into(), candidate.standing, || candidate.clone());
            }
        }
    }

    /// At most so many, each of another trace: one of each slot of as many as are needed, before any slot has two.
    pub(crate) fn choose(self, most: usize) -> Vec<Candidate> {
        let slots: Vec<Slot> = self.slots.into_values().collect();
        let greatest = slots.iter().map(|slot| &slot.greatest);
        let drawn = slots.iter().map(|slot| &slot.drawn);
        let mut chosen: Vec<Candidate> = Vec::new();
        for candidates in [spread(greatest.collect(), most), spread(drawn.collect(), most)] {
            for candidate in candidates {
                let known = chosen.iter().any(|one| one.standing.trace_id == candidate.standing.trace_id);
                if chosen.len() < most && !known {
                    chosen.push(candidate.clone());
                }
            }
        }
        chosen.sort_by_key(|one| (one.standing.start, one.standing.trace_id, one.standing.span_id));
        chosen
    }
}

/// So many of them, as far from each other as can be.
fn spread(candidates: Vec<&Candidate>, most: usize) -> Vec<&Candidate> {
    let many = candidates.len();
    if many <= most {
        return candidates;
    }
    (0..most).map(|n| candidates[n * many / most]).collect()
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn candidate((trace, span, value, second): (u8, u8, u8, u64)) -> Candidate {
        let trace_id = TraceId::from_slice(&[trace + 1; 16]).unwrap();
        let span_id = SpanId::from_slice(&[span + 1; 8]).unwrap();
        let standing = Standing { value: value.into(), trace_id, span_id, start: Nanos::from_secs(second) };
        Candidate { standing, fields: vec![Shown::Int(value.into())] }
    }

    fn exemplars(candidates: &[Candidate]) -> Exemplars {
        let mut exemplars = Exemplars::default();
        for candidate in candidates {
            exemplars.offer(candidate.standing.start.as_secs() as usize, candidate.standing, || candidate.clone());
        }
        exemplars
    }

    #[test]
    fn the_slowest_of_each_slot_is_among_them() {
        let spans: Vec<_> = (0..40).map(|n| candidate((n, n, n * 3 % 37, u64::from(n) / 10))).collect();
        let chosen = exemplars(&spans).choose(100);
        for second in 0..4 {
            let of_slot = |candidate: &&Candidate| candidate.standing.start.as_secs() == second;
            let slowest = spans.iter().filter(of_slot).max_by(|a, b| a.standing.value.total_cmp(&b.standing.value));
            assert!(chosen.contains(slowest.unwrap()));
            assert!((1..=2).contains(&chosen.iter().filter(of_slot).count()));
        }
        let few: Vec<_> = exemplars(&spans).choose(2).iter().map(|one| one.standing.start.as_secs()).collect();
        assert_eq!(few, [0, 2]);
        assert!(exemplars(&spans).choose(0).is_empty());
    }

    proptest! {
        #[test]
        fn order_does_not_matter(spans in vec((0_u8..5, 0_u8..5, 0_u8..5, 0_u64..3), 0..30), cut in 0_usize..30) {
            let candidates: Vec<_> = spans.into_iter().map(candidate).collect();
            let (a, b) = candidates.split_at(cut.min(candidates.len()));
            let mut merged = exemplars(b);
            merged.merge(exemplars(a));
            // Spans of one ID that differ are one span by then: of equals any may stay.
            let standings = |exemplars: Exemplars| {
                let chosen = exemplars.choose(9).into_iter();
                chosen.map(|one| (one.standing.trace_id, one.standing.span_id)).collect::<Vec<_>>()
            };
            let slots = |exemplars: &Exemplars| {
                let slots = exemplars.slots.values();
                slots.map(|slot| (slot.greatest.standing, slot.drawn.standing.lot())).collect::<Vec<_>>()
            };
            let whole = exemplars(&candidates);
            prop_assert_eq!(slots(&merged), slots(&whole));
            prop_assert!(standings(whole).len() <= 9);
        }
    }
}
