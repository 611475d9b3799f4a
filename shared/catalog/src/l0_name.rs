//! What ingest's objects are called: by time and content.

use std::{fmt, str::FromStr};

use niente_model::{Hour, Nanos, Tenant, TimeRange};
use niente_store::ObjectKey;
use serde::{Deserialize, Serialize};

const SECOND: u64 = 1_000_000_000;
const SUFFIX: &str = ".parquet";

/// The name of a level-0 object: one ingest request's spans that start in one hour.
///
/// `<yyyy-mm-ddThh>-<end>-<hash>.parquet`, below `<tenant>/l0/`: the hour in UTC, the latest end of its spans in
/// seconds since the epoch (ten digits, rounded up), and the hash of its spans in 32 hexadecimal digits. So one
/// listing of a tenant tells each object's time, in the order of the hours.
///
/// The field order makes names compare as their texts do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct L0Name {
    hour: Hour,
    /// Rounded up; never before the hour's start.
    end_seconds: u64,
    hash: ContentHash,
}

impl L0Name {
    /// The name of spans that start in `hour`, of which the last ends at `end`, with the hash of them all.
    ///
    /// Spans don't end before they start: an `end` before the hour counts as the hour's start.
    pub fn new(hour: Hour, end: Nanos, hash: ContentHash) -> Self {
        Self { hour, end_seconds: end.max(hour.start()).get().div_ceil(SECOND), hash }
    }

    /// The hour in which the spans start.
    pub fn hour(&self) -> Hour {
        self.hour
    }

    /// A moment at or after the latest end of the spans, by less than a second.
    pub fn end(&self) -> Nanos {
        Nanos::from_secs(self.end_seconds)
    }

    /// From the hour's start to the latest end: a range that holds every span from start to end.
    pub fn times(&self) -> TimeRange {
        TimeRange::new(self.hour.start(), self.end()).expect("a level-0 name never ends before its hour starts")
    }

    /// The hash of the spans.
    pub fn hash(&self) -> ContentHash {
        self.hash
    }

    /// The object's key.
    pub fn key(&self, tenant: &Tenant) -> ObjectKey {
        ObjectKey::new(&format!("{}{self}", Self::prefix(tenant)))
            .expect("a tenant and a level-0 name are segments of less than 255 bytes")
    }

    /// Reads what [`key`](Self::key) makes. None for any other key: another tenant's, another kind's, a foreign one.
    pub fn parse(tenant: &Tenant, key: &str) -> Option<Self> {
        Self::parse_file(key.strip_prefix(&Self::prefix(tenant))?)
    }

    /// What the keys of all of a tenant's level-0 objects, and no others of ours, begin with.
    pub fn prefix(tenant: &Tenant) -> String {
        format!("{tenant}/l0/")
    }

    /// A text that is less than the keys of all level-0 objects from `hour` on, and greater than those before.
    pub(crate) fn before(tenant: &Tenant, hour: Hour) -> String {
        format!("{}{hour}", Self::prefix(tenant))
    }

    /// A text that is greater than the keys of all level-0 objects up to and including `hour`, and not greater than
    /// those of later hours.
    pub(crate) fn after(tenant: &Tenant, hour: Hour) -> String {
        // In the keys of the hour a '-' follows, and '.' is the next character.
        format!("{}{hour}.", Self::prefix(tenant))
    }

    fn parse_file(file: &str) -> Option<Self> {
        let (hour, rest) = file.strip_suffix(SUFFIX)?.split_at_checked("yyyy-mm-ddThh".len())?;
        let (end, hash) = rest.strip_prefix('-')?.split_once('-')?;
        let name = Self { hour: Hour::parse(hour)?, end_seconds: end.parse().ok()?, hash: hash.parse().ok()? };
        // One name has one spelling: what prints otherwise is not ours (`+` and upper case parse as numbers too).
        let possible = Self::new(name.hour, name.end(), name.hash) == name;
        (possible && name.to_string() == file).then_some(name)
    }
}

impl fmt::Display for L0Name {
    /// The key's last segment.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:010}-{}{SUFFIX}", self.hour, self.end_seconds, self.hash)
    }
}

/// 128 bits of BLAKE3 over what an object holds: repeated requests get the same name, others never do.
///
/// It is taken over the spans in canonical order and not over Parquet's bytes, which change with every version of
/// the writer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ContentHash([u8; 16]);

/// Text that is no [`ContentHash`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no content hash: it must be 32 hexadecimal digits")]
pub struct InvalidHash(String);

impl ContentHash {
    /// The hash of the chunks' bytes, one after the other. Where chunks begin and end makes no difference: whoever
    /// serialises has to tell `ab`, `c` from `a`, `bc`.
    pub fn of(chunks: impl IntoIterator<Item: AsRef<[u8]>>) -> Self {
        let mut hasher = blake3::Hasher::new();
        for chunk in chunks {
            hasher.update(chunk.as_ref());
        }
        Self::finish(&hasher)
    }

    /// The hash of all that a hasher was fed.
    pub(crate) fn finish(hasher: &blake3::Hasher) -> Self {
        let mut hash = [0; 16];
        hasher.finalize_xof().fill(&mut hash);
        Self(hash)
    }

