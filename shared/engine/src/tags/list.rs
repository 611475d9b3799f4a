//! Answering a shard: each object says what it has, or its traces are looked through.

use std::sync::Arc;

use futures::stream::{self, StreamExt, TryStreamExt};
use niente_block::{Listing, Vocabulary};
use niente_catalog::{BlockReader, BlockRef, Catalog};
use niente_model::TraceId;
use niente_traceql::{Field, Query};

use super::{
    TagTask, Wanted,
    gather::Gathering,
    source::{self, Source},
};
use crate::{Error, Findings, Inspected, Shard, scan};

/// How many objects are read at a time.
const PARALLEL_READS: usize = 16;

impl TagTask {
    /// The columns that answer each list; none if spans have to be looked at.
    pub(super) fn listings(&self) -> Result<Option<Vec<Vec<Listing>>>, Error> {
        if self.filter.is_some() {
            return Ok(None);
        }
        let listings = |wanted: &Wanted| match wanted {
            Wanted::Names(scope) => Ok(Some(vec![source::all(source::keys(*scope))])),
            Wanted::Values(field) => match Source::of(&parsed_field(field)?) {
                Source::Listed(listings) => Ok(Some(listings)),
                Source::Fixed(_) | Source::Evaluated => Ok(None),
            },
        };
        self.wanted.iter().map(listings).collect()
    }

    /// The fields that it speaks of, and its filter.
    pub(super) fn parsed(&self) -> Result<(Vec<Field>, Option<Query>), Error> {
        let fields = self.wanted.iter().filter_map(|wanted| match wanted {
            Wanted::Names(_) => None,
            Wanted::Values(field) => Some(parsed_field(field)),
        });
        let filter = self.filter.as_ref().map(|text| niente_traceql::parse(text).map_err(|error| none(text, &error)));
        Ok((fields.collect::<Result<_, _>>()?, filter.transpose()?))
    }

    /// Lists without anything in them.
    pub(super) fn empty(&self) -> Vec<Vocabulary> {
        vec![Vocabulary::new(self.bounds); self.wanted.len()]
    }
}

pub(super) fn parsed_field(text: &str) -> Result<Field, Error> {
    niente_traceql::parse_field(text).map_err(|error| none(text, &error))
}

fn none(text: &str, error: &niente_traceql::QueryError) -> Error {
    Error::Shard { reason: format!("{text} means nothing here: {error}"), again: false }
}

/// Answers a shard of a question about tags.
pub(crate) async fn answer(
    catalog: &Catalog,
    shard: &Arc<Shard>,
    task: &TagTask,
) -> Result<(Findings, Inspected), Error> {
    let Some(listings) = task.listings()? else {
        let gathering = Gathering::new(task)?;
        let (assembly, bytes) = scan::load(catalog, shard, gathering.projection()).await?;
        let task = task.clone();
        let (lists, looked_at) = scan::evaluate(move || Ok(gathering.gather(&assembly, &task))).await?;
        return Ok((Findings::Tags(lists), Inspected { bytes, ..looked_at }));
    };
    let flat: Arc<[Listing]> = listings.iter().flatten().cloned().collect();
    let reads = (0..shard.objects.len()).map(|object| {
        let (catalog, shard, flat, bounds) = (catalog.clone(), shard.clone(), flat.clone(), task.bounds);
        // A task each, so that decoding uses all cores.
        let read = tokio::spawn(async move {
            let object = &shard.objects[object];
            let mut reader = BlockReader::new(&catalog, object);
            let listed = reader.list(&flat, &left_out(object, &shard.redacted), bounds).await?;
            Ok::<_, Error>((listed, reader.bytes_read()))
        });
        async move { read.await.map_err(|error| Error::Worker(error.to_string()))? }
    });
    let mut lists = task.empty();
    let mut inspected = Inspected::default();
    let mut reads = stream::iter(reads).buffer_unordered(PARALLEL_READS);
    while let Some((listed, bytes)) = reads.try_next().await? {
        merge(&mut lists, &listings, &listed);
        inspected.bytes += bytes;
    }
    Ok((Findings::Tags(lists), inspected))
}

/// The traces that are to be left out of what an object says.
pub(super) fn left_out(object: &BlockRef, redacted: &[TraceId]) -> Arc<[TraceId]> {
    redacted.iter().copied().filter(|id| object.keys.contains(id.key())).collect()
}

/// Adds to each list what an object says of its columns, which come one after the other.
pub(super) fn merge(lists: &mut [Vocabulary], listings: &[Vec<Listing>], listed: &[Arc<Vocabulary>]) {
    let mut listed = listed.iter();
    for (list, of) in lists.iter_mut().zip(listings) {
        listed.by_ref().take(of.len()).for_each(|values| list.merge(values));
    }
}
