//! The distinct values of a column, from dictionaries where they tell all of them, from pages where they don't.

use std::{collections::HashSet, ops::Range};

use arrow_array::{Array, FixedSizeBinaryArray, RecordBatch};
use bytes::Bytes;
use niente_model::{TraceId, Value};

use crate::{
    Column, DistinctValues, Error, Footer, KeyRange, Step, ValueRef,
    arrays::{ids, optional_list},
    batch::{Children, Values},
    batches::{BATCH_ROWS, Batches},
    dictionary::DictionaryPage,
    scan::Leaf,
    schema,
    sources::Sources,
};

/// What to list the distinct values of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Listing {
    /// The column. Of columns of keys, the keys are the values.
    pub column: Column,
    /// Whether only spans without a parent count.
    pub roots: bool,
}

/// Lists the distinct values of a block's column, some at a time; a value may come again.
#[derive(Debug)]
pub struct ListingScan {
    footer: Footer,
    listing: Listing,
    left_out: HashSet<TraceId>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The dictionaries tell, once they are read.
    Dictionaries {
        sources: Sources,
        read: Vec<(Range<u64>, Bytes)>,
    },
    /// The pages tell.
    Pages(Box<Batches>),
    Done,
}

impl Footer {
    /// Lists the distinct values of a column, but for what these traces have alone.
    ///
    /// # Errors
    /// [`Error::Damaged`], as all that decodes.
    pub fn list(&self, listing: &Listing, left_out: &[TraceId]) -> Result<ListingScan, Error> {
        let left_out: HashSet<TraceId> = left_out.iter().copied().filter(|id| self.may_hold(id.key())).collect();
        let sources = self.sources(listing);
        let mut scan = ListingScan { footer: self.clone(), listing: listing.clone(), left_out, state: State::Done };
        scan.state = if sources.pages || !scan.left_out.is_empty() {
            State::Pages(Box::new(scan.pages()?))
        } else {
            State::Dictionaries { sources, read: Vec::new() }
        };
        Ok(scan)
    }

    /// About how many bytes of the block a listing reads, without reading any.
    pub fn listing_bytes(&self, listing: &Listing) -> u64 {
        let sources = self.sources(listing);
        if sources.pages {
            let wanted = wanted(self, listing);
            let columns = self.metadata().row_groups().iter().flat_map(|group| group.columns());
            let read = columns.filter(|column| wanted.iter().any(|leaf| leaf.is(column.column_path().parts())));
            return read.map(|column| column.compressed_size().max(0) as u64).sum();
        }
        sources.all_dictionaries().map(|page| page.range()).map(|range| range.end - range.start).sum()
    }
}

impl ListingScan {
    /// What to do next.
    #[expect(clippy::should_implement_trait, reason = "each step may need bytes first: it is no iterator")]
    pub fn next(&mut self) -> Result<Step<Vec<Value>>, Error> {
        loop {
            match &mut self.state {
                State::Dictionaries { sources, read } => {
                    let missing = missing(sources, read, &self.footer)?;
                    if !missing.is_empty() {
                        return Ok(Step::Read(missing));
                    }
                    match told(&self.footer, sources, read)? {
                        Some(values) => {
                            self.state = State::Done;
                            return Ok(Step::Batch(values));
                        }
                        None => self.state = State::Pages(Box::new(self.pages()?)),
                    }
                }
                State::Pages(batches) => {
                    return Ok(match batches.next()? {
                        Step::Read(ranges) => Step::Read(ranges),
                        Step::Batch(rows) => Step::Batch(self.distinct(&rows)?),
                        Step::Done => Step::Done,
                    });
                }
                State::Done => return Ok(Step::Done),
            }
        }
    }

    /// Takes the bytes of the ranges that were asked for, in that order.
    pub fn feed(&mut self, ranges: Vec<Range<u64>>, bytes: Vec<Bytes>) -> Result<(), Error> {
        match &mut self.state {
            State::Dictionaries { read, .. } => read.extend(ranges.into_iter().zip(bytes)),
            State::Pages(batches) => batches.feed(ranges, bytes)?,
            State::Done => {}
        }
        Ok(())
    }

