//! The trace index: which hours of a day hold a trace.
//!
//! A part of it is an object with one entry of eight bytes for each trace key, sorted: the key's first 40 bits, then a
//! bit for each hour of the day in which spans of the trace start. Keys are hashes, so they are uniform, and a key's
//! position can be computed: one small range read answers. What it says is "perhaps" (40 bits of a key are some
//! millions of times rarer to collide than a day has traces) or "no".
//!
//! The entries come first and the directory of sections last, so that what is to come (another section, another type)
//! leaves every entry where it is. Readers of a known part need no directory: the day's catalog says how many entries
//! there are.

use bytes::{BufMut, Bytes, BytesMut};
use niente_block::KeyRange;
use niente_model::TraceKey;
use niente_store::{ObjectKey, Store};

use crate::{Error, IndexPart};

/// The bytes of an entry.
pub(crate) const ENTRY: u64 = 8;
/// The bits of the hours in an entry.
const HOURS: u32 = 24;
/// What a part ends with: the number of sections' entries, the section's type, the format's version, and a name.
const MAGIC: &[u8; 4] = b"NIDX";
const VERSION: u32 = 1;
const TRACE_HOURS: u32 = 1;

/// Collects a part's entries.
#[derive(Debug, Default)]
pub struct IndexWriter {
    bytes: BytesMut,
    last: Option<u64>,
    entries: u64,
}

impl IndexWriter {
    /// Adds a trace key with the hours of a mask. Keys come in order; the same key may come again.
    pub fn push(&mut self, key: TraceKey, hours: u32) {
        let prefix = key.0 >> HOURS;
        let hours = u64::from(hours & ((1 << HOURS) - 1));
        if self.last.is_some_and(|last| last >> HOURS == prefix) {
            let entry = self.last.unwrap_or_default() | hours;
            let at = self.bytes.len() - ENTRY as usize;
            self.bytes[at..].copy_from_slice(&entry.to_be_bytes());
            self.last = Some(entry);
            return;
        }
        let entry = prefix << HOURS | hours;
        debug_assert!(self.last.is_none_or(|last| last < entry), "keys come in order");
        self.bytes.put_u64(entry);
        self.last = Some(entry);
        self.entries += 1;
    }

    /// How many keys it has.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// The part's bytes.
    pub fn finish(mut self) -> Bytes {
        self.bytes.put_u64(self.entries);
        self.bytes.put_u32(TRACE_HOURS);
        self.bytes.put_u32(VERSION);
        self.bytes.put_slice(MAGIC);
        self.bytes.freeze()
    }
}

/// The bits of a key that an entry has.
pub fn indexed_bits(key: TraceKey) -> TraceKey {
    TraceKey(key.0 >> HOURS << HOURS)
}

/// The entries of a part that was read whole: keys with only their first bits ([`indexed_bits`]), and hours.
pub fn index_entries(
    object: &ObjectKey,
    part: &IndexPart,
    bytes: Bytes,
) -> Result<impl Iterator<Item = (TraceKey, u32)> + Send + 'static, Error> {
    let end = (part.entries * ENTRY) as usize;
    if end > bytes.len() || !bytes.ends_with(MAGIC) {
        return Err(damaged(object, "it is shorter than the catalog says"));
    }
    Ok((0..part.entries as usize).map(move |entry| split(bytes.as_chunks().0[entry])))
}

/// The key and hours of an entry.
fn split(entry: [u8; ENTRY as usize]) -> (TraceKey, u32) {
    let entry = u64::from_be_bytes(entry);
    (indexed_bits(TraceKey(entry)), (entry & ((1 << HOURS) - 1)) as u32)
}

/// The hours in which the part says that spans of the key start: zero if there are none.
///
/// Costs one read, unless keys are spread very unevenly.
pub(crate) async fn hours_of(
    store: &dyn Store,
    object: &ObjectKey,
    part: &IndexPart,
    key: TraceKey,
) -> Result<u32, Error> {
    let wanted = key.0 >> HOURS;
    // A position among n uniform keys deviates by sqrt(n)/2 at most; six times that leaves one in a billion outside.
    let mut reach = 64 + 3 * part.entries.isqrt();
    let span = u128::from(part.keys.to.0 - part.keys.from.0) + 1;
    let expected = (u128::from(key.0 - part.keys.from.0) * u128::from(part.entries) / span) as u64;
    loop {
        let (from, to) = (expected.saturating_sub(reach), (expected + reach).min(part.entries));
        let bytes = store.get_range(object, from * ENTRY..to * ENTRY).await?;
        let entries = bytes.as_chunks().0;
        if entries.len() as u64 != to - from {
            return Err(damaged(object, "it is shorter than the catalog says"));
        }
        let prefix = |entry: &[u8; ENTRY as usize]| u64::from_be_bytes(*entry) >> HOURS;
        let at = entries.partition_point(|entry| prefix(entry) < wanted);
        let found = entries.get(at).filter(|entry| prefix(entry) == wanted);
        // What lies before or after all that was read may lie further out.
        let outside = (at == 0 && from > 0) || (at == entries.len() && to < part.entries);
        match found {
            Some(entry) => return Ok(split(*entry).1),
            None if outside => reach = reach.saturating_mul(16),
            None => return Ok(0),
        }
    }
}

