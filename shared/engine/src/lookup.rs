//! A trace by its ID.

use std::sync::Arc;

use futures::stream::{self, StreamExt, TryStreamExt};
use niente_catalog::{BlockReader, Catalog, Snapshot};
use niente_model::{Span, TimeRange, TraceId};

use crate::{Error, Inspected, TraceAnswer};

/// How many objects are asked at a time.
const PARALLEL_READS: usize = 64;

/// All spans of the trace in a snapshot's objects that start within the reach.
pub(crate) async fn find_trace(
    catalog: &Catalog,
    snapshot: Snapshot,
    id: TraceId,
    reach: TimeRange,
) -> Result<TraceAnswer, Error> {
    if snapshot.is_redacted(id) {
        return Ok(TraceAnswer::default());
    }
    let snapshot = Arc::new(snapshot.narrow(catalog, id.key()).await?);
    let reads = (0..snapshot.objects.len()).map(|object| {
        let (catalog, snapshot) = (catalog.clone(), snapshot.clone());
        let read = tokio::spawn(async move {
            let object = &snapshot.objects[object];
            let mut reader = BlockReader::new(&catalog, object);
            let mut spans = Vec::new();
            for rows in reader.spans_with(id.key()).await? {
                let rows = rows.into_spans().map_err(|source| reader.damaged(source))?;
                spans.extend(rows.into_iter().filter(|span| span.trace_id == id && reach.contains(span.start)));
            }
            let bytes = reader.bytes_read();
            Ok::<_, Error>((spans, Inspected { objects: 1, object_bytes: object.size, bytes, ..Inspected::default() }))
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
