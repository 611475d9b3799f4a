//! Cutting what a question reads into shards, as the planner sees it: how much that is, and who takes which part.

use std::{sync::Arc, time::Duration};

use futures::stream::{self, StreamExt, TryStreamExt};
use niente_block::{Footer, KeyRange, Projection};
use niente_catalog::{BlockReader, BlockRef, Snapshot};
use niente_model::{Tenant, TimeRange};

use crate::{Asking, Error, Shard, Task, Wave, plan::Cut};

pub(crate) use crate::plan::Share;

/// So many large objects tell what part of all a question reads.
const SAMPLE: usize = 8;

/// How questions are cut here: one wave of shards.
pub(crate) fn cut(asking: &Asking) -> Cut {
    let workers = asking.settings.workers.as_deref();
    Cut {
        shard_bytes: asking.settings.shard_bytes,
        first_shards: workers.map_or(1, |workers| workers.parallel().clamp(1, 8) as u64),
        worker_mib: workers.map(|workers| workers.memory_mib()),
        in_waves: false,
    }
}

impl Share {
    /// Which part of large objects a question about these columns reads. What is one shard at any rate needs no closer
    /// look.
    pub(crate) async fn of_objects(
        asking: &Asking,
        objects: &[BlockRef],
        projection: &Projection,
    ) -> Result<Share, Error> {
        if objects.iter().map(|object| object.size).sum::<u64>() <= asking.settings.shard_bytes {
            return Ok(Share::WHOLE);
        }
        Self::by_sample(asking, objects, |footer| footer.scan_bytes(projection)).await
    }

    /// Which part of large objects is read, told by the footers of the largest. Costs a read for each of them, whose footers
    /// are kept.
    pub(crate) async fn by_sample(
        asking: &Asking,
        objects: &[BlockRef],
        read: impl Fn(&Footer) -> u64,
    ) -> Result<Share, Error> {
        let mut large: Vec<&BlockRef> = objects.iter().filter(|object| object.size > BlockReader::WHOLE).collect();
        large.sort_by_key(|object| (std::cmp::Reverse(object.size), object.key.clone()));
        large.truncate(SAMPLE);
        let peek = |object| async move {
            let object: &BlockRef = object;
            Ok::<_, Error>((BlockReader::new(&asking.catalog, object).peek().await?, object.size))
        };
        let peeked: Vec<_> = large.into_iter().map(peek).collect();
        let footers: Vec<_> = stream::iter(peeked).buffer_unordered(SAMPLE).try_collect().await?;
        let add =
            |share: Share, (footer, size): &(_, u64)| Share { read: share.read + read(footer), of: share.of + size };
        let share = footers.iter().fold(Share { read: 0, of: 0 }, add);
        Ok(if share.of == 0 { Share::WHOLE } else { share })
    }
}

/// The shards of a wave.
pub(crate) fn of_wave(
    tenant: &Tenant,
    snapshot: &Snapshot,
    task: &Task,
    reach: TimeRange,
    wave: &Wave,
    patience: Option<Duration>,
) -> Vec<Arc<Shard>> {
    let shard = |number| {
        let keys = KeyRange::shard(number, wave.shards);
        let holding = snapshot.objects.iter().filter(|object| wave.takes_in(object) && object.keys.overlaps(keys));
        Arc::new(Shard {
            tenant: tenant.clone(),
            task: task.clone(),
            keys,
            objects: holding.cloned().collect(),
            reach,
            redacted: snapshot.redactions().filter(|id| keys.contains(id.key())).collect(),
            patience,
        })
    };
    (0..wave.shards).map(shard).collect()
}
