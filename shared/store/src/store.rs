use std::{fmt, ops::Range, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{
    Stream,
    future::try_join_all,
    stream::{self, TryStreamExt},
};
use niente_model::Nanos;

use crate::{Error, ObjectKey, Result};

/// Object storage: a map from keys to immutable bytes, of which single entries change by compare-and-swap.
///
/// Every method is one request of S3 or none at all, apart from [`get_ranges`](Store::get_ranges), which is as many
/// as [`coalesce`](crate::coalesce) says, so that a layer around a store can count, price, hedge or fail requests one
/// by one. Reads see what was written before them, by
/// whatever process, and never a part of a write. A future that is dropped may or may not have had its effect.
///
/// There is no unconditional write: what is to be replaced has to be named.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync {
    /// The whole object. Meant for small ones, such as catalogs; blocks are read in ranges.
    ///
    /// S3: `GET`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn get(&self, key: &ObjectKey) -> Result<Object>;

    /// The whole object, or `None` if it still is the version `known`.
    ///
    /// S3: `GET` with `If-None-Match`; 304 becomes `None`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn get_if_none_match(&self, key: &ObjectKey, known: &ETag) -> Result<Option<Object>>;

    /// Exactly the bytes of `range`, never fewer.
    ///
    /// An empty range asks for nothing: it is answered without a request, whether or not there is an object.
    ///
    /// S3: `GET` with `Range: bytes=a-b`; a shorter answer, which S3 gives beyond the end, becomes an error.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::OutOfRange`] if the range is reversed or ends beyond the object's end.
    async fn get_range(&self, key: &ObjectKey, range: Range<u64>) -> Result<Bytes>;

    /// Several ranges of one object, in the order in which they are named. They may overlap.
    ///
    /// Who plans asks for what it needs and for nothing else: what a gap costs, the backend knows. Where a request has
    /// a price, as on S3, ranges that are near each other become one request; elsewhere each is read on its own.
    ///
    /// S3: as many concurrent `GET`s as [`coalesce`](crate::coalesce) gives ranges.
    ///
    /// # Errors
    /// As [`get_range`](Store::get_range): the first that fails, fails all.
    async fn get_ranges(&self, key: &ObjectKey, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        try_join_all(ranges.iter().map(|range| self.get_range(key, range.clone()))).await
    }

    /// The last `length` bytes, or all if there are fewer, and the object's size: what it takes to open a Parquet
    /// file of unknown size in one request.
    ///
    /// S3: `GET` with `Range: bytes=-n`, the size from `Content-Range`. S3 answers 416 to an empty object, which
    /// here is an empty suffix, and has no way to ask for zero bytes, which is a `HEAD`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn get_suffix(&self, key: &ObjectKey, length: u64) -> Result<Suffix>;

    /// The object's size and age.
    ///
    /// S3: `HEAD`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn head(&self, key: &ObjectKey) -> Result<ObjectMeta>;

    /// The first page of the objects whose keys begin with `prefix` and are greater than `start_after`, in the byte
    /// order of their keys.
    ///
    /// Both are plain text: a prefix need not end at a slash, and `start_after` need not be an object's key. For all
    /// pages see [`list_all`]. What isn't called by an [`ObjectKey`] wasn't written through this trait and is left
    /// out, such as the `folder/` placeholders of the S3 console.
    ///
    /// S3: `ListObjectsV2` with `prefix` and `start-after`.
    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Page>;

    /// The first folders below `prefix`: the distinct next segments of the keys that begin with `prefix` and have a
    /// slash after that segment. It finds the tenants of a store without listing what they hold.
    ///
    /// `prefix` is empty or ends at a slash; `start_after` is a folder's name, which need not exist. The order is that
    /// of the keys below the folders: the byte order of their names with the slash at their end, so that `a-b` comes
    /// before `a`. Objects right below the prefix are no folders.
    ///
    /// S3: `ListObjectsV2` with `delimiter=/`, one request for a thousand folders (and for a thousand objects right
    /// below the prefix).
    ///
    /// # Errors
    /// [`InvalidKey::NoFolder`](crate::InvalidKey::NoFolder) if the prefix neither is empty nor ends at a slash.
    async fn list_folders(&self, prefix: &str, start_after: Option<&str>) -> Result<Folders>;

    /// Writes a new object.
    ///
    /// Of several writers of one key exactly one succeeds. An answer, be it success or [`Error::AlreadyExists`],
    /// means that the object with that key is durable.
    ///
    /// S3: `PUT` with `If-None-Match: *`.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`].
    async fn put_if_absent(&self, key: &ObjectKey, bytes: Bytes) -> Result<ETag>;

    /// Replaces the version `expected` of an object and returns the new version.
    ///
    /// Of several writers that replace one version by different bytes exactly one succeeds.
    ///
    /// S3: `PUT` with `If-Match`.
    ///
    /// # Errors
    /// [`Error::Precondition`] if the object is another version by now; [`Error::NotFound`] if there is none.
    async fn put_if_match(&self, key: &ObjectKey, bytes: Bytes, expected: &ETag) -> Result<ETag>;

    /// Deletes the object. There being none is success.
    ///
    /// S3: `DELETE`.
    async fn delete(&self, key: &ObjectKey) -> Result<()>;

    /// Deletes the version `expected` of an object, and no other.
    ///
    /// S3: `DELETE` with `If-Match`.
    ///
    /// # Errors
    /// [`Error::Precondition`] if the object is another version by now; [`Error::NotFound`] if there is none. Where a
    /// backend repeats a request whose answer was lost, the one who deleted it can be the caller.
    async fn delete_if_match(&self, key: &ObjectKey, expected: &ETag) -> Result<()>;

    /// The store's own time: the clock behind [`ObjectMeta::modified`], by which ages are reckoned.
    ///
    /// At least the time of the latest answer that this store has got before the call: who needs a fresh time reads an
    /// object first.
    ///
    /// S3: the latest `Date` header of all answers so far, so that it needs a request of its own only at the very
    /// beginning.
    async fn now(&self) -> Result<Nanos>;
}

