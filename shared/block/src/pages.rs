//! What the metadata says of pages: which may hold a key, what they weigh, how to read them piece by piece.

use niente_model::TraceKey;
use parquet::{
    arrow::{
        arrow_reader::{RowSelection, RowSelector},
        push_decoder::RowGroupSelection,
    },
    basic::Type,
    file::{
        metadata::ColumnChunkMetaData,
        page_index::{column_index::ColumnIndexMetaData, offset_index::OffsetIndexMetaData},
    },
};

use crate::{Footer, KeyRange, properties::DICTIONARY_BYTES};

impl Footer {
    /// The pages that may hold traces of `keys`: row groups and rows in them.
    pub(crate) fn rows_of(&self, keys: KeyRange) -> Vec<RowGroupSelection> {
        (0..self.metadata().num_row_groups())
            .filter_map(|group| {
                if keys == KeyRange::ALL {
                    return Some(RowGroupSelection::new(group, None));
                }
                let selection = self.pages_of(group, keys)?;
                selection.selects_any().then(|| RowGroupSelection::new(group, Some(selection)))
            })
            .collect()
    }

    fn pages_of(&self, group: usize, keys: KeyRange) -> Option<RowSelection> {
        let rows = self.metadata().row_group(group).num_rows() as usize;
        let index = self.metadata().page_index_for_row_group(group);
        // The trace key is the first column, and sorted.
        let (Some(ColumnIndexMetaData::INT64(bounds)), Some(pages)) = (index.column_index(0), index.page_locations(0))
        else {
            return Some(RowSelection::from(vec![RowSelector::select(rows)]));
        };
        let starts = pages.iter().map(|page| page.first_row_index as usize);
        let ends = starts.clone().skip(1).chain([rows]);
        let selectors = starts.zip(ends).enumerate().map(|(page, (start, end))| {
            let key = |value: Option<&i64>| value.map(|value| TraceKey(*value as u64));
            let before = key(bounds.max_value(page)).is_some_and(|max| max < keys.from);
            let after = key(bounds.min_value(page)).is_some_and(|min| min > keys.to);
            if before || after { RowSelector::skip(end - start) } else { RowSelector::select(end - start) }
        });
        Some(selectors.collect())
    }

    /// Contiguous ranges that cover all keys in order, each with pages of about `max_bytes` of the object.
    ///
    /// They are cut between pages of trace keys: each has at least one, and more than `max_bytes` where a page or a
    /// trace is larger than that. A page with the border of two slices is read for both, and so are dictionaries.
    pub fn slices(&self, max_bytes: u64) -> Vec<KeyRange> {
        let mut starts = vec![TraceKey(0)];
        let mut bytes = 0;
        for group in 0..self.row_groups() {
            let dictionaries = self.metadata().row_group(group).columns().iter().map(dictionary_bytes).sum::<u64>();
            bytes += dictionaries;
            for (first, weight) in self.key_pages(group) {
                if bytes > dictionaries && bytes + weight > max_bytes && first > starts[starts.len() - 1] {
                    starts.push(first);
                    bytes = dictionaries;
                }
                bytes += weight;
            }
        }
        let ends = starts.iter().skip(1).map(|start| TraceKey(start.0 - 1)).chain([TraceKey(u64::MAX)]);
        starts.iter().zip(ends).map(|(from, to)| KeyRange { from: *from, to }).collect()
    }

    /// The first key of each page of trace keys, and how many bytes of all columns begin in its rows.
    fn key_pages(&self, group: usize) -> Vec<(TraceKey, u64)> {
        let index = self.metadata().page_index_for_row_group(group);
        let (Some(ColumnIndexMetaData::INT64(bounds)), Some(pages)) = (index.column_index(0), index.page_locations(0))
        else {
            return Vec::new();
        };
        let key = |page| bounds.min_value(page).map_or(TraceKey(0), |key| TraceKey(*key as u64));
        let mut weights: Vec<_> = (0..pages.len()).map(|page| (key(page), 0)).collect();
        for column in 0..self.metadata().row_group(group).num_columns() {
            for page in index.page_locations(column).into_iter().flatten() {
                let at = pages.partition_point(|other| other.first_row_index <= page.first_row_index).saturating_sub(1);
                if let Some((_, weight)) = weights.get_mut(at) {
                    *weight += page.compressed_page_size.max(0) as u64;
                }
            }
        }
        weights
    }

