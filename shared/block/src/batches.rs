//! The loop under every scan: which bytes Parquet's decoder wants, and the rows that it makes of them.

use std::ops::Range;

use arrow_array::{RecordBatch, UInt64Array, cast::AsArray, types::UInt64Type};
use bytes::Bytes;
use niente_model::TraceKey;
use parquet::{
    DecodeResult,
    arrow::{
        ProjectionMask,
        push_decoder::{ParquetPushDecoder, ParquetPushDecoderBuilder},
    },
};

use crate::{Error, Footer, KeyRange, Step, error::decode, footer::Tail, schema};

/// The rows of a batch are at most so many.
pub(crate) const BATCH_ROWS: usize = 8_192;

/// Record batches cut to a range of keys.
#[derive(Debug)]
pub(crate) struct Batches {
    decoder: ParquetPushDecoder,
    tail: Tail,
    keys: KeyRange,
}

impl Batches {
    /// Reads the columns whose paths are `wanted`, so many rows at a time.
    pub(crate) fn new(
        footer: &Footer,
        keys: KeyRange,
        rows: usize,
        wanted: impl Fn(&[String]) -> bool,
    ) -> Result<Self, Error> {
        let parquet = footer.reader.parquet_schema();
        let leaves = (0..parquet.num_columns()).filter(|leaf| wanted(parquet.column(*leaf).path().parts()));
        let mask = ProjectionMask::leaves(parquet, leaves);
        let decoder = ParquetPushDecoderBuilder::new_with_metadata(footer.reader.clone())
            .with_batch_size(rows)
            .with_projection(mask)
            .with_row_group_selections(footer.rows_of(keys))
            .build()
            .map_err(Error::damaged)?;
        Ok(Self { decoder, tail: footer.tail.clone(), keys })
    }

    pub(crate) fn next(&mut self) -> Result<Step<RecordBatch>, Error> {
        loop {
            match decode(|| self.decoder.try_decode())? {
                DecodeResult::Data(rows) => {
                    let rows = self.cut(&rows)?;
                    if rows.num_rows() > 0 {
                        return Ok(Step::Batch(rows));
                    }
                }
                DecodeResult::Finished => return Ok(Step::Done),
                DecodeResult::NeedsData(ranges) => {
                    // The end of the object has been read when it was opened.
                    let (known, unknown): (Vec<_>, Vec<_>) =
                        ranges.into_iter().partition(|range| range.start >= self.tail.start);
                    let bytes = known.iter().map(|range| self.tail.slice(range)).collect::<Result<_, _>>()?;
                    self.feed(known, bytes)?;
                    if !unknown.is_empty() {
                        return Ok(Step::Read(unknown));
                    }
                }
            }
        }
    }

    pub(crate) fn feed(&mut self, ranges: Vec<Range<u64>>, bytes: Vec<Bytes>) -> Result<(), Error> {
        self.decoder.push_ranges(ranges, bytes).map_err(Error::damaged)
    }

    /// Pages are chosen whole: leaves away the rows of theirs that are of other keys.
    fn cut(&self, rows: &RecordBatch) -> Result<RecordBatch, Error> {
        let column = rows.column_by_name(schema::TRACE_KEY).and_then(|column| column.as_primitive_opt::<UInt64Type>());
        let keys: &UInt64Array = column.ok_or_else(|| Error::Foreign("it has no trace keys".into()))?;
        let from = keys.values().partition_point(|key| TraceKey(*key) < self.keys.from);
        let to = keys.values().partition_point(|key| TraceKey(*key) <= self.keys.to);
        Ok(rows.slice(from, to.saturating_sub(from)))
    }
}
