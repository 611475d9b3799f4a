//! A store in a folder: objects are files, keys are paths.
//!
//! Three rooms: this one maps the trait onto files, [`durable`] writes them so that no crash can tear or lose one,
//! [`walk`] lists them in the order of their keys, and [`fault`] says in the store's terms what the system reports.

mod durable;
mod fault;
mod walk;

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use bytes::Bytes;
use niente_model::Nanos;

use self::{durable::Workshop, fault::explain, walk::modified};
use crate::{
    Action, ETag, Error, Folders, InvalidKey, Object, ObjectKey, ObjectMeta, Page, Result, Store, Suffix,
    bounds::{checked, folder, suffix_start},
};

/// Objects as files of a folder, for one machine: any number of processes may share it.
///
/// An object's key is its path below the folder, so that other tools find and read it. It is written aside, made
/// durable and only then given its name, so that whoever reads it, after whatever crash, finds all of it or nothing.
///
/// * A new object gets its name by a hard link, which fails if the name is taken: one winner, without a lock.
/// * A replacement compares and renames under a lock that all processes share. The version is a hash of the content,
///   since times and inode numbers come back within a tick of the file system's clock. Only objects that are
///   replaced, small ones, are ever hashed again.
/// * Every write ends with an `fsync` of the file and of each folder above it.
///
/// The folder `.niente~` holds the store's own files: no tenant can be called that. Files that dead writers left there
/// are removed by the next process that opens the folder while no other has it open.
///
/// The file system must be case-sensitive and have hard links and advisory locks, as those of Linux and macOS
/// volumes for servers have. A file can't be a folder too: while there is an object `a`, there can be no `a/b`.
///
/// Methods run on Tokio's blocking threads and must be called within its runtime.
#[derive(Clone, Debug)]
pub struct FolderStore(Arc<Folder>);

#[derive(Debug)]
struct Folder {
    root: PathBuf,
    workshop: Workshop,
}

impl FolderStore {
    /// Opens the folder, or creates it together with those above it. Blocks for a few system calls.
    ///
    /// # Errors
    /// With the path in place of a key: [`Error::PermissionDenied`] if the folder can't be written to,
    /// [`Error::Full`], or [`Error::Io`] if it is a file or its file system has no locks.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let root = path.into();
        let name = root.display().to_string();
        match root.metadata() {
            Ok(found) if !found.is_dir() => {
                return Err(Error::Io {
                    action: Action::Open,
                    key: name,
                    reason: "it is a file, not a folder; choose another path".into(),
                    source: None,
                });
            }
            _ => {}
        }
        let workshop = Workshop::open(&root).map_err(|error| explain(Action::Open, &name, error))?;
        Ok(Self(Arc::new(Folder { root, workshop })))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0.root
    }

    /// Does blocking work on a thread that may block. It holds the folder open until it is done, even if nobody
    /// waits for it any more.
    async fn blocking<T: Send + 'static>(
        &self,
        action: Action,
        key: &str,
        work: impl FnOnce(&Folder) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let folder = Arc::clone(&self.0);
        match tokio::task::spawn_blocking(move || work(&folder)).await {
            Ok(result) => result,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(shut_down) => {
                Err(Error::Unavailable { action, key: key.to_owned(), source: Some(Box::new(shut_down)) })
            }
        }
    }

    /// Does blocking work on one object.
    async fn on_object<T: Send + 'static>(
        &self,
        action: Action,
        key: &ObjectKey,
        work: impl FnOnce(&Folder, &ObjectKey, &Path) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let owned = key.clone();
        self.blocking(action, key.as_str(), move |folder| work(folder, &owned, &folder.path_of(&owned)?)).await
    }
}

impl Folder {
    fn path_of(&self, key: &ObjectKey) -> Result<PathBuf> {
        if key.as_str().split('/').next() == Some(durable::OWN) {
            let reason = "the store keeps its own files there";
            return Err(InvalidKey::NotInFolder { key: key.to_string(), reason }.into());
        }
        Ok(self.root.join(key.as_str()))
    }
}

/// Opens an object's file and tells its size. A folder is no object.
fn open_file(path: &Path) -> io::Result<(File, u64)> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok((file, metadata.len()))
}

/// Reads the whole object. Its file never changes once it has its name, so that this is one version of it.
fn read_file(path: &Path) -> io::Result<Object> {
    let (mut file, size) = open_file(path)?;
    let bytes = read_at(&mut file, 0..size)?;
    let etag = ETag::of(&bytes);
    Ok(Object { bytes, etag })
}

fn changed(action: Action, key: &ObjectKey, expected: ETag) -> Error {
    Error::Precondition { action, key: key.to_string(), expected, source: None }
}

fn read_at(file: &mut File, range: Range<u64>) -> io::Result<Bytes> {
    let length = range.end - range.start;
    let mut bytes = Vec::with_capacity(length as usize);
    file.seek(SeekFrom::Start(range.start))?;
    file.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes.into())
}

#[async_trait]
impl Store for FolderStore {
    async fn get(&self, key: &ObjectKey) -> Result<Object> {
        self.on_object(Action::Read, key, |_, key, path| {
            read_file(path).map_err(|error| explain(Action::Read, key.as_str(), error))
        })
        .await
    }

