//! What the operating system reports, in the store's terms.

use std::io::{self, ErrorKind};

use crate::{Action, Error, InvalidKey};

/// `EPERM`, which `link` gives where the file system has no hard links. (`EACCES` is for missing permissions.)
const NOT_PERMITTED: i32 = 1;
/// `ENFILE` and `EMFILE`, the same numbers on Linux, macOS and the BSDs.
const TOO_MANY_OPEN_FILES: [i32; 2] = [23, 24];

/// What `error` means to who was doing `action` to `key`.
pub(super) fn explain(action: Action, key: &str, error: io::Error) -> Error {
    // What a new object needs besides itself: its folder, and a hard link.
    let creating = action == Action::Write;
    let on_folder = matches!(action, Action::Write | Action::List | Action::Open | Action::Now);
    let key = key.to_owned();
    let not_in_folder = |reason| InvalidKey::NotInFolder { key: key.clone(), reason };
    let kind = error.kind();
    let code = error.raw_os_error();
    let source = Some(error.into());

    match kind {
        ErrorKind::NotFound if on_folder => {
            let reason = "the store's folder is not there, or was removed while it is in use";
            Error::Io { action, key, reason: reason.into(), source }
        }
        ErrorKind::NotFound => Error::NotFound { action, key, source },
        ErrorKind::NotADirectory if creating => not_in_folder("a part of its path is an object").into(),
        ErrorKind::NotADirectory if !on_folder => Error::NotFound { action, key, source },
        ErrorKind::IsADirectory if creating => not_in_folder("other objects lie below it").into(),
        ErrorKind::InvalidFilename => not_in_folder("the file system does not take such a name").into(),
        ErrorKind::CrossesDevices => {
            let reason = "all of the store's folder must lie on one file system";
            Error::Io { action, key, reason: reason.into(), source }
        }
        _ if code == Some(NOT_PERMITTED) && creating => {
            let reason = "the file system refuses a hard link; choose a folder on one that has them";
            Error::Io { action, key, reason: reason.into(), source }
        }
        ErrorKind::Unsupported => {
            let reason = "the file system has no hard links or no locks; choose a folder on one that has them";
            Error::Io { action, key, reason: reason.into(), source }
        }
        ErrorKind::PermissionDenied => {
            let advice = "the user that runs this must be allowed to read and write the store's folder";
            Error::PermissionDenied { action, key, advice: advice.into(), source }
        }
        ErrorKind::ReadOnlyFilesystem => {
            let advice = "the file system is mounted read-only; mount it for writing or choose another folder";
            Error::PermissionDenied { action, key, advice: advice.into(), source }
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::Full { action, key, source },
        ErrorKind::Interrupted
        | ErrorKind::TimedOut
        | ErrorKind::WouldBlock
        | ErrorKind::ResourceBusy
        | ErrorKind::StaleNetworkFileHandle => Error::Unavailable { action, key, source },
        _ if code.is_some_and(|code| TOO_MANY_OPEN_FILES.contains(&code)) => Error::Throttled { action, key, source },
        ErrorKind::NotADirectory => {
            let reason = "a part of the path is a file, not a folder; choose another path";
            Error::Io { action, key, reason: reason.into(), source }
        }
        _ => Error::Io { action, key, reason: "the file system reports an error".into(), source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_reports_says_what_to_do() {
        const EPERM: i32 = 1;
        const ENOENT: i32 = 2;
        const EACCES: i32 = 13;
        const ENOTDIR: i32 = 20;
        const EMFILE: i32 = 24;
        const ENOSPC: i32 = 28;
        const EROFS: i32 = 30;
        for (code, message) in [
            (EPERM, "writing a/b: the file system refuses a hard link; choose a folder on one that has them"),
            (ENOENT, "writing a/b: the store's folder is not there, or was removed while it is in use"),
            (
                EACCES,
                "writing a/b: permission denied; the user that runs this must be allowed to read and write the \
                 store's folder",
            ),
            (ENOTDIR, "the object key \"a/b\" can't be a file in this folder: a part of its path is an object"),
            (EMFILE, "writing a/b: the store asks to slow down; try again later"),
            (ENOSPC, "writing a/b: the storage is full; free space or raise the quota, then try again"),
            (
                EROFS,
                "writing a/b: permission denied; the file system is mounted read-only; mount it for writing or \
                 choose another folder",
            ),
        ] {
            assert_eq!(explain(Action::Write, "a/b", io::Error::from_raw_os_error(code)).to_string(), message);
        }
    }
}
