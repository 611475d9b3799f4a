//! Who may do what in the bucket, by their access keys.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use s3s::{
    S3Request, S3Result,
    access::{S3Access, S3AccessContext},
    auth::{Credentials, S3Auth, SecretKey},
    dto::{DeleteObjectInput, GetObjectInput, HeadBucketInput, HeadObjectInput, ListObjectsV2Input, PutObjectInput},
    s3_error,
};

use super::bucket::Bucket;

/// A request to the bucket, as IAM's policies speak of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt<'a> {
    /// `s3:GetObject` and the like.
    pub action: &'static str,
    /// The object's key; none for what is done to the bucket.
    pub key: Option<&'a str>,
    /// The prefix of a listing, if it names one: `s3:prefix`.
    pub prefix: Option<&'a str>,
}

type Policy = Arc<dyn Fn(&Attempt<'_>) -> bool + Send + Sync>;

/// Everybody who has keys. Clones are the same people.
#[derive(Clone)]
pub(super) struct People {
    bucket: Bucket,
    by_access_key: Arc<Mutex<HashMap<String, (SecretKey, Policy)>>>,
}

impl People {
    pub(super) fn new(bucket: Bucket) -> Self {
        Self { bucket, by_access_key: Arc::default() }
    }

    pub(super) fn admit(&self, access: &str, secret: &str, policy: Policy) {
        self.lock().insert(access.to_owned(), (SecretKey::from(secret), policy));
    }

    fn check(&self, credentials: Option<&Credentials>, attempt: &Attempt<'_>) -> S3Result<()> {
        let policy = credentials.and_then(|who| self.lock().get(&who.access_key).map(|(_, policy)| policy.clone()));
        let Some(policy) = policy.filter(|policy| policy(attempt)) else { return Err(s3_error!(AccessDenied)) };
        // Who may not list isn't told either whether an object is there.
        let look = Attempt { action: LIST, key: None, prefix: None };
        match attempt.key {
            Some(key) if attempt.action == READ && !self.bucket.holds(key) && !policy(&look) => {
                Err(s3_error!(AccessDenied))
            }
            _ => Ok(()),
        }
    }

    fn object<T>(&self, request: &S3Request<T>, action: &'static str, key: &str) -> S3Result<()> {
        self.check(request.credentials.as_ref(), &Attempt { action, key: Some(key), prefix: None })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (SecretKey, Policy)>> {
        self.by_access_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const READ: &str = "s3:GetObject";
const WRITE: &str = "s3:PutObject";
const DELETE: &str = "s3:DeleteObject";
const LIST: &str = "s3:ListBucket";

#[async_trait::async_trait]
impl S3Auth for People {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let found = self.lock().get(access_key).map(|(secret, _)| secret.clone());
        found.ok_or_else(|| s3_error!(InvalidAccessKeyId))
    }
}

#[async_trait::async_trait]
impl S3Access for People {
    /// Whatever the bucket knows besides these is refused to everybody.
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let known = ["GetObject", "HeadObject", "PutObject", "DeleteObject", "ListObjectsV2", "HeadBucket"];
        if context.credentials().is_some() && known.contains(&context.s3_op().name()) {
            Ok(())
        } else {
            Err(s3_error!(AccessDenied))
        }
    }

    async fn get_object(&self, request: &mut S3Request<GetObjectInput>) -> S3Result<()> {
        self.object(request, READ, &request.input.key)
    }

    async fn head_object(&self, request: &mut S3Request<HeadObjectInput>) -> S3Result<()> {
        self.object(request, READ, &request.input.key)
    }

    async fn put_object(&self, request: &mut S3Request<PutObjectInput>) -> S3Result<()> {
        self.object(request, WRITE, &request.input.key)
    }

    async fn delete_object(&self, request: &mut S3Request<DeleteObjectInput>) -> S3Result<()> {
        self.object(request, DELETE, &request.input.key)
    }

    async fn list_objects_v2(&self, request: &mut S3Request<ListObjectsV2Input>) -> S3Result<()> {
        let attempt = Attempt { action: LIST, key: None, prefix: request.input.prefix.as_deref() };
        self.check(request.credentials.as_ref(), &attempt)
    }

    async fn head_bucket(&self, request: &mut S3Request<HeadBucketInput>) -> S3Result<()> {
        self.check(request.credentials.as_ref(), &Attempt { action: LIST, key: None, prefix: None })
    }
}

impl fmt::Debug for People {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("People").finish_non_exhaustive()
    }
}
