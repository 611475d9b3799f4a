use std::ops::Range;

use bytes::Bytes;

use crate::{
    AttributeScope, Error, Footer, KeyRange, SpanBatch, SpanRows, batch,
    batches::{BATCH_ROWS, Batches},
    schema::{self, attribute, event, link},
};

/// What a scan wants next, or has made.
#[derive(Debug)]
pub enum Step<T> {
    /// Read these ranges of the object and feed them to the scan.
    Read(Vec<Range<u64>>),
    /// Rows, in the block's order.
    Batch(T),
    /// There is no more.
    Done,
}

/// What a question wants to know of each span, beyond what identifies and places it.
#[derive(Clone, Debug, Default)]
pub struct Projection {
    columns: Vec<Column>,
}

/// One thing to know of a span, or of each of its events or links.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Column {
    /// The span's name.
    Name,
    /// The message of its status.
    StatusMessage,
    /// The name of the instrumentation scope.
    ScopeName,
    /// The version of the instrumentation scope.
    ScopeVersion,
    /// An attribute, whatever its type and wherever it is stored.
    Attribute(AttributeScope, String),
    /// All attributes of a scope: see [`SpanBatch::attributes`].
    Attributes(AttributeScope),
    /// Of each event: its name.
    EventName,
    /// Of each event: its time, in nanoseconds since the epoch.
    EventTime,
    /// Of each event: an attribute.
    EventAttribute(String),
    /// Of each link: the trace referred to, as bytes.
    LinkTraceId,
    /// Of each link: the span referred to, as bytes.
    LinkSpanId,
    /// Of each link: an attribute.
    LinkAttribute(String),
    /// The keys of all attributes that the span, its resource or its scope has.
    Keys(AttributeScope),
    /// Of each event: the keys of all its attributes.
    EventKeys,
    /// Of each link: the keys of all its attributes.
    LinkKeys,
}

impl Projection {
    /// Adds a column, if it isn't there yet, and says at which position it is.
    pub fn add(&mut self, column: Column) -> usize {
        self.columns.iter().position(|known| *known == column).unwrap_or_else(|| {
            self.columns.push(column);
            self.columns.len() - 1
        })
    }

    /// The columns, by position.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }
}

/// Reads the columns of a projection.
#[derive(Debug)]
pub struct Scan {
    batches: Batches,
    projection: Projection,
}

/// Batches of whole spans hold about so many bytes at most.
const BATCH_BYTES: u64 = 8 << 20;

/// Reads whole spans.
#[derive(Debug)]
pub struct SpanScan {
    batches: Batches,
}

impl Footer {
    /// Reads what `projection` asks of the traces in `keys`.
    pub fn scan(&self, projection: &Projection, keys: KeyRange) -> Result<Scan, Error> {
        let wanted = self.wanted(projection);
        let batches = Batches::new(self, keys, BATCH_ROWS, |path| wanted.iter().any(|leaf| leaf.is(path)))?;
        Ok(Scan { batches, projection: projection.clone() })
    }

    /// How many bytes of the block such a scan reads for all keys, without reading any.
    pub fn scan_bytes(&self, projection: &Projection) -> u64 {
        let wanted = self.wanted(projection);
        let columns = self.metadata().row_groups().iter().flat_map(|group| group.columns());
        let read = columns.filter(|column| wanted.iter().any(|leaf| leaf.is(column.column_path().parts())));
        read.map(|column| column.compressed_size().max(0) as u64).sum()
    }

    /// The columns that a projection takes, with those that every scan reads.
    fn wanted(&self, projection: &Projection) -> Vec<Leaf> {
        let mut wanted = vec![Leaf::Whole(schema::TRACE_KEY.to_owned())];
        wanted.extend(batch::IDENTITY.iter().map(|name| Leaf::Whole((*name).to_owned())));
        for column in &projection.columns {
            self.leaves(column, &mut wanted);
        }
        wanted
    }

    /// Reads all of the spans of the traces in `keys`.
    pub fn scan_spans(&self, keys: KeyRange) -> Result<SpanScan, Error> {
        self.scan_spans_by(keys, BATCH_BYTES)
    }

    /// Reads all of the spans of the traces in `keys`, in batches of about so many bytes: for those who read many
    /// blocks side by side.
    pub fn scan_spans_by(&self, keys: KeyRange, batch_bytes: u64) -> Result<SpanScan, Error> {
        let rows = self.rows_in(batch_bytes).clamp(1, BATCH_ROWS);
        Ok(SpanScan { batches: Batches::new(self, keys, rows, |_| true)? })
    }

