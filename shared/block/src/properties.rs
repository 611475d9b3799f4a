//! How each column is encoded: by its nature, chosen before it is written.

use arrow_schema::SchemaRef;
use parquet::{
    basic::{Compression, Encoding, ZstdLevel},
    file::{
        metadata::{KeyValue, SortingColumn},
        properties::{
            BloomFilterPosition, EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion,
        },
    },
    schema::types::ColumnPath,
};

use crate::{
    FORMAT_VERSION, Filter, Layout, ValueType,
    footer::{FORMAT_KEY, READER_KEY},
    schema,
};

/// Rows are handed to Parquet in batches of this many.
pub(crate) const BATCH_ROWS: usize = 8_192;
const PAGE_ROWS: usize = 16_384;
const PAGE_BYTES: usize = 4 << 20;
const ROW_GROUP_ROWS: usize = 1 << 20;
/// A row group that is being written lies in memory, encoded.
const ROW_GROUP_BYTES: usize = 64 << 20;
/// A dictionary may grow to this; beyond it Parquet's writer falls back to plain values.
pub(crate) const DICTIONARY_BYTES: usize = 8 << 20;
/// How many keys that a block doesn't hold its filter lets pass.
const FALSE_POSITIVES: f64 = 0.01;

pub(crate) fn properties(schema: &SchemaRef, layout: &Layout, filter: Filter) -> WriterProperties {
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
        .set_data_page_size_limit(PAGE_BYTES)
        .set_write_batch_size(BATCH_ROWS)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
        .set_bloom_filter_position(BloomFilterPosition::End)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_column_index_truncate_length(Some(32))
        .set_statistics_truncate_length(Some(32));

    // Random bytes: neither dictionaries nor statistics nor compression find anything in span IDs.
    properties = plain(properties, schema::SPAN_ID, Encoding::PLAIN)
        .set_column_compression(schema::SPAN_ID.into(), Compression::UNCOMPRESSED)
        .set_column_statistics_enabled(schema::SPAN_ID.into(), EnabledStatistics::None);
    properties = plain(properties, schema::PARENT_SPAN_ID, Encoding::PLAIN)
        .set_column_statistics_enabled(schema::PARENT_SPAN_ID.into(), EnabledStatistics::None);
    // Runs of values that are a trace's own: zstd folds a run as well as a dictionary would, and a reader of one trace
    // needn't fetch the dictionary of all.
    properties = plain(properties, schema::TRACE_ID, Encoding::PLAIN);
    properties = plain(properties, schema::TRACE_START, Encoding::PLAIN);
    properties = plain(properties, schema::TRACE_DURATION, Encoding::PLAIN);
    properties = plain(properties, schema::TRACE_KEY, Encoding::DELTA_BINARY_PACKED);
    properties = plain(properties, schema::START, Encoding::DELTA_BINARY_PACKED);
    properties = plain(properties, schema::DURATION, Encoding::DELTA_BINARY_PACKED);
    properties = plain(properties, schema::PARENT_DISTANCE, Encoding::DELTA_BINARY_PACKED);
    // What prunes pages: keys for a trace or a shard, times for a window.
    for column in [schema::TRACE_KEY, schema::START, schema::DURATION] {
        properties = properties.set_column_statistics_enabled(column.into(), EnabledStatistics::Page);
    }
    if let Filter::TraceKeys { distinct } = filter {
        properties = properties
            .set_column_bloom_filter_fpp(schema::TRACE_KEY.into(), FALSE_POSITIVES)
            .set_column_bloom_filter_max_ndv(schema::TRACE_KEY.into(), distinct.clamp(1, ROW_GROUP_ROWS as u64));
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
