use std::{
    collections::{HashMap, VecDeque},
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::{Either, select, try_join_all};
use niente_model::Nanos;
use tokio::time::{Instant, sleep};

use crate::{
    COALESCE_GAP, ETag, Error, ErrorKind, Folders, Object, ObjectKey, ObjectMeta, Page, Result, Store, Suffix,
    coalesce, coalesce::holder,
};

/// How many of the latest requests of a kind tell how long one takes.
const REMEMBERED: usize = 128;
/// So many requests of a kind have to be known before one is sent again.
const KNOWN: usize = 16;
/// One in so many requests is sent again at most.
const SHARE: u64 = 20;
/// No request is sent again before this, however fast others are.
const FLOOR: Duration = Duration::from_millis(50);

/// Sends a read again that takes longer than nearly all of its kind do, and takes the answer that comes first.
///
/// A small read of S3 takes 27 ms at the median and 75 ms at the 95th percentile, but seconds at the far tail, and who
/// waits for a hundred reads waits for the slowest. A read is sent again when it has taken longer than 95 of 100 of the
/// latest of its kind and size, and no sooner than after 50 ms; at most one in twenty is, so that a store that is slow
/// altogether isn't asked twice as much. Joined ranges are sent again one by one.
///
/// Writes are passed on: sent twice, a conditional write would fail because of itself.
///
/// Methods that read must be called within Tokio's runtime. Clones remember together.
#[derive(Clone, Debug)]
pub struct Hedged {
    inner: Arc<dyn Store>,
    past: Arc<Mutex<Past>>,
}

/// What requests were like so far.
#[derive(Debug, Default)]
struct Past {
    times: HashMap<Class, VecDeque<Duration>>,
    sent: u64,
    sent_again: u64,
}

/// Requests that take about the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Class {
    Whole,
    /// So many bytes, as a power of 16.
    Part(u32),
    Head,
    List,
}

impl Class {
    fn part(length: u64) -> Self {
        Class::Part(length.max(1).ilog2() / 4)
    }
}

impl Past {
    /// After which time a request of this class is to be sent again.
    fn patience(&self, class: Class) -> Option<Duration> {
        let times = self.times.get(&class).filter(|times| times.len() >= KNOWN)?;
        let mut sorted: Vec<_> = times.iter().copied().collect();
        let at = sorted.len() * 95 / 100;
        let (_, nearly_all, _) = sorted.select_nth_unstable(at.min(times.len() - 1));
        Some((*nearly_all).max(FLOOR))
    }

    fn remember(&mut self, class: Class, time: Duration) {
        let times = self.times.entry(class).or_default();
        if times.len() == REMEMBERED {
            times.pop_front();
        }
        times.push_back(time);
    }

    /// Whether one more may be sent again; if so, it is counted.
    fn may_repeat(&mut self) -> bool {
        let may = (self.sent_again + 1) * SHARE <= self.sent;
        self.sent_again += u64::from(may);
        may
    }
}

