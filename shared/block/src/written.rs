//! What a catalog is told of a block that was written.

use std::collections::BTreeSet;

use bytes::Bytes;
use niente_model::{Nanos, Span, TimeRange, TraceKey};

use crate::{AttributeScope, KeyRange};

/// A finished block, and what its entry in a catalog says.
#[derive(Clone, Debug)]
pub struct Written {
    /// The object.
    pub bytes: Bytes,
    /// How many spans it holds.
    pub rows: u64,
    /// How many bytes at the object's end [`Footer::open`](crate::Footer::open) wants: filters, page index, footer.
    pub tail: u64,
    /// The first and the last trace key.
    pub keys: KeyRange,
    /// From the first start to the last end of a span.
    pub times: TimeRange,
    /// The distinct service names of its resources that are strings; none if there are more than
    /// [`Written::MAX_SERVICES`].
    pub services: Option<BTreeSet<String>>,
    /// The keys of all attributes of its spans, resources and scopes, whatever their types; none if there are more
    /// than [`Written::MAX_ATTRIBUTES`].
    pub attributes: Option<BTreeSet<(AttributeScope, String)>>,
}

impl Written {
    /// The most services that are listed.
    pub const MAX_SERVICES: usize = 200;
    /// The most attribute keys that are listed.
    pub const MAX_ATTRIBUTES: usize = 2_000;
}

/// Which attributes and services a block has; none where there are too many.
pub(crate) struct Contents {
    pub(crate) services: Option<BTreeSet<String>>,
    pub(crate) attributes: Option<BTreeSet<(AttributeScope, String)>>,
}

/// What keys and times a block has so far.
#[derive(Debug, Default)]
pub(crate) struct Extent {
    rows: u64,
    bounds: Option<(KeyRange, Nanos, Nanos)>,
}

impl Extent {
    /// Adds a span whose key is none before the earlier ones'.
    pub(crate) fn add(&mut self, key: TraceKey, span: &Span) {
        self.rows += 1;
        let (keys, start, end) = self.bounds.get_or_insert((KeyRange::only(key), span.start, span.end()));
        keys.to = key;
        *start = span.start.min(*start);
        *end = span.end().max(*end);
    }

    /// None if no span was added.
    pub(crate) fn written(self, bytes: Bytes, tail: u64, contents: Contents) -> Option<Written> {
        let (keys, start, end) = self.bounds?;
        let times = TimeRange::lasting(start, end.saturating_sub(start));
        let Contents { services, attributes } = contents;
        Some(Written { bytes, rows: self.rows, tail, keys, times, services, attributes })
    }
}
