//! A store in S3, Amazon's or another's.
//!
//! This room maps the trait onto requests; [`read`] gets bytes exactly, [`options`] makes the client, [`clock`] keeps
//! the store's time, [`conflict`] says what is repeated, and [`fault`] says in the store's terms what S3 reports.

mod clock;
mod conflict;
mod fault;
mod location;
mod options;
mod read;

use std::{fmt, ops::Range, sync::Arc};

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_s3::{
    Client,
    config::{Config, Credentials},
    operation::{
        list_objects_v2::{ListObjectsV2Output, builders::ListObjectsV2FluentBuilder},
        put_object::builders::PutObjectFluentBuilder,
    },
    primitives::{ByteStream, DateTime},
};
use bytes::Bytes;
use futures::future::try_join_all;
use niente_model::Nanos;
use tokio::sync::{Semaphore, SemaphorePermit};

use self::{
    clock::Clock,
    fault::Site,
    read::{Got, Wanted},
};
pub use self::{
    location::{InvalidLocation, S3Location},
    options::S3Options,
};
use crate::{
    Action, COALESCE_GAP, ETag, Error, Folders, InvalidKey, Object, ObjectKey, ObjectMeta, Page, Result, Store, Suffix,
    bounds::{after_folder, can_begin, folder, is_segment},
    coalesce,
    coalesce::holder,
};

/// Bodies larger than this have a time limit of their own.
const LARGE: u64 = 1 << 20;

/// Objects in a bucket, below a prefix.
///
/// It needs S3's conditional writes and deletes: `If-None-Match: *` and `If-Match`, decided atomically. Amazon's S3 has
/// them, MiniStack and SeaweedFS have; servers that only look before they write lose updates.
///
/// * Requests that fail in a way that passes are repeated, after a wait with jitter, [`S3Options::attempts`] times at
///   most. A write whose answer was lost is repeated too, and then finds what it has written: see
///   [`Error::AlreadyExists`] and [`Error::Precondition`].
/// * Reads are exact: a body that ends early is read again. A whole object is compared with the checksum with which it
///   was written, where the server keeps one; each write carries a CRC that the server compares.
/// * [`get_ranges`](Store::get_ranges) reads along gaps of up to [`COALESCE_GAP`].
/// * One client with its connections, for all clones.
///
/// Methods must be called within Tokio's runtime. Where no more may be known of missing objects than that they are
/// denied (no `s3:ListBucket`), Amazon's S3 answers 403, which is [`Error::PermissionDenied`].
#[derive(Clone)]
pub struct S3Store {
    client: Client,
    site: Arc<Site>,
    options: Arc<S3Options>,
    clock: Clock,
    turns: Arc<Semaphore>,
}

impl S3Store {
    /// A store at `location`, with credentials and region from where all AWS tools have them: environment, profile,
    /// container, machine.
    ///
    /// Asks nothing of S3: whether bucket and credentials are right, the first request shows. The machine's metadata
    /// service may be asked for the region.
    ///
    /// # Errors
    /// [`Error::Io`] if no region is known.
    pub async fn connect(location: S3Location, options: S3Options) -> Result<Self> {
        Self::connect_as(location, options, None).await
    }

    /// As [`connect`](Self::connect), with given credentials.
    pub(crate) async fn connect_as(
        location: S3Location,
        options: S3Options,
        credentials: Option<Credentials>,
    ) -> Result<Self> {
        Self::of(&options::load(&options, credentials).await, location, options)
    }

    /// A store at `location`, of a configuration that others share: credentials are asked for once. Of the options
    /// endpoint and region are passed over.
    ///
    /// # Errors
    /// [`Error::Io`] if the configuration has no region.
    pub fn of(config: &SdkConfig, location: S3Location, options: S3Options) -> Result<Self> {
        let clock = Clock::default();
        let Some((client, place)) = options::client(config, &options, clock.clone()) else {
            return Err(Error::Io {
                action: Action::Open,
                key: location.to_string(),
                reason: "no region is configured; set AWS_REGION to the bucket's region".into(),
                source: None,
            });
        };
        let turns = Arc::new(Semaphore::new(options.concurrency.clamp(1, Semaphore::MAX_PERMITS)));
        Ok(Self { client, site: Arc::new(Site { location, place }), options: Arc::new(options), clock, turns })
    }

