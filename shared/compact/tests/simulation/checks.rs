//! What must be true of every answer, and of the bucket after every step.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    task::{Context, Poll, Waker},
};

use niente_block::{KeyRange, Projection};
use niente_catalog::{BlockReader, BlockRef, Catalog, Error, Name, Snapshot, TenantConfig};
use niente_model::{Span, SpanId, TimeRange, TraceId};
use niente_store::{ErrorKind, ObjectKey};

use crate::{
    bugs::{Bug, Lens},
    scheduler::Role,
    store::SimStore,
    world::World,
};

/// A question, and what its answer must and must not show.
pub(crate) struct Question {
    window: TimeRange,
    /// One trace, looked up by its key; or all.
    trace: Option<TraceId>,
    /// What was acknowledged before the question was asked.
    must: Vec<Span>,
    /// What was removed before that.
    gone: BTreeSet<TraceId>,
}

/// What was found: each record of a span, raw, with the object that it is in.
pub(crate) struct Answer {
    snapshot: Snapshot,
    records: Vec<(ObjectKey, Span)>,
}

impl Question {
    pub(crate) fn begin(world: &World, window: TimeRange, trace: Option<TraceId>) -> Self {
        let asked = |span: &&Span| window.contains(span.start) && trace.is_none_or(|trace| trace == span.trace_id);
        let must = world.with(|state| state.truth.acknowledged().filter(asked).cloned().collect());
        let config = at_once(world, TenantConfig::read(&world.bucket, &world.tenant));
        let gone = config.map(|(config, _)| config.redactions.into_keys().collect()).unwrap_or_default();
        Self { window, trace, must, gone }
    }

    /// Whether the answer is right.
    pub(crate) fn judge(&self, world: &World, answer: &Answer) {
        let mut seen: BTreeMap<SpanId, Vec<&ObjectKey>> = BTreeMap::new();
        for (object, span) in &answer.records {
            if answer.snapshot.is_redacted(span.trace_id) {
                continue;
            }
            if self.gone.contains(&span.trace_id) {
                world.violate("what was redacted is not seen", format_args!("{} in {object}", span.span_id));
            }
            if self.window.contains(span.start) && self.trace.is_none_or(|trace| trace == span.trace_id) {
                seen.entry(span.span_id).or_default().push(object);
            }
        }
        world
            .with(|state| {
                let (now, truth) = (state.now, &state.truth);
                let missing =
                    self.must.iter().filter(|span| !truth.may_miss(span, now) && !seen.contains_key(&span.span_id));
                let missing: Vec<_> = missing.map(|span| (span.span_id, &truth.spans[&span.span_id].object)).collect();
                let found = format!("not seen: {missing:?}; objects: {}", answer.objects());
                (!missing.is_empty()).then_some(found)
            })
            .into_iter()
            .for_each(|found| world.violate("acknowledged spans are seen", found));
        for (id, objects) in seen {
            if objects.len() > 1 && !made_again(world, id) {
                world.violate("no span is seen twice", format_args!("{id} in {objects:?}"));
            }
        }
        if !answer.snapshot.unknown.is_empty() {
            world.violate("all objects are ours", format_args!("{:?}", answer.snapshot.unknown));
        }
    }
}

/// The one case in which an object and what replaced it are both there: its request was repeated after gc had removed
/// it and forgotten its name. It holds the same spans, of which every answer shows one, and compaction merges them.
fn made_again(world: &World, id: SpanId) -> bool {
    let again = world.with(|state| {
        let issued = state.truth.spans.get(&id);
        issued.is_some_and(|issued| state.created.get(&issued.object).is_some_and(|times| *times > 1))
    });
    if again {
        world.tell("a request repeated after all trace of it was gone");
    }
    again
}

