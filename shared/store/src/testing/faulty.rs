//! A layer of faults around any store, one request at a time.

use std::{fmt, ops::Range, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use niente_model::Nanos;

use crate::{Action, ETag, Error, Folders, Object, ObjectKey, ObjectMeta, Page, Result, Store, Suffix};

/// A store whose requests fail as a plan says.
///
/// The plan is asked once for each call of a method, when its future is first polled, and decides by what is done to
/// which object, or by whatever it keeps count of. Without [`Fault::Delay`] nothing here needs a runtime, so that a
/// simulation may poll it by hand.
///
/// ```
/// use std::sync::Arc;
///
/// use niente_store::{Action, Error, MemoryStore, ObjectKey, Store, testing::{Failure, Fault, Faulty}};
///
/// # async fn example() -> Result<(), Error> {
/// let memory = Arc::new(MemoryStore::new());
/// let store = Faulty::new(memory.clone(), |request| match request.action {
///     Action::Write => Fault::After(Failure::TimedOut),
///     _ => Fault::None,
/// });
/// let key = ObjectKey::new("x")?;
/// assert!(matches!(store.put_if_absent(&key, "x".into()).await, Err(Error::Unavailable { .. })));
/// // It was written all the same.
/// assert_eq!(memory.get(&key).await?.bytes, "x");
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Clone)]
pub struct Faulty {
    inner: Arc<dyn Store>,
    plan: Arc<dyn Fn(&Request) -> Fault + Send + Sync>,
}

/// A request, as a plan sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    /// What is being done.
    pub action: Action,
    /// To which object; of a listing the prefix, of a question for the time nothing.
    pub key: String,
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Nothing: it is passed on.
    None,
    /// It is passed on after this time. Needs Tokio's runtime, whose clock may be paused.
    Delay(Duration),
    /// It fails so before it has an effect.
    Before(Failure),
    /// It is done, and then its answer is lost, in this way.
    After(Failure),
}

/// How a request fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// 503: [`Error::Throttled`].
    SlowDown,
    /// The connection is lost: [`Error::Unavailable`].
    Reset,
    /// No answer comes in time: [`Error::Unavailable`].
    TimedOut,
    /// 409, another write came between, as often as it was repeated: [`Error::Unavailable`].
    Conflict,
    /// The object is gone: [`Error::NotFound`].
    Gone,
    /// The body breaks off, as often as it was read again: [`Error::Unavailable`].
    Truncated,
}

impl Faulty {
    /// Requests of `inner`, of which the plan decides what becomes of each.
    pub fn new(inner: Arc<dyn Store>, plan: impl Fn(&Request) -> Fault + Send + Sync + 'static) -> Self {
        Self { inner, plan: Arc::new(plan) }
    }

    async fn suffer<T>(&self, action: Action, key: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
        let request = Request { action, key: key.to_owned() };
        match (self.plan)(&request) {
            Fault::None => work.await,
            Fault::Delay(time) => {
                tokio::time::sleep(time).await;
                work.await
            }
            Fault::Before(failure) => Err(failure.of(request)),
            Fault::After(failure) => {
                // Whether it succeeded is what is lost.
                let _ = work.await;
                Err(failure.of(request))
            }
        }
    }
}

impl Failure {
    fn of(self, Request { action, key }: Request) -> Error {
        let source = Some(self.to_string().into());
        match self {
            Failure::SlowDown => Error::Throttled { action, key, source },
            Failure::Gone => Error::NotFound { action, key, source },
            Failure::Reset | Failure::TimedOut | Failure::Conflict | Failure::Truncated => {
                Error::Unavailable { action, key, source }
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Failure::SlowDown => "the plan says: 503 SlowDown",
            Failure::Reset => "the plan says: the connection is reset",
            Failure::Gone => "the plan says: the object is gone",
            Failure::TimedOut => "the plan says: no answer came in time",
            Failure::Conflict => "the plan says: 409 ConditionalRequestConflict",
            Failure::Truncated => "the plan says: the body broke off",
        })
    }
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faulty").field("inner", &self.inner).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for Faulty {
    async fn get(&self, key: &ObjectKey) -> Result<Object> {
        self.suffer(Action::Read, key.as_str(), self.inner.get(key)).await
    }

    async fn get_if_none_match(&self, key: &ObjectKey, known: &ETag) -> Result<Option<Object>> {
        self.suffer(Action::Read, key.as_str(), self.inner.get_if_none_match(key, known)).await
    }

    async fn get_range(&self, key: &ObjectKey, range: Range<u64>) -> Result<Bytes> {
        self.suffer(Action::Read, key.as_str(), self.inner.get_range(key, range)).await
    }

    async fn get_ranges(&self, key: &ObjectKey, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.suffer(Action::Read, key.as_str(), self.inner.get_ranges(key, ranges)).await
    }

    async fn get_suffix(&self, key: &ObjectKey, length: u64) -> Result<Suffix> {
        self.suffer(Action::Read, key.as_str(), self.inner.get_suffix(key, length)).await
    }

    async fn head(&self, key: &ObjectKey) -> Result<ObjectMeta> {
        self.suffer(Action::Head, key.as_str(), self.inner.head(key)).await
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Page> {
        self.suffer(Action::List, prefix, self.inner.list(prefix, start_after)).await
    }

    async fn list_folders(&self, prefix: &str, start_after: Option<&str>) -> Result<Folders> {
        self.suffer(Action::List, prefix, self.inner.list_folders(prefix, start_after)).await
    }

    async fn put_if_absent(&self, key: &ObjectKey, bytes: Bytes) -> Result<ETag> {
        self.suffer(Action::Write, key.as_str(), self.inner.put_if_absent(key, bytes)).await
    }

    async fn put_if_match(&self, key: &ObjectKey, bytes: Bytes, expected: &ETag) -> Result<ETag> {
        self.suffer(Action::Replace, key.as_str(), self.inner.put_if_match(key, bytes, expected)).await
    }

    async fn delete(&self, key: &ObjectKey) -> Result<()> {
        self.suffer(Action::Delete, key.as_str(), self.inner.delete(key)).await
    }

    async fn delete_if_match(&self, key: &ObjectKey, expected: &ETag) -> Result<()> {
        self.suffer(Action::Delete, key.as_str(), self.inner.delete_if_match(key, expected)).await
    }

    async fn now(&self) -> Result<Nanos> {
        self.suffer(Action::Now, "", self.inner.now()).await
    }
}
