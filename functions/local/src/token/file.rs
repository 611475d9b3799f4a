//! The tokens document as a file.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read, Write},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use niente_api::{SourceError, TokenDocument, TokenEntry, TokenSource};
use tokio::task::spawn_blocking;

use crate::Failure;

/// The tokens that a file lists, whatever it lists now.
#[derive(Clone, Debug)]
pub(crate) struct FileTokens {
    path: PathBuf,
}

impl FileTokens {
    /// A file that has to be a good one at the start: whoever starts a server is there to be told.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let about =
            |error: &dyn std::error::Error| Failure::because(format_args!("--tokens {}", path.display()), error);
        let bytes = read(path).map_err(|error| about(&error))?;
        TokenDocument::decode(&bytes).map_err(|error| about(&error))?;
        Ok(Self { path: path.to_owned() })
    }
}

#[async_trait::async_trait]
impl TokenSource for FileTokens {
    async fn read(&self) -> Result<Bytes, SourceError> {
        let path = self.path.clone();
        Ok(spawn_blocking(move || read(&path)).await??.into())
    }
}

/// The file's bytes; of one that is too large as many as show it.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(TokenDocument::MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Lists a token more in the file, which is created if it isn't there.
///
/// The file is replaced as a whole: who reads it sees the old one or the new one. A new one is its owner's alone, an
/// old one keeps its permissions.
pub(super) fn add(path: &Path, entry: &TokenEntry) -> Result<(), Failure> {
    // What a link points to is replaced, not the link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let about = |error: &dyn std::error::Error| Failure::because(path.display(), error);
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let _lock = lock(folder).map_err(|error| about(&error))?;
    let (mut document, permissions) = match read(&path) {
        Ok(bytes) => {
            let document = TokenDocument::decode(&bytes).map_err(|error| about(&error))?;
            (document, Some(fs::metadata(&path).map_err(|error| about(&error))?.permissions()))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => (TokenDocument::default(), None),
        Err(error) => return Err(about(&error)),
    };
    document.add(entry.clone()).map_err(|error| Failure::Usage(error.to_string()))?;
    replace(&path, folder, &document.encode(), permissions).map_err(|error| about(&error))
}

fn replace(path: &Path, folder: &Path, bytes: &[u8], permissions: Option<fs::Permissions>) -> io::Result<()> {
    // Temporary files are their owner's alone.
    let mut file = tempfile::Builder::new().prefix(".tokens-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    file.as_file().sync_all()?;
    file.persist(path)?;
    sync(folder)
}

/// Held while a file in this folder is changed: of two changes at a time none is lost.
#[cfg(unix)]
fn lock(folder: &Path) -> io::Result<File> {
    let folder = File::open(folder)?;
    folder.lock()?;
    Ok(folder)
}

/// Folders can't be opened, let alone locked.
#[cfg(not(unix))]
fn lock(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::thread;

    use niente_api::{Right, TenantScope, Token};
    use niente_cost::Budget;

    use super::*;

    fn entry(byte: u8) -> TokenEntry {
        let token = Token::from_random([byte; Token::RANDOM_BYTES]);
        TokenEntry {
            id: token.id(),
            name: "x".to_owned(),
            hash: token.hash(),
            tenants: TenantScope::Every,
            rights: [Right::Query].into_iter().collect(),
            expires: None,
            budget: Budget::UNLIMITED,
        }
    }

    #[test]
    #[cfg(unix)]
    fn of_many_changes_at_a_time_none_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        thread::scope(|scope| {
            for byte in 0..16 {
                let path = &path;
                scope.spawn(move || add(path, &entry(byte)).unwrap());
            }
        });
        let document = TokenDocument::decode(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(document.entries().len(), 16);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
    }

    #[test]
    #[cfg(unix)]
    fn only_its_owner_may_read_it_until_somebody_says_otherwise() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("tokens.json"), folder.path().join("link"));
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        add(&path, &entry(1)).unwrap();
        assert_eq!(mode(), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&path, &link).unwrap();
        add(&link, &entry(2)).unwrap();
        assert_eq!(mode(), 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn a_damaged_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        fs::write(&path, "{").unwrap();
        assert!(matches!(add(&path, &entry(1)), Err(Failure::Failed(text)) if text.contains("the tokens document: ")));
        assert_eq!(fs::read(&path).unwrap(), b"{");
        assert!(FileTokens::open(&path).is_err());
        fs::write(&path, vec![b' '; 2 * TokenDocument::MAX_BYTES]).unwrap();
        assert_eq!(read(&path).unwrap().len(), TokenDocument::MAX_BYTES + 1);
        assert!(FileTokens::open(&folder.path().join("none")).is_err());
    }
}
