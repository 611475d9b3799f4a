//! Shards and their answers between functions: in the invocation itself, or through the bucket where they are too large.
//!
//! An invocation carries JSON of 6 MB each way. A message is one string in it, in base64; or the name of an object in
//! `NIENTE_RESULTS`, which a rule of the bucket removes after a day.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use niente_model::Tenant;
use niente_store::{Error as StoreError, ObjectKey, Store};
use serde::{Deserialize, Serialize};

use crate::random;

/// What an invocation carries at most here: 5 MB, as much as 3.75 MB are in base64.
const MOST_INLINE: usize = 3_750_000;

/// A message in an invocation's payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Message {
    /// The message itself, in base64.
    Inline(String),
    /// Its place among the results.
    Stored(String),
}

/// Why a message can't be sent or read.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// It is no base64.
    #[error("the message is no base64: {0}")]
    Base64(#[from] base64::DecodeError),
    /// The results' store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A name that no result has.
    #[error("{0:?} is no result's name")]
    Name(String),
}

/// Where messages go that are too large for an invocation.
///
/// Few are: the store is opened when there is one.
#[derive(Clone)]
pub struct Results {
    open: Arc<dyn Fn() -> Result<Arc<dyn Store>, StoreError> + Send + Sync>,
    store: Arc<OnceLock<Arc<dyn Store>>>,
}

impl Results {
    /// Results in the store that this opens.
    pub fn opened_by(open: impl Fn() -> Result<Arc<dyn Store>, StoreError> + Send + Sync + 'static) -> Self {
        Self { open: Arc::new(open), store: Arc::default() }
    }

    fn store(&self) -> Result<&dyn Store, StoreError> {
        if let Some(store) = self.store.get() {
            return Ok(&**store);
        }
        let opened = (self.open)()?;
        // (Of two that opened it at once one is kept.)
        Ok(&**self.store.get_or_init(|| opened))
    }

    /// A message of these bytes, which are a tenant's.
    ///
    /// Costs a `PUT` if it is large.
    ///
    /// # Errors
    /// [`MessageError::Store`].
    pub async fn pack(&self, bytes: Vec<u8>, tenant: &Tenant) -> Result<Message, MessageError> {
        if bytes.len() <= MOST_INLINE {
            return Ok(Message::Inline(BASE64_STANDARD.encode(bytes)));
        }
        let key = key(&format!("{tenant}/{:032x}", random::bits()))?;
        match self.store()?.put_if_absent(&key, bytes.into()).await {
            // No other has this name: it was this very request, whose first answer was lost.
            Ok(_) | Err(StoreError::AlreadyExists { .. }) => Ok(Message::Stored(key.as_str().to_owned())),
            Err(error) => Err(error.into()),
        }
    }

    /// The bytes of a message.
    ///
    /// Costs a `GET` if it is large.
    ///
    /// # Errors
    /// [`MessageError`].
    pub async fn unpack(&self, message: Message) -> Result<Vec<u8>, MessageError> {
        match message {
            Message::Inline(text) => Ok(BASE64_STANDARD.decode(text)?),
            Message::Stored(name) => Ok(self.store()?.get(&key(&name)?).await?.bytes.into()),
        }
    }
}

impl fmt::Debug for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Results").field("store", &self.store).finish_non_exhaustive()
    }
}

fn key(name: &str) -> Result<ObjectKey, MessageError> {
    ObjectKey::new(name).map_err(|_| MessageError::Name(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use niente_store::{Counting, MemoryStore};

    use super::*;

    #[tokio::test]
    async fn large_messages_go_through_the_bucket() {
        let counting = Counting::new(Arc::new(MemoryStore::new()));
        let (store, opened) = (counting.clone(), Arc::new(AtomicU32::new(0)));
        let times = opened.clone();
        let results = Results::opened_by(move || {
            times.fetch_add(1, Ordering::Relaxed);
            Ok(Arc::new(store.clone()))
        });
        for (bytes, requests) in [(vec![1; MOST_INLINE], 0), (vec![2; MOST_INLINE + 1], 2)] {
            let before = counting.counts();
            let message = results.pack(bytes.clone(), &Tenant::single()).await.unwrap();
            assert!(serde_json::to_vec(&message).unwrap().len() < 5_000_100);
            assert_eq!(results.unpack(message).await.unwrap(), bytes);
            assert_eq!((counting.counts() - before).requests(), requests);
            assert_eq!(opened.load(Ordering::Relaxed), u32::from(requests > 0), "not before it is needed, and once");
        }
        let bad = results.unpack(Message::Stored("../x".into())).await;
        assert!(matches!(bad, Err(MessageError::Name(_))));
    }
}
