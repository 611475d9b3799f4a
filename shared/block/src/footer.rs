use std::{collections::BTreeMap, ops::Range, sync::Arc};

use arrow_schema::{DataType, Field, FieldRef, Fields, Schema};
use bytes::Bytes;
use parquet::{
    DecodeResult,
    arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions},
    file::metadata::{ColumnChunkMetaData, PageIndexPolicy, ParquetMetaData, ParquetMetaDataPushDecoder},
};

use crate::{AttributeColumn, Error, error::decode, filter::Filters};

/// The version of the format that this build writes, and the newest that it reads.
pub const FORMAT_VERSION: u32 = 1;
/// The key of the block's format version in the Parquet key-value metadata.
pub(crate) const FORMAT_KEY: &str = "niente.format";
/// The key of the least reader version in the Parquet key-value metadata.
pub(crate) const READER_KEY: &str = "niente.reader";

/// An opened block: where its columns lie and what they are.
#[derive(Clone, Debug)]
pub struct Footer {
    pub(crate) reader: ArrowReaderMetadata,
    pub(crate) tail: Tail,
    pub(crate) filters: Arc<Filters>,
    columns: Arc<[AttributeColumn]>,
    version: u32,
}

/// The end of the object, which has been read already.
#[derive(Clone, Debug)]
pub(crate) struct Tail {
    pub(crate) start: u64,
    pub(crate) bytes: Bytes,
}

/// What [`Footer::open`] made of an object's end.
#[derive(Debug)]
pub enum Opened {
    /// The block is open.
    Footer(Footer),
    /// The end was too short: read this range, which goes to the object's end, and open again with it.
    Needs(Range<u64>),
}

/// What one column of a block weighs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnWeight {
    /// The column's name; of a nested one, the path with dots.
    pub name: String,
    /// Bytes in the object.
    pub compressed: u64,
    /// Bytes before compression.
    pub uncompressed: u64,
    /// The encodings of its pages, as Parquet names them.
    pub encodings: String,
}

impl Footer {
    /// How many bytes of an object's end to read first: nearly always enough to open it.
    pub const FIRST_READ: u64 = 64 << 10;

    /// Opens a block of `size` bytes by its end, at least 8 bytes of it.
    pub fn open(size: u64, tail: Bytes) -> Result<Opened, Error> {
        let start = size
            .checked_sub(tail.len() as u64)
            .ok_or_else(|| Error::damaged(format!("read {} bytes of an object of {size}", tail.len())))?;
        let mut decoder = ParquetMetaDataPushDecoder::try_new(size)
            .map_err(Error::damaged)?
            .with_page_index_policy(PageIndexPolicy::Optional);
        decoder.push_range(start..size, tail.clone()).map_err(Error::damaged)?;
        match decode(|| decoder.try_decode())? {
            DecodeResult::Data(metadata) => Self::new(metadata, Tail { start, bytes: tail }).map(Opened::Footer),
            DecodeResult::NeedsData(ranges) => {
                let from = ranges.iter().map(|range| range.start).min().unwrap_or_default().min(start);
                if from == start {
                    return Err(Error::damaged("the footer lies beyond the object"));
                }
                Ok(Opened::Needs(from..size))
            }
            DecodeResult::Finished => Err(Error::damaged("the footer is empty")),
        }
    }

    fn new(metadata: ParquetMetaData, tail: Tail) -> Result<Self, Error> {
        let found = version(&metadata, FORMAT_KEY)?;
        let needed = version(&metadata, READER_KEY)?;
        if needed > FORMAT_VERSION {
            return Err(Error::TooNew { found, needed, ours: FORMAT_VERSION });
        }
        let metadata = Arc::new(metadata);
        let plain =
            ArrowReaderMetadata::try_new(metadata.clone(), ArrowReaderOptions::new()).map_err(Error::damaged)?;
        let columns =
            plain.schema().fields().iter().filter_map(|field| AttributeColumn::parse(field.name()).ok()).collect();
        // Text is read as views into the decoded pages: no copy per value.
        let schema = Schema::new(plain.schema().fields().iter().map(with_views).collect::<Fields>());
        let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
        let reader = ArrowReaderMetadata::try_new(metadata, options).map_err(Error::damaged)?;
        Ok(Self { reader, tail, filters: Arc::default(), columns, version: found })
    }

