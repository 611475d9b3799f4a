//! A fast hash for tables that live in one process: of attribute keys, resources and scopes.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hasher, RandomState},
};

/// A hash map with this hash.
pub(crate) type FastMap<K, V> = HashMap<K, V, FastState>;

/// 2^64 divided by the golden ratio: an odd number with well-spread bits.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Makes hashers of one seed, which nobody outside the process can know.
#[derive(Clone, Debug)]
pub(crate) struct FastState(u64);

/// Folds eight bytes at a time into the state by one wide multiplication.
#[derive(Clone, Debug)]
pub(crate) struct FastHasher(u64);

impl Default for FastState {
    fn default() -> Self {
        Self(RandomState::new().hash_one(0))
    }
}

impl BuildHasher for FastState {
    type Hasher = FastHasher;

    fn build_hasher(&self) -> FastHasher {
        FastHasher(self.0)
    }
}

impl Hasher for FastHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.write_u64(u64::from_le_bytes(last) ^ ((bytes.len() as u64) << 56));
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(number.into());
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    fn write_u64(&mut self, number: u64) {
        let wide = u128::from(self.0 ^ number) * u128::from(GOLDEN);
        // With the number once more, lest a product of zero forgets all that came before.
        self.0 = (wide as u64) ^ ((wide >> 64) as u64) ^ self.0.rotate_left(23) ^ number.rotate_left(32);
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Numbers the distinct ones among many items, in the order in which they first come.
#[derive(Debug, Default)]
pub(crate) struct Distinct {
    numbers: FastMap<u64, u32>,
    /// The first item of each number.
    firsts: Vec<u32>,
}

impl Distinct {
    /// The number of an item with this hash; `same` compares it with an earlier item.
    pub(crate) fn number(&mut self, item: usize, mut hash: u64, same: impl Fn(usize) -> bool) -> u32 {
        loop {
            match self.numbers.get(&hash) {
                Some(number) if same(self.firsts[*number as usize] as usize) => return *number,
                // Another item with the same hash: the next place.
                Some(_) => hash = hash.wrapping_add(1),
                None => {
                    let number = self.firsts.len() as u32;
                    self.firsts.push(item as u32);
                    self.numbers.insert(hash, number);
                    return number;
                }
            }
        }
    }

    /// The first item of each number.
    pub(crate) fn firsts(&self) -> impl Iterator<Item = usize> + '_ {
        self.firsts.iter().map(|item| *item as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_items_have_one_number_even_where_hashes_collide() {
        let items = ["a", "b", "a", "c", "b", "a"];
        for hash in [|_: &str| 7, |item: &str| FastState(1).hash_one(item)] {
            let mut distinct = Distinct::default();
            let numbers: Vec<_> = (0..items.len())
                .map(|at| distinct.number(at, hash(items[at]), |other| items[other] == items[at]))
                .collect();
            assert_eq!(numbers, [0, 1, 0, 2, 1, 0]);
            assert_eq!(distinct.firsts().collect::<Vec<_>>(), [0, 1, 3]);
        }
    }

    #[test]
    fn texts_that_differ_anywhere_have_different_hashes() {
        let state = FastState(42);
        let texts: Vec<String> = (0..64)
            .flat_map(|at| ["x", "y", ""].map(|c| format!("{}{c}{}", "-".repeat(at), "-".repeat(64 - at))))
            .collect();
        let distinct: std::collections::HashSet<&String> = texts.iter().collect();
        let hashes: std::collections::HashSet<u64> = texts.iter().map(|text| state.hash_one(text)).collect();
        assert_eq!(hashes.len(), distinct.len());
    }
}
