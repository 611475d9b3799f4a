//! Tag names and values, from the planner's side.

use std::sync::Arc;

use niente_block::{Bounds, Footer, KeyRange, Listing, Vocabulary};
use niente_catalog::{BlockRef, Snapshot};
use niente_model::{Nanos, Tenant, TimeRange, TraceId, Value};

use super::{
    TagNames, TagNamesQuestion, TagTask, TagValues, TagValuesQuestion, Wanted,
    gather::Gathering,
    list,
    source::{self, Source},
};
use crate::{
    Asking, Error, Findings, Inspected, Shard, Task, Wave,
    compile::is_of_traces,
    shards::{self, Share},
};

impl Asking {
    /// The names of attributes.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub async fn tag_names(&self, tenant: &Tenant, question: &TagNamesQuestion) -> Result<TagNames, Error> {
        if question.scopes.is_empty() {
            return Ok(TagNames::default());
        }
        let task = TagTask {
            wanted: question.scopes.iter().copied().map(Wanted::Names).collect(),
            filter: question.filter.clone(),
            hours: hours(question.window),
            bounds: question.bounds,
        };
        let (lists, inspected) = self.lists(tenant, question.window, task).await?;
        Ok(TagNames { scopes: question.scopes.iter().copied().zip(lists).collect(), inspected })
    }

    /// The values of a field. Statuses and kinds that no filter is to choose from are always all of them, and lengths
    /// of time and IDs none.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub async fn tag_values(&self, tenant: &Tenant, question: &TagValuesQuestion) -> Result<TagValues, Error> {
        let TagValuesQuestion { field, filter, window, bounds } = question;
        let mut values = Vocabulary::new(*bounds);
        if let Source::Fixed(fixed) = Source::of(field)
            && (filter.is_none() || fixed.is_empty())
        {
            fixed.into_iter().for_each(|value| values.add(&Value::from(value)));
            return Ok(TagValues { values, inspected: Inspected::default() });
        }
        let empty = Value::from("");
        let wanted = vec![Wanted::Values(field.to_string())];
        // One more: the empty one, which is taken out again, mustn't take another's place.
        let wide = Bounds { values: bounds.values.saturating_add(1), ..*bounds };
        let task = TagTask { wanted, filter: filter.clone(), hours: hours(*window), bounds: wide };
        let (mut lists, inspected) = self.lists(tenant, *window, task).await?;
        for list in &mut lists {
            if source::may_be_empty(field) {
                list.remove(&empty);
            }
            values.merge(list);
        }
        // Whether a trace has a root can't be told of a part of it.
        if source::is_of_roots(field) && filter.is_none() && inspected.objects > 0 {
            values.add(&empty);
        }
        Ok(TagValues { values, inspected })
    }

    async fn lists(
        &self,
        tenant: &Tenant,
        window: TimeRange,
        task: TagTask,
    ) -> Result<(Vec<Vocabulary>, Inspected), Error> {
        let (fields, filter) = task.parsed()?;
        let listings = task.listings()?;
        let mut mentioned = fields.iter().chain(filter.iter().flat_map(|filter| filter.fields()));
        // A trace's own are told of all of it, and so of what lies around the hours.
        let reach = match &listings {
            None if mentioned.any(is_of_traces) => window.padded(Self::TRACE_REACH),
            _ => task.hours,
        };
        let (task, listings) = (&task, &listings);
        let answer = |snapshot: Snapshot| async move {
            match listings {
                Some(listings) => listed(self, tenant, &snapshot, task, listings, reach).await,
                None => gathered(self, tenant, &snapshot, task, reach).await,
            }
        };
        self.in_time(self.over_snapshot(tenant, reach, answer)).await
    }
}

/// The hours that a window touches.
fn hours(window: TimeRange) -> TimeRange {
    let (first, last) = (window.start().hour(), window.end().hour());
    let end = last.end().saturating_sub(Nanos::new(1).expect("one is small"));
    TimeRange::new(first.start(), end.max(window.end())).expect("a window is not reversed")
}

/// What the objects say, each by itself: those of which it isn't known yet are read, cut into shards by objects.
async fn listed(
    asking: &Asking,
    tenant: &Tenant,
    snapshot: &Snapshot,
    task: &TagTask,
    listings: &[Vec<Listing>],
    reach: TimeRange,
) -> Result<(Vec<Vocabulary>, Inspected), Error> {
    let redacted: Vec<TraceId> = snapshot.redactions().collect();
    let flat: Vec<Listing> = listings.iter().flatten().cloned().collect();
    let mut lists = task.empty();
    let mut unknown: Vec<BlockRef> = Vec::new();
    for object in &snapshot.objects {
        let left_out = list::left_out(object, &redacted);
        let known = |listing| asking.catalog.listed(&object.key, listing, &left_out, task.bounds);
        match flat.iter().map(known).collect::<Option<Vec<_>>>() {
            Some(known) => list::merge(&mut lists, listings, &known),
            None => unknown.push(object.clone()),
        }
    }
    let mut inspected = inspected(snapshot);
    if unknown.is_empty() {
        return Ok((lists, inspected));
    }
    // The footers are read anyway, and kept.
    let listed = |footer: &Footer| flat.iter().map(|listing| footer.listing_bytes(listing)).sum();
    let share = Share::by_sample(asking, &unknown, listed).await?;
    let wave = Wave::by_objects(&unknown, share, shards::cut(asking));
    asking.afford(&wave)?;
    let shard = |objects: &[BlockRef]| {
        Arc::new(Shard {
            tenant: tenant.clone(),
            task: Task::Tags(task.clone()),
            keys: KeyRange::ALL,
            objects: objects.to_vec(),
            reach,
            redacted: redacted.clone(),
            patience: asking.patience(),
        })
    };
    let shards = pieces(&unknown, &wave, share).into_iter().map(shard).collect();
    add_findings(asking, shards, &mut lists, &mut inspected).await?;
    Ok((lists, inspected))
}

