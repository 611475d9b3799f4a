//! Reading blocks from the store: what the block's decoder asks for is fetched and fed to it.

use std::ops::Range;

use bytes::Bytes;
use niente_block::{Footer, KeyRange, Opened, Projection, SpanBatch, Step};
use niente_catalog::BlockRef;
use niente_model::Span;
use niente_store::Store;

use crate::{Error, Inspected};

/// Objects up to this size are read whole, in one request: on S3 a request costs as much as reading some megabytes.
const WHOLE: u64 = 1 << 20;

/// Reads one block.
pub(crate) struct Reader<'s> {
    store: &'s dyn Store,
    object: &'s BlockRef,
    pub(crate) inspected: Inspected,
}

impl<'s> Reader<'s> {
    pub(crate) fn new(store: &'s dyn Store, object: &'s BlockRef) -> Self {
        let inspected = Inspected { objects: 1, object_bytes: object.size, ..Inspected::default() };
        Self { store, object, inspected }
    }

    pub(crate) async fn open(&mut self) -> Result<Footer, Error> {
        let size = self.object.size;
        let first = if size <= WHOLE { size } else { Footer::FIRST_READ.min(size) };
        let mut wanted = size - first..size;
        loop {
            let tail = self.fetch(&[wanted]).await?.pop().expect("one range was asked for");
            match Footer::open(size, tail).map_err(|source| self.damaged(source))? {
                Opened::Footer(footer) => return Ok(footer),
                Opened::Needs(range) => wanted = range,
            }
        }
    }

    /// The projected columns of the traces in `keys`.
    pub(crate) async fn columns(&mut self, projection: &Projection, keys: KeyRange) -> Result<Vec<SpanBatch>, Error> {
        let footer = self.open().await?;
        let mut scan = footer.scan(projection, keys).map_err(|source| self.damaged(source))?;
        let mut batches = Vec::new();
        loop {
            match scan.next().map_err(|source| self.damaged(source))? {
                Step::Read(ranges) => {
                    let bytes = self.fetch(&ranges).await?;
                    scan.feed(ranges, bytes).map_err(|source| self.damaged(source))?;
                }
                Step::Batch(batch) => batches.push(batch),
                Step::Done => return Ok(batches),
            }
        }
    }

    /// The whole spans of the traces in `keys` that `wanted` takes.
    pub(crate) async fn spans(&mut self, keys: KeyRange, wanted: impl Fn(&Span) -> bool) -> Result<Vec<Span>, Error> {
        let footer = self.open().await?;
        let mut scan = footer.scan_spans(keys).map_err(|source| self.damaged(source))?;
        let mut spans = Vec::new();
        loop {
            match scan.next().map_err(|source| self.damaged(source))? {
                Step::Read(ranges) => {
                    let bytes = self.fetch(&ranges).await?;
                    scan.feed(ranges, bytes).map_err(|source| self.damaged(source))?;
                }
                Step::Batch(batch) => spans.extend(batch.into_iter().filter(&wanted)),
                Step::Done => return Ok(spans),
            }
        }
    }

    async fn fetch(&mut self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, Error> {
        self.inspected.bytes += ranges.iter().map(|range| range.end - range.start).sum::<u64>();
        Ok(self.store.get_ranges(&self.object.key, ranges).await?)
    }

    pub(crate) fn damaged(&self, source: niente_block::Error) -> Error {
        Error::Block { object: self.object.key.to_string(), source }
    }
}
