//! A compacted day of true size, as far as a planner looks at it: its catalog, its trace index and its blocks' ends.

use std::ops::Range;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use niente_block::{BlockWriter, Filter, KeyRange, Layout};
use niente_catalog::{Block, Change, Commit, Hours, IndexPart, Name, ObjectId, commit, part_keys};
use niente_cost::Measured;
use niente_model::{Nanos, Span, Tenant, TimeRange, TraceKey};
use niente_store::{ETag, Folders, MemoryStore, Object, ObjectKey, ObjectMeta, Page, Result, Store, Suffix};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaDataReader, ParquetMetaDataWriter};

use super::{Failure, Network, Search};

/// The stored bytes of the day.
pub(crate) const STORED_BYTES: u64 = 100_000_000_000;
/// Compaction cuts an hour into a power of two of blocks of at most 256 MiB with keys of their own: sixteen here.
const BLOCKS_PER_HOUR: u64 = 16;
/// All blocks, and the size of each: 260 MB.
pub(crate) const BLOCKS: u64 = 24 * BLOCKS_PER_HOUR;
pub(crate) const BLOCK_BYTES: u64 = STORED_BYTES / BLOCKS;
/// Bytes at the end of a block that open it, for each span in it (`simulated_day measure`).
const END_BYTES_PER_SPAN: f64 = 0.122;
/// Spans of a trace, as in the workload of docs/performance.md.
const SPANS_PER_TRACE: f64 = 15.17;
/// Entries of a part of the trace index, as compaction cuts it, and the bytes of one.
const PART_ENTRIES: u64 = 4 << 20;
const ENTRY: u64 = 8;
const HOURS: u32 = 24;
/// 2026-11-02.
const MIDNIGHT: Nanos = Nanos::from_secs(1_793_577_600);

/// How many spans so many stored bytes are.
pub(crate) fn spans(bytes: u64) -> f64 {
    bytes as f64 / Measured::default().stored_bytes_per_span
}

/// The day, from midnight to midnight.
pub(crate) fn window() -> TimeRange {
    TimeRange::lasting(MIDNIGHT, Nanos::from_secs(24 * 3_600 - 1))
}

/// The day's objects. The catalog is a real one; of blocks there are the ends, of the index whatever is asked for.
#[derive(Debug)]
pub(crate) struct Day {
    network: Network,
    catalog: MemoryStore,
    index: Vec<(ObjectKey, IndexPart)>,
    /// What every block ends with.
    footer: Bytes,
}

impl Day {
    /// The day, of whose spans this search reads its share.
    pub(crate) async fn new(search: Search, network: Network) -> std::result::Result<Self, Failure> {
        let (catalog, tenant, date) = (MemoryStore::new(), Tenant::single(), MIDNIGHT.hour().day());
        let blocks: Vec<Block> = (0..BLOCKS).map(block).collect();
        let ids = blocks.iter().map(|block| block.id).collect();
        let index = index(spans(STORED_BYTES) / SPANS_PER_TRACE);
        for change in [
            Change::Replace { inputs: Vec::new(), outputs: blocks },
            Change::Index { old: Vec::new(), new: index.clone(), covers: ids },
        ] {
            let committed = commit(&catalog, &tenant, date, &change, Nanos::ZERO).await?;
            assert_eq!(committed, Commit::Done, "nobody else commits");
        }
        let index = index.into_iter().map(|part| (Name::Index(part.id).key(&tenant, date), part)).collect();
        Ok(Self { network, catalog, index, footer: footer(search)? })
    }

    async fn answered(&self, bytes: usize) {
        tokio::time::sleep(self.network.request(bytes as u64)).await;
    }
}

fn id(number: u64) -> ObjectId {
    ObjectId::new(MIDNIGHT, number.into())
}

/// One of the blocks of an hour.
fn block(number: u64) -> Block {
    let hour = MIDNIGHT.saturating_add(Nanos::from_secs(number / BLOCKS_PER_HOUR * 3_600)).hour();
    Block {
        id: id(number),
        level: 2,
        hours: Hours::only(hour),
        rows: spans(BLOCK_BYTES) as u64,
        bytes: BLOCK_BYTES,
        tail: (spans(BLOCK_BYTES) * END_BYTES_PER_SPAN) as u64,
        times: Hours::only(hour).times(),
        keys: KeyRange::shard(number % BLOCKS_PER_HOUR, BLOCKS_PER_HOUR),
        indexed: false,
        purged: 0,
        services: None,
        attributes: None,
    }
}

