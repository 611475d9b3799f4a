//! Filters over the trace keys of a block: which keys it surely doesn't hold.

use std::sync::OnceLock;

use niente_model::TraceKey;
use parquet::bloom_filter::Sbbf;

use crate::{Footer, KeyRange, error::decode};

/// Which filter a block gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// None: the bounds of pages say enough where blocks have disjoint key ranges.
    None,
    /// One over the trace keys: Parquet's split-block Bloom filter, with about 1 % of false positives.
    TraceKeys {
        /// How many keys the block will have at most. More is harmless: the filter is folded to what it needs.
        distinct: u64,
    },
}

/// The filters of a block's row groups, decoded when they are first asked.
#[derive(Debug, Default)]
pub(crate) struct Filters(OnceLock<Vec<Option<Sbbf>>>);

impl Footer {
    /// Whether the block may hold a trace with this key: no false negatives, some false positives.
    ///
    /// It goes by the bounds of pages, and by the filter where the block has one and it lies in the end of the object
    /// that was read already. Nothing more is read.
    pub fn may_hold(&self, key: TraceKey) -> bool {
        let filters = self.filters.0.get_or_init(|| self.decode_filters());
        let value = key.0 as i64;
        self.rows_of(KeyRange::only(key)).iter().any(|rows| {
            let filter = filters[rows.row_group_index()].as_ref();
            filter.is_none_or(|filter| filter.check(&value))
        })
    }

    fn decode_filters(&self) -> Vec<Option<Sbbf>> {
        self.metadata()
            .row_groups()
            .iter()
            .map(|group| {
                let column = group.column(0);
                let (start, length) = (column.bloom_filter_offset()?, column.bloom_filter_length()?);
                let (start, length) = (u64::try_from(start).ok()?, u64::try_from(length).ok()?);
                let bytes = self.tail.slice(&(start..start.checked_add(length)?)).ok()?;
                // A filter that can't be read excludes nothing.
                decode(|| Sbbf::from_bytes(&bytes)).ok().filter(|filter| filter.num_blocks() > 0)
            })
            .collect()
    }
}
