//! What the metadata and the dictionaries of a block tell of a column's values, without its pages.
//!
//! A dictionary page holds exactly the distinct values of a row group, as long as all of its pages point into it. It
//! lies before them: some hundred bytes instead of megabytes.

use std::{ops::Range, sync::Arc};

use bytes::{Buf, Bytes, buf::Reader};
use niente_model::Value;
use parquet::{
    basic::{Encoding, Type},
    column::page::{Page, PageReader},
    errors::{ParquetError, Result as ParquetResult},
    file::{
        metadata::ColumnChunkMetaData,
        reader::{ChunkReader, Length},
        serialized_reader::SerializedPageReader,
        statistics::Statistics,
    },
};

use crate::{Error, Footer, error::decode};

/// Where the distinct values of one column in one row group can be had.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Told {
    /// These are all.
    Values(Vec<Value>),
    /// They are in the dictionary.
    InDictionary(DictionaryPage),
    /// In the pages alone.
    InPages,
}

/// The dictionary of one column in one row group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DictionaryPage {
    group: usize,
    leaf: usize,
    start: u64,
    end: u64,
}

impl Footer {
    /// Where the values of a leaf column are, by row group.
    pub(crate) fn told(&self, leaf: usize) -> impl Iterator<Item = Told> + '_ {
        self.metadata().row_groups().iter().enumerate().map(move |(group, columns)| {
            let chunk = columns.column(leaf);
            match has_values(chunk) {
                Some(false) => Told::Values(Vec::new()),
                _ if chunk.column_type() == Type::BOOLEAN => booleans(chunk).map_or(Told::InPages, Told::Values),
                _ => page(chunk, group, leaf).map_or(Told::InPages, Told::InDictionary),
            }
        })
    }

    /// Whether a leaf column has any value; none if the metadata doesn't tell.
    pub(crate) fn leaf_has_values(&self, leaf: usize) -> Option<bool> {
        let mut told = Some(false);
        for group in self.metadata().row_groups() {
            match has_values(group.column(leaf)) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => told = None,
            }
        }
        told
    }

    /// The values of a dictionary, by its bytes.
    pub(crate) fn read_dictionary(&self, page: DictionaryPage, bytes: Bytes) -> Result<Vec<Value>, Error> {
        let group = self.metadata().row_group(page.group);
        let chunk = group.column(page.leaf);
        let part = Part { start: page.start, bytes };
        decode(|| {
            let mut pages = SerializedPageReader::new(Arc::new(part), chunk, group.num_rows().max(0) as usize, None)?;
            match pages.get_next_page()? {
                Some(Page::DictionaryPage { buf, num_values, .. }) => plain(chunk.column_type(), buf, num_values),
                _ => Err(ParquetError::General("its dictionary is not where the footer says".to_owned())),
            }
        })
    }
}

impl DictionaryPage {
    /// Where it lies in the object.
    pub(crate) fn range(self) -> Range<u64> {
        self.start..self.end
    }
}

fn has_values(chunk: &ColumnChunkMetaData) -> Option<bool> {
    let nulls = chunk.statistics()?.null_count_opt()?;
    Some(nulls < chunk.num_values().max(0) as u64)
}

fn booleans(chunk: &ColumnChunkMetaData) -> Option<Vec<Value>> {
    let Statistics::Boolean(bounds) = chunk.statistics()? else { return None };
    let (min, max) = (*bounds.min_opt()?, *bounds.max_opt()?);
    Some(if min == max { vec![Value::Bool(min)] } else { vec![Value::Bool(min), Value::Bool(max)] })
}

/// The chunk's dictionary, if all of its pages point into it.
fn page(chunk: &ColumnChunkMetaData, group: usize, leaf: usize) -> Option<DictionaryPage> {
    let encodings = chunk.page_encoding_stats_mask()?;
    let all = encodings.is_only(Encoding::RLE_DICTIONARY) || encodings.is_only(Encoding::PLAIN_DICTIONARY);
    let start = u64::try_from(chunk.dictionary_page_offset()?).ok()?;
    let end = u64::try_from(chunk.data_page_offset()).ok()?;
    let readable = matches!(chunk.column_type(), Type::BYTE_ARRAY | Type::INT64 | Type::DOUBLE);
    (all && readable && start < end).then_some(DictionaryPage { group, leaf, start, end })
}

/// Values in Parquet's plain encoding.
fn plain(of: Type, mut bytes: Bytes, count: u32) -> ParquetResult<Vec<Value>> {
    let short = || ParquetError::General("its dictionary ends in the middle of a value".to_owned());
    let mut values = Vec::new();
    for _ in 0..count {
        values.push(match of {
            Type::INT64 => Value::Int(bytes.try_get_i64_le().map_err(|_| short())?),
            Type::DOUBLE => Value::Float(bytes.try_get_f64_le().map_err(|_| short())?),
            _ => {
                let length = bytes.try_get_u32_le().map_err(|_| short())? as usize;
                if length > bytes.len() {
                    return Err(short());
                }
                let text = bytes.split_to(length).to_vec();
                Value::Str(String::from_utf8(text).map_err(|error| ParquetError::General(error.to_string()))?)
            }
        });
    }
    Ok(values)
}

/// A part of an object, at its place.
struct Part {
    start: u64,
    bytes: Bytes,
}

impl Part {
    fn from(&self, start: u64) -> ParquetResult<Bytes> {
        let skipped = start.checked_sub(self.start).filter(|skipped| *skipped <= self.bytes.len() as u64);
        let skipped = skipped.ok_or_else(|| ParquetError::EOF("beyond the part that was read".to_owned()))?;
        Ok(self.bytes.slice(skipped as usize..))
    }
}

impl Length for Part {
    fn len(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

impl ChunkReader for Part {
    type T = Reader<Bytes>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        Ok(self.from(start)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        let rest = self.from(start)?;
        if length > rest.len() {
            return Err(ParquetError::EOF("beyond the part that was read".to_owned()));
        }
        Ok(rest.slice(..length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_values_are_read_and_damaged_ones_refused() {
        let ints = [1_i64.to_le_bytes(), (-2_i64).to_le_bytes()].concat();
        assert_eq!(plain(Type::INT64, ints.clone().into(), 2).unwrap(), [Value::Int(1), Value::Int(-2)]);
        assert_eq!(plain(Type::DOUBLE, 0.5_f64.to_le_bytes().to_vec().into(), 1).unwrap(), [Value::Float(0.5)]);
        let text = [&2_u32.to_le_bytes()[..], b"ab", &0_u32.to_le_bytes()[..]].concat();
        assert_eq!(plain(Type::BYTE_ARRAY, text.clone().into(), 2).unwrap(), [Value::from("ab"), Value::from("")]);
        assert!(plain(Type::INT64, ints.into(), 3).is_err());
        assert!(plain(Type::BYTE_ARRAY, text.into(), 3).is_err());
        assert!(plain(Type::BYTE_ARRAY, vec![9, 0, 0, 0, b'a'].into(), 1).is_err());
        assert!(plain(Type::BYTE_ARRAY, vec![1, 0, 0, 0, 0xff].into(), 1).is_err());
    }
}
