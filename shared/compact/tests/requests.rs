//! What compaction costs in requests.

#![allow(clippy::unwrap_used)]

mod vocabulary;

use std::sync::Arc;

use niente_compact::{Policy, Scope};
use niente_model::Tenant;
use niente_store::{Counting, MemoryStore};

use vocabulary::{HOUR, compactor, span, write};

#[tokio::test]
async fn two_hundred_and_fifty_requests_cost_as_many_puts_and_a_few_for_compaction() {
    let counting = Counting::new(Arc::new(MemoryStore::new()));
    for request in 0..250 {
        let spans = (0..40).map(|n| span(1 + request * 7 + n / 9, 1 + n, request * 2 * HOUR / 250 + n / 10));
        write(&counting, spans.collect()).await;
    }
    let ingest = counting.counts();
    // A few requests have spans of two hours.
    assert!((250..=254).contains(&ingest.puts), "{ingest:?}");
    let compactor = compactor(Arc::new(counting.clone()), Policy::everything());
    compactor.sweep(&Tenant::single(), Scope::Everything, &mut |_| {}).await.unwrap();
    let compaction = counting.counts() - ingest;
    // Blocks of two or three hours and of the day, the index, and a commit for each.
    assert!(compaction.puts < 12, "{compaction:?}");
    assert!(compaction.lists < 6, "{compaction:?}");

    // And when there is nothing to do, next to nothing.
    let before = counting.counts();
    compactor.sweep(&Tenant::single(), Scope::Everything, &mut |_| {}).await.unwrap();
    let idle = counting.counts() - before;
    assert_eq!((idle.puts, idle.lists), (0, 2), "{idle:?}");
}