    async fn get_if_none_match(&self, key: &ObjectKey, known: &ETag) -> Result<Option<Object>> {
        let object = self.get(key).await?;
        Ok((object.etag != *known).then_some(object))
    }

    async fn get_range(&self, key: &ObjectKey, range: Range<u64>) -> Result<Bytes> {
        let mut bytes = self.get_ranges(key, &[range]).await?;
        Ok(bytes.pop().expect("one range, one answer"))
    }

    async fn get_ranges(&self, key: &ObjectKey, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        if ranges.iter().all(|range| range.start == range.end) {
            return Ok(vec![Bytes::new(); ranges.len()]);
        }
        let ranges = ranges.to_vec();
        self.on_object(Action::Read, key, move |_, key, path| {
            let failed = |error| explain(Action::Read, key.as_str(), error);
            let (mut file, size) = open_file(path).map_err(failed)?;
            let read = |range: Range<u64>| {
                if range.start == range.end {
                    return Ok(Bytes::new());
                }
                checked(key, &range, size)?;
                read_at(&mut file, range).map_err(failed)
            };
            ranges.into_iter().map(read).collect()
        })
        .await
    }

    async fn get_suffix(&self, key: &ObjectKey, length: u64) -> Result<Suffix> {
        self.on_object(Action::Read, key, move |_, key, path| {
            let failed = |error| explain(Action::Read, key.as_str(), error);
            let (mut file, size) = open_file(path).map_err(failed)?;
            let bytes = read_at(&mut file, suffix_start(length, size)..size).map_err(failed)?;
            Ok(Suffix { bytes, size })
        })
        .await
    }

    async fn head(&self, key: &ObjectKey) -> Result<ObjectMeta> {
        self.on_object(Action::Head, key, |_, key, path| {
            let look = || {
                let metadata = path.metadata()?;
                if !metadata.is_file() {
                    return Err(io::ErrorKind::NotFound.into());
                }
                Ok(ObjectMeta { key: key.clone(), size: metadata.len(), modified: modified(&metadata)? })
            };
            look().map_err(|error| explain(Action::Head, key.as_str(), error))
        })
        .await
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Page> {
        let (wanted, start_after) = (prefix.to_owned(), start_after.map(str::to_owned));
        self.blocking(Action::List, prefix, move |folder| {
            walk::page(&folder.root, &wanted, start_after.as_deref())
                .map_err(|error| explain(Action::List, &wanted, error))
        })
        .await
    }

    async fn list_folders(&self, prefix: &str, start_after: Option<&str>) -> Result<Folders> {
        folder(prefix)?;
        let (wanted, start_after) = (prefix.to_owned(), start_after.map(str::to_owned));
        self.blocking(Action::List, prefix, move |folder| {
            walk::folders(&folder.root, &wanted, start_after.as_deref())
                .map_err(|error| explain(Action::List, &wanted, error))
        })
        .await
    }

    async fn put_if_absent(&self, key: &ObjectKey, bytes: Bytes) -> Result<ETag> {
        self.on_object(Action::Write, key, move |folder, key, path| {
            let etag = ETag::of(&bytes);
            match folder.workshop.create(&folder.root, path, &bytes) {
                Ok(()) => Ok(etag),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    Err(Error::AlreadyExists { key: key.to_string(), source: Some(error.into()) })
                }
                Err(error) => Err(explain(Action::Write, key.as_str(), error)),
            }
        })
        .await
    }

    async fn put_if_match(&self, key: &ObjectKey, bytes: Bytes, expected: &ETag) -> Result<ETag> {
        let expected = expected.clone();
        self.on_object(Action::Replace, key, move |folder, key, path| {
            let unchanged = || Ok(read_file(path)?.etag == expected);
            match folder.workshop.replace(&folder.root, path, &bytes, unchanged) {
                Ok(true) => Ok(ETag::of(&bytes)),
                Ok(false) => Err(changed(Action::Replace, key, expected)),
                Err(error) => Err(explain(Action::Replace, key.as_str(), error)),
            }
        })
        .await
    }

    async fn delete(&self, key: &ObjectKey) -> Result<()> {
        self.on_object(Action::Delete, key, |folder, key, path| {
            folder.workshop.remove(&folder.root, path).map_err(|error| explain(Action::Delete, key.as_str(), error))
        })
        .await
    }

    async fn delete_if_match(&self, key: &ObjectKey, expected: &ETag) -> Result<()> {
        let expected = expected.clone();
        self.on_object(Action::Delete, key, move |folder, key, path| {
            let unchanged = || Ok(read_file(path)?.etag == expected);
            match folder.workshop.remove_if(&folder.root, path, unchanged) {
                Ok(true) => Ok(()),
                Ok(false) => Err(changed(Action::Delete, key, expected)),
                Err(error) => Err(explain(Action::Delete, key.as_str(), error)),
            }
        })
        .await
    }

    async fn now(&self) -> Result<Nanos> {
        let name = self.0.root.display().to_string();
        self.blocking(Action::Now, &name, {
            let name = name.clone();
            move |folder| folder.workshop.now().map_err(|error| explain(Action::Now, &name, error))
        })
        .await
    }
}
