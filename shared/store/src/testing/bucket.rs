//! A bucket in memory, as S3 answers for it: each request sees and changes it at one moment.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::{Bytes, BytesMut};
use futures::TryStreamExt;
use s3s::{
    Body, S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result,
    dto::{
        CommonPrefix, DeleteObjectInput, DeleteObjectOutput, ETag, ETagCondition, GetObjectInput, GetObjectOutput,
        HeadBucketInput, HeadBucketOutput, HeadObjectInput, HeadObjectOutput, ListObjectsV2Input, ListObjectsV2Output,
        Object, PutObjectInput, PutObjectOutput, Range, StreamingBlob, Timestamp,
    },
    s3_error,
};

/// The bucket of this name, and no other. Clones are the same bucket.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    name: &'static str,
    objects: Arc<Mutex<BTreeMap<String, Entry>>>,
    /// How many milliseconds its clock is ahead of the machine's.
    ahead: Arc<AtomicU64>,
}

#[derive(Clone, Debug)]
struct Entry {
    bytes: Bytes,
    etag: String,
    crc32: Option<String>,
    modified: SystemTime,
}

impl Bucket {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, objects: Arc::default(), ahead: Arc::default() }
    }

    /// Writes an object whatever there is, under any name that S3 allows.
    pub(super) fn insert(&self, key: &str, bytes: Bytes) {
        self.objects().insert(key.to_owned(), Entry::new(bytes, None, self.now()));
    }

    pub(super) fn advance(&self, time: Duration) {
        self.ahead.fetch_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX), Ordering::AcqRel);
    }

    pub(super) fn now(&self) -> SystemTime {
        #[allow(clippy::disallowed_methods)] // This is the storage, whose clock everybody else goes by.
        let now = SystemTime::now();
        now + Duration::from_millis(self.ahead.load(Ordering::Acquire))
    }

    pub(super) fn holds(&self, key: &str) -> bool {
        self.objects().contains_key(key)
    }

    fn objects(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_there(&self, bucket: &str) -> S3Result<()> {
        if bucket == self.name { Ok(()) } else { Err(s3_error!(NoSuchBucket)) }
    }
}

impl Entry {
    fn new(bytes: Bytes, crc32: Option<String>, modified: SystemTime) -> Self {
        // As S3's for small objects, it depends on the content alone.
        let etag = blake3::hash(&bytes).to_hex()[..32].to_owned();
        Self { bytes, etag, crc32, modified }
    }

    fn is(&self, condition: &ETagCondition) -> bool {
        match condition {
            ETagCondition::Any => true,
            ETagCondition::ETag(etag) => etag.as_strong() == Some(&self.etag),
        }
    }
}

/// Whether a write of `key` may go ahead, in S3's words.
fn check(found: Option<&Entry>, if_match: Option<&ETagCondition>, if_none_match: Option<&ETagCondition>) -> S3Result {
    match (found, if_match) {
        (None, Some(_)) => return Err(s3_error!(NoSuchKey)),
        (Some(entry), Some(condition)) if !entry.is(condition) => return Err(s3_error!(PreconditionFailed)),
        _ => {}
    }
    match (found, if_none_match) {
        (Some(entry), Some(condition)) if entry.is(condition) => Err(s3_error!(PreconditionFailed)),
        _ => Ok(()),
    }
}

fn unsatisfiable(size: usize) -> S3Error {
    let mut error = S3Error::new(S3ErrorCode::InvalidRange);
    let range = format!("bytes */{size}");
    error.set_headers([(hyper::header::CONTENT_RANGE, range.parse().expect("ASCII"))].into_iter().collect());
    error
}