/// What the spans say that satisfy the filter: shards of trace keys, as of a search.
async fn gathered(
    asking: &Asking,
    tenant: &Tenant,
    snapshot: &Snapshot,
    task: &TagTask,
    reach: TimeRange,
) -> Result<(Vec<Vocabulary>, Inspected), Error> {
    let gathering = Gathering::new(task)?;
    let objects = &snapshot.objects;
    let share = Share::of_objects(asking, objects, gathering.projection()).await?;
    let wave = Wave::of_everything(objects, share, shards::cut(asking));
    asking.afford(&wave)?;
    let shards = shards::of_wave(tenant, snapshot, &Task::Tags(task.clone()), reach, &wave, asking.patience());
    let mut lists = task.empty();
    let mut inspected = inspected(snapshot);
    add_findings(asking, shards, &mut lists, &mut inspected).await?;
    Ok((lists, inspected))
}

fn inspected(snapshot: &Snapshot) -> Inspected {
    let object_bytes = snapshot.objects.iter().map(|object| object.size).sum();
    Inspected { objects: snapshot.objects.len() as u64, object_bytes, ..Inspected::default() }
}

async fn add_findings(
    asking: &Asking,
    shards: Vec<Arc<Shard>>,
    lists: &mut [Vocabulary],
    inspected: &mut Inspected,
) -> Result<(), Error> {
    for partial in asking.answer(shards).await? {
        *inspected += partial.inspected;
        let Findings::Tags(found) = partial.findings else { return Err(Error::mismatch()) };
        lists.iter_mut().zip(&found).for_each(|(list, found)| list.merge(found));
    }
    Ok(())
}

/// The objects in as many pieces as the wave has shards, each about as much to read.
fn pieces<'o>(objects: &'o [BlockRef], wave: &Wave, share: Share) -> Vec<&'o [BlockRef]> {
    let enough = wave.bytes.div_ceil(wave.shards.max(1));
    let mut bytes = 0;
    let mut pieces = Vec::new();
    let mut from = 0;
    for (at, object) in objects.iter().enumerate() {
        bytes += share.of(object);
        if bytes >= enough {
            pieces.push(&objects[from..=at]);
            (from, bytes) = (at + 1, 0);
        }
    }
    if from < objects.len() {
        pieces.push(&objects[from..]);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use niente_catalog::{Hours, Name, ObjectId};
    use niente_store::ObjectKey;

    use super::*;
    use crate::plan::Cut;

    #[test]
    fn hours_are_whole() {
        let seconds = |from, to| TimeRange::new(Nanos::from_secs(from), Nanos::from_secs(to)).unwrap();
        let nanosecond = Nanos::new(1).unwrap();
        for (window, from, to) in
            [(seconds(3_600, 3_600), 3_600, 7_200), (seconds(3_599, 3_600), 0, 7_200), (seconds(10, 20), 0, 3_600)]
        {
            let (start, end) = (Nanos::from_secs(from), Nanos::from_secs(to).saturating_sub(nanosecond));
            assert_eq!(hours(window), TimeRange::new(start, end).unwrap());
        }
        assert_eq!(hours(TimeRange::ALL), TimeRange::ALL);
    }

    #[test]
    fn pieces_are_about_as_large_and_have_each_object_once() {
        let object = |size: u64| BlockRef {
            key: ObjectKey::new("t/blocks/x").unwrap(),
            name: Name::Block(ObjectId::from_bytes([0; 16])),
            size,
            level: 1,
            times: TimeRange::ALL,
            hours: Hours::only(Nanos::ZERO.hour()),
            keys: KeyRange::ALL,
            tail: None,
            indexed: false,
        };
        let cut = Cut { shard_bytes: 1_000, first_shards: 1, worker_mib: None, in_waves: false };
        for (sizes, expected) in [
            (&[900, 50][..], &[2][..]),
            (&[600, 600, 600], &[2, 1]),
            (&[100, 100, 900, 900, 100], &[3, 1, 1]),
            (&[5_000], &[1]),
        ] {
            let objects: Vec<BlockRef> = sizes.iter().copied().map(object).collect();
            let wave = Wave::by_objects(&objects, Share::WHOLE, cut);
            let pieces: Vec<usize> = pieces(&objects, &wave, Share::WHOLE).into_iter().map(<[_]>::len).collect();
            assert_eq!(pieces, expected, "{sizes:?}");
            // Each object is read once, however many shards there are.
            assert_eq!((wave.spent.store.gets, wave.bytes), (sizes.len() as u64, sizes.iter().sum()));
        }
    }
}
