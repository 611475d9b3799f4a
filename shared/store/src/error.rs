use std::{borrow::Cow, fmt, ops::Range};

use crate::{ETag, InvalidKey};

/// What lies below an [`Error`]: the operating system's or the SDK's own.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// The result of a store's methods.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a store didn't do what it was asked.
///
/// Variants are situations; [`Error::kind`] says what to do about them. `key` is the object's key, or the prefix of a
/// listing, or the path of a folder that is opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such object.
    #[error("{action} {key}: there is no such object")]
    NotFound {
        /// What was being done.
        action: Action,
        /// To which object.
        key: String,
        /// What the system below said, if it said anything.
        source: Option<Source>,
    },
    /// There is an object of that key already, and it was left as it is.
    ///
    /// Where a backend repeats a request whose answer was lost, that object can be the caller's own.
    #[error("writing {key}: there is an object of this key already")]
    AlreadyExists {
        /// The object.
        key: String,
        /// What the system below said, if it said anything.
        source: Option<Source>,
    },
    /// The object is not the version that was to be replaced or deleted, and it was left as it is.
    ///
    /// Where a backend repeats a request whose answer was lost, the new version can be the caller's own.
    #[error("{action} {key}: it is no longer the version {expected}; read it again and decide anew")]
    Precondition {
        /// What was being done.
        action: Action,
        /// The object.
        key: String,
        /// The version that was to be replaced or deleted.
        expected: ETag,
        /// What the system below said, if it said anything.
        source: Option<Source>,
    },
    /// Bytes that the object doesn't have, or a reversed range.
    #[error("{}", out_of_range(key, range, *size))]
    OutOfRange {
        /// The object.
        key: String,
        /// The bytes that were asked for.
        range: Range<u64>,
        /// How many the object has, if that is known.
        size: Option<u64>,
        /// What the system below said, if it said anything.
        source: Option<Source>,
    },
    /// The key is none, or none that this store can hold.
    #[error(transparent)]
    InvalidKey(#[from] InvalidKey),
    /// The store refuses this to whoever the process runs as.
    #[error("{action} {key}: permission denied; {advice}")]
    PermissionDenied {
        /// What was being done.
        action: Action,
        /// To which object.
        key: String,
        /// What the operator can do.
        advice: Cow<'static, str>,
        /// What the system below said, if it said anything.
        source: Option<Source>,
    },
    /// The bucket that is to hold the objects doesn't exist.
    #[error("{action} {key}: there is no bucket {bucket}; create it, or name another one")]
    NoBucket {
        /// What was being done.
        action: Action,
        /// To which object.
        key: String,
        /// The bucket's name.
        bucket: String,
        /// What the system below said, if it said anything.
        source: Option<Source>,
    },
    /// No room is left: disk or quota.
    #[error("{action} {key}: the storage is full; free space or raise the quota, then try again")]
    Full {
        /// What was being done.
        action: Action,
        /// To which object.
        key: String,
        /// What the system below said, if it said anything.
        source: Option<Source>,
    },
    /// The store asks for fewer requests.
    #[error("{action} {key}: the store asks to slow down; try again later")]
    Throttled {
        /// What was being done.
        action: Action,
        /// To which object.
        key: String,
        /// What the system below said, if it said anything.
        source: Option<Source>,
    },
    /// The store can't be reached, or failed in a way that passes: time-outs, lost connections, its own 5xx.
    ///
    /// Whether a write was done is not known.
    #[error("{action} {key}: the store did not answer; try again")]
    Unavailable {
        /// What was being done.
        action: Action,
        /// To which object.
        key: String,
        /// What the system below said, if it said anything.
        source: Option<Source>,
    },
    /// Anything else that stands in the way and that trying again won't cure.
    #[error("{action} {key}: {reason}")]
    Io {
        /// What was being done.
        action: Action,
        /// To which object.
        key: String,
        /// What is wrong and, where one can say so, what to do about it.
        reason: Cow<'static, str>,
        /// What the system below said, if it said anything.
        source: Option<Source>,
    },
}

/// What the caller should do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The same request may succeed later: wait and try again.
    Retry,
    /// What the caller knew is out of date: look again and decide anew.
    Refresh,
    /// The request is wrong and stays so: fix it.
    FixRequest,
    /// Only someone with power over the storage can help: report it.
    GiveUp,
}

/// What was being done to an object when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Reading all or some of its bytes.
    Read,
    /// Asking for its size and age.
    Head,
    /// Listing keys.
    List,
    /// Writing a new object.
    Write,
    /// Replacing one version by another.
    Replace,
    /// Deleting it.
    Delete,
    /// Opening the store.
    Open,
    /// Asking for the store's time.
    Now,
}

impl Error {
    /// What the caller should do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::NotFound { .. } | Error::AlreadyExists { .. } | Error::Precondition { .. } => ErrorKind::Refresh,
            Error::OutOfRange { .. } | Error::InvalidKey(_) => ErrorKind::FixRequest,
            Error::Throttled { .. } | Error::Unavailable { .. } => ErrorKind::Retry,
            Error::PermissionDenied { .. } | Error::NoBucket { .. } | Error::Full { .. } | Error::Io { .. } => {
                ErrorKind::GiveUp
            }
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Action::Read => "reading",
            Action::Head => "looking up",
            Action::List => "listing",
            Action::Write => "writing",
            Action::Replace => "replacing",
            Action::Delete => "deleting",
            Action::Open => "opening",
            Action::Now => "asking for the time of",
        })
    }
}

fn out_of_range(key: &str, Range { start, end }: &Range<u64>, size: Option<u64>) -> String {
    match size {
        _ if start > end => format!("reading bytes {start}..{end} of {key}: the range is reversed"),
        Some(size) => format!("reading bytes {start}..{end} of {key}: the object has {size} bytes"),
        None => format!("reading bytes {start}..{end} of {key}: the object has fewer bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_what_was_done_to_which_object() {
        let key = || "acme/l0/x".to_owned();
        for (error, message) in [
            (
                Error::NotFound { action: Action::Head, key: key(), source: None },
                "looking up acme/l0/x: there is no such object",
            ),
            (
                Error::OutOfRange { key: key(), range: 5..9, size: Some(7), source: None },
                "reading bytes 5..9 of acme/l0/x: the object has 7 bytes",
            ),
            (
                Error::Precondition {
                    action: Action::Replace,
                    key: key(),
                    expected: ETag::new("\"v1\""),
                    source: None,
                },
                "replacing acme/l0/x: it is no longer the version \"v1\"; read it again and decide anew",
            ),
        ] {
            assert_eq!(error.to_string(), message);
        }
    }
}
