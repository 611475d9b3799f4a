//! List columns, turned back into attributes, events and links.

use std::{
    hash::{BuildHasher, Hasher},
    ops::Range,
};

use arrow_array::{
    Array, ArrayRef, BinaryArray, ListArray, PrimitiveArray, StringViewArray,
    types::{TimestampNanosecondType, UInt32Type},
};
use niente_model::{Event, Key, Link, Nanos, Value};

use crate::{
    Error,
    arrays::{as_list, as_text, binary, field, primitive},
    attributes::Items,
    hash::{Distinct, FastState},
    schema::{self, event, link},
};

/// Which items each row of a list column has, of those that any row has.
struct Rows {
    list: ListArray,
    /// Items before the first row's, which were cut off with other rows.
    before: i32,
}

impl Rows {
    /// The rows, and their items.
    fn new(list: &ListArray) -> (Self, ArrayRef) {
        let offsets = list.value_offsets();
        let (first, last) = (offsets[0], offsets[list.len()]);
        let items = list.values().slice(first as usize, (last - first) as usize);
        (Self { list: list.clone(), before: first }, items)
    }

    fn items(&self, row: usize) -> Range<usize> {
        let offsets = self.list.value_offsets();
        (offsets[row] - self.before) as usize..(offsets[row + 1] - self.before) as usize
    }
}

/// A generic attribute column.
pub(crate) struct GenericLists {
    rows: Rows,
    items: Items,
    /// The key of each item, by its number in `keys`.
    key_of: Vec<u32>,
    keys: Vec<Key>,
}

impl GenericLists {
    pub(crate) fn new(list: &ListArray) -> Result<Self, Error> {
        let (rows, items) = Rows::new(list);
        let items = Items::new(&items)?;
        // The same few keys come back in every row.
        let (state, mut distinct) = (FastState::default(), Distinct::default());
        let texts = &items.key;
        let number = |item| {
            let text = texts.value(item);
            distinct.number(item, state.hash_one(text), |other| texts.value(other) == text)
        };
        let key_of = (0..texts.len()).map(number).collect();
        let keys = distinct.firsts().map(|item| Key::from(texts.value(item))).collect();
        Ok(Self { rows, items, key_of, keys })
    }

    /// How many attributes a row has.
    pub(crate) fn len(&self, row: usize) -> usize {
        self.rows.items(row).len()
    }

    pub(crate) fn pairs(&self, row: usize) -> impl Iterator<Item = Result<(Key, Value), Error>> + '_ {
        self.rows.items(row).map(|item| Ok((self.keys[self.key_of[item] as usize].clone(), self.items.value(item)?)))
    }

    /// Feeds a hash with what a row has.
    pub(crate) fn hash(&self, row: usize, hasher: &mut impl Hasher) {
        for item in self.rows.items(row) {
            hasher.write_u32(self.key_of[item]);
            self.items.hash(item, hasher);
        }
    }

    /// Whether two rows have the same attributes in the same order.
    pub(crate) fn same(&self, a: usize, b: usize) -> bool {
        let (a, b) = (self.rows.items(a), self.rows.items(b));
        a.len() == b.len() && a.zip(b).all(|(a, b)| self.key_of[a] == self.key_of[b] && self.items.same(a, b))
    }
}

pub(crate) struct Events {
    rows: Rows,
    time: PrimitiveArray<TimestampNanosecondType>,
    name: StringViewArray,
    dropped: PrimitiveArray<UInt32Type>,
    attributes: GenericLists,
}

impl Events {
    pub(crate) fn new(list: &ListArray) -> Result<Self, Error> {
        let (rows, items) = Rows::new(list);
        Ok(Self {
            rows,
            time: primitive(field(&items, event::TIME)?)?,
            name: as_text(field(&items, event::NAME)?)?,
            dropped: primitive(field(&items, schema::DROPPED_ATTRIBUTES)?)?,
            attributes: GenericLists::new(&as_list(field(&items, schema::ATTRIBUTES)?)?)?,
        })
    }

    pub(crate) fn get(&self, row: usize) -> Result<Vec<Event>, Error> {
        let event = |at| {
            Ok(Event {
                time: Nanos::from_i64(self.time.value(at)),
                name: self.name.value(at).to_owned(),
                attributes: self.attributes.pairs(at).collect::<Result<_, Error>>()?,
                dropped_attributes_count: self.dropped.value(at),
            })
        };
        self.rows.items(row).map(event).collect()
    }
}

pub(crate) struct Links {
    rows: Rows,
    trace_id: BinaryArray,
    span_id: BinaryArray,
    trace_state: StringViewArray,
    flags: PrimitiveArray<UInt32Type>,
    dropped: PrimitiveArray<UInt32Type>,
    attributes: GenericLists,
}

impl Links {
    pub(crate) fn new(list: &ListArray) -> Result<Self, Error> {
        let (rows, items) = Rows::new(list);
        Ok(Self {
            rows,
            trace_id: binary(field(&items, link::TRACE_ID)?)?,
            span_id: binary(field(&items, link::SPAN_ID)?)?,
            trace_state: as_text(field(&items, link::TRACE_STATE)?)?,
            flags: primitive(field(&items, link::FLAGS)?)?,
            dropped: primitive(field(&items, schema::DROPPED_ATTRIBUTES)?)?,
            attributes: GenericLists::new(&as_list(field(&items, schema::ATTRIBUTES)?)?)?,
        })
    }

    pub(crate) fn get(&self, row: usize) -> Result<Vec<Link>, Error> {
        let link = |at| {
            Ok(Link {
                trace_id: self.trace_id.value(at).to_vec(),
                span_id: self.span_id.value(at).to_vec(),
                trace_state: self.trace_state.value(at).to_owned(),
                attributes: self.attributes.pairs(at).collect::<Result<_, Error>>()?,
                dropped_attributes_count: self.dropped.value(at),
                flags: self.flags.value(at),
            })
        };
        self.rows.items(row).map(link).collect()
    }
}
