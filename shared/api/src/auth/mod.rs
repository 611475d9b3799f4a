//! Who may do what: tokens, the document that lists them, and the gate that every request passes.
//!
//! Grafana can't sign requests as AWS wants them signed, and a collector should not have to, so the handler itself
//! looks at who asks. A [`Token`] is made once and shown once. What is kept is a [`TokenDocument`]: for each token its
//! hash, the tenants and rights that it has, and when it ends. The document comes from a [`TokenSource`], of which
//! this crate knows no more than that it returns bytes: a file, a secret of a cloud.
//!
//! The [`Gate`] goes from headers to a [`Principal`], the holder of a token, and that goes, with what the request
//! wants to do and the tenants that it names, to an [`Access`]: all that may be touched for it. Whoever has an
//! `Access` need not look at a header again.
//!
//! A document is believed for a minute, and read again at once when a token comes that isn't in it. So a new token
//! works when it is first used, a removed one stops within the minute, and nothing has to be restarted: to rotate a
//! token, list the new one beside the old one until all clients have it.
//!
//! Two rules hold everywhere here. No error, log line or `Debug` says anything of a secret, nor of its hash. And what
//! an unknown token is told, and how long that takes, is what a wrong one is told.

mod access;
mod credentials;
mod document;
mod error;
mod gate;
mod rights;
mod source;
mod token;

pub use access::{Access, Principal};
pub use document::{InvalidDocument, TenantScope, TokenDocument, TokenEntry};
pub use error::AuthError;
pub use gate::{Gate, Guard};
pub use rights::{Right, Rights};
pub use source::{SourceError, TokenSource};
pub use token::{InvalidToken, Token, TokenHash, TokenId};
