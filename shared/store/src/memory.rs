use std::{
    collections::BTreeMap,
    fmt,
    ops::{Bound, Range},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use niente_model::Nanos;

use crate::{
    Action, ETag, Error, Folders, Object, ObjectKey, ObjectMeta, Page, Result, Store, Suffix,
    bounds::{PAGE, after_folder, checked, folder, suffix_start},
};

/// Objects in this process's memory: for tests and simulations.
///
/// Its clock stands still, at the epoch unless set, so that a run repeats exactly.
#[derive(Default)]
pub struct MemoryStore(Mutex<Contents>);

#[derive(Default)]
struct Contents {
    objects: BTreeMap<ObjectKey, Entry>,
    now: Nanos,
}

struct Entry {
    bytes: Bytes,
    etag: ETag,
    modified: Nanos,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the store's clock.
    pub fn set_now(&self, now: Nanos) {
        self.contents().now = now;
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        // Each change is one insertion or removal, so that a panic elsewhere can't have left half of one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contents {
    fn find(&self, action: Action, key: &ObjectKey) -> Result<&Entry> {
        self.objects.get(key).ok_or_else(|| Error::NotFound { action, key: key.to_string(), source: None })
    }

    fn insert(&mut self, key: &ObjectKey, bytes: Bytes) -> ETag {
        let etag = ETag::of(&bytes);
        self.objects.insert(key.clone(), Entry { bytes, etag: etag.clone(), modified: self.now });
        etag
    }
}

impl Entry {
    fn object(&self) -> Object {
        Object { bytes: self.bytes.clone(), etag: self.etag.clone() }
    }

    fn meta(&self, key: &ObjectKey) -> ObjectMeta {
        ObjectMeta { key: key.clone(), size: self.bytes.len() as u64, modified: self.modified }
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn get(&self, key: &ObjectKey) -> Result<Object> {
        Ok(self.contents().find(Action::Read, key)?.object())
    }

    async fn get_if_none_match(&self, key: &ObjectKey, known: &ETag) -> Result<Option<Object>> {
        let contents = self.contents();
        let entry = contents.find(Action::Read, key)?;
        Ok((entry.etag != *known).then(|| entry.object()))
    }

    async fn get_range(&self, key: &ObjectKey, range: Range<u64>) -> Result<Bytes> {
        if range.start == range.end {
            return Ok(Bytes::new());
        }
        let contents = self.contents();
        let bytes = &contents.find(Action::Read, key)?.bytes;
        checked(key, &range, bytes.len() as u64)?;
        Ok(bytes.slice(range.start as usize..range.end as usize))
    }

    async fn get_suffix(&self, key: &ObjectKey, length: u64) -> Result<Suffix> {
        let contents = self.contents();
        let bytes = &contents.find(Action::Read, key)?.bytes;
        let size = bytes.len() as u64;
        Ok(Suffix { bytes: bytes.slice(suffix_start(length, size) as usize..), size })
    }

    async fn head(&self, key: &ObjectKey) -> Result<ObjectMeta> {
        Ok(self.contents().find(Action::Head, key)?.meta(key))
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Page> {
        let contents = self.contents();
        let from = match start_after {
            Some(key) if key >= prefix => Bound::Excluded(key),
            _ => Bound::Included(prefix),
        };
        let mut found = contents
            .objects
            .range::<str, _>((from, Bound::Unbounded))
            .take_while(|(k, _)| k.as_str().starts_with(prefix));
        let objects: Vec<_> = found.by_ref().take(PAGE).map(|(key, entry)| entry.meta(key)).collect();
        let next = found.next().and_then(|_| objects.last()).map(|last| last.key.to_string());
        Ok(Page { objects, next })
    }

    async fn list_folders(&self, prefix: &str, start_after: Option<&str>) -> Result<Folders> {
        folder(prefix)?;
        let contents = self.contents();
        let mut found = Folders::default();
        let mut from = start_after.map_or(prefix.to_owned(), |name| after_folder(prefix, name));
        // From one folder to the next, over everything in it.
        while let Some((key, _)) = contents.objects.range::<str, _>((Bound::Included(&*from), Bound::Unbounded)).next()
            && let Some(rest) = key.as_str().strip_prefix(prefix)
        {
            let Some((name, _)) = rest.split_once('/') else {
                from = format!("{key}\0");
                continue;
            };
            if found.names.len() == PAGE {
                found.next = found.names.last().cloned();
                break;
            }
            from = after_folder(prefix, name);
            found.names.push(name.to_owned());
        }
        Ok(found)
    }

    async fn put_if_absent(&self, key: &ObjectKey, bytes: Bytes) -> Result<ETag> {
        let mut contents = self.contents();
        if contents.objects.contains_key(key) {
            return Err(Error::AlreadyExists { key: key.to_string(), source: None });
        }
        Ok(contents.insert(key, bytes))
    }

    async fn put_if_match(&self, key: &ObjectKey, bytes: Bytes, expected: &ETag) -> Result<ETag> {
        let mut contents = self.contents();
        if contents.find(Action::Replace, key)?.etag != *expected {
            return Err(Error::Precondition {
                action: Action::Replace,
                key: key.to_string(),
                expected: expected.clone(),
                source: None,
            });
        }
        Ok(contents.insert(key, bytes))
    }

    async fn delete(&self, key: &ObjectKey) -> Result<()> {
        self.contents().objects.remove(key);
        Ok(())
    }

    async fn delete_if_match(&self, key: &ObjectKey, expected: &ETag) -> Result<()> {
        let mut contents = self.contents();
        let action = Action::Delete;
        if contents.find(action, key)?.etag != *expected {
            return Err(Error::Precondition { action, key: key.to_string(), expected: expected.clone(), source: None });
        }
        contents.objects.remove(key);
        Ok(())
    }

    async fn now(&self) -> Result<Nanos> {
        Ok(self.contents().now)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let contents = self.contents();
        f.debug_struct("MemoryStore").field("objects", &contents.objects.len()).field("now", &contents.now).finish()
    }
}
