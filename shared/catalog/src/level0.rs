use std::{
    collections::BTreeMap,
    hash::{Hash, Hasher},
};

use futures::future::try_join_all;
use niente_block::{BlockWriter, Filter, Layout, Written, canonical_order};
use niente_model::{Hour, Nanos, Span, Tenant};
use niente_store::{ErrorKind, ObjectKey, Store};

use crate::{ContentHash, L0Name};

/// An object that an ingest request made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenObject {
    /// Its key.
    pub key: ObjectKey,
    /// How many spans it holds.
    pub spans: u64,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Why spans could not be made durable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] niente_store::Error),
    /// The spans could not be encoded: a defect of ours.
    #[error("encoding level 0: {0}")]
    Encode(#[from] niente_block::Error),
    /// The worker that encodes died: a defect of ours.
    #[error("encoding level 0: {0}")]
    Worker(String),
}

impl WriteError {
    /// What the caller should do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            WriteError::Store(error) => error.kind(),
            WriteError::Encode(_) | WriteError::Worker(_) => ErrorKind::GiveUp,
        }
    }
}

/// Writes an ingest request's spans: one object for each hour in which some of them start.
///
/// When it returns they are durable, and every snapshot from now on shows them. Nothing is there that a repeated
/// call would double: objects are named by their content, and one that exists already is success.
///
/// Costs one `PUT` an hour.
///
/// # Errors
/// Of the objects some may have been written; the caller's client sends all again.
pub async fn write_level0(
    store: &dyn Store,
    tenant: &Tenant,
    spans: Vec<Span>,
) -> Result<Vec<WrittenObject>, WriteError> {
    // Encoding is long work without a pause: it must not hold up what else this thread serves.
    let encoded = tokio::task::spawn_blocking(move || encode_level0(spans)).await;
    let objects = encoded.map_err(|error| WriteError::Worker(error.to_string()))??;
    put_level0(store, tenant, objects).await
}

/// Makes encoded objects durable: the second half of [`write_level0`].
///
/// # Errors
/// As [`write_level0`].
pub async fn put_level0(
    store: &dyn Store,
    tenant: &Tenant,
    objects: Vec<(L0Name, Written)>,
) -> Result<Vec<WrittenObject>, WriteError> {
    let writes = objects.into_iter().map(|(name, block)| async move {
        let object = WrittenObject { key: name.key(tenant), spans: block.rows, bytes: block.bytes.len() as u64 };
        match store.put_if_absent(&object.key, block.bytes).await {
            Ok(_) | Err(niente_store::Error::AlreadyExists { .. }) => Ok(object),
            Err(error) => Err(WriteError::Store(error)),
        }
    });
    try_join_all(writes).await
}

/// Encodes an ingest request's spans, one object for each hour: the first half of [`write_level0`], and all of it that
/// needs a processor.
pub fn encode_level0(spans: Vec<Span>) -> Result<Vec<(L0Name, Written)>, niente_block::Error> {
    let mut hours: BTreeMap<Hour, Vec<Span>> = BTreeMap::new();
    for span in spans {
        hours.entry(span.start.hour()).or_default().push(span);
    }
    hours.into_iter().map(|(hour, spans)| encode_hour(hour, spans)).collect()
}

fn encode_hour(hour: Hour, spans: Vec<Span>) -> Result<(L0Name, Written), niente_block::Error> {
    let mut keyed: Vec<_> = spans.into_iter().map(|span| (span.trace_id.key(), span)).collect();
    keyed.sort_unstable();
    let mut spans: Vec<Span> = keyed.into_iter().map(|(_, span)| span).collect();
    debug_assert!(spans.is_sorted_by(|a, b| canonical_order(a, b).is_le()));
    // Of records of the same span the first in canonical order stays, here as everywhere.
    spans.dedup_by(|later, first| first.same_identity(later));

    let end = spans.iter().map(Span::end).max().unwrap_or(Nanos::ZERO);
    let name = L0Name::new(hour, end, content_hash(&spans));
    let traces = || spans.chunk_by(|a, b| a.trace_id == b.trace_id);
    let filter = Filter::TraceKeys { distinct: traces().count() as u64 };
    let mut writer = BlockWriter::new(Layout::level0(), filter)?;
    for trace in traces() {
        writer.write_trace(trace)?;
    }
    Ok((name, writer.finish()?))
}

/// The hash over the spans in canonical order.
///
/// What Rust's `Hash` feeds may change with a version of the compiler. Then a request that is repeated across that
/// change is stored twice, and reads as once: the two objects hold the same spans.
fn content_hash(spans: &[Span]) -> ContentHash {
    let mut hasher = ContentHasher(blake3::Hasher::new());
    spans.hash(&mut hasher);
    ContentHash::finish(&hasher.0)
}

struct ContentHasher(blake3::Hasher);

impl Hasher for ContentHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        unreachable!("only the whole hash is asked for")
    }
}