    /// An upper estimate of the bytes that one span scan holds decompressed at a time: of each column the largest
    /// page and the dictionary.
    pub fn decoding_bytes(&self) -> u64 {
        self.groups().map(|group| group.columns.iter().map(ColumnPages::decoding_bytes).sum()).max().unwrap_or_default()
    }

    /// How many rows hold about `bytes` once decoded, in the heaviest pages.
    pub(crate) fn rows_in(&self, bytes: u64) -> usize {
        let of_row = |group: GroupPages<'_>| group.columns.iter().map(ColumnPages::row_bytes).sum::<f64>();
        let heaviest = self.groups().map(of_row).fold(1.0, f64::max);
        (bytes as f64 / heaviest) as usize
    }

    fn groups(&self) -> impl Iterator<Item = GroupPages<'_>> {
        self.metadata().row_groups().iter().enumerate().map(|(at, group)| {
            let index = self.metadata().page_index_for_row_group(at);
            let rows = group.num_rows().max(1) as u64;
            let columns = group.columns().iter().enumerate();
            let columns = columns.map(|(at, chunk)| ColumnPages::new(chunk, rows, index.offset_index(at))).collect();
            GroupPages { columns }
        })
    }
}

struct GroupPages<'f> {
    columns: Vec<ColumnPages<'f>>,
}

/// The pages of one column in one row group.
struct ColumnPages<'f> {
    chunk: &'f ColumnChunkMetaData,
    pages: Vec<Page>,
}

/// What is known of a page: its rows, its bytes in the object, and about how many once it is decoded.
struct Page {
    rows: u64,
    compressed: u64,
    decoded: u64,
}

impl<'f> ColumnPages<'f> {
    fn new(chunk: &'f ColumnChunkMetaData, rows: u64, index: Option<&OffsetIndexMetaData>) -> Self {
        // Without an index the column counts as one page.
        let Some(index) = index else {
            let decoded = chunk.unencoded_byte_array_data_bytes().unwrap_or_default().max(0) as u64
                + chunk.num_values().max(0) as u64 * width(chunk);
            let compressed = chunk.compressed_size().max(0) as u64;
            return Self { chunk, pages: vec![Page { rows, compressed, decoded }] };
        };
        let values_of_row = (chunk.num_values().max(0) as f64 / rows as f64).max(1.0);
        let starts = index.page_locations().iter().map(|page| page.first_row_index.max(0) as u64);
        let ends = starts.clone().skip(1).chain([rows]);
        let texts = index.unencoded_byte_array_data_bytes();
        let pages =
            index.page_locations().iter().zip(starts.zip(ends)).enumerate().map(|(at, (page, (start, end)))| {
                let rows = end.saturating_sub(start).max(1);
                let compressed = page.compressed_page_size.max(0) as u64;
                let text = texts.and_then(|texts| texts.get(at)).map_or(0, |bytes| (*bytes).max(0) as u64);
                // How many items a page's lists have isn't said: of the average, or of what can't be packed in less.
                let fixed = (rows as f64 * values_of_row) as u64 * width(chunk);
                Page { rows, compressed, decoded: text + fixed.max(compressed) }
            });
        Self { chunk, pages: pages.collect() }
    }

    /// The largest page and the dictionary.
    fn decoding_bytes(&self) -> u64 {
        let uncompressed = self.chunk.uncompressed_size().max(0) as u64;
        let page = self.pages.iter().map(|page| page.decoded).max().unwrap_or_default().min(uncompressed);
        // The pages weigh at least what they do compressed: the rest is the dictionary.
        let pages = self.pages.iter().map(|page| page.compressed).sum::<u64>();
        let dictionary = match self.chunk.dictionary_page_offset() {
            Some(_) => uncompressed.saturating_sub(pages).min(DICTIONARY_BYTES as u64),
            None => 0,
        };
        page + dictionary
    }

    /// Bytes of a row in the heaviest page.
    fn row_bytes(&self) -> f64 {
        self.pages.iter().map(|page| page.decoded as f64 / page.rows as f64).fold(0.0, f64::max)
    }
}

/// The most bytes that one value takes, beside what text it has: in a decoded array, or in a page with its levels.
fn width(chunk: &ColumnChunkMetaData) -> u64 {
    1 + match chunk.column_type() {
        Type::BOOLEAN => 1,
        Type::INT32 | Type::FLOAT => 4,
        Type::INT64 | Type::DOUBLE => 8,
        // Of an array of bytes, a view.
        Type::INT96 | Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY => 16,
    }
}

fn dictionary_bytes(chunk: &ColumnChunkMetaData) -> u64 {
    let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
    (chunk.data_page_offset() - start).max(0) as u64
}
