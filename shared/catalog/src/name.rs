//! What Niente's objects are called. No other module spells a key.

use std::{fmt, str::FromStr};

use niente_model::{Day, Nanos, Tenant};
use niente_store::ObjectKey;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::L0Name;

/// What one attempt to compact or index wrote: unique, and never written to again.
///
/// A ULID. It is *not* made of the content: an object that a dead compactor left behind must never be taken for the
/// one that another is about to commit, since gc may be removing it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "[u8; 16]", from = "[u8; 16]")]
pub struct ObjectId(Ulid);

/// Text that is no [`ObjectId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no object ID: it must be a ULID of 26 characters")]
pub struct InvalidObjectId(String);

/// The name of an immutable object, within its tenant and day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Name {
    /// One ingest request's spans of one hour.
    Level0(L0Name),
    /// A compacted block.
    Block(ObjectId),
    /// A part of the day's trace index.
    Index(ObjectId),
}

impl ObjectId {
    /// An ID made at `now`, with 80 bits of randomness: the lower ones of `random`.
    pub fn new(now: Nanos, random: u128) -> Self {
        Self(Ulid::from_parts(now.get() / 1_000_000, random))
    }

    /// The ID with these bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Ulid::from_bytes(bytes))
    }

    /// The ID's bytes, in the order of the IDs.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_bytes()
    }
}

impl From<ObjectId> for [u8; 16] {
    fn from(id: ObjectId) -> Self {
        id.to_bytes()
    }
}

impl From<[u8; 16]> for ObjectId {
    fn from(bytes: [u8; 16]) -> Self {
        Self::from_bytes(bytes)
    }
}

impl FromStr for ObjectId {
    type Err = InvalidObjectId;

    /// Reads 26 characters of Crockford's base 32, upper case.
    fn from_str(text: &str) -> Result<Self, InvalidObjectId> {
        let id = Ulid::from_string(text).map(Self).map_err(|_| InvalidObjectId(text.to_owned()))?;
        // One ID has one spelling.
        if id.to_string() == text { Ok(id) } else { Err(InvalidObjectId(text.to_owned())) }
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

const BLOCKS: &str = "blocks";
const INDEX: &str = "index";
const SUFFIX: &str = ".parquet";

impl Name {
    /// The object's key. `day` is that of its catalog; level 0 has its own in its name.
    pub fn key(&self, tenant: &Tenant, day: Day) -> ObjectKey {
        match self {
            Name::Level0(name) => name.key(tenant),
            Name::Block(id) => key(&format!("{tenant}/{BLOCKS}/{day}/{id}{SUFFIX}")),
            Name::Index(id) => key(&format!("{tenant}/{INDEX}/{day}/{id}")),
        }
    }

    /// Reads what [`key`](Self::key) makes of blocks and parts of the index.
    pub fn parse(tenant: &Tenant, key: &str) -> Option<(Day, Self)> {
        let rest = key.strip_prefix(tenant.as_str())?.strip_prefix('/')?;
        let (kind, rest) = rest.split_once('/')?;
        let (day, file) = rest.split_once('/')?;
        let name = match kind {
            BLOCKS => Name::Block(file.strip_suffix(SUFFIX)?.parse().ok()?),
            INDEX => Name::Index(file.parse().ok()?),
            _ => return None,
        };
        Some((Day::parse(day)?, name))
    }

    /// What the keys of all of a tenant's blocks begin with.
    pub fn blocks(tenant: &Tenant) -> String {
        format!("{tenant}/{BLOCKS}/")
    }

    /// What the keys of all parts of a tenant's trace index begin with.
    pub fn indexes(tenant: &Tenant) -> String {
        format!("{tenant}/{INDEX}/")
    }
}

/// The key of a day's catalog.
pub(crate) fn catalog_key(tenant: &Tenant, day: Day) -> ObjectKey {
    key(&format!("{}{day}", catalogs(tenant)))
}

/// What the keys of all of a tenant's catalogs begin with.
pub(crate) fn catalogs(tenant: &Tenant) -> String {
    format!("{tenant}/catalog/")
}

/// Reads what [`catalog_key`] makes.
pub(crate) fn parse_catalog(tenant: &Tenant, key: &str) -> Option<Day> {
    Day::parse(key.strip_prefix(&catalogs(tenant))?)
}

/// The key of a tenant's configuration.
pub(crate) fn config_key(tenant: &Tenant) -> ObjectKey {
    key(&format!("{tenant}/config"))
}

fn key(text: &str) -> ObjectKey {
    ObjectKey::new(text).expect("tenants, days and IDs are short segments")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spelt_so() {
        // Objects in buckets are called so: this can never change.
        let tenant = Tenant::new("acme").unwrap();
        let now = Nanos::from_secs(1_793_577_605);
        let id = ObjectId::new(now, 0x1234);
        let day = now.hour().day();
        for (name, expected) in [
            (Name::Block(id), "acme/blocks/2026-11-02/01M6CRWNW800000000000004HM.parquet"),
            (Name::Index(id), "acme/index/2026-11-02/01M6CRWNW800000000000004HM"),
        ] {
            let key = name.key(&tenant, day);
            assert_eq!(key.as_str(), expected);
            assert_eq!(Name::parse(&tenant, key.as_str()), Some((day, name)));
            assert_eq!(Name::parse(&tenant, &expected.to_lowercase()), None);
        }
        assert_eq!(catalog_key(&tenant, day).as_str(), "acme/catalog/2026-11-02");
        assert_eq!(parse_catalog(&tenant, "acme/catalog/2026-11-02"), Some(day));
        assert_eq!(config_key(&tenant).as_str(), "acme/config");
        assert_eq!(ObjectId::from_bytes(id.to_bytes()), id);
        for wrong in ["acme/blocks/2026-11-02/x.parquet", "acme2/blocks/2026-11-02/x", "acme/blocks", ""] {
            assert_eq!(Name::parse(&tenant, wrong), None, "{wrong}");
        }
    }
}
