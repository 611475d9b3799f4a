//! The newest of the traces that were found.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
};

use niente_model::{Nanos, TraceId};

use crate::FoundTrace;

/// The newest traces that were found, as many as were asked for; ties go by trace ID.
pub(crate) struct Newest {
    limit: usize,
    /// The oldest on top.
    heap: BinaryHeap<Kept>,
}

struct Kept(FoundTrace);

impl Newest {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, heap: BinaryHeap::new() }
    }

    /// Whether a trace would be among the newest: if not, there is no need to look into it.
    pub(crate) fn would_keep(&self, start: Nanos, id: TraceId) -> bool {
        self.heap.len() < self.limit || self.heap.peek().is_some_and(|oldest| (Reverse(start), id) < oldest.age())
    }

    pub(crate) fn push(&mut self, trace: FoundTrace) {
        self.heap.push(Kept(trace));
        if self.heap.len() > self.limit {
            self.heap.pop();
        }
    }

    /// The newest first.
    pub(crate) fn into_sorted(self) -> Vec<FoundTrace> {
        self.heap.into_sorted_vec().into_iter().map(|kept| kept.0).collect()
    }
}

impl Kept {
    fn age(&self) -> (Reverse<Nanos>, TraceId) {
        (Reverse(self.0.start), self.0.trace_id)
    }
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.age() == other.age()
    }
}

impl Eq for Kept {}

impl PartialOrd for Kept {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Kept {
    fn cmp(&self, other: &Self) -> Ordering {
        self.age().cmp(&other.age())
    }
}