/// The trace index's parts, each for its share of the keys.
fn index(traces: f64) -> Vec<IndexPart> {
    let parts = (traces as u64).div_ceil(PART_ENTRIES);
    let firsts: Vec<TraceKey> = (0..parts).map(|part| KeyRange::shard(part, parts).from).collect();
    let part = |(number, keys)| IndexPart {
        id: id(BLOCKS + number),
        entries: PART_ENTRIES,
        bytes: PART_ENTRIES * ENTRY,
        keys,
    };
    (0..).zip(part_keys(&firsts)).map(part).collect()
}

/// A block's footer that says of the one column that every scan reads that it weighs what the search's weigh together.
fn footer(search: Search) -> std::result::Result<Bytes, Failure> {
    let span = Span::new("1".parse()?, "1".parse()?, MIDNIGHT);
    let mut writer = BlockWriter::new(Layout::level0(), Filter::None)?;
    writer.write_trace(&[span])?;
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&writer.finish()?.bytes)?;
    let read = spans(BLOCK_BYTES) * search.bytes_per_span;
    let weigh = |column: &ColumnChunkMetaData| {
        let weighs = if column.column_path().parts() == ["trace_key"] { read as i64 } else { 0 };
        let nowhere = column.clone().into_builder().set_offset_index_offset(None).set_offset_index_length(None);
        let nowhere = nowhere.set_column_index_offset(None).set_column_index_length(None);
        nowhere.set_total_compressed_size(weighs).build()
    };
    let groups = metadata.row_groups().iter().map(|group| {
        let columns = group.columns().iter().map(weigh).collect::<std::result::Result<_, _>>()?;
        group.clone().into_builder().set_column_metadata(columns).build()
    });
    let groups = groups.collect::<std::result::Result<_, _>>()?;
    let mut bytes = Vec::new();
    ParquetMetaDataWriter::new(&mut bytes, &metadata.into_builder().set_row_groups(groups).build()).finish()?;
    Ok(bytes.into())
}

/// The entries of an index part that are asked for: keys at equal distances, each of the day's first hour.
fn entries(keys: KeyRange, wanted: Range<u64>) -> Bytes {
    let distance = (keys.to.0 - keys.from.0) / PART_ENTRIES;
    let entry = |number| (keys.from.0 + number * distance) >> HOURS << HOURS | 1;
    wanted.flat_map(|number| u64::to_be_bytes(entry(number))).collect()
}

#[async_trait]
impl Store for Day {
    async fn get(&self, key: &ObjectKey) -> Result<Object> {
        let object = self.catalog.get(key).await;
        self.answered(object.as_ref().map_or(0, |object| object.bytes.len())).await;
        object
    }

    async fn get_range(&self, key: &ObjectKey, range: Range<u64>) -> Result<Bytes> {
        let bytes = match self.index.iter().find(|(part, _)| part == key) {
            Some((_, part)) => entries(part.keys, range.start / ENTRY..range.end / ENTRY),
            // The end of a block: nobody but workers reads more, and those read nothing here.
            None => {
                let mut bytes = BytesMut::zeroed((range.end - range.start) as usize - self.footer.len());
                bytes.extend_from_slice(&self.footer);
                bytes.freeze()
            }
        };
        self.answered(bytes.len()).await;
        Ok(bytes)
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Page> {
        self.answered(0).await;
        self.catalog.list(prefix, start_after).await
    }

    // The rest is not asked for by a search in a process that has only just begun.

    async fn get_if_none_match(&self, key: &ObjectKey, known: &ETag) -> Result<Option<Object>> {
        self.catalog.get_if_none_match(key, known).await
    }

    async fn get_suffix(&self, key: &ObjectKey, length: u64) -> Result<Suffix> {
        self.catalog.get_suffix(key, length).await
    }

    async fn head(&self, key: &ObjectKey) -> Result<ObjectMeta> {
        self.catalog.head(key).await
    }

    async fn list_folders(&self, prefix: &str, start_after: Option<&str>) -> Result<Folders> {
        self.catalog.list_folders(prefix, start_after).await
    }

    async fn put_if_absent(&self, key: &ObjectKey, bytes: Bytes) -> Result<ETag> {
        self.catalog.put_if_absent(key, bytes).await
    }

    async fn put_if_match(&self, key: &ObjectKey, bytes: Bytes, expected: &ETag) -> Result<ETag> {
        self.catalog.put_if_match(key, bytes, expected).await
    }

    async fn delete(&self, key: &ObjectKey) -> Result<()> {
        self.catalog.delete(key).await
    }

    async fn delete_if_match(&self, key: &ObjectKey, expected: &ETag) -> Result<()> {
        self.catalog.delete_if_match(key, expected).await
    }

    async fn now(&self) -> Result<Nanos> {
        self.catalog.now().await
    }
}