impl Answer {
    /// Takes a snapshot and reads all that it names.
    pub(crate) async fn read(world: &World, catalog: &Catalog, question: &Question) -> Result<Self, Error> {
        let mut snapshot = match world.case.bug {
            Some(Bug::CatalogBeforeListing) => {
                crate::bugs::catalog_before_listing(catalog, &world.tenant, question.window).await?
            }
            _ => catalog.snapshot(&world.tenant, question.window).await?,
        };
        if let Some(trace) = question.trace {
            snapshot = snapshot.narrow(catalog, trace.key()).await?;
        }
        let mut records = Vec::new();
        for object in &snapshot.objects {
            let spans = match question.trace {
                Some(trace) => read(world, catalog, object, KeyRange::only(trace.key())).await.map(Arc::new),
                None => contents(world, catalog, object).await,
            };
            match spans {
                Ok(spans) => records.extend(spans.iter().map(|span| (object.key.clone(), span.clone()))),
                Err(error) if error.kind() == ErrorKind::Refresh && world.case.bug == Some(Bug::NotFoundIsEmpty) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self { snapshot, records })
    }

    fn objects(&self) -> String {
        let name = |object: &BlockRef| match object.name {
            Name::Level0(name) => name.to_string(),
            Name::Block(id) | Name::Index(id) => id.to_string(),
        };
        self.snapshot.objects.iter().map(name).collect::<Vec<_>>().join(", ")
    }
}

async fn read(world: &World, catalog: &Catalog, object: &BlockRef, keys: KeyRange) -> Result<Vec<Span>, Error> {
    let mut reader = BlockReader::new(catalog, object);
    let rows = if keys.from == keys.to { reader.spans_with(keys.from).await? } else { reader.spans(keys).await? };
    let spans = rows.into_iter().map(|rows| rows.into_spans()).collect::<Result<Vec<_>, _>>();
    let spans = spans.map_err(|source| reader.damaged(source))?.concat();
    check(world, object, &spans);
    Ok(spans)
}

/// The spans of an object, told by the columns that say which they are.
async fn known(world: &World, catalog: &Catalog, object: &BlockRef) -> Result<Vec<Span>, Error> {
    let mut reader = BlockReader::new(catalog, object);
    let mut spans = Vec::new();
    for batch in reader.columns(&Projection::default(), KeyRange::ALL).await? {
        for row in 0..batch.rows() {
            let id = batch.span_id(row).map_err(|source| reader.damaged(source))?;
            let sent = world.with(|state| state.truth.spans.get(&id).map(|issued| issued.span.clone()));
            let same = |span: &Span| {
                span.trace_id.as_bytes() == batch.trace_id_bytes(row)
                    && (span.start, span.duration) == (batch.start(row), batch.duration(row))
            };
            match sent.filter(same) {
                Some(span) => spans.push(span),
                None => world.violate("spans are as they were sent", format_args!("{id} in {}", object.key)),
            }
        }
    }
    check(world, object, &spans);
    Ok(spans)
}

/// Whether the spans are those that were sent, and within what the snapshot says of their object.
fn check(world: &World, object: &BlockRef, spans: &[Span]) {
    for span in spans {
        let sent = world.with(|state| state.truth.spans.get(&span.span_id).is_some_and(|issued| issued.span == *span));
        if !sent {
            world.violate("spans are as they were sent", format_args!("{span:?} in {}", object.key));
        }
        let (start, end) = (span.start, span.end());
        let within = object.times.contains(start)
            && object.times.contains(end)
            && object.hours.times().contains(start)
            && object.keys.contains(span.trace_id.key());
        if !within {
            world.violate("objects hold what is said of them", format_args!("{span:?} in {object:?}"));
        }
    }
}

/// What the bucket shows at this moment, when nobody moves.
pub(crate) fn whole(world: &Arc<World>) {
    let store = Arc::new(SimStore::new(world.clone(), usize::MAX, Lens::new(None, Role::Reader)));
    let catalog = Catalog::new(store);
    let question = Question::begin(world, TimeRange::new(crate::world::EARLIEST, world.now()).unwrap(), None);
    let answer = at_once(world, async {
        let snapshot = catalog.snapshot(&world.tenant, question.window).await?;
        let mut records = Vec::new();
        for object in &snapshot.objects {
            let spans = contents(world, &catalog, object).await?;
            records.extend(spans.iter().map(|span| (object.key.clone(), span.clone())));
        }
        Ok::<_, Error>(Answer { snapshot, records })
    });
    match answer {
        Ok(answer) => {
            question.judge(world, &answer);
            as_seen_by_the_warm(world, &answer.snapshot, question.window);
        }
        Err(error) => world.violate("what a catalog names is there", error),
    }
}

/// A process that remembers sees what one sees that has just begun.
fn as_seen_by_the_warm(world: &World, cold: &Snapshot, window: TimeRange) {
    let warm = world.with(|state| {
        let one = state.rng.usize(..2 * state.warm.len().max(1));
        state.warm.get(one).cloned()
    });
    let Some(warm) = warm else { return };
    match at_once(world, warm.snapshot(&world.tenant, window)) {
        Ok(warm) if warm.objects == cold.objects => {}
        Ok(warm) => world.violate("warm and cold see the same", format_args!("{:?}\n{:?}", warm.objects, cold.objects)),
        Err(error) => world.violate("warm and cold see the same", error),
    }
}

/// An object's spans. An object never changes, so that it is decoded once a run, but it must be there to be read.
pub(crate) async fn contents(world: &World, catalog: &Catalog, object: &BlockRef) -> Result<Arc<Vec<Span>>, Error> {
    catalog.store().head(&object.key).await?;
    if let Some(spans) = world.with(|state| state.contents.get(&object.key).cloned()) {
        return Ok(spans);
    }
    if matches!(object.name, Name::Level0(_)) && !world.one_in(8) {
        // What is in level 0 is known: it is written in one step, and each merge reads it.
        let spans = Arc::new(world.with(|state| state.truth.written_to(&object.key)));
        world.with(|state| state.contents.insert(object.key.clone(), spans.clone()));
        return Ok(spans);
    }
    // Whole spans take many columns to decode, so that this is done now and then.
    let spans = if world.one_in(8) {
        read(world, catalog, object, KeyRange::ALL).await?
    } else {
        known(world, catalog, object).await?
    };
    let spans = Arc::new(spans);
    world.with(|state| state.contents.insert(object.key.clone(), spans.clone()));
    Ok(spans)
}

/// Does something while nobody else moves and no time passes.
pub(crate) fn at_once<T>(world: &World, doing: impl Future<Output = T>) -> T {
    let before = world.with(|state| std::mem::replace(&mut state.at_once, true));
    let mut doing = std::pin::pin!(doing);
    let done = loop {
        if let Poll::Ready(done) = doing.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            break done;
        }
    };
    world.with(|state| state.at_once = before);
    done
}
