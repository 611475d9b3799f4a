//! A day's trace index: the keys of its blocks, merged into what was there.

use std::{cmp::Reverse, collections::BinaryHeap};

use bytes::Bytes;
use niente_block::{KeyRange, KeyRows, KeyScan};
use niente_catalog::{
    BlockReader, BlockRef, Catalog, Error as CatalogError, IndexPart, IndexWriter, Name, ObjectId, index_entries,
    indexed_bits, part_keys,
};
use niente_model::{Day, Tenant, TraceKey};
use niente_store::Store;

use crate::Error;

/// A part of the index has about so many entries: it is read whole when it is merged.
const PART_ENTRIES: u64 = 4 << 20;

/// Writes a new index of what the old one knows and of these blocks' keys, and tells of its parts.
pub(crate) async fn write(
    catalog: &Catalog,
    tenant: &Tenant,
    day: Day,
    old: &[IndexPart],
    blocks: &[BlockRef],
    new_id: &(dyn Fn() -> ObjectId + Send + Sync),
) -> Result<Vec<IndexPart>, Error> {
    let store = &**catalog.store();
    let mut merged = Merged::open(catalog, tenant, day, old, blocks).await?;
    let mut parts: Vec<(TraceKey, IndexPart)> = Vec::new();
    let (mut writer, mut first, mut last) = (IndexWriter::default(), None, None);
    while let Some((key, hours)) = merged.next().await? {
        // A part never ends between keys that an entry can't tell apart.
        if writer.entries() >= PART_ENTRIES && last != Some(indexed_bits(key)) {
            let full = std::mem::take(&mut writer);
            parts.extend(put(store, tenant, day, full, first.take(), new_id()).await?);
        }
        first.get_or_insert(indexed_bits(key));
        last = Some(indexed_bits(key));
        writer.push(key, hours);
    }
    parts.extend(put(store, tenant, day, writer, first, new_id()).await?);
    let keys = part_keys(&parts.iter().map(|(first, _)| *first).collect::<Vec<_>>());
    Ok(parts.into_iter().zip(keys).map(|((_, part), keys)| IndexPart { keys, ..part }).collect())
}

async fn put(
    store: &dyn Store,
    tenant: &Tenant,
    day: Day,
    writer: IndexWriter,
    first: Option<TraceKey>,
    id: ObjectId,
) -> Result<Option<(TraceKey, IndexPart)>, Error> {
    let Some(first) = first else { return Ok(None) };
    let entries = writer.entries();
    let bytes = writer.finish();
    let part = IndexPart { id, entries, bytes: bytes.len() as u64, keys: KeyRange::ALL };
    match store.put_if_absent(&Name::Index(id).key(tenant, day), bytes).await {
        Ok(_) | Err(niente_store::Error::AlreadyExists { .. }) => Ok(Some((first, part))),
        Err(error) => Err(error.into()),
    }
}

/// Keys with hours, of all sources, in order. A key may come several times.
struct Merged<'c> {
    sources: Vec<Source<'c>>,
    heads: BinaryHeap<Reverse<(TraceKey, u32, usize)>>,
}

enum Source<'c> {
    Block {
        reader: BlockReader<'c>,
        scan: Box<KeyScan>,
        rows: Option<KeyRows>,
        row: usize,
    },
    Index {
        catalog: &'c Catalog,
        tenant: &'c Tenant,
        day: Day,
        parts: std::slice::Iter<'c, IndexPart>,
        entries: Entries,
    },
}

type Entries = Box<dyn Iterator<Item = (TraceKey, u32)> + Send>;

impl<'c> Merged<'c> {
    async fn open(
        catalog: &'c Catalog,
        tenant: &'c Tenant,
        day: Day,
        old: &'c [IndexPart],
        blocks: &'c [BlockRef],
    ) -> Result<Self, Error> {
        let entries: Entries = Box::new(std::iter::empty());
        let mut sources = vec![Source::Index { catalog, tenant, day, parts: old.iter(), entries }];
        for block in blocks {
            let mut reader = BlockReader::new(catalog, block);
            let scan = reader.peek().await?.scan_keys(KeyRange::ALL).map_err(|source| reader.damaged(source))?;
            sources.push(Source::Block { reader, scan: Box::new(scan), rows: None, row: 0 });
        }
        let mut merged = Self { sources, heads: BinaryHeap::new() };
        for source in 0..merged.sources.len() {
            merged.advance(source).await?;
        }
        Ok(merged)
    }

    async fn next(&mut self) -> Result<Option<(TraceKey, u32)>, Error> {
        let Some(Reverse((key, hours, source))) = self.heads.pop() else { return Ok(None) };
        self.advance(source).await?;
        Ok(Some((key, hours)))
    }

    async fn advance(&mut self, source: usize) -> Result<(), Error> {
        if let Some((key, hours)) = self.sources[source].next().await? {
            self.heads.push(Reverse((key, hours, source)));
        }
        Ok(())
    }
}

impl Source<'_> {
    /// The next key, with the hours of its rows.
    async fn next(&mut self) -> Result<Option<(TraceKey, u32)>, CatalogError> {
        match self {
            Source::Block { reader, scan, rows, row } => loop {
                if let Some(rows) = rows.as_ref().filter(|rows| *row < rows.len()) {
                    let key = rows.key(*row);
                    let mut hours = 0;
                    while *row < rows.len() && rows.key(*row) == key {
                        hours |= 1 << rows.start(*row).hour().of_day();
                        *row += 1;
                    }
                    return Ok(Some((key, hours)));
                }
                *rows = reader.next_keys(scan).await?;
                *row = 0;
                if rows.is_none() {
                    return Ok(None);
                }
            },
            Source::Index { catalog, tenant, day, parts, entries } => loop {
                if let Some(entry) = entries.next() {
                    return Ok(Some(entry));
                }
                let Some(part) = parts.next() else { return Ok(None) };
                let object = Name::Index(part.id).key(tenant, *day);
                let bytes: Bytes = catalog.store().get(&object).await?.bytes;
                *entries = Box::new(index_entries(&object, part, bytes)?);
            },
        }
    }
}
