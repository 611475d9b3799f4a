use std::{
    fmt,
    ops::{Add, Range, Sub},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use niente_model::Nanos;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::{COALESCE_GAP, ETag, Folders, Object, ObjectKey, ObjectMeta, Page, Result, Store, Suffix, coalesce};

/// Counts the requests that S3 would bill, whatever the store inside is.
///
/// What is counted is what the trait says that a method costs: near ranges that are joined
/// ([`coalesce`](crate::coalesce) by [`COALESCE_GAP`]) are one request whose gaps are read too, an empty range is none.
/// So a test over memory tells what the same question costs on S3. A request that fails is billed and counted. Not
/// seen from here and not counted: what the store inside repeats or hedges, its second look after a lost race, and its
/// one request for the time.
///
/// Clones count together.
#[derive(Clone, Debug)]
pub struct Counting {
    inner: Arc<dyn Store>,
    counts: Arc<Mutex<Counts>>,
}

/// Requests and bytes, by kind: what a question cost.
///
/// Counts travel between functions that may be of different versions: a kind that the sender doesn't know is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// `GET`s of objects.
    pub gets: u64,
    /// `HEAD`s.
    pub heads: u64,
    /// Listings: on S3 they have the price of a `PUT`.
    pub lists: u64,
    /// `PUT`s.
    pub puts: u64,
    /// `DELETE`s: on S3 they are free.
    pub deletes: u64,
    /// Bytes of objects that were read, gaps between joined ranges included.
    pub bytes_read: u64,
    /// Bytes of objects that were sent, whether or not the write succeeded.
    pub bytes_written: u64,
    /// How long was waited for answers, all requests added up: those that ran at once count each.
    pub time: Duration,
}

impl Counting {
    /// Counts what is asked of `inner` from now on.
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner, counts: Arc::default() }
    }

    /// What was asked so far. Of two, the difference is what was asked between them.
    pub fn counts(&self) -> Counts {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, more: Counts) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts = *counts + more;
    }

    /// Counts the requests at once, their time and what they read when they have succeeded or failed.
    async fn count<T>(
        &self,
        requests: Counts,
        work: impl Future<Output = Result<T>>,
        read: impl FnOnce(&T) -> u64,
    ) -> Result<T> {
        self.add(requests);
        let start = Instant::now();
        let result = work.await;
        let bytes_read = result.as_ref().map_or(0, read);
        self.add(Counts { bytes_read, time: start.elapsed(), ..Counts::default() });
        result
    }
}

const NONE: Counts =
    Counts { gets: 0, heads: 0, lists: 0, puts: 0, deletes: 0, bytes_read: 0, bytes_written: 0, time: Duration::ZERO };
const GET: Counts = Counts { gets: 1, ..NONE };
const HEAD: Counts = Counts { heads: 1, ..NONE };
const LIST: Counts = Counts { lists: 1, ..NONE };
const DELETE: Counts = Counts { deletes: 1, ..NONE };

fn put(bytes: &Bytes) -> Counts {
    Counts { puts: 1, bytes_written: bytes.len() as u64, ..NONE }
}

fn nothing<T>(_: &T) -> u64 {
    0
}

#[async_trait]
impl Store for Counting {
    async fn get(&self, key: &ObjectKey) -> Result<Object> {
        self.count(GET, self.inner.get(key), |object| object.bytes.len() as u64).await
    }

    async fn get_if_none_match(&self, key: &ObjectKey, known: &ETag) -> Result<Option<Object>> {
        let read = |object: &Option<Object>| object.as_ref().map_or(0, |object| object.bytes.len() as u64);
        self.count(GET, self.inner.get_if_none_match(key, known), read).await
    }

    async fn get_range(&self, key: &ObjectKey, range: Range<u64>) -> Result<Bytes> {
        let requests = if range.is_empty() { NONE } else { GET };
        self.count(requests, self.inner.get_range(key, range), |bytes| bytes.len() as u64).await
    }

