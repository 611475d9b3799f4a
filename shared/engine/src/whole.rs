//! Whether traces have parts before an hour, told without reading spans.

use futures::stream::{self, StreamExt, TryStreamExt};
use niente_catalog::{BlockReader, BlockRef, Catalog, Snapshot};
use niente_model::{Hour, TraceKey};

use crate::Error;

/// How many reads are under way at a time.
const PARALLEL_READS: usize = 64;
/// Before so many objects whose keys no index knows it is cheaper to read on.
pub(crate) const MOST_UNINDEXED: usize = 256;

/// Whether any of these keys may have spans that start before the edge.
///
/// Costs a read of each earlier day's trace index for each key, and one of each earlier object that no index covers.
/// A filter may say so wrongly, once in a hundred times: then the search reads on.
pub(crate) async fn begin_before(
    catalog: &Catalog,
    snapshot: &Snapshot,
    keys: &[TraceKey],
    edge: Hour,
) -> Result<bool, Error> {
    let mut earlier = snapshot.clone();
    earlier.objects.retain(|object| object.hours.first() < edge);
    let unindexed: Vec<_> = earlier.objects.extract_if(.., |object| !object.indexed).collect();
    if unindexed.len() > MOST_UNINDEXED {
        return Ok(true);
    }
    let ask = |key: &TraceKey| {
        let (earlier, key) = (earlier.clone(), *key);
        async move { Ok::<_, Error>(!earlier.narrow(catalog, key).await?.objects.is_empty()) }
    };
    let asked: Vec<_> = keys.iter().map(ask).collect();
    if stream::iter(asked).buffer_unordered(PARALLEL_READS).try_any(|found| async move { found }).await? {
        return Ok(true);
    }
    let peek = |object| async move {
        let object: BlockRef = object;
        if !keys.iter().any(|key| object.keys.contains(*key)) {
            return Ok::<_, Error>(false);
        }
        let footer = BlockReader::new(catalog, &object).peek().await?;
        Ok(keys.iter().any(|key| object.keys.contains(*key) && footer.may_hold(*key)))
    };
    let peeked: Vec<_> = unindexed.into_iter().map(peek).collect();
    stream::iter(peeked).buffer_unordered(PARALLEL_READS).try_any(|found| async move { found }).await
}
