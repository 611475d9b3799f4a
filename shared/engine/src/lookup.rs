//! A trace by its ID.

use std::sync::Arc;

use futures::stream::{self, StreamExt, TryStreamExt};
use niente_block::KeyRange;
use niente_catalog::BlockRef;
use niente_model::{Span, TimeRange, TraceId};
use niente_store::Store;

use crate::{Error, Inspected, TraceAnswer, read::Reader};

/// How many objects are asked at a time.
const PARALLEL_READS: usize = 32;

/// All spans of the trace in these objects that overlap the reach.
pub(crate) async fn find_trace(
    store: &Arc<dyn Store>,
    objects: Vec<BlockRef>,
    id: TraceId,
    reach: TimeRange,
) -> Result<TraceAnswer, Error> {
    let reads = objects.into_iter().map(|object| {
        let store = store.clone();
        let read = tokio::spawn(async move {
            let wanted =
                |span: &Span| span.trace_id == id && reach.overlaps(TimeRange::lasting(span.start, span.duration));
            let mut reader = Reader::new(&*store, &object);
            let spans = reader.spans(KeyRange::only(id.key()), wanted).await?;
            Ok::<_, Error>((spans, reader.inspected))
        });
        async move { read.await.map_err(|error| Error::Worker(error.to_string()))? }
    });
    let mut reads = stream::iter(reads).buffer_unordered(PARALLEL_READS);
    let mut inspected = Inspected::default();
    let mut spans: Vec<Span> = Vec::new();
    while let Some((found, seen)) = reads.try_next().await? {
        spans.extend(found);
        inspected += seen;
    }
    // The canonical order: of spans that claim to be the same the first stays, however they arrived.
    spans.sort_unstable();
    spans.dedup_by(|later, first| first.same_identity(later));
    inspected.traces = u64::from(!spans.is_empty());
    inspected.spans = spans.len() as u64;
    Ok(TraceAnswer { spans, inspected })
}
