//! Writing files so that no crash tears one and none that was acknowledged is lost, whatever other processes do.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
};

use niente_model::Nanos;

use super::walk::modified;

/// The folder of the store's own files. A tenant's name can't have a tilde.
pub(super) const OWN: &str = ".niente~";

/// How often a new object's folder may be deleted, because it became empty, just before the object is linked.
const ATTEMPTS: usize = 100;

/// The store's own files: where objects are made before they get their names, and the locks.
///
/// Two lock files. `open` is held, shared, by every process that has the store open: who gets it alone knows that
/// all unfinished files are dead writers'. `swap` is held, alone, while a name that exists is given other content or
/// taken away.
#[derive(Debug)]
pub(super) struct Workshop {
    unfinished: PathBuf,
    swap: PathBuf,
    next: AtomicU64,
    _open: File,
}

impl Workshop {
    /// Opens the workshop in `root`, creating both, and clears what dead writers left if nobody else is there.
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        let own = root.join(OWN);
        let unfinished = own.join("unfinished");
        create_folders(&unfinished)?;

        let open = lock_file(&own.join("open"))?;
        match open.try_lock() {
            Ok(()) => {
                clear(&unfinished)?;
                open.unlock()?;
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
        open.lock_shared()?;
        Ok(Self { unfinished, swap: own.join("swap"), next: AtomicU64::new(0), _open: open })
    }

    /// Creates `path` with these bytes. Once this returns, `AlreadyExists` included, the file there is durable.
    pub(super) fn create(&self, root: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let unfinished = self.write(bytes)?;
        match unfinished.link(path) {
            Ok(()) => sync_folders(root, path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if path.is_dir() {
                    return Err(io::ErrorKind::IsADirectory.into());
                }
                // Its writer may not have come to this yet, but our caller takes it for stored.
                sync_folders(root, path)?;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Gives `path` these bytes if `unchanged` says so, and tells whether it did. Nothing replaces or removes the file
    /// between the question and the deed.
    pub(super) fn replace(
        &self,
        root: &Path,
        path: &Path,
        bytes: &[u8],
        unchanged: impl FnOnce() -> io::Result<bool>,
    ) -> io::Result<bool> {
        let unfinished = self.write(bytes)?;
        let lock = self.lock_swap()?;
        if !unchanged()? {
            return Ok(false);
        }
        unfinished.rename(path)?;
        drop(lock);
        sync_folders(root, path)?;
        Ok(true)
    }

    /// Removes the file and the folders that this leaves empty. Once this returns, it is gone for good.
    pub(super) fn remove(&self, root: &Path, path: &Path) -> io::Result<()> {
        let lock = self.lock_swap()?;
        match fs::remove_file(path) {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            Err(_) if path.is_dir() => return Ok(()),
            Err(error) => return Err(error),
        }
        drop(lock);
        forget(root, path)
    }

    /// Removes the file as [`remove`](Self::remove) does if `unchanged` says so, and tells whether it did. Nothing
    /// replaces or removes it between the question and the deed.
    pub(super) fn remove_if(
        &self,
        root: &Path,
        path: &Path,
        unchanged: impl FnOnce() -> io::Result<bool>,
    ) -> io::Result<bool> {
        let lock = self.lock_swap()?;
        if !unchanged()? {
            return Ok(false);
        }
        fs::remove_file(path)?;
        drop(lock);
        forget(root, path)?;
        Ok(true)
    }

    /// The file system's time: the one by which it dates files.
    pub(super) fn now(&self) -> io::Result<Nanos> {
        let (file, _unfinished) = self.start()?;
        modified(&file.metadata()?)
    }

    fn lock_swap(&self) -> io::Result<File> {
        let file = lock_file(&self.swap)?;
        file.lock()?;
        Ok(file)
    }

    fn write(&self, bytes: &[u8]) -> io::Result<Unfinished> {
        let (mut file, unfinished) = self.start()?;
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(unfinished)
    }

    /// Creates a file of a name that no other process, thread or container has taken.
    fn start(&self) -> io::Result<(File, Unfinished)> {
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let path = self.unfinished.join(format!("{}-{number}", process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((file, Unfinished(path))),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// A file without its final name. Dropping it removes it.
struct Unfinished(PathBuf);

impl Unfinished {
    /// Gives the file the name `path` too, unless that is taken.
    fn link(&self, path: &Path) -> io::Result<()> {
        for _ in 0..ATTEMPTS {
            let linked = fs::hard_link(&self.0, path);
            if !is_missing(&linked) {
                return linked;
            }
            let created = path.parent().map_or(Ok(()), create_folders);
            if !is_missing(&created) {
                created?;
            }
        }
        Err(io::Error::new(io::ErrorKind::ResourceBusy, "its folder is deleted as often as it is created"))
    }

    /// Gives the file the name `path` instead, whatever had it before.
    fn rename(self, path: &Path) -> io::Result<()> {
        fs::rename(&self.0, path)
        // The drop finds nothing to remove.
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // What can't be removed now is cleared when the store is next opened by one process alone.
        let _ = fs::remove_file(&self.0);
    }
}

fn is_missing(result: &io::Result<()>) -> bool {
    result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

fn lock_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

fn clear(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        fs::remove_file(entry?.path())?;
    }
    Ok(())
}

/// Creates a folder and what is missing above it, each of them durable before it is used.
fn create_folders(folder: &Path) -> io::Result<()> {
    let created = match (fs::create_dir(folder), folder.parent()) {
        (Err(error), Some(above)) if error.kind() == io::ErrorKind::NotFound => {
            create_folders(above)?;
            fs::create_dir(folder)
        }
        (created, _) => created,
    };
    match (created, folder.parent()) {
        (Err(error), _) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        (Err(error), _) => Err(error),
        (Ok(()), Some(above)) if above.as_os_str().is_empty() => sync_folder(Path::new(".")),
        (Ok(()), Some(above)) => sync_folder(above),
        (Ok(()), None) => Ok(()),
    }
}

/// Makes the removal of `path` durable and removes the folders that it left empty.
fn forget(root: &Path, path: &Path) -> io::Result<()> {
    sync_folders(root, path)?;
    for folder in folders(root, path) {
        if folder == root || fs::remove_dir(folder).is_err() {
            break;
        }
    }
    Ok(())
}

/// Makes the names on the way from `root` to `path` durable, all of them: another process may have created a folder
/// and not have come to this yet.
fn sync_folders(root: &Path, path: &Path) -> io::Result<()> {
    folders(root, path).try_for_each(sync_folder)
}

/// The folders above `path`, from the nearest up to `root`.
fn folders<'a>(root: &'a Path, path: &'a Path) -> impl Iterator<Item = &'a Path> {
    path.ancestors().skip(1).take_while(move |folder| folder.starts_with(root))
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder) {
        Ok(folder) => folder.sync_all(),
        // Deleted since, because it was empty: there is no name in it to be kept.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Not among the tests that start processes: for a moment those hold copies of this process's locks.
    #[test]
    fn only_dead_writers_files_are_cleared() {
        let root = tempfile::tempdir().unwrap();
        let first = Workshop::open(root.path()).unwrap();
        let left = first.unfinished.join("1-0");
        fs::write(&left, "half an obj").unwrap();

        let second = Workshop::open(root.path()).unwrap();
        assert!(left.exists(), "whoever has the folder open may be writing it");
        drop(first);
        let third = Workshop::open(root.path()).unwrap();
        assert!(left.exists());
        drop((second, third));
        let _alone = Workshop::open(root.path()).unwrap();
        assert!(!left.exists());
    }

    #[test]
    fn a_failed_write_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let workshop = Workshop::open(root.path()).unwrap();
        let path = root.path().join("a/b");
        workshop.create(root.path(), &path, b"first").unwrap();
        assert!(workshop.create(root.path(), &path, b"second").is_err());
        assert!(!workshop.replace(root.path(), &path, b"second", || Ok(false)).unwrap());
        assert!(workshop.replace(root.path(), &path, b"second", || Err(io::ErrorKind::Other.into())).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(fs::read_dir(&workshop.unfinished).unwrap().count(), 0);
    }

    #[test]
    fn a_deletion_waits_for_a_replacement_under_way() {
        let root = tempfile::tempdir().unwrap();
        let workshop = Workshop::open(root.path()).unwrap();
        let path = root.path().join("x");
        workshop.create(root.path(), &path, b"first").unwrap();
        std::thread::scope(|scope| {
            let replaced = workshop.replace(root.path(), &path, b"second", || {
                scope.spawn(|| workshop.remove(root.path(), &path).unwrap());
                // Time enough for a deletion that doesn't wait.
                for _ in 0..10_000 {
                    assert!(path.exists());
                    std::thread::yield_now();
                }
                Ok(true)
            });
            assert!(replaced.unwrap());
        });
        assert!(!path.exists());
    }

    #[test]
    fn names_that_another_writer_has_taken_are_passed_over() {
        let root = tempfile::tempdir().unwrap();
        let workshop = Workshop::open(root.path()).unwrap();
        fs::write(workshop.unfinished.join(format!("{}-0", process::id())), "another container's").unwrap();
        workshop.create(root.path(), &root.path().join("x"), b"mine").unwrap();
        assert_eq!(fs::read(root.path().join("x")).unwrap(), b"mine");
    }
}
