use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// A tenant's name: always a safe segment of an object's path.
///
/// 1 to 150 of the characters `a-z A-Z 0-9 ! - _ . * ' ( )`, and neither `.` nor `..`, the rule of Grafana's own
/// databases. In particular no slash, so that each tenant's objects lie under a prefix of its own.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Tenant(Arc<str>);

/// Why a name is no tenant's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTenant {
    /// No name at all.
    #[error("the tenant name is empty")]
    Empty,
    /// Longer than 150 bytes.
    #[error("the tenant name has {0} bytes, at most 150 are allowed")]
    TooLong(usize),
    /// `.` and `..` would leave the tenant's prefix.
    #[error("the tenant name must not be '.' or '..'")]
    Dots,
    /// A character that is not on the list.
    #[error("the tenant name has the character {0:?}; allowed are letters, digits and ! - _ . * ' ( )")]
    Character(char),
}

impl From<Tenant> for String {
    fn from(tenant: Tenant) -> Self {
        tenant.as_str().to_owned()
    }
}

impl TryFrom<String> for Tenant {
    type Error = InvalidTenant;

    fn try_from(name: String) -> Result<Self, InvalidTenant> {
        Self::new(&name)
    }
}

impl Tenant {
    /// The longest name, in bytes.
    pub const MAX_LENGTH: usize = 150;

    /// The tenant with this name, if it may be one.
    pub fn new(name: &str) -> Result<Self, InvalidTenant> {
        if name.is_empty() {
            return Err(InvalidTenant::Empty);
        }
        if name.len() > Self::MAX_LENGTH {
            return Err(InvalidTenant::TooLong(name.len()));
        }
        if name == "." || name == ".." {
            return Err(InvalidTenant::Dots);
        }
        match name.chars().find(|c| !c.is_ascii_alphanumeric() && !"!-_.*'()".contains(*c)) {
            Some(character) => Err(InvalidTenant::Character(character)),
            None => Ok(Self(name.into())),
        }
    }

    /// The tenant of requests that name none: Tempo's `single-tenant`.
    pub fn single() -> Self {
        Self("single-tenant".into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_safe_path_segments_are_tenants() {
        for name in ["single-tenant", "team.a", "A_1", "o'brien(1)*!", &"x".repeat(150)] {
            assert_eq!(Tenant::new(name).unwrap().as_str(), name);
        }
        for name in
            ["", ".", "..", "a/b", "../etc", "a b", "a|b", "tenänt", "a\0", "a\n", "a\\b", "%2e%2e", &"x".repeat(151)]
        {
            assert!(Tenant::new(name).is_err(), "{name:?}");
        }
    }
}
