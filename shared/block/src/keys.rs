//! Trace keys: ranges of them, and a scan that reads nothing but keys and starts.

use std::ops::Range;

use arrow_array::{
    PrimitiveArray, RecordBatch,
    types::{TimestampNanosecondType, UInt64Type},
};
use bytes::Bytes;
use niente_model::{Nanos, TraceKey};
use serde::{Deserialize, Serialize};

use crate::{
    Error, Footer, Step,
    arrays::{column, primitive},
    batches::Batches,
    schema,
};

/// A range of trace keys, both ends included: the part of a block that one shard reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRange {
    /// The first key.
    pub from: TraceKey,
    /// The last key.
    pub to: TraceKey,
}

/// Reads the trace key and the start of each span.
#[derive(Debug)]
pub struct KeyScan {
    batches: Batches,
}

/// The trace keys and starts of some spans, in the block's order.
#[derive(Clone, Debug)]
pub struct KeyRows {
    keys: PrimitiveArray<UInt64Type>,
    starts: PrimitiveArray<TimestampNanosecondType>,
}

/// Rows of 16 bytes each.
const ROWS: usize = 65_536;

impl KeyRange {
    /// Every key.
    pub const ALL: KeyRange = KeyRange { from: TraceKey(0), to: TraceKey(u64::MAX) };

    /// Just this key.
    pub fn only(key: TraceKey) -> Self {
        Self { from: key, to: key }
    }

    /// The `index`-th of `shards` equal parts of all keys.
    pub fn shard(index: u64, shards: u64) -> Self {
        let edge = |n: u64| ((u128::from(n) << 64) / u128::from(shards)) as u64;
        let to = if index + 1 == shards { u64::MAX } else { edge(index + 1) - 1 };
        Self { from: TraceKey(edge(index)), to: TraceKey(to) }
    }

    /// Whether the ranges have a key in common.
    pub fn overlaps(&self, other: KeyRange) -> bool {
        self.from <= other.to && other.from <= self.to
    }

    /// Whether the key is one of the range's.
    pub fn contains(&self, key: TraceKey) -> bool {
        self.from <= key && key <= self.to
    }
}

impl Footer {
    /// Reads the trace keys and starts of the spans in `keys`: what an index of traces is made of.
    pub fn scan_keys(&self, keys: KeyRange) -> Result<KeyScan, Error> {
        let wanted = |path: &[String]| [schema::TRACE_KEY, schema::START].contains(&path[0].as_str());
        Ok(KeyScan { batches: Batches::new(self, keys, ROWS, wanted)? })
    }
}

impl KeyScan {
    /// What to do next.
    #[expect(clippy::should_implement_trait, reason = "each step may need bytes first: it is no iterator")]
    pub fn next(&mut self) -> Result<Step<KeyRows>, Error> {
        Ok(match self.batches.next()? {
            Step::Read(ranges) => Step::Read(ranges),
            Step::Batch(rows) => Step::Batch(KeyRows::new(&rows)?),
            Step::Done => Step::Done,
        })
    }

    /// Takes the bytes of the ranges that were asked for, in that order.
    pub fn feed(&mut self, ranges: Vec<Range<u64>>, bytes: Vec<Bytes>) -> Result<(), Error> {
        self.batches.feed(ranges, bytes)
    }
}

impl KeyRows {
    fn new(rows: &RecordBatch) -> Result<Self, Error> {
        let (keys, starts) = (column(rows, schema::TRACE_KEY)?, column(rows, schema::START)?);
        Ok(Self { keys: primitive(keys)?, starts: primitive(starts)? })
    }

    /// How many spans there are.
    pub fn len(&self) -> usize {
        self.keys.values().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The key of the span's trace.
    pub fn key(&self, row: usize) -> TraceKey {
        TraceKey(self.keys.value(row))
    }

    /// When the span began.
    pub fn start(&self, row: usize) -> Nanos {
        Nanos::from_i64(self.starts.value(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_cover_all_keys_once() {
        for shards in [1, 2, 3, 7, 256, 1000] {
            let ranges: Vec<_> = (0..shards).map(|index| KeyRange::shard(index, shards)).collect();
            assert_eq!(ranges[0].from, TraceKey(0));
            assert_eq!(ranges[ranges.len() - 1].to, TraceKey(u64::MAX));
            assert!(ranges.windows(2).all(|pair| pair[0].to.0 + 1 == pair[1].from.0), "{shards}");
        }
    }
}