/// All objects whose keys begin with `prefix` and are greater than `start_after`, in the byte order of their keys.
///
/// Pages are requested as the stream is read: who stops early saves the requests for the rest.
pub fn list_all<'a>(
    store: &'a dyn Store,
    prefix: &'a str,
    start_after: Option<&str>,
) -> impl Stream<Item = Result<ObjectMeta>> + Send + 'a {
    let first = Some(start_after.map(str::to_owned));
    stream::try_unfold(first, move |page| async move {
        let Some(start_after) = page else { return Ok::<_, Error>(None) };
        let Page { objects, next } = store.list(prefix, start_after.as_deref()).await?;
        Ok(Some((stream::iter(objects.into_iter().map(Ok)), next.map(Some))))
    })
    .try_flatten()
}

/// A version of an object, as the store names it. Opaque: it can only be compared and handed back.
///
/// Equal bytes may or may not have equal ETags, as on S3.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ETag(Arc<str>);

/// An object's bytes and which version they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// All of its bytes.
    pub bytes: Bytes,
    /// The version, for [`Store::put_if_match`] and [`Store::get_if_none_match`].
    pub etag: ETag,
}

/// The end of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suffix {
    /// The last bytes: as many as were asked for, or all.
    pub bytes: Bytes,
    /// The size of the whole object in bytes.
    pub size: u64,
}

/// What is known of an object without reading it.
///
/// There is no ETag here: a version comes with its content, from [`Store::get`] and the writing methods, since who
/// replaces a version without having read it loses an update. So a folder need not read a file to list it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectMeta {
    /// The object's key.
    pub key: ObjectKey,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last written, by the store's clock ([`Store::now`]).
    pub modified: Nanos,
}

/// A part of a listing: one request's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The objects, in the byte order of their keys. Can be empty though more pages follow.
    pub objects: Vec<ObjectMeta>,
    /// Where the next page starts (its `start_after`); none if this was the last.
    pub next: Option<String>,
}

/// A part of a listing of folders: one request's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folders {
    /// The folders' names without the prefix and without a slash, in the order of the keys below them.
    pub names: Vec<String>,
    /// Where the next part starts (its `start_after`); none if this was the last.
    pub next: Option<String>,
}

impl ETag {
    /// The version that a backend calls so.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The backend's name for it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A hash of the content, for backends that have no versions of their own.
    ///
    /// This is what S3's ETag is for small objects, with the same property: a version that comes back with the same
    /// bytes is the same version.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(blake3::hash(bytes).to_hex().as_str().into())
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