    /// Where its objects are.
    pub fn location(&self) -> &S3Location {
        &self.site.location
    }

    fn bucket(&self) -> &str {
        &self.site.location.bucket
    }

    /// The key as S3 has it, below the prefix.
    fn full(&self, key: &ObjectKey) -> Result<String> {
        let prefix = self.site.location.above();
        if prefix.len() + key.as_str().len() > ObjectKey::MAX_LENGTH {
            return Err(InvalidKey::TooLongBelow { key: key.to_string(), prefix }.into());
        }
        Ok(prefix + key.as_str())
    }

    /// Waits until another request may be made; it is under way until this is dropped.
    async fn turn(&self) -> SemaphorePermit<'_> {
        self.turns.acquire().await.expect("nobody closes it")
    }

    fn listing(&self, prefix: &str) -> ListObjectsV2FluentBuilder {
        let prefix = self.site.location.above() + prefix;
        let prefix = Some(prefix).filter(|prefix| !prefix.is_empty());
        self.client.list_objects_v2().bucket(self.bucket()).set_prefix(prefix)
    }

    async fn listed(&self, prefix: &str, request: ListObjectsV2FluentBuilder) -> Result<ListObjectsV2Output> {
        let _turn = self.turn().await;
        let answer = request.send().await;
        answer.map_err(|error| match prefix {
            // All of the store has no name but its place.
            "" => self.site.explain(Action::List, &self.site.location.to_string(), error),
            _ => self.site.explain(Action::List, prefix, error),
        })
    }

    /// Writes if the condition holds: `None` if the server says that it doesn't.
    async fn put(
        &self,
        action: Action,
        key: &ObjectKey,
        bytes: Bytes,
        condition: impl FnOnce(PutObjectFluentBuilder) -> PutObjectFluentBuilder,
    ) -> Result<Option<ETag>> {
        let size = bytes.len() as u64;
        let request = self.client.put_object().bucket(self.bucket()).key(self.full(key)?);
        let request = condition(request.body(ByteStream::from(bytes))).customize();
        let request = if size > LARGE {
            request.config_override(Config::builder().timeout_config(self.options.limits(size)))
        } else {
            request
        };
        let _turn = self.turn().await;
        match request.send().await {
            Ok(written) => match written.e_tag() {
                Some(etag) => Ok(Some(ETag::new(etag))),
                None => Err(self.site.malformed(action, key.as_str(), "an ETag")),
            },
            Err(error) if fault::status(&error) == Some(412) => Ok(None),
            Err(error) => Err(self.site.explain(action, key.as_str(), error)),
        }
    }

    /// Why a version could not be replaced or deleted: it isn't the one any more, or, of servers that say the same of
    /// a missing object, there is none.
    async fn changed(&self, action: Action, key: &ObjectKey, expected: &ETag) -> Error {
        match self.head(key).await {
            Err(Error::NotFound { source, .. }) => Error::NotFound { action, key: key.to_string(), source },
            _ => Error::Precondition { action, key: key.to_string(), expected: expected.clone(), source: None },
        }
    }
}

#[async_trait]
impl Store for S3Store {
    async fn get(&self, key: &ObjectKey) -> Result<Object> {
        match self.fetch(key, Wanted::Whole).await? {
            Got::Bytes { bytes, etag, .. } => Ok(Object { bytes, etag }),
            Got::NotModified | Got::Unsatisfiable { .. } => {
                Err(self.site.malformed(Action::Read, key.as_str(), "a body"))
            }
        }
    }

    async fn get_if_none_match(&self, key: &ObjectKey, known: &ETag) -> Result<Option<Object>> {
        match self.fetch(key, Wanted::Unless(known)).await? {
            Got::Bytes { bytes, etag, .. } => Ok(Some(Object { bytes, etag })),
            Got::NotModified => Ok(None),
            Got::Unsatisfiable { .. } => Err(self.site.malformed(Action::Read, key.as_str(), "a body")),
        }
    }

