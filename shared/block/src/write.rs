use arrow_schema::SchemaRef;
use niente_model::Span;
use parquet::{
    arrow::{ArrowWriter, arrow_writer::ArrowWriterOptions},
    errors::ParquetError,
    file::metadata::ParquetMetaData,
};

use crate::{
    Error, Filter, Layout, Written,
    properties::{BATCH_ROWS, properties},
    rows::Rows,
    schema::schema,
    trace::{Place, TraceSummary, places},
    written::Extent,
};

/// Writes one block from traces in canonical order.
pub struct BlockWriter {
    writer: ArrowWriter<Vec<u8>>,
    rows: Rows,
    extent: Extent,
    /// About how many bytes the rows took that Parquet's writer has been given.
    encoded: u64,
}

/// Rows are handed to Parquet when there are [`BATCH_ROWS`], or when they take about so many bytes.
const BATCH_BYTES: usize = 32 << 20;

impl BlockWriter {
    /// A writer of a block with this layout, and with a filter or without.
    ///
    /// # Errors
    /// None but our own defects.
    pub fn new(layout: Layout, filter: Filter) -> Result<Self, Error> {
        let schema = schema(&layout);
        let writer = parquet_writer(schema.clone(), &layout, filter).map_err(Error::Encode)?;
        Ok(Self { writer, rows: Rows::new(schema, &layout), extent: Extent::default(), encoded: 0 })
    }

    /// Adds all spans that the block will have of one trace, sorted by [`canonical_order`](crate::canonical_order),
    /// without duplicates. Traces come in that order too.
    pub fn write_trace(&mut self, spans: &[Span]) -> Result<(), Error> {
        let trace = TraceSummary::of(spans);
        spans.iter().zip(places(spans)).try_for_each(|(span, place)| self.write(span, &trace, Some(place)))
    }

    /// Adds some spans of a trace that is too long to be held, the next in canonical order.
    ///
    /// The summary is that of all spans that the block will have of the trace. Who is whose parent is not computed
    /// for such a trace: its structure columns are null.
    pub fn write_part(&mut self, summary: &TraceSummary, spans: &[Span]) -> Result<(), Error> {
        spans.iter().try_for_each(|span| self.write(span, summary, None))
    }

    /// About how many bytes the block would have if it were finished now.
    pub fn size(&self) -> u64 {
        let encoded = (self.writer.bytes_written() + self.writer.in_progress_size()) as u64;
        let pending = self.rows.bytes() as u64;
        // The rows that Parquet's writer hasn't been given will shrink as the others did.
        let shrunk = (encoded * pending).checked_div(self.encoded).unwrap_or(pending / 8);
        encoded + shrunk
    }

    /// About how many bytes of memory it holds: the object so far, the row group in progress, rows not yet encoded.
    pub fn memory(&self) -> u64 {
        (self.writer.inner().capacity() + self.writer.memory_size() + self.rows.bytes()) as u64
    }

    /// The finished object.
    ///
    /// # Errors
    /// [`Error::Empty`] if no span was written.
    pub fn finish(mut self) -> Result<Written, Error> {
        self.flush().map_err(Error::Encode)?;
        let metadata = self.writer.finish().map_err(Error::Encode)?;
        let bytes = std::mem::take(self.writer.inner_mut());
        let tail = bytes.len() as u64 - end_of_columns(&metadata);
        self.extent.written(bytes.into(), tail, self.rows.contents()).ok_or(Error::Empty)
    }

    fn write(&mut self, span: &Span, trace: &TraceSummary, place: Option<Place>) -> Result<(), Error> {
        let key = span.trace_id.key();
        self.rows.push(key, span, trace, place).map_err(|error| Error::Encode(error.into()))?;
        self.extent.add(key, span);
        if self.rows.len() >= BATCH_ROWS || self.rows.bytes() >= BATCH_BYTES {
            self.flush().map_err(Error::Encode)?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ParquetError> {
        self.encoded += self.rows.bytes() as u64;
        let batch = self.rows.take_batch()?;
        self.writer.write(&batch)
    }
}

impl std::fmt::Debug for BlockWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlockWriter").field("extent", &self.extent).finish_non_exhaustive()
    }
}

fn parquet_writer(schema: SchemaRef, layout: &Layout, filter: Filter) -> Result<ArrowWriter<Vec<u8>>, ParquetError> {
    let options = ArrowWriterOptions::new()
        .with_properties(properties(&schema, layout, filter))
        // The column names say everything that the Arrow schema would, and the footer stays small.
        .with_skip_arrow_metadata(true);
    ArrowWriter::try_new_with_options(Vec::new(), schema, options)
}

/// Where the pages of the last column end: what follows are filters, page index and footer.
fn end_of_columns(metadata: &ParquetMetaData) -> u64 {
    let columns = metadata.row_groups().iter().flat_map(|group| group.columns());
    columns.map(|column| column.byte_range()).map(|(start, length)| start + length).max().unwrap_or_default()
}
