//! Reading blocks from the store: what the block's decoder asks for is fetched and fed to it.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use niente_block::{
    Bounds, Error as BlockError, Footer, KeyRange, KeyRows, KeyScan, Listing, ListingScan, Opened, Projection, Scan,
    SpanBatch, SpanRows, SpanScan, Step, Vocabulary,
};
use niente_model::{TraceId, TraceKey, Value};

use crate::{BlockRef, Catalog, Error};

/// Reads one block, and counts what it reads.
#[derive(Debug)]
pub struct BlockReader<'c> {
    catalog: &'c Catalog,
    object: &'c BlockRef,
    bytes_read: u64,
}

/// What a scan of a block does, whatever it makes of the rows.
trait Scanning {
    type Rows;

    fn step(&mut self) -> Result<Step<Self::Rows>, BlockError>;

    fn feed(&mut self, ranges: Vec<Range<u64>>, bytes: Vec<Bytes>) -> Result<(), BlockError>;
}

macro_rules! scanning {
    ($($scan:ty => $rows:ty),*) => {
        $(impl Scanning for $scan {
            type Rows = $rows;

            fn step(&mut self) -> Result<Step<$rows>, BlockError> {
                self.next()
            }

            fn feed(&mut self, ranges: Vec<Range<u64>>, bytes: Vec<Bytes>) -> Result<(), BlockError> {
                <$scan>::feed(self, ranges, bytes)
            }
        })*
    };
}
scanning!(Scan => SpanBatch, SpanScan => SpanRows, KeyScan => KeyRows, ListingScan => Vec<Value>);

impl<'c> BlockReader<'c> {
    /// Objects up to this size are read whole, in one request: on S3 a request costs as much as reading some
    /// megabytes.
    pub const WHOLE: u64 = 1 << 20;

    /// A reader of this block. Nothing is read yet.
    pub fn new(catalog: &'c Catalog, object: &'c BlockRef) -> Self {
        Self { catalog, object, bytes_read: 0 }
    }

    /// How many bytes were read so far.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// The block's footer. A small object is read whole with it, so that scans need nothing more.
    ///
    /// Costs one read; of a compacted block only the first time.
    pub async fn open(&mut self) -> Result<Footer, Error> {
        let size = self.object.size;
        let first = if size <= Self::WHOLE { size } else { self.tail() };
        self.open_by(first).await
    }

    /// The block's footer alone: for those who expect to need nothing more.
    ///
    /// Costs as [`open`](Self::open), in fewer bytes.
    pub async fn peek(&mut self) -> Result<Footer, Error> {
        self.open_by(self.tail()).await
    }

    fn tail(&self) -> u64 {
        self.object.tail.unwrap_or(Footer::FIRST_READ).min(self.object.size)
    }

    async fn open_by(&mut self, first: u64) -> Result<Footer, Error> {
        if let Some(footer) = self.catalog.footer(&self.object.key) {
            return Ok(footer);
        }
        let size = self.object.size;
        let mut wanted = size - first..size;
        let footer = loop {
            let tail = self.fetch(&[wanted]).await?.pop().expect("one range was asked for");
            match Footer::open(size, tail).map_err(|source| self.damaged(source))? {
                Opened::Footer(footer) => break footer,
                Opened::Needs(range) => wanted = range,
            }
        };
        // Level 0 is gone before a footer of it would be asked for again.
        if self.object.level > 0 {
            self.catalog.keep_footer(&self.object.key, &footer);
        }
        Ok(footer)
    }

    /// The projected columns of the traces in `keys`.
    pub async fn columns(&mut self, projection: &Projection, keys: KeyRange) -> Result<Vec<SpanBatch>, Error> {
        let footer = self.open().await?;
        let scan = footer.scan(projection, keys).map_err(|source| self.damaged(source))?;
        let mut batches = Vec::new();
        self.run(scan, |batch| batches.push(batch)).await?;
        Ok(batches)
    }

    /// The whole spans of the traces in `keys`.
    pub async fn spans(&mut self, keys: KeyRange) -> Result<Vec<SpanRows>, Error> {
        let footer = self.open().await?;
        self.spans_of(&footer, keys).await
    }

    /// The whole spans of one trace key.
    ///
    /// Costs one read if the block's end tells that it doesn't have the key.
    pub async fn spans_with(&mut self, key: TraceKey) -> Result<Vec<SpanRows>, Error> {
        let footer = self.peek().await?;
        if !footer.may_hold(key) {
            return Ok(Vec::new());
        }
        self.spans_of(&footer, KeyRange::only(key)).await
    }