    async fn get_range(&self, key: &ObjectKey, range: Range<u64>) -> Result<Bytes> {
        if range.start == range.end {
            return Ok(Bytes::new());
        }
        not_reversed(key, &range)?;
        self.fetch_range(key, range).await
    }

    async fn get_ranges(&self, key: &ObjectKey, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        ranges.iter().try_for_each(|range| not_reversed(key, range))?;
        let merged = coalesce(ranges, COALESCE_GAP);
        let read = try_join_all(merged.iter().map(|whole| self.fetch_range(key, whole.clone())));
        let read = read.await.map_err(|error| blame(error, ranges))?;
        let cut = |range: &Range<u64>| match holder(&merged, range) {
            Some(at) => {
                let start = merged[at].start;
                read[at].slice((range.start - start) as usize..(range.end - start) as usize)
            }
            None => Bytes::new(),
        };
        Ok(ranges.iter().map(cut).collect())
    }

    async fn get_suffix(&self, key: &ObjectKey, length: u64) -> Result<Suffix> {
        if length == 0 {
            let size = self.head(key).await?.size;
            return Ok(Suffix { bytes: Bytes::new(), size });
        }
        match self.fetch(key, Wanted::Suffix(length)).await? {
            Got::Bytes { bytes, size, .. } => Ok(Suffix { bytes, size }),
            // Every object has a last byte, except one.
            Got::Unsatisfiable { .. } => Ok(Suffix { bytes: Bytes::new(), size: 0 }),
            Got::NotModified => Err(self.site.malformed(Action::Read, key.as_str(), "a body")),
        }
    }

    async fn head(&self, key: &ObjectKey) -> Result<ObjectMeta> {
        let request = self.client.head_object().bucket(self.bucket()).key(self.full(key)?);
        let _turn = self.turn().await;
        let found = request.send().await.map_err(|error| self.site.explain(Action::Head, key.as_str(), error))?;
        let size = found.content_length().and_then(|size| u64::try_from(size).ok());
        let (Some(size), Some(modified)) = (size, found.last_modified()) else {
            return Err(self.site.malformed(Action::Head, key.as_str(), "size or time"));
        };
        Ok(ObjectMeta { key: key.clone(), size, modified: nanos(modified) })
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Page> {
        if !can_begin(prefix) {
            return Ok(Page::default());
        }
        let above = self.site.location.above();
        let start_after = start_after.map(|key| format!("{above}{key}")).filter(|key| !key.is_empty());
        let listed = self.listed(prefix, self.listing(prefix).set_start_after(start_after)).await?;
        let mut page = Page::default();
        for object in listed.contents() {
            let Some(name) = object.key().and_then(|key| key.strip_prefix(&above)) else { continue };
            if listed.is_truncated() == Some(true) {
                page.next = Some(name.to_owned());
            }
            let key = match ObjectKey::new(name) {
                Ok(key) => key,
                Err(reason) => {
                    tracing::debug!(%reason, "left out an object that was not written by a store");
                    continue;
                }
            };
            let size = object.size().and_then(|size| u64::try_from(size).ok());
            let (Some(size), Some(modified)) = (size, object.last_modified()) else {
                return Err(self.site.malformed(Action::List, prefix, "size or time of an object"));
            };
            page.objects.push(ObjectMeta { key, size, modified: nanos(modified) });
        }
        Ok(page)
    }

    async fn list_folders(&self, prefix: &str, start_after: Option<&str>) -> Result<Folders> {
        folder(prefix)?;
        if !can_begin(prefix) {
            return Ok(Folders::default());
        }
        let full = self.site.location.above() + prefix;
        let start_after = start_after.map(|name| after_folder(&full, name));
        let mut request = self.listing(prefix).delimiter("/").set_start_after(start_after);
        let mut found = Folders::default();
        // Pages without a folder, of objects right below the prefix, are passed over.
        loop {
            let listed = self.listed(prefix, request.clone()).await?;
            let mut last = None;
            for common in listed.common_prefixes() {
                let name = common.prefix().and_then(|text| text.strip_prefix(&full)?.strip_suffix('/'));
                last = name.or(last);
                found.names.extend(name.filter(|name| is_segment(name)).map(str::to_owned));
            }
            if listed.is_truncated() != Some(true) {
                return Ok(found);
            }
            if let Some(last) = last {
                found.next = Some(last.to_owned());
                return Ok(found);
            }
            let Some(token) = listed.next_continuation_token() else {
                return Err(self.site.malformed(Action::List, prefix, "the next page's token"));
            };
            request = request.continuation_token(token);
        }
    }

    async fn put_if_absent(&self, key: &ObjectKey, bytes: Bytes) -> Result<ETag> {
        match self.put(Action::Write, key, bytes, |request| request.if_none_match("*")).await? {
            Some(etag) => Ok(etag),
            None => Err(Error::AlreadyExists { key: key.to_string(), source: None }),
        }
    }

    async fn put_if_match(&self, key: &ObjectKey, bytes: Bytes, expected: &ETag) -> Result<ETag> {
        match self.put(Action::Replace, key, bytes, |request| request.if_match(expected.as_str())).await? {
            Some(etag) => Ok(etag),
            None => Err(self.changed(Action::Replace, key, expected).await),
        }
    }

    async fn delete(&self, key: &ObjectKey) -> Result<()> {
        let request = self.client.delete_object().bucket(self.bucket()).key(self.full(key)?);
        let _turn = self.turn().await;
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => match self.site.explain(Action::Delete, key.as_str(), error) {
                Error::NotFound { .. } => Ok(()),
                error => Err(error),
            },
        }
    }

