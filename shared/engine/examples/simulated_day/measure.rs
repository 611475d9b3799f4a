//! What scanning a block really takes: the figures that the simulation is fed with.

use std::{path::Path, sync::Arc, time::Duration};

use niente_block::KeyRange;
use niente_catalog::Catalog;
use niente_engine::{Engine, Shard, Task};
use niente_model::{Tenant, TimeRange};
use niente_store::FolderStore;
use tokio::time::Instant;

use crate::{FREQUENT, Failure, RARE};

/// Into so many shards the block is cut, in turn.
const SHARDS: [u64; 4] = [1, 4, 16, 64];
/// So many shards of each cut are answered.
const SAMPLE: u64 = 4;

/// Answers shards of the one block of a folder, and prints what each took of its spans.
pub(crate) async fn measure(folder: &Path) -> Result<(), Failure> {
    let tenant = Tenant::single();
    let catalog = Catalog::new(Arc::new(FolderStore::open(folder)?));
    let objects = catalog.snapshot(&tenant, TimeRange::ALL).await?.objects;
    let [block] = &objects[..] else { return Err(format!("{} objects: compact them first", objects.len()).into()) };
    println!("a block of {} bytes, {} of them at its end", block.size, block.tail.unwrap_or_default());
    for query in [RARE, FREQUENT] {
        for shards in SHARDS {
            let (mut spans, mut bytes, mut gets, mut time) = (0, 0, 0, Duration::ZERO);
            let sample = SAMPLE.min(shards);
            for number in 0..sample {
                let task =
                    Task::Search { query: query.text.to_owned(), window: TimeRange::ALL, limit: 20, spans_per_set: 3 };
                let shard = Shard {
                    tenant: tenant.clone(),
                    task,
                    keys: KeyRange::shard(number, shards),
                    objects: objects.clone(),
                    reach: TimeRange::ALL,
                    redacted: Vec::new(),
                    patience: None,
                };
                // Cold: no footer is known yet.
                let engine = Engine::new(Catalog::new(catalog.store().clone()));
                let begun = Instant::now();
                let partial = engine.answer(shard).await?;
                time += begun.elapsed();
                spans += partial.inspected.spans;
                bytes += partial.spent.store.bytes_read;
                gets += partial.spent.store.gets;
            }
            println!(
                "{:<36} 1/{shards:<3} {:8.2} bytes a span, {:5.1} GET, {:6.3} s a million spans",
                query.text,
                bytes as f64 / spans as f64,
                gets as f64 / sample as f64,
                time.as_secs_f64() * 1e6 / spans as f64,
            );
        }
    }
    Ok(())
}
