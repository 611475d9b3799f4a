use http::StatusCode;
use niente_model::{Nanos, Tenant};

use super::Right;

/// Why a request is not let in, or not let do what it wants.
///
/// The display is what the sender is told. A token that is not listed, one whose secret is wrong and one that was
/// removed are told the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// No token, or none in a form that is understood.
    #[error("this needs a token: send `Authorization: Bearer TOKEN`, or the token as the password of basic auth")]
    Missing,
    /// A token that is not listed.
    #[error("the token is not known: it may be misspelled or revoked")]
    Unknown,
    /// A token whose time is over.
    #[error("the token has expired at {0}")]
    Expired(Nanos),
    /// A header that no client sends.
    #[error("the header Authorization {0}")]
    Header(&'static str),
    /// There are no tokens, and so nobody who could be let in.
    #[error("nobody is let in here: no tokens are configured")]
    Closed,
    /// A right that the token doesn't have.
    #[error("the token has not the right to {0}")]
    Right(Right),
    /// A tenant that the token is not good for.
    #[error("the token is not good for the tenant {0}")]
    Tenant(Tenant),
    /// A token that is good for several tenants, and a request that names none.
    #[error("the token is good for several tenants: name one in the header X-Scope-OrgID")]
    TenantNotNamed,
    /// The tokens can't be read, and were not for some time.
    #[error("the tokens can't be read now: try again later")]
    Unavailable,
}

impl AuthError {
    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        match self {
            AuthError::Missing | AuthError::Unknown | AuthError::Expired(_) => StatusCode::UNAUTHORIZED,
            AuthError::Closed | AuthError::Right(_) | AuthError::Tenant(_) => StatusCode::FORBIDDEN,
            AuthError::Header(_) | AuthError::TenantNotNamed => StatusCode::BAD_REQUEST,
            AuthError::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}
