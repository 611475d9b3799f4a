//! The block: one plain Parquet object, one row per span, readable by DuckDB, Athena or pandas without Niente.
//!
//! Rows are sorted by [trace key](niente_model::TraceKey), trace ID, start and span ID, so that a trace is a run of
//! rows. What OTLP fixes is a column; attributes that many spans have are typed columns of their own, found by
//! [`LayoutBuilder`] and never configured; everything else lies in one generic list column per scope, so nothing is
//! ever dropped. `docs/block-format.md` describes the format for people who write SQL.
//!
//! Nothing here does I/O. Writing makes bytes: [`BlockWriter`] takes traces in order. Reading says which byte
//! ranges it needs and is handed them: [`Footer`] opens a block, [`Scan`] reads the columns of a [`Projection`] into
//! [`SpanBatch`]es for questions, [`SpanScan`] reads whole spans, one made at a time from [`SpanRows`], and [`KeyScan`]
//! reads trace keys alone. A [`ListingScan`] gathers the distinct values of a column, mostly from dictionaries, for a
//! [`Vocabulary`]. So the number of requests that a question costs is decided here, and tested without a store.
//!
//! ```
//! use niente_block::{BlockWriter, Filter, Footer, KeyRange, Layout, Opened, Step};
//! use niente_model::{Nanos, Span};
//!
//! let span = Span::new("1".parse().unwrap(), "2".parse().unwrap(), Nanos::from_secs(1));
//! let mut writer = BlockWriter::new(Layout::level0(), Filter::None).unwrap();
//! writer.write_trace(std::slice::from_ref(&span)).unwrap();
//! let block = writer.finish().unwrap().bytes;
//!
//! let Opened::Footer(footer) = Footer::open(block.len() as u64, block.clone()).unwrap() else { unreachable!() };
//! let mut scan = footer.scan_spans(KeyRange::ALL).unwrap();
//! while let Step::Batch(rows) = scan.next().unwrap() {
//!     assert_eq!(rows.into_spans().unwrap(), [span.clone()]);
//! }
//! ```

mod arrays;
mod attribute_keys;
mod attribute_rows;
mod attributes;
mod batch;
mod batches;
mod column;
mod dictionary;
mod distinct;
mod error;
mod filter;
mod footer;
mod hash;
mod keys;
mod layout;
mod list;
mod listing;
mod nested;
mod pages;
mod properties;
mod rows;
mod scan;
mod schema;
mod scoped;
mod sources;
mod spans;
mod trace;
mod vocabulary;
mod write;
mod written;

pub use batch::{SpanBatch, ValueRef};
pub use column::{AttributeColumn, AttributeScope, InvalidColumnName, ValueType};
pub use distinct::DistinctValues;
pub use error::Error;
pub use filter::Filter;
pub use footer::{ColumnWeight, FORMAT_VERSION, Footer, Opened};
pub use keys::{KeyRange, KeyRows, KeyScan};
pub use layout::{Layout, LayoutBuilder};
pub use listing::{Listing, ListingScan};
pub use scan::{Column, Projection, Scan, SpanScan, Step};
pub use spans::SpanRows;
pub use trace::{TraceSummary, canonical_order};
pub use vocabulary::{Bounds, Vocabulary};
pub use write::BlockWriter;
pub use written::Written;
