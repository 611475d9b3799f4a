//! Listing a folder's files in the byte order of their keys.

use std::{
    fs::{self, Metadata},
    io,
    path::Path,
    time::UNIX_EPOCH,
};

use niente_model::Nanos;

use super::durable::OWN;
use crate::{
    Folders, ObjectKey, ObjectMeta, Page,
    bounds::{PAGE, can_begin, is_segment},
};

/// The first page of the files below `root` whose keys begin with `prefix` and are greater than `start_after`.
pub(super) fn page(root: &Path, prefix: &str, start_after: Option<&str>) -> io::Result<Page> {
    // The root itself has to be there: its absence is an error, not an empty store.
    let top = names(root, "")?;
    let mut walk = Walk { root, prefix, start_after, most: PAGE + 1, found: Vec::new() };
    walk.visit(top)?;

    let mut objects = walk.found;
    let more = objects.len() > PAGE;
    objects.truncate(PAGE);
    let next = objects.last().filter(|_| more).map(|last| last.key.to_string());
    Ok(Page { objects, next })
}

/// The first folders below the folder `prefix` that hold objects and whose names with a slash are greater than
/// `start_after` with one.
pub(super) fn folders(root: &Path, prefix: &str, start_after: Option<&str>) -> io::Result<Folders> {
    let top = names(root, "")?;
    let here = if prefix.is_empty() {
        top
    } else if !can_begin(prefix) || prefix.split('/').next() == Some(OWN) {
        return Ok(Folders::default());
    } else {
        unless_gone(names(&root.join(prefix), prefix))?.unwrap_or_default()
    };
    let start_after = start_after.map(|name| format!("{prefix}{name}/"));
    let mut folders: Vec<_> = here
        .into_iter()
        .filter(|name| name.ends_with('/') && start_after.as_ref().is_none_or(|after| name > after))
        .collect();
    folders.sort_unstable();

    let mut found = Folders::default();
    for folder in folders {
        let name = &folder[prefix.len()..folder.len() - 1];
        if !is_segment(name) || !holds_objects(root, &folder)? {
            continue;
        }
        if found.names.len() == PAGE {
            found.next = found.names.last().cloned();
            break;
        }
        found.names.push(name.to_owned());
    }
    Ok(found)
}

fn holds_objects(root: &Path, folder: &str) -> io::Result<bool> {
    let Some(names) = unless_gone(names(&root.join(folder), folder))? else { return Ok(false) };
    let mut walk = Walk { root, prefix: folder, start_after: None, most: 1, found: Vec::new() };
    walk.visit(names)?;
    Ok(!walk.found.is_empty())
}

/// When a file was last written.
pub(super) fn modified(metadata: &Metadata) -> io::Result<Nanos> {
    let since_epoch = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(u64::try_from(since_epoch.as_nanos()).ok().and_then(|nanos| Nanos::new(nanos).ok()).unwrap_or(Nanos::MAX))
}

struct Walk<'a> {
    root: &'a Path,
    prefix: &'a str,
    start_after: Option<&'a str>,
    /// How many objects end the walk.
    most: usize,
    found: Vec<ObjectMeta>,
}

impl Walk<'_> {
    /// Visits a folder's entries until there are as many objects as are wanted at most.
    ///
    /// Names of folders end with a slash, so that sorting them sorts the keys below them: `a-b`, `a/x`, `a0`.
    fn visit(&mut self, mut names: Vec<String>) -> io::Result<()> {
        names.retain(|name| if name.ends_with('/') { self.may_hold(name) } else { self.wants(name) });
        names.sort_unstable();
        for name in names {
            if self.found.len() >= self.most {
                break;
            }
            let path = self.root.join(&name);
            if name.ends_with('/') {
                if let Some(below) = unless_gone(self::names(&path, &name))? {
                    self.visit(below)?;
                }
            } else if let Some(metadata) = unless_gone(path.symlink_metadata())? {
                self.push(&name, &metadata)?;
            }
        }
        Ok(())
    }

    fn wants(&self, key: &str) -> bool {
        key.starts_with(self.prefix) && self.start_after.is_none_or(|after| key > after)
    }

    /// Whether a key that is wanted can lie below this folder.
    fn may_hold(&self, folder: &str) -> bool {
        let in_prefix = folder.starts_with(self.prefix) || self.prefix.starts_with(folder);
        in_prefix && self.start_after.is_none_or(|after| folder > after || after.starts_with(folder))
    }

    fn push(&mut self, name: &str, metadata: &Metadata) -> io::Result<()> {
        match ObjectKey::new(name) {
            Ok(key) => self.found.push(ObjectMeta { key, size: metadata.len(), modified: modified(metadata)? }),
            Err(reason) => tracing::debug!(%reason, "left out a file that is no object"),
        }
        Ok(())
    }
}

/// The keys of a folder's files, and with a slash at the end those of its folders. `at` is the folder's own.
fn names(folder: &Path, at: &str) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Some(kind) = unless_gone(entry.file_type())? else { continue };
        let Ok(name) = entry.file_name().into_string() else {
            tracing::debug!(path = %entry.path().display(), "left out a file whose name is no text");
            continue;
        };
        if kind.is_file() {
            names.push(format!("{at}{name}"));
        } else if kind.is_dir() && !(at.is_empty() && name == OWN) && at.len() < ObjectKey::MAX_LENGTH {
            names.push(format!("{at}{name}/"));
        }
    }
    Ok(names)
}

/// What was deleted since its folder was read is simply no longer there.
fn unless_gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_vanishes_meanwhile_is_left_out() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("b")).unwrap();
        fs::write(root.path().join("b/stays"), "x").unwrap();
        // A folder's entries as they were read, of which some are gone since, or are files by now.
        let names = ["a", "a/", "b/", "b/stays/", "c/"].map(str::to_owned).to_vec();
        let mut walk = Walk { root: root.path(), prefix: "", start_after: None, most: 9, found: Vec::new() };
        walk.visit(names).unwrap();
        assert_eq!(walk.found.iter().map(|meta| meta.key.as_str()).collect::<Vec<_>>(), ["b/stays"]);
    }
}