    pub(crate) fn leaves(&self, column: &Column, wanted: &mut Vec<Leaf>) {
        match column {
            Column::Name => wanted.push(Leaf::Whole(schema::NAME.into())),
            Column::StatusMessage => wanted.push(Leaf::Whole(schema::STATUS_MESSAGE.into())),
            Column::ScopeName => wanted.push(Leaf::Whole(schema::SCOPE_NAME.into())),
            Column::ScopeVersion => wanted.push(Leaf::Whole(schema::SCOPE_VERSION.into())),
            Column::Attribute(scope, key) => {
                let typed = self.attribute_columns().iter().filter(|c| c.scope == *scope && c.key == *key);
                wanted.extend(typed.map(|column| Leaf::Whole(column.name())));
                wanted.push(Leaf::Whole(batch::generic_column(*scope).into()));
            }
            Column::Attributes(scope) => {
                let typed = self.attribute_columns().iter().filter(|column| column.scope == *scope);
                wanted.extend(typed.map(|column| Leaf::Whole(column.name())));
                wanted.push(Leaf::Whole(batch::generic_column(*scope).into()));
            }
            Column::EventName => wanted.push(Leaf::Part(schema::EVENTS, event::NAME)),
            Column::EventTime => wanted.push(Leaf::Part(schema::EVENTS, event::TIME)),
            Column::EventAttribute(_) => wanted.push(Leaf::Part(schema::EVENTS, schema::ATTRIBUTES)),
            Column::LinkTraceId => wanted.push(Leaf::Part(schema::LINKS, link::TRACE_ID)),
            Column::LinkSpanId => wanted.push(Leaf::Part(schema::LINKS, link::SPAN_ID)),
            Column::LinkAttribute(_) => wanted.push(Leaf::Part(schema::LINKS, schema::ATTRIBUTES)),
            Column::Keys(scope) => {
                let typed = self.attribute_columns().iter().filter(|column| column.scope == *scope);
                wanted.extend(typed.map(|column| Leaf::Whole(column.name())));
                wanted.push(Leaf::Part(batch::generic_column(*scope), attribute::KEY));
            }
            Column::EventKeys => wanted.push(Leaf::Inner(schema::EVENTS, schema::ATTRIBUTES, attribute::KEY)),
            Column::LinkKeys => wanted.push(Leaf::Inner(schema::LINKS, schema::ATTRIBUTES, attribute::KEY)),
        }
    }
}

/// Names columns of the Parquet schema to read.
pub(crate) enum Leaf {
    /// A column with all that is nested in it.
    Whole(String),
    /// One field of the structs in a list column.
    Part(&'static str, &'static str),
    /// One field of the structs in a list that is itself such a field.
    Inner(&'static str, &'static str, &'static str),
}

impl Leaf {
    /// Whether it names the leaf with this path; that of a list's field is `events.list.element.name`.
    pub(crate) fn is(&self, path: &[String]) -> bool {
        match self {
            Leaf::Whole(name) => path[0] == *name,
            Leaf::Part(list, field) => path[0] == *list && path.get(3).is_some_and(|part| part == field),
            Leaf::Inner(list, inner, field) => {
                Leaf::Part(list, inner).is(path) && path.get(6).is_some_and(|part| part == field)
            }
        }
    }
}

impl Scan {
    /// What to do next.
    #[expect(clippy::should_implement_trait, reason = "each step may need bytes first: it is no iterator")]
    pub fn next(&mut self) -> Result<Step<SpanBatch>, Error> {
        Ok(match self.batches.next()? {
            Step::Read(ranges) => Step::Read(ranges),
            Step::Batch(rows) => Step::Batch(SpanBatch::new(&rows, &self.projection)?),
            Step::Done => Step::Done,
        })
    }

    /// Takes the bytes of the ranges that were asked for, in that order.
    pub fn feed(&mut self, ranges: Vec<Range<u64>>, bytes: Vec<Bytes>) -> Result<(), Error> {
        self.batches.feed(ranges, bytes)
    }
}

impl SpanScan {
    /// What to do next.
    #[expect(clippy::should_implement_trait, reason = "each step may need bytes first: it is no iterator")]
    pub fn next(&mut self) -> Result<Step<SpanRows>, Error> {
        Ok(match self.batches.next()? {
            Step::Read(ranges) => Step::Read(ranges),
            Step::Batch(rows) => Step::Batch(SpanRows::new(&rows)?),
            Step::Done => Step::Done,
        })
    }

    /// Takes the bytes of the ranges that were asked for, in that order.
    pub fn feed(&mut self, ranges: Vec<Range<u64>>, bytes: Vec<Bytes>) -> Result<(), Error> {
        self.batches.feed(ranges, bytes)
    }
}
