//! The document's text. Its version stands in the field that all of Niente's JSON has.

use std::{collections::BTreeSet, fmt};

use jiff::Timestamp;
use niente_cost::{Budget, Dollars};
use niente_model::{Nanos, Tenant};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, SeqAccess, Unexpected, Visitor},
};

use super::{InvalidDocument, TenantScope, TokenDocument, TokenEntry};
use crate::auth::{Right, TokenHash, TokenId};

/// The version that this build writes, and the newest that it reads.
const VERSION: u32 = 1;
/// What stands in a tenants' list's place.
const EVERY: &str = "*";

/// As much of a document as every version has.
#[derive(Deserialize)]
#[serde(expecting = "an object with the fields niente and tokens")]
struct AnyVersion {
    /// The least version that a reader has to know.
    niente: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with the fields niente and tokens")]
struct Document {
    niente: u32,
    tokens: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with what is known of a token")]
struct Entry {
    id: TokenId,
    name: String,
    hash: TokenHash,
    tenants: TenantScope,
    rights: Vec<Right>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_query_cost: Option<Dollars>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_query_bytes: Option<u64>,
}

pub(super) fn decode(
    bytes: &[u8],
) -> Result<impl Iterator<Item = Result<TokenEntry, InvalidDocument>>, InvalidDocument> {
    if bytes.len() > TokenDocument::MAX_BYTES {
        let limit = TokenDocument::MAX_BYTES;
        return Err(InvalidDocument::new(format!("it has {} bytes, at most {limit} are allowed", bytes.len())));
    }
    let wrong = |error: serde_json::Error| InvalidDocument::new(error.to_string());
    let AnyVersion { niente: version } = serde_json::from_slice(bytes).map_err(wrong)?;
    if version > VERSION {
        return Err(InvalidDocument::new(format!(
            "it needs a reader of version {version}, this one knows versions up to {VERSION}: upgrade Niente"
        )));
    }
    let document: Document = serde_json::from_slice(bytes).map_err(wrong)?;
    Ok(document.tokens.into_iter().map(Entry::into_entry))
}

pub(super) fn encode(entries: &[TokenEntry]) -> Vec<u8> {
    let document = Document { niente: VERSION, tokens: entries.iter().map(Entry::of).collect() };
    let mut text = serde_json::to_vec_pretty(&document).expect("text and finite numbers become JSON");
    text.push(b'\n');
    text
}

impl Entry {
    fn into_entry(self) -> Result<TokenEntry, InvalidDocument> {
        let Self { id, name, hash, tenants, rights, expires, max_query_cost, max_query_bytes } = self;
        let expires = expires.map(|text| moment(&text)).transpose();
        let expires = expires.map_err(|reason| InvalidDocument::new(format!("token {id}: expires: {reason}")))?;
        let budget = Budget { dollars: max_query_cost, bytes: max_query_bytes };
        Ok(TokenEntry { id, name, hash, tenants, rights: rights.into_iter().collect(), expires, budget })
    }

    fn of(entry: &TokenEntry) -> Self {
        let TokenEntry { id, name, hash, tenants, rights, expires, budget } = entry;
        Self {
            id: *id,
            name: name.clone(),
            hash: *hash,
            tenants: tenants.clone(),
            rights: rights.iter().collect(),
            expires: expires.map(rfc3339),
            max_query_cost: budget.dollars,
            max_query_bytes: budget.bytes,
        }
    }
}

/// RFC 3339. What lies before the epoch or after the last moment that can be counted is the one or the other.
fn moment(text: &str) -> Result<Nanos, &'static str> {
    let moment: Timestamp = text.parse().map_err(|_| "this is no moment such as 2027-01-31T00:00:00Z")?;
    let nanos = u64::try_from(moment.as_nanosecond().max(0)).ok();
    Ok(nanos.and_then(|nanos| Nanos::new(nanos).ok()).unwrap_or(Nanos::MAX))
}

fn rfc3339(moment: Nanos) -> String {
    let moment = Timestamp::from_nanosecond(moment.get().into()).expect("Nanos end in the year 2262");
    moment.to_string()
}

impl Serialize for TenantScope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            TenantScope::Every => serializer.serialize_str(EVERY),
            TenantScope::Only(names) => serializer.collect_seq(names.iter().map(Tenant::as_str)),
        }
    }
}

impl<'de> Deserialize<'de> for TenantScope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Tenants)
    }
}

struct Tenants;

impl<'de> Visitor<'de> for Tenants {
    type Value = TenantScope;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of tenants, or \"*\" for every tenant")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<TenantScope, E> {
        match text {
            EVERY => Ok(TenantScope::Every),
            _ => Err(E::invalid_type(Unexpected::Other("another text"), &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<TenantScope, A::Error> {
        let mut names = BTreeSet::new();
        while let Some(name) = list.next_element::<String>()? {
            // A tenant may be called so, but that isn't what somebody means who writes it here.
            if name == EVERY {
                return Err(A::Error::custom("\"*\" stands in a list: without one it means every tenant"));
            }
            names.insert(Tenant::new(&name).map_err(A::Error::custom)?);
        }
        Ok(TenantScope::Only(names))
    }
}
