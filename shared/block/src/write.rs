use arrow_schema::SchemaRef;
use bytes::Bytes;
use niente_model::Span;
use parquet::{
    arrow::{ArrowWriter, arrow_writer::ArrowWriterOptions},
    basic::{Compression, Encoding, ZstdLevel},
    errors::ParquetError,
    file::{
        metadata::{KeyValue, SortingColumn},
        properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion},
    },
    schema::types::ColumnPath,
};

use crate::{
    Error, FORMAT_VERSION, Layout, ValueType,
    footer::{FORMAT_KEY, READER_KEY},
    rows::Rows,
    schema::{self, schema},
    trace::{TraceSummary, places},
};

/// Writes one block from whole traces in canonical order.
pub struct BlockWriter {
    writer: ArrowWriter<Vec<u8>>,
    rows: Rows,
    written: u64,
}

/// A finished block.
#[derive(Debug)]
pub struct Written {
    /// The object.
    pub bytes: Bytes,
    /// How many spans it holds.
    pub rows: u64,
}

/// Rows are handed to Parquet in batches of this many, or of about so many bytes.
const BATCH_ROWS: usize = 8_192;
const BATCH_BYTES: usize = 32 << 20;
const PAGE_ROWS: usize = 16_384;
const ROW_GROUP_ROWS: usize = 1 << 20;
/// A dictionary may grow to this; beyond it Parquet's writer falls back to plain values.
const DICTIONARY_BYTES: usize = 8 << 20;

impl BlockWriter {
    /// A writer of a block with this layout.
    pub fn new(layout: Layout) -> Result<Self, Error> {
        let schema = schema(&layout);
        let options = ArrowWriterOptions::new()
            .with_properties(properties(&schema, &layout))
            // The column names say everything that the Arrow schema would, and the footer stays small.
            .with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(Vec::new(), schema.clone(), options).map_err(Error::Encode)?;
        Ok(Self { writer, rows: Rows::new(schema, &layout), written: 0 })
    }

    /// Adds all spans that the block will have of one trace, sorted by [`canonical_order`](crate::canonical_order),
    /// without duplicates. Traces come in that order too.
    pub fn write_trace(&mut self, spans: &[Span]) -> Result<(), Error> {
        let trace = TraceSummary::of(spans);
        for (span, place) in spans.iter().zip(places(spans)) {
            self.rows.push(span, &trace, place).map_err(|error| Error::Encode(error.into()))?;
            if self.rows.len() >= BATCH_ROWS || self.rows.bytes() >= BATCH_BYTES {
                self.flush().map_err(Error::Encode)?;
            }
        }
        self.written += spans.len() as u64;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ParquetError> {
        let batch = self.rows.take_batch()?;
        self.writer.write(&batch)
    }

    /// The finished object.
    pub fn finish(mut self) -> Result<Written, Error> {
        self.flush().map_err(Error::Encode)?;
        let bytes = self.writer.into_inner().map_err(Error::Encode)?;
        Ok(Written { bytes: bytes.into(), rows: self.written })
    }
}

impl std::fmt::Debug for BlockWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlockWriter").field("rows", &self.written).finish_non_exhaustive()
    }
}

fn properties(schema: &SchemaRef, layout: &Layout) -> WriterProperties {
    let version = |key: &str| KeyValue::new(key.to_owned(), FORMAT_VERSION.to_string());
    let zstd = Compression::ZSTD(ZstdLevel::try_new(3).expect("zstd has a level 3"));
    let mut properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by(concat!("niente ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(vec![version(FORMAT_KEY), version(READER_KEY)]))
        .set_sorting_columns(Some(vec![SortingColumn { column_idx: 0, descending: false, nulls_first: false }]))
        .set_compression(zstd)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_data_page_size_limit(4 << 20)
        .set_write_batch_size(BATCH_ROWS)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_column_index_truncate_length(Some(32))
        .set_statistics_truncate_length(Some(32));

    // Random bytes: neither dictionaries nor statistics nor compression find anything in span IDs.
    properties = plain(properties, schema::SPAN_ID, Encoding::PLAIN)
        .set_column_compression(schema::SPAN_ID.into(), Compression::UNCOMPRESSED)
        .set_column_statistics_enabled(schema::SPAN_ID.into(), EnabledStatistics::None);
    properties = plain(properties, schema::PARENT_SPAN_ID, Encoding::PLAIN)
        .set_column_statistics_enabled(schema::PARENT_SPAN_ID.into(), EnabledStatistics::None);
    properties = plain(properties, schema::TRACE_KEY, Encoding::DELTA_BINARY_PACKED);
    properties = plain(properties, schema::START, Encoding::DELTA_BINARY_PACKED);
    properties = plain(properties, schema::DURATION, Encoding::DELTA_BINARY_PACKED);
    properties = plain(properties, schema::PARENT_DISTANCE, Encoding::DELTA_BINARY_PACKED);
    // What prunes pages: keys for a trace or a shard, times for a window.
    for column in [schema::TRACE_KEY, schema::START, schema::DURATION] {
        properties = properties.set_column_statistics_enabled(column.into(), EnabledStatistics::Page);
    }
    for (at, column) in layout.columns().iter().enumerate().filter(|(at, _)| !layout.repetitive(*at)) {
        let field = schema.field(schema.fields().len() - layout.columns().len() + at);
        let encoding = match column.value_type {
            ValueType::Int => Encoding::DELTA_BINARY_PACKED,
            ValueType::Str | ValueType::Float | ValueType::Bool => Encoding::PLAIN,
        };
        properties = plain(properties, field.name(), encoding);
    }
    properties.build()
}

fn plain(properties: WriterPropertiesBuilder, column: &str, encoding: Encoding) -> WriterPropertiesBuilder {
    // One segment: attribute names have dots in them, and `ColumnPath::from` doesn't split them.
    let path = ColumnPath::new(vec![column.to_owned()]);
    properties.set_column_dictionary_enabled(path.clone(), false).set_column_encoding(path, encoding)
}
