//! How much may be in memory at a time, whoever sends it: requests beyond that wait.
//!
//! Three things are scarce and each has its own queue, so that slow senders hold up no query and heavy queries no
//! export: the bytes of bodies, exports at work, queries at work. Queues are fair: who came first is first served.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bodies are reckoned in pieces of this size, since a semaphore counts in 32 bits.
const PIECE: usize = 1 << 10;
/// How many bodies of the largest size may be in memory at a time.
const LARGEST_BODIES: usize = 4;

/// The three queues.
#[derive(Debug)]
pub(super) struct Admission {
    bodies: Arc<Semaphore>,
    largest_body: u32,
    exports: Arc<Semaphore>,
    queries: Arc<Semaphore>,
}

/// A place at work or in memory, free again when it is dropped.
#[derive(Debug)]
#[must_use = "the place is free again once this is dropped"]
pub(super) struct Place(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl Admission {
    /// Admits `exports` and `queries` at a time, and a few bodies of up to `max_body` bytes.
    pub(super) fn new(max_body: usize, exports: usize, queries: usize) -> Self {
        let largest_body = pieces(max_body).min(u32::MAX / LARGEST_BODIES as u32);
        let bodies = Arc::new(Semaphore::new(largest_body as usize * LARGEST_BODIES));
        let semaphore = |places: usize| Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS)));
        Self { bodies, largest_body, exports: semaphore(exports), queries: semaphore(queries) }
    }

    /// Waits for room for a body of this many bytes; of the largest size if it isn't known.
    pub(super) async fn body(&self, bytes: Option<u64>) -> Place {
        let bytes = bytes.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(usize::MAX);
        place(&self.bodies, pieces(bytes).min(self.largest_body)).await
    }

    /// Waits for the turn of an export.
    pub(super) async fn export(&self) -> Place {
        place(&self.exports, 1).await
    }

    /// Waits for the turn of a query.
    pub(super) async fn query(&self) -> Place {
        place(&self.queries, 1).await
    }
}

fn pieces(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(PIECE)).unwrap_or(u32::MAX)
}

async fn place(queue: &Arc<Semaphore>, places: u32) -> Place {
    Place(queue.clone().acquire_many_owned(places).await.expect("the queues are never closed"))
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn requests_beyond_the_limit_wait_for_a_place() {
        let admission = Admission::new(1 << 20, 2, 1);
        let first = admission.export().await;
        let _second = admission.export().await;
        assert!(admission.export().now_or_never().is_none());
        drop(first);
        assert!(admission.export().now_or_never().is_some());
        assert!(admission.query().now_or_never().is_some());
    }

    #[tokio::test]
    async fn bodies_share_a_budget_of_bytes() {
        let admission = Admission::new(1 << 20, 1, 1);
        // Four of unknown size, or of one that is beyond the limit, fill it.
        let mut places = vec![admission.body(None).await, admission.body(Some(u64::MAX)).await];
        places.extend([admission.body(Some(1 << 20)).await, admission.body(None).await]);
        assert!(admission.body(Some(1)).now_or_never().is_none());
        assert!(admission.body(Some(0)).now_or_never().is_some());
        places.pop();
        let _halves = [admission.body(Some(1 << 19)).await, admission.body(Some(1 << 19)).await];
        assert!(admission.body(Some(1)).now_or_never().is_none());
    }
}