fn damaged(object: &ObjectKey, reason: &str) -> Error {
    Error::Unreadable { key: object.to_string(), reason: reason.to_owned() }
}

/// How the keys are shared out between parts of which each begins with one of these keys: from the first of all keys
/// to the last, without gaps.
pub fn part_keys(first_keys: &[TraceKey]) -> Vec<KeyRange> {
    let starts = std::iter::once(TraceKey(0)).chain(first_keys.iter().skip(1).copied());
    let ends = first_keys.iter().skip(1).map(|key| TraceKey(key.0 - 1)).chain([TraceKey(u64::MAX)]);
    starts.zip(ends).take(first_keys.len()).map(|(from, to)| KeyRange { from, to }).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use niente_model::Nanos;
    use niente_store::MemoryStore;
    use proptest::prelude::*;

    use super::*;
    use crate::ObjectId;

    async fn stored(keys: &BTreeMap<u64, u32>, range: KeyRange) -> (MemoryStore, ObjectKey, IndexPart) {
        let mut writer = IndexWriter::default();
        for (key, hours) in keys {
            writer.push(TraceKey(*key), *hours);
        }
        let (entries, store) = (writer.entries(), MemoryStore::new());
        let bytes = writer.finish();
        let part = IndexPart { id: ObjectId::new(Nanos::ZERO, 0), entries, bytes: bytes.len() as u64, keys: range };
        let object = ObjectKey::new("index").unwrap();
        assert_eq!(index_entries(&object, &part, bytes.clone()).unwrap().count() as u64, entries);
        store.put_if_absent(&object, bytes).await.unwrap();
        (store, object, part)
    }

    fn check(keys: &BTreeMap<u64, u32>, range: KeyRange) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (store, object, part) = stored(keys, range).await;
            for (key, hours) in keys {
                let found = hours_of(&store, &object, &part, TraceKey(*key)).await.unwrap();
                assert_eq!(found & hours, *hours, "{key:x}");
                // Another key: there only if the first 40 bits say so.
                let other = key ^ (1 << 63);
                let expected =
                    keys.range(other >> 24 << 24..=other | 0xff_ffff).fold(0, |mask, (_, hours)| mask | hours);
                if range.contains(TraceKey(other)) {
                    assert_eq!(hours_of(&store, &object, &part, TraceKey(other)).await.unwrap(), expected);
                }
            }
        });
    }

    proptest! {
        #[test]
        fn every_key_is_found_with_its_hours(keys in prop::collection::btree_map(any::<u64>(), 1u32..1 << 24, 0..2_000)) {
            check(&keys, KeyRange::ALL);
        }

        #[test]
        fn keys_that_crowd_are_found_too(keys in prop::collection::btree_map(
            prop_oneof![0u64..1 << 30, u64::MAX - (1 << 40)..=u64::MAX], 1u32..1 << 24, 0..2_000))
        {
            check(&keys, KeyRange::ALL);
        }
    }

    #[test]
    fn a_key_costs_one_small_read_among_a_million() {
        // A million hashes of small numbers, as trace keys are.
        let keys: BTreeMap<u64, u32> = (1..1_000_000u64)
            .map(|n| (niente_model::TraceId::from_slice(&n.to_be_bytes()).unwrap().key().0, 1 << (n % 24)))
            .collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (store, object, part) = stored(&keys, KeyRange::ALL).await;
            let mut most = 0;
            let counting = niente_store::Counting::new(std::sync::Arc::new(store));
            for (key, hours) in keys.iter().step_by(997) {
                let before = counting.counts();
                assert_eq!(hours_of(&counting, &object, &part, TraceKey(*key)).await.unwrap(), *hours);
                let spent = counting.counts() - before;
                assert_eq!(spent.gets, 1);
                most = spent.bytes_read.max(most);
            }
            assert!(most < 64 << 10, "{most} bytes");
        });
    }

    #[test]
    fn parts_share_out_all_keys() {
        let keys = |firsts: &[u64]| part_keys(&firsts.iter().map(|key| TraceKey(*key)).collect::<Vec<_>>());
        let range = |from, to| KeyRange { from: TraceKey(from), to: TraceKey(to) };
        assert_eq!(keys(&[]), []);
        assert_eq!(keys(&[7]), [KeyRange::ALL]);
        assert_eq!(keys(&[7, 50, 90]), [range(0, 49), range(50, 89), range(90, u64::MAX)]);
    }
}