    async fn get_ranges(&self, key: &ObjectKey, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let joined = coalesce(ranges, COALESCE_GAP);
        let requests = Counts { gets: joined.len() as u64, ..NONE };
        let read = |_: &Vec<Bytes>| joined.iter().map(|range| range.end - range.start).sum();
        self.count(requests, self.inner.get_ranges(key, ranges), read).await
    }

    async fn get_suffix(&self, key: &ObjectKey, length: u64) -> Result<Suffix> {
        let requests = if length == 0 { HEAD } else { GET };
        self.count(requests, self.inner.get_suffix(key, length), |suffix| suffix.bytes.len() as u64).await
    }

    async fn head(&self, key: &ObjectKey) -> Result<ObjectMeta> {
        self.count(HEAD, self.inner.head(key), nothing).await
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Page> {
        self.count(LIST, self.inner.list(prefix, start_after), nothing).await
    }

    async fn list_folders(&self, prefix: &str, start_after: Option<&str>) -> Result<Folders> {
        self.count(LIST, self.inner.list_folders(prefix, start_after), nothing).await
    }

    async fn put_if_absent(&self, key: &ObjectKey, bytes: Bytes) -> Result<ETag> {
        self.count(put(&bytes), self.inner.put_if_absent(key, bytes), nothing).await
    }

    async fn put_if_match(&self, key: &ObjectKey, bytes: Bytes, expected: &ETag) -> Result<ETag> {
        self.count(put(&bytes), self.inner.put_if_match(key, bytes, expected), nothing).await
    }

    async fn delete(&self, key: &ObjectKey) -> Result<()> {
        self.count(DELETE, self.inner.delete(key), nothing).await
    }

    async fn delete_if_match(&self, key: &ObjectKey, expected: &ETag) -> Result<()> {
        self.count(DELETE, self.inner.delete_if_match(key, expected), nothing).await
    }

    async fn now(&self) -> Result<Nanos> {
        self.inner.now().await
    }
}

impl Counts {
    /// All requests, of whatever kind.
    pub fn requests(&self) -> u64 {
        self.gets + self.heads + self.lists + self.puts + self.deletes
    }

    /// Both fields of two counts by `each`, and their times by `time`.
    fn with(self, other: Self, each: fn(u64, u64) -> u64, time: fn(Duration, Duration) -> Duration) -> Self {
        Self {
            gets: each(self.gets, other.gets),
            heads: each(self.heads, other.heads),
            lists: each(self.lists, other.lists),
            puts: each(self.puts, other.puts),
            deletes: each(self.deletes, other.deletes),
            bytes_read: each(self.bytes_read, other.bytes_read),
            bytes_written: each(self.bytes_written, other.bytes_written),
            time: time(self.time, other.time),
        }
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        self.with(more, u64::saturating_add, Duration::saturating_add)
    }
}

impl Sub for Counts {
    type Output = Self;

    /// What was asked since `earlier`.
    fn sub(self, earlier: Self) -> Self {
        self.with(earlier, u64::saturating_sub, Duration::saturating_sub)
    }
}

impl fmt::Display for Counts {
    /// `3 GET, 1 LIST, 2.1 MB read, 0.123 s waited`: kinds of which there were none are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [
            (self.gets, "GET"),
            (self.heads, "HEAD"),
            (self.lists, "LIST"),
            (self.puts, "PUT"),
            (self.deletes, "DELETE"),
        ];
        if self.requests() == 0 {
            f.write_str("no requests, ")?;
        }
        for (count, name) in kinds.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, "{count} {name}, ")?;
        }
        for (bytes, name) in [(self.bytes_read, "read"), (self.bytes_written, "written")] {
            match bytes {
                0 => {}
                1..1_000 => write!(f, "{bytes} B {name}, ")?,
                1_000..1_000_000 => write!(f, "{:.1} kB {name}, ", bytes as f64 / 1e3)?,
                _ => write!(f, "{:.1} MB {name}, ", bytes as f64 / 1e6)?,
            }
        }
        write!(f, "{:.3} s waited", self.time.as_secs_f64())
    }
}