#[async_trait::async_trait]
impl S3 for Bucket {
    async fn head_bucket(&self, req: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        self.is_there(&req.input.bucket)?;
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    async fn get_object(&self, req: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = req.input;
        self.is_there(&input.bucket)?;
        let entry = self.objects().get(&input.key).cloned().ok_or_else(|| s3_error!(NoSuchKey))?;
        if input.if_none_match.is_some_and(|condition| entry.is(&condition)) {
            return Err(s3_error!(NotModified));
        }
        let size = entry.bytes.len();
        let part = match input.range {
            // Not even the end of an empty object can be had.
            Some(Range::Suffix { .. }) if size == 0 => return Err(unsatisfiable(0)),
            Some(range) => Some(range.check(size as u64).map_err(|_| unsatisfiable(size))?),
            None => None,
        };
        let bytes = match &part {
            Some(part) => entry.bytes.slice(part.start as usize..part.end as usize),
            None => entry.bytes,
        };
        Ok(S3Response::new(GetObjectOutput {
            content_length: i64::try_from(bytes.len()).ok(),
            content_range: part.as_ref().map(|part| format!("bytes {}-{}/{size}", part.start, part.end - 1)),
            checksum_crc32: entry.crc32.filter(|_| part.is_none() && input.checksum_mode.is_some()),
            e_tag: Some(ETag::Strong(entry.etag)),
            last_modified: Some(Timestamp::from(entry.modified)),
            body: Some(StreamingBlob::from(Body::from(bytes))),
            ..GetObjectOutput::default()
        }))
    }

    async fn head_object(&self, req: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        self.is_there(&req.input.bucket)?;
        let entry = self.objects().get(&req.input.key).cloned().ok_or_else(|| s3_error!(NoSuchKey))?;
        Ok(S3Response::new(HeadObjectOutput {
            content_length: i64::try_from(entry.bytes.len()).ok(),
            e_tag: Some(ETag::Strong(entry.etag)),
            last_modified: Some(Timestamp::from(entry.modified)),
            ..HeadObjectOutput::default()
        }))
    }

    async fn put_object(&self, req: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let input = req.input;
        self.is_there(&input.bucket)?;
        let mut bytes = BytesMut::new();
        if let Some(mut body) = input.body {
            while let Some(chunk) = body.try_next().await.map_err(|_| s3_error!(IncompleteBody))? {
                bytes.extend_from_slice(&chunk);
            }
        }
        let entry = Entry::new(bytes.freeze(), input.checksum_crc32, self.now());
        let etag = ETag::Strong(entry.etag.clone());
        let mut objects = self.objects();
        check(objects.get(&input.key), input.if_match.as_ref(), input.if_none_match.as_ref())?;
        objects.insert(input.key, entry);
        Ok(S3Response::new(PutObjectOutput { e_tag: Some(etag), ..PutObjectOutput::default() }))
    }

    async fn delete_object(&self, req: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        let input = req.input;
        self.is_there(&input.bucket)?;
        let mut objects = self.objects();
        check(objects.get(&input.key), input.if_match.as_ref(), None)?;
        objects.remove(&input.key);
        let mut response = S3Response::new(DeleteObjectOutput::default());
        response.status = Some(hyper::StatusCode::NO_CONTENT);
        Ok(response)
    }

    async fn list_objects_v2(&self, req: S3Request<ListObjectsV2Input>) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = req.input;
        self.is_there(&input.bucket)?;
        let prefix = input.prefix.clone().unwrap_or_default();
        let most = usize::try_from(input.max_keys.unwrap_or(1000)).unwrap_or(0).min(1000);
        // A token is the key after which the next page starts.
        let mut after = input.continuation_token.clone().or(input.start_after.clone());

        let objects = self.objects();
        let (mut contents, mut common, mut truncated) = (Vec::new(), Vec::new(), false);
        loop {
            let from = match &after {
                Some(key) if *key >= prefix => Bound::Excluded(key.as_str()),
                _ => Bound::Included(prefix.as_str()),
            };
            let Some((key, entry)) =
                objects.range::<str, _>((from, Bound::Unbounded)).next().filter(|(key, _)| key.starts_with(&prefix))
            else {
                break;
            };
            if contents.len() + common.len() == most {
                truncated = true;
                break;
            }
            let folded = input.delimiter.as_deref().and_then(|delimiter| {
                key[prefix.len()..].find(delimiter).map(|at| &key[..prefix.len() + at + delimiter.len()])
            });
            if let Some(folder) = folded {
                common.push(CommonPrefix { prefix: Some(folder.to_owned()) });
                after = Some(format!("{folder}\u{10ffff}"));
            } else {
                contents.push(Object {
                    key: Some(key.clone()),
                    size: i64::try_from(entry.bytes.len()).ok(),
                    e_tag: Some(ETag::Strong(entry.etag.clone())),
                    last_modified: Some(Timestamp::from(entry.modified)),
                    ..Object::default()
                });
                after = Some(key.clone());
            }
        }
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: input.prefix,
            delimiter: input.delimiter,
            start_after: input.start_after,
            max_keys: input.max_keys,
            key_count: i32::try_from(contents.len() + common.len()).ok(),
            is_truncated: Some(truncated),
            next_continuation_token: after.filter(|_| truncated),
            contents: Some(contents),
            common_prefixes: Some(common),
            ..ListObjectsV2Output::default()
        }))
    }
}