    /// The hash with these bytes, for those who compute it themselves.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The hash's bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl FromStr for ContentHash {
    type Err = InvalidHash;

    /// Reads 32 hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, InvalidHash> {
        let mut hash = [0; 16];
        hex::decode_to_slice(text, &mut hash).map_err(|_| InvalidHash(text.to_owned()))?;
        Ok(Self(hash))
    }
}

impl fmt::Display for ContentHash {
    /// 32 lower-case hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tenant() -> Tenant {
        Tenant::new("acme").unwrap()
    }

    #[test]
    fn a_name_is_spelt_so() {
        // Objects in buckets are called so: this can never change.
        let start = Nanos::new(1_793_577_605_026_456_407).unwrap();
        let name = L0Name::new(start.hour(), start, ContentHash::from_bytes([0xab; 16]));
        let key = "acme/l0/2026-11-02T00-1793577606-abababababababababababababababab.parquet";
        assert_eq!(name.key(&tenant()).as_str(), key);
        assert_eq!(L0Name::parse(&tenant(), key), Some(name));

        let first = L0Name::new(Nanos::ZERO.hour(), Nanos::ZERO, ContentHash::from_bytes([0; 16]));
        assert_eq!(first.to_string(), "1970-01-01T00-0000000000-00000000000000000000000000000000.parquet");
    }

    #[test]
    fn the_hash_is_blake3_cut_to_128_bits() {
        // Likewise. The vector is BLAKE3's own, of no bytes.
        assert_eq!(ContentHash::of([b""]).to_string(), "af1349b9f5f9a1a6a0404dea36dcc949");
        assert_eq!(ContentHash::of(["ab", "c"]), ContentHash::of(["abc"]));
        assert_ne!(ContentHash::of(["abc"]), ContentHash::of(["abd"]));
    }

    #[test]
    fn what_we_would_not_write_is_no_name() {
        let hash = "0123456789abcdef0123456789abcdef";
        let good = format!("acme/l0/2026-11-02T00-1793577606-{hash}.parquet");
        assert!(L0Name::parse(&tenant(), &good).is_some());
        for wrong in [
            good.replace("acme", "acme2"),
            good.replace("l0", "blocks"),
            good.replace("l0/", "l0/x/"),
            good.replace(".parquet", ""),
            good.replace(".parquet", ".parquet.tmp"),
            good.replace("T00", "T24"),
            good.replace("T00", "T+0"),
            good.replace("2026-11-02", "2026-11-32"),
            good.replace("-1793577606", ""),
            good.replace("1793577606", "01793577606"),
            good.replace("1793577606", "+793577606"),
            good.replace("1793577606", "1793577599"), // before the hour
            good.replace("1793577606", "9223372038"), // beyond the last nanosecond
            good.replace("abcdef", "ABCDEF"),
            good.replace(hash, &hash[1..]),
            good.replace(hash, "é123456789abcdef0123456789abcde"),
            "acme/l0/".into(),
            "acme/l0/é".into(),
            String::new(),
        ] {
            assert_eq!(L0Name::parse(&tenant(), &wrong), None, "{wrong}");
        }
    }

    fn names() -> impl Strategy<Value = L0Name> {
        // Any, and some of one hour that ends are near.
        let start = prop_oneof![0..=Nanos::MAX.get(), 0..HOUR, Nanos::MAX.get() - HOUR..=Nanos::MAX.get()];
        let length = prop_oneof![Just(0), 0..2 * SECOND, 0..=Nanos::MAX.get()];
        (start, length, any::<[u8; 16]>()).prop_map(|(start, length, hash)| {
            let (start, length) = (Nanos::new(start).unwrap(), Nanos::new(length).unwrap());
            L0Name::new(start.hour(), start.saturating_add(length), ContentHash::from_bytes(hash))
        })
    }

    const HOUR: u64 = 3_600 * SECOND;

    proptest! {
        #[test]
        fn names_come_back_from_their_keys(name in names(), tenant in "[a-zA-Z0-9!_*'()-]{1,150}") {
            let tenant = Tenant::new(&tenant).unwrap();
            prop_assert_eq!(L0Name::parse(&tenant, name.key(&tenant).as_str()), Some(name));
        }

        #[test]
        fn names_sort_as_their_texts(a in names(), b in names()) {
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }

        #[test]
        fn the_end_is_rounded_up_by_less_than_a_second(start in 0..=Nanos::MAX.get()) {
            let start = Nanos::new(start).unwrap();
            let name = L0Name::new(start.hour(), start, ContentHash::from_bytes([0; 16]));
            prop_assert!(start <= name.end());
            prop_assert!(name.end().saturating_sub(start) < Nanos::from_secs(1));
        }

        #[test]
        fn an_hours_keys_end_where_the_next_ones_begin(a in names(), b in names()) {
            let tenant = Tenant::single();
            let beyond = b.key(&tenant).as_str() >= L0Name::after(&tenant, a.hour()).as_str();
            prop_assert_eq!(beyond, b.hour() > a.hour());
            let within = b.key(&tenant).as_str() > L0Name::before(&tenant, a.hour()).as_str();
            prop_assert_eq!(within, b.hour() >= a.hour());
        }
    }
}