    /// The distinct values of each of these columns, without those that only the traces to be left out have.
    ///
    /// Costs nothing where they are known. Otherwise the footer, and then the dictionaries of all of them in one step,
    /// and in another one the pages of those of which dictionaries don't tell enough.
    pub async fn list(
        &mut self,
        listings: &[Listing],
        left_out: &Arc<[TraceId]>,
        bounds: Bounds,
    ) -> Result<Vec<Arc<Vocabulary>>, Error> {
        let (catalog, object) = (self.catalog, self.object);
        let known = |listing| catalog.listed(&object.key, listing, left_out, bounds);
        let mut listed: Vec<Option<Arc<Vocabulary>>> = listings.iter().map(known).collect();
        let unknown: Vec<usize> = (0..listings.len()).filter(|at| listed[*at].is_none()).collect();
        if !unknown.is_empty() {
            let footer = self.open().await?;
            let scan = |at: &usize| footer.list(&listings[*at], left_out).map_err(|source| self.damaged(source));
            let scans = unknown.iter().map(scan).collect::<Result<Vec<_>, _>>()?;
            for (at, values) in unknown.into_iter().zip(self.run_all(scans, bounds).await?) {
                let values = Arc::new(values);
                catalog.keep_listed(&object.key, &listings[at], left_out, &values);
                listed[at] = Some(values);
            }
        }
        Ok(listed.into_iter().map(|values| values.expect("what wasn't known has been listed")).collect())
    }

    /// Runs scans side by side: what they want at a time is one step.
    async fn run_all(&mut self, mut scans: Vec<ListingScan>, bounds: Bounds) -> Result<Vec<Vocabulary>, Error> {
        // As many values as there are: another question may want more of them.
        let mut listed = vec![Vocabulary::new(Bounds { values: usize::MAX, ..bounds }); scans.len()];
        loop {
            let mut wanted: Vec<(usize, Vec<Range<u64>>)> = Vec::new();
            for (at, scan) in scans.iter_mut().enumerate() {
                loop {
                    match scan.step().map_err(|source| self.damaged(source))? {
                        Step::Read(ranges) => break wanted.push((at, ranges)),
                        Step::Batch(values) => values.iter().for_each(|value| listed[at].add(value)),
                        Step::Done => break,
                    }
                }
            }
            if wanted.is_empty() {
                return Ok(listed);
            }
            let ranges: Vec<Range<u64>> = wanted.iter().flat_map(|(_, ranges)| ranges.clone()).collect();
            let mut bytes = self.fetch(&ranges).await?.into_iter();
            for (at, ranges) in wanted {
                let bytes = bytes.by_ref().take(ranges.len()).collect();
                Scanning::feed(&mut scans[at], ranges, bytes).map_err(|source| self.damaged(source))?;
            }
        }
    }

    /// The next trace keys and starts of a scan of keys; none at its end.
    pub async fn next_keys(&mut self, scan: &mut KeyScan) -> Result<Option<KeyRows>, Error> {
        self.step(scan).await
    }

    /// The next rows of a scan of whole spans; none at its end.
    pub async fn next_spans(&mut self, scan: &mut SpanScan) -> Result<Option<SpanRows>, Error> {
        self.step(scan).await
    }

    async fn spans_of(&mut self, footer: &Footer, keys: KeyRange) -> Result<Vec<SpanRows>, Error> {
        let scan = footer.scan_spans(keys).map_err(|source| self.damaged(source))?;
        let mut batches = Vec::new();
        self.run(scan, |batch| batches.push(batch)).await?;
        Ok(batches)
    }

    async fn run<S: Scanning>(&mut self, mut scan: S, mut take: impl FnMut(S::Rows)) -> Result<(), Error> {
        while let Some(rows) = self.step(&mut scan).await? {
            take(rows);
        }
        Ok(())
    }

    async fn step<S: Scanning>(&mut self, scan: &mut S) -> Result<Option<S::Rows>, Error> {
        loop {
            match scan.step().map_err(|source| self.damaged(source))? {
                Step::Read(ranges) => {
                    let bytes = self.fetch(&ranges).await?;
                    scan.feed(ranges, bytes).map_err(|source| self.damaged(source))?;
                }
                Step::Batch(rows) => return Ok(Some(rows)),
                Step::Done => return Ok(None),
            }
        }
    }

    async fn fetch(&mut self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, Error> {
        self.bytes_read += ranges.iter().map(|range| range.end - range.start).sum::<u64>();
        Ok(self.catalog.store().get_ranges(&self.object.key, ranges).await?)
    }

    /// What is wrong with this block, with its name.
    pub fn damaged(&self, source: BlockError) -> Error {
        Error::Block { key: self.object.key.to_string(), source }
    }
}
