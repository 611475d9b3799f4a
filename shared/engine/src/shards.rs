//! Cutting what a question reads into shards, as the planner sees it: how much that is, and who takes which part.

use std::{sync::Arc, time::Duration};

use futures::stream::{self, StreamExt, TryStreamExt};
use niente_block::{KeyRange, Projection};
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
    /// Which part of large objects a question reads, told by the footers of the largest.
    ///
    /// Costs a read for each of them, whose footers are kept; what is one shard at any rate needs no closer look.
    pub(crate) async fn of_objects(
        asking: &Asking,
        objects: &[BlockRef],
        projection: &Projection,
    ) -> Result<Share, Error> {
        if objects.iter().map(|object| object.size).sum::<u64>() <= asking.settings.shard_bytes {
            return Ok(Share::WHOLE);
        }
        let mut large: Vec<&BlockRef> = objects.iter().filter(|object| object.size > BlockReader::WHOLE).collect();
        large.sort_by_key(|object| (std::cmp::Reverse(object.size), object.key.clone()));
        large.truncate(SAMPLE);
        let weigh = |object| async move {
            let object: &BlockRef = object;
            let footer = BlockReader::new(&asking.catalog, object).peek().await?;
            Ok::<_, Error>((footer.scan_bytes(projection), object.size))
        };
        let weighed: Vec<_> = large.into_iter().map(weigh).collect();
        let sum = |share: Share, (read, of)| async move { Ok(Share { read: share.read + read, of: share.of + of }) };
        let share = stream::iter(weighed).buffer_unordered(SAMPLE).try_fold(Share { read: 0, of: 0 }, sum).await?;
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