    async fn delete_if_match(&self, key: &ObjectKey, expected: &ETag) -> Result<()> {
        let request = self.client.delete_object().bucket(self.bucket()).key(self.full(key)?);
        let turn = self.turn().await;
        let result = request.if_match(expected.as_str()).send().await;
        drop(turn);
        match result {
            Ok(_) => Ok(()),
            Err(error) if fault::status(&error) == Some(412) => Err(self.changed(Action::Delete, key, expected).await),
            Err(error) => Err(self.site.explain(Action::Delete, key.as_str(), error)),
        }
    }

    async fn now(&self) -> Result<Nanos> {
        if let Some(now) = self.clock.latest() {
            return Ok(now);
        }
        let _turn = self.turn().await;
        let answer = self.client.head_bucket().bucket(self.bucket()).send().await;
        // Whatever else it says, an answer tells the time.
        match (self.clock.latest(), answer) {
            (Some(now), _) => Ok(now),
            (None, Ok(_)) => Err(self.site.malformed(Action::Now, &self.site.location.to_string(), "a date")),
            (None, Err(error)) => Err(self.site.explain(Action::Now, &self.site.location.to_string(), error)),
        }
    }
}

/// Refuses a reversed range, which S3 would take for no range at all.
fn not_reversed(key: &ObjectKey, range: &Range<u64>) -> Result<()> {
    if range.start > range.end {
        return Err(Error::OutOfRange { key: key.to_string(), range: range.clone(), size: None, source: None });
    }
    Ok(())
}

/// Names the range that was asked for instead of the one that it was merged into.
fn blame(error: Error, ranges: &[Range<u64>]) -> Error {
    match error {
        Error::OutOfRange { key, range: whole, size, source } => {
            let inside = |range: &&Range<u64>| whole.start <= range.start && range.end <= whole.end;
            let beyond = |range: &&Range<u64>| size.is_none_or(|size| range.end > size) && !range.is_empty();
            let range = ranges.iter().filter(inside).filter(beyond).max_by_key(|range| range.end);
            Error::OutOfRange { key, range: range.cloned().unwrap_or(whole), size, source }
        }
        error => error,
    }
}

/// A time in whole seconds: HTTP's headers have no more, though some servers' listings do.
fn nanos(time: &DateTime) -> Nanos {
    Nanos::from_secs(u64::try_from(time.secs()).unwrap_or(0))
}

impl fmt::Debug for S3Store {
    /// Without the client, which knows the credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Site { location, place } = &*self.site;
        f.debug_struct("S3Store").field("location", &format_args!("{location}")).field("place", place).finish()
    }
}
