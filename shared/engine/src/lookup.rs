//! A trace by its ID, from the planner's side.

use std::sync::Arc;

use niente_block::KeyRange;
use niente_catalog::Snapshot;
use niente_model::{Span, Tenant, TimeRange, TraceId};

use crate::{Asking, Error, Findings, Inspected, Shard, Task, TraceAnswer};

/// One shard asks so many objects.
const OBJECTS: usize = 512;

/// All spans of the trace in a snapshot's objects that start within the reach.
pub(crate) async fn find_trace(
    asking: &Asking,
    tenant: &Tenant,
    snapshot: Snapshot,
    id: TraceId,
    reach: TimeRange,
) -> Result<TraceAnswer, Error> {
    if snapshot.is_redacted(id) {
        return Ok(TraceAnswer::default());
    }
    let snapshot = snapshot.narrow(&asking.catalog, id.key()).await?;
    let shard = |objects: &[_]| {
        Arc::new(Shard {
            tenant: tenant.clone(),
            task: Task::Trace { id },
            keys: KeyRange::only(id.key()),
            objects: objects.to_vec(),
            reach,
            redacted: Vec::new(),
            patience: asking.patience(),
        })
    };
    let partials = asking.answer(snapshot.objects.chunks(OBJECTS).map(shard).collect()).await?;
    let mut inspected = Inspected {
        objects: snapshot.objects.len() as u64,
        object_bytes: snapshot.objects.iter().map(|object| object.size).sum(),
        ..Inspected::default()
    };
    let mut spans: Vec<Span> = Vec::new();
    for partial in partials {
        inspected += partial.inspected;
        let Findings::Spans(found) = partial.findings else { return Err(Error::mismatch()) };
        spans.extend(found);
    }
    // The canonical order: of spans that claim to be the same the first stays, however they arrived.
    spans.sort_unstable();
    spans.dedup_by(|later, first| first.same_identity(later));
    inspected.traces = u64::from(!spans.is_empty());
    inspected.spans = spans.len() as u64;
    Ok(TraceAnswer { spans, inspected })
}
