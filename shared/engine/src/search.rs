//! Searches, from the planner's side: waves of shards until the newest traces are known.

use niente_catalog::{Catalog, Snapshot};
use niente_model::{Tenant, TimeRange, TraceKey};

use crate::{
    Asking, Error, Findings, FoundTrace, Inspected, SearchAnswer, SearchQuestion, Task, Wave,
    newest::Newest,
    plan::{self, Cut},
    select::Search,
    shards::{self, Share},
    whole::{self, MOST_UNINDEXED},
};

/// Whether more traces than this are whole is not worth asking: their search has no waves.
const MOST_IN_WAVES: usize = 256;

/// The newest traces of a snapshot of all that holds spans within reach of the question's window.
pub(crate) async fn search(
    asking: &Asking,
    tenant: &Tenant,
    snapshot: Snapshot,
    question: &SearchQuestion,
    reach: TimeRange,
) -> Result<SearchAnswer, Error> {
    let waves = waves(asking, &snapshot, question).await?;
    let task = Task::Search {
        query: question.text.clone(),
        window: question.window,
        limit: question.limit,
        spans_per_set: question.spans_per_set,
    };
    let mut inspected = Inspected::default();
    for wave in &waves {
        asking.afford(wave)?;
        let shards = shards::of_wave(tenant, &snapshot, &task, reach, wave, asking.patience());
        let mut newest = Newest::new(question.limit);
        for partial in asking.answer(shards).await? {
            inspected += partial.inspected;
            let Findings::Traces(traces) = partial.findings else { return Err(Error::mismatch()) };
            traces.into_iter().for_each(|trace| newest.push(trace));
        }
        inspected.objects = wave.objects as u64;
        inspected.object_bytes = wave.object_bytes;
        let traces = newest.into_sorted();
        if is_answer(&asking.catalog, &snapshot, question, wave, &traces).await? {
            return Ok(SearchAnswer { traces, inspected });
        }
    }
    unreachable!("the last wave takes in everything, and what it finds is the answer")
}

/// Whether what a wave found is what all of them would find.
async fn is_answer(
    catalog: &Catalog,
    snapshot: &Snapshot,
    question: &SearchQuestion,
    wave: &Wave,
    traces: &[FoundTrace],
) -> Result<bool, Error> {
    let Some(edge) = wave.edge else { return Ok(true) };
    if traces.len() < question.limit {
        return Ok(false);
    }
    let keys: Vec<TraceKey> = traces.iter().map(|trace| trace.trace_id.key()).collect();
    Ok(!whole::begin_before(catalog, snapshot, &keys, edge).await?)
}

/// How the search is cut.
pub(crate) async fn waves(asking: &Asking, snapshot: &Snapshot, question: &SearchQuestion) -> Result<Vec<Wave>, Error> {
    let search = Search::new(&question.query, question.window, question.spans_per_set);
    let unindexed = snapshot.objects.iter().filter(|object| !object.indexed).count();
    let in_waves = question.limit <= MOST_IN_WAVES && unindexed <= 4 * MOST_UNINDEXED;
    let share = Share::of_objects(asking, &snapshot.objects, search.projection()).await?;
    Ok(plan::waves(&snapshot.objects, question.window, share, Cut { in_waves, ..shards::cut(asking) }))
}
