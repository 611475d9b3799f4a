//! Quantiles of what is too much to keep.

use serde::{Deserialize, Serialize};

/// How many values there are of each magnitude: enough to tell quantiles within 1 % of the value at the rank that was
/// asked for, whatever the values are.
///
/// DDSketch of Charles Masson, Jee E. Rim and Homin K. Lee ("DDSketch: a fast and fully-mergeable quantile sketch with
/// relative-error guarantees", VLDB 2019), with the mapping that its authors call bitwise linear: a bucket is what
/// doubles with equal exponents and equal first [`MANTISSA_BITS`] bits of mantissa have in common. So it takes no
/// logarithm, and is the same on every machine. Buckets are never collapsed, so sketches merge in any order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sketch {
    /// Buckets by the order of their values, and how many values each has.
    counts: Vec<(i32, u64)>,
}

/// A bucket is 1/128 of its lower end wide at most.
const MANTISSA_BITS: u32 = 7;

impl Sketch {
    /// Adds a value, which must not be NaN.
    pub(crate) fn add(&mut self, value: f64) {
        self.add_many(bucket(value), 1);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        other.counts.iter().for_each(|(bucket, count)| self.add_many(*bucket, *count));
    }

    fn add_many(&mut self, bucket: i32, more: u64) {
        match self.counts.binary_search_by_key(&bucket, |(bucket, _)| *bucket) {
            Ok(at) => self.counts[at].1 += more,
            Err(at) => self.counts.insert(at, (bucket, more)),
        }
    }

    /// About the value at rank ⌈quantile · n⌉, the first having rank 1; none of none.
    pub(crate) fn quantile(&self, quantile: f64) -> Option<f64> {
        let total: u64 = self.counts.iter().map(|(_, count)| count).sum();
        let rank = ((quantile * total as f64).ceil() as u64).clamp(1, total.max(1));
        let mut passed = 0;
        let at_rank = self.counts.iter().find(|(_, count)| {
            passed += count;
            passed >= rank
        });
        at_rank.map(|(bucket, _)| representative(*bucket))
    }
}

/// Zero for zero, positive and growing for positive values, and likewise negative.
fn bucket(value: f64) -> i32 {
    if value == 0.0 {
        return 0;
    }
    let magnitude = (value.abs().to_bits() >> (f64::MANTISSA_DIGITS - 1 - MANTISSA_BITS)) as i32 + 1;
    if value < 0.0 { -magnitude } else { magnitude }
}

/// A value in the bucket, as near as can be to all that it may have.
fn representative(bucket: i32) -> f64 {
    if bucket == 0 {
        return 0.0;
    }
    let end = |magnitude: u64| f64::from_bits(magnitude << (f64::MANTISSA_DIGITS - 1 - MANTISSA_BITS));
    let magnitude = u64::from(bucket.unsigned_abs());
    let (from, to) = (end(magnitude - 1), end(magnitude));
    // Small integers are mostly counts or codes, and should come back as they were.
    let integer = from.ceil();
    let value = if to - from <= 1.0 && integer < to { integer } else { from + (to - from) / 2.0 };
    // The last bucket has no upper end.
    let value = if value.is_finite() { value } else { from };
    if bucket < 0 { -value } else { value }
}

#[cfg(test)]
mod tests {
    use proptest::{
        collection::vec,
        num::f64::{NORMAL, SUBNORMAL},
        prelude::*,
    };

    use super::*;

    fn sketch(values: &[f64]) -> Sketch {
        let mut sketch = Sketch::default();
        values.iter().for_each(|value| sketch.add(*value));
        sketch
    }

    #[test]
    fn small_integers_and_zeros_come_back() {
        let codes = sketch(&[0.0, 0.0, 200.0, 200.0, 404.0, 503.0]);
        let found = [0.0, 0.2, 0.5, 0.7, 0.8].map(|quantile| codes.quantile(quantile).unwrap());
        assert_eq!(found[..3], [0.0, 0.0, 200.0]);
        assert!((found[3] / 404.0 - 1.0).abs() < 0.01, "{found:?}");
        assert_eq!(sketch(&[-3.0, -2.0, 7.0]).quantile(0.5), Some(-2.0));
        assert_eq!(sketch(&[f64::MAX]).quantile(1.0).map(f64::is_finite), Some(true));
        assert_eq!(Sketch::default().quantile(0.5), None);
    }

    proptest! {
        #[test]
        fn quantiles_are_within_one_percent(
            values in vec(prop_oneof![NORMAL, SUBNORMAL, Just(0.0), (-1000_i64..1000).prop_map(|n| n as f64)], 1..200),
            quantile in 0.0..=1.0_f64,
            cut in 0_usize..200,
        ) {
            let cut = cut.min(values.len());
            let mut merged = sketch(&values[cut..]);
            merged.merge(&sketch(&values[..cut]));
            prop_assert_eq!(&merged, &sketch(&values));
            let mut sorted = values;
            sorted.sort_by(f64::total_cmp);
            let rank = ((quantile * sorted.len() as f64).ceil() as usize).max(1);
            let (exact, found) = (sorted[rank - 1], merged.quantile(quantile).unwrap());
            // (Numbers below the normal ones have fewer bits than a bucket needs.)
            let slack = exact.abs() * 0.01 + f64::MIN_POSITIVE;
            prop_assert!((exact - found).abs() <= slack, "{} instead of {}", found, exact);
        }
    }
}