    fn pages(&self) -> Result<Batches, Error> {
        let mut leaves = wanted(&self.footer, &self.listing);
        if !self.left_out.is_empty() {
            leaves.push(Leaf::Whole(schema::TRACE_ID.to_owned()));
        }
        Batches::new(&self.footer, KeyRange::ALL, BATCH_ROWS, |path| leaves.iter().any(|leaf| leaf.is(path)))
    }

    /// The distinct values of some rows.
    fn distinct(&self, rows: &RecordBatch) -> Result<Vec<Value>, Error> {
        let (events, links) = (optional_list(rows, schema::EVENTS)?, optional_list(rows, schema::LINKS)?);
        let values = Values::of(rows, &self.listing.column, &events, &links)?;
        let children = Children::of(&self.listing.column, events, links);
        let counts = self.counting(rows)?;
        let mut distinct = DistinctValues::default();
        for row in (0..rows.num_rows()).filter(|row| counts.row(*row)) {
            for index in children.range(row) {
                match &values {
                    Values::Keys(keys) => keys.get(index).for_each(|key| distinct.add(ValueRef::Str(key))),
                    values => distinct.add(values.get(index)),
                }
            }
        }
        Ok(distinct.into_values().collect())
    }

    fn counting(&self, rows: &RecordBatch) -> Result<Counting<'_>, Error> {
        let trace_ids = if self.left_out.is_empty() { None } else { Some(ids(rows, schema::TRACE_ID)?) };
        let parents = self.listing.roots.then(|| ids(rows, schema::PARENT_SPAN_ID)).transpose()?;
        Ok(Counting { left_out: &self.left_out, trace_ids, parents })
    }
}

/// The leaf columns that hold the values.
fn wanted(footer: &Footer, listing: &Listing) -> Vec<Leaf> {
    // Every scan reads the keys of traces: they say which rows are meant.
    let mut leaves = vec![Leaf::Whole(schema::TRACE_KEY.to_owned())];
    if listing.roots {
        leaves.push(Leaf::Whole(schema::PARENT_SPAN_ID.to_owned()));
    }
    footer.leaves(&listing.column, &mut leaves);
    leaves
}

/// The dictionaries that are yet to be read; what lies in the object's end has been.
fn missing(sources: &Sources, read: &mut Vec<(Range<u64>, Bytes)>, footer: &Footer) -> Result<Vec<Range<u64>>, Error> {
    let mut missing = Vec::new();
    for range in sources.all_dictionaries().map(DictionaryPage::range) {
        if read.iter().any(|(known, _)| *known == range) || missing.contains(&range) {
            continue;
        }
        if range.start >= footer.tail.start {
            let bytes = footer.tail.slice(&range)?;
            read.push((range, bytes));
        } else {
            missing.push(range);
        }
    }
    Ok(missing)
}

/// The values, as dictionaries have them; none if the pages are to be read.
fn told(footer: &Footer, sources: &mut Sources, read: &[(Range<u64>, Bytes)]) -> Result<Option<Vec<Value>>, Error> {
    let values = |page: &DictionaryPage| {
        let bytes = read.iter().find(|(range, _)| *range == page.range()).map(|(_, bytes)| bytes.clone());
        footer.read_dictionary(*page, bytes.ok_or_else(|| Error::damaged("a dictionary was not read"))?)
    };
    if let Some((key, pages)) = &sources.probes {
        for page in pages {
            if values(page)?.iter().any(|known| matches!(known, Value::Str(text) if text == key)) {
                return Ok(None);
            }
        }
    }
    let mut all = std::mem::take(&mut sources.values);
    for page in &sources.dictionaries {
        all.extend(values(page)?);
    }
    Ok(Some(all))
}

/// Which rows count.
struct Counting<'s> {
    left_out: &'s HashSet<TraceId>,
    trace_ids: Option<FixedSizeBinaryArray>,
    parents: Option<FixedSizeBinaryArray>,
}

impl Counting<'_> {
    fn row(&self, row: usize) -> bool {
        let is_left_out = self
            .trace_ids
            .as_ref()
            .is_some_and(|ids| TraceId::from_slice(ids.value(row)).is_ok_and(|id| self.left_out.contains(&id)));
        !is_left_out && self.parents.as_ref().is_none_or(|parents| parents.is_null(row))
    }
}