    /// How many spans the block holds.
    pub fn rows(&self) -> u64 {
        self.metadata().file_metadata().num_rows().max(0) as u64
    }

    /// The version of the format that it was written in.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// What wrote it, as it says itself.
    pub fn written_by(&self) -> Option<&str> {
        self.metadata().file_metadata().created_by()
    }

    /// How many row groups it has.
    pub fn row_groups(&self) -> usize {
        self.metadata().num_row_groups()
    }

    /// The attributes that have a column of their own.
    pub fn attribute_columns(&self) -> &[AttributeColumn] {
        &self.columns
    }

    /// About how many bytes of memory it holds.
    pub fn held_bytes(&self) -> u64 {
        // Parsed, the metadata takes some times the bytes that it was read from.
        5 * self.tail.bytes.len() as u64
    }

    /// The size of the object.
    pub fn size(&self) -> u64 {
        self.tail.start + self.tail.bytes.len() as u64
    }

    /// What each column weighs, in the order of the schema.
    pub fn weights(&self) -> Vec<ColumnWeight> {
        let mut weights: BTreeMap<usize, ColumnWeight> = BTreeMap::new();
        for group in self.metadata().row_groups() {
            for (at, column) in group.columns().iter().enumerate() {
                let weight = weights.entry(at).or_insert_with(|| ColumnWeight {
                    name: column.column_path().string(),
                    compressed: 0,
                    uncompressed: 0,
                    encodings: encodings(column),
                });
                weight.compressed += column.compressed_size().max(0) as u64;
                weight.uncompressed += column.uncompressed_size().max(0) as u64;
            }
        }
        weights.into_values().collect()
    }

    pub(crate) fn metadata(&self) -> &ParquetMetaData {
        self.reader.metadata()
    }
}

impl Tail {
    /// A part of it.
    pub(crate) fn slice(&self, range: &Range<u64>) -> Result<Bytes, Error> {
        let end = self.start + self.bytes.len() as u64;
        if range.start < self.start || range.start > range.end || range.end > end {
            return Err(Error::damaged("what is wanted lies outside of the object's end"));
        }
        Ok(self.bytes.slice((range.start - self.start) as usize..(range.end - self.start) as usize))
    }
}

fn version(metadata: &ParquetMetaData, key: &str) -> Result<u32, Error> {
    let pairs = metadata.file_metadata().key_value_metadata();
    let value = pairs.into_iter().flatten().find(|pair| pair.key == key).and_then(|pair| pair.value.as_deref());
    value
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Error::Foreign(format!("its Parquet metadata has no number under `{key}`")))
}

fn with_views(field: &FieldRef) -> FieldRef {
    let data_type = match field.data_type() {
        DataType::Utf8 => DataType::Utf8View,
        DataType::List(item) => DataType::List(with_views(item)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(with_views).collect()),
        other => other.clone(),
    };
    Arc::new(Field::clone(field).with_data_type(data_type))
}

fn encodings(column: &ColumnChunkMetaData) -> String {
    let names: Vec<_> = column.encodings().map(|encoding| encoding.to_string()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_block_is_refused() {
        assert!(matches!(Footer::open(0, Bytes::new()), Err(Error::Damaged(_))));
        assert!(matches!(Footer::open(8, Bytes::from_static(b"notablok")), Err(Error::Damaged(_))));
        let huge = Bytes::from_static(b"\xff\xff\xff\x7fPAR1");
        assert!(matches!(Footer::open(8, huge), Err(Error::Damaged(_))));
    }
}