impl Hedged {
    /// Reads of `inner`, of which the slow ones are sent twice.
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner, past: Arc::default() }
    }

    fn past(&self) -> MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request, and once more if it takes too long.
    async fn hedge<T, F>(&self, class: Class, send: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<T>> + Unpin,
    {
        let start = Instant::now();
        let patience = {
            let mut past = self.past();
            past.sent += 1;
            past.patience(class)
        };
        let result = self.first_answer(patience, send).await;
        if result.is_ok() {
            self.past().remember(class, start.elapsed());
        }
        result
    }

    async fn first_answer<T, F>(&self, patience: Option<Duration>, send: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<T>> + Unpin,
    {
        let Some(patience) = patience else { return send().await };
        let first = match select(send(), Box::pin(sleep(patience))).await {
            Either::Left((result, _)) => return result,
            Either::Right(((), first)) => first,
        };
        if !self.past().may_repeat() {
            return first.await;
        }
        match select(first, send()).await {
            Either::Left((result, other)) => settle(result, other).await,
            Either::Right((result, other)) => settle(result, other).await,
        }
    }
}

/// The first answer, unless it is a failure that the other may not share.
async fn settle<T>(first: Result<T>, other: impl Future<Output = Result<T>>) -> Result<T> {
    match first {
        Err(error) if passes(&error) => other.await,
        first => first,
    }
}

fn passes(error: &Error) -> bool {
    error.kind() == ErrorKind::Retry
}

#[async_trait]
impl Store for Hedged {
    async fn get(&self, key: &ObjectKey) -> Result<Object> {
        self.hedge(Class::Whole, || self.inner.get(key)).await
    }

    async fn get_if_none_match(&self, key: &ObjectKey, known: &ETag) -> Result<Option<Object>> {
        self.hedge(Class::Whole, || self.inner.get_if_none_match(key, known)).await
    }

    async fn get_range(&self, key: &ObjectKey, range: Range<u64>) -> Result<Bytes> {
        if range.is_empty() {
            return self.inner.get_range(key, range).await;
        }
        let class = Class::part(range.end - range.start);
        self.hedge(class, || self.inner.get_range(key, range.clone())).await
    }

    async fn get_ranges(&self, key: &ObjectKey, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        if ranges.iter().any(|range| range.start > range.end) {
            return self.inner.get_ranges(key, ranges).await;
        }
        // Each request that the store inside makes of them, with the ranges that it answers.
        let joined = coalesce(ranges, COALESCE_GAP);
        let mut groups = vec![Vec::new(); joined.len()];
        for (at, range) in ranges.iter().enumerate() {
            if let Some(whole) = holder(&joined, range) {
                groups[whole].push(at);
            }
        }
        let requests = groups.iter().zip(&joined).map(|(group, whole)| {
            let wanted: Vec<_> = group.iter().map(|at| ranges[*at].clone()).collect();
            let class = Class::part(whole.end - whole.start);
            async move { self.hedge(class, || self.inner.get_ranges(key, &wanted)).await }
        });
        let answers = try_join_all(requests).await?;
        let mut read = vec![Bytes::new(); ranges.len()];
        for (at, bytes) in groups.into_iter().flatten().zip(answers.into_iter().flatten()) {
            read[at] = bytes;
        }
        Ok(read)
    }

    async fn get_suffix(&self, key: &ObjectKey, length: u64) -> Result<Suffix> {
        self.hedge(Class::part(length), || self.inner.get_suffix(key, length)).await
    }

    async fn head(&self, key: &ObjectKey) -> Result<ObjectMeta> {
        self.hedge(Class::Head, || self.inner.head(key)).await
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Page> {
        self.hedge(Class::List, || self.inner.list(prefix, start_after)).await
    }

    async fn list_folders(&self, prefix: &str, start_after: Option<&str>) -> Result<Folders> {
        self.hedge(Class::List, || self.inner.list_folders(prefix, start_after)).await
    }

    async fn put_if_absent(&self, key: &ObjectKey, bytes: Bytes) -> Result<ETag> {
        self.inner.put_if_absent(key, bytes).await
    }

    async fn put_if_match(&self, key: &ObjectKey, bytes: Bytes, expected: &ETag) -> Result<ETag> {
        self.inner.put_if_match(key, bytes, expected).await
    }

    async fn delete(&self, key: &ObjectKey) -> Result<()> {
        self.inner.delete(key).await
    }

    async fn delete_if_match(&self, key: &ObjectKey, expected: &ETag) -> Result<()> {
        self.inner.delete_if_match(key, expected).await
    }

    async fn now(&self) -> Result<Nanos> {
        self.inner.now().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_what_nearly_all_requests_took() {
        let millis = Duration::from_millis;
        for (times, patience) in [
            (vec![], None),
            (vec![200; 15], None),
            (vec![200; 16], Some(200)),
            ((1..=100).map(|n| n * 10).collect(), Some(960)),
            (vec![3; 100], Some(50)),
            // Only the latest count.
            ([vec![900; 500], vec![70; 128]].concat(), Some(70)),
        ] {
            let mut past = Past::default();
            for time in &times {
                past.remember(Class::Head, millis(*time));
            }
            assert_eq!(past.patience(Class::Head), patience.map(millis), "{} times", times.len());
            assert_eq!(past.patience(Class::List), None);
        }
    }

    #[test]
    fn one_in_twenty_is_sent_again() {
        let mut past = Past::default();
        let mut again = 0;
        for _ in 0..1_000 {
            past.sent += 1;
            again += u64::from(past.may_repeat());
        }
        assert_eq!(again, 50);
    }
}
