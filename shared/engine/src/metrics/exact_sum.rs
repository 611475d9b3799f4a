//! Sums that don't depend on the order of what is summed.

use serde::{Deserialize, Serialize};

/// An exact sum of doubles and integers, rounded only when it is read: partial sums merge in any order and give the
/// same bits.
///
/// A *superaccumulator*, as in Radford M. Neal, "Fast exact summation using small and large superaccumulators" (2015),
/// but sparse: numbers of one magnitude need one or two parts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ExactSum {
    /// Multiples of 2^(32 · position), by ascending position.
    parts: Vec<(i8, i128)>,
}

/// The bits between two positions.
const STRIDE: i32 = 32;

impl ExactSum {
    pub(crate) fn add_int(&mut self, number: i64) {
        self.add_part(0, number.into());
    }

    /// Adds a double, which must be finite.
    pub(crate) fn add(&mut self, number: f64) {
        let bits = number.to_bits();
        let exponent = (bits >> 52 & 0x7ff) as i32;
        let fraction = (bits & ((1 << 52) - 1)) as i128;
        // The value is `mantissa · 2^power`.
        let (mantissa, power) = if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) };
        if mantissa == 0 {
            return;
        }
        let mantissa = if number < 0.0 { -mantissa } else { mantissa };
        self.add_part(power.div_euclid(STRIDE) as i8, mantissa << power.rem_euclid(STRIDE));
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        other.parts.iter().for_each(|(position, part)| self.add_part(*position, *part));
    }

    fn add_part(&mut self, position: i8, part: i128) {
        match self.parts.binary_search_by_key(&position, |(position, _)| *position) {
            // A part of 85 bits at most: that takes 2^42 of them to overflow.
            Ok(at) => self.parts[at].1 += part,
            Err(at) => self.parts.insert(at, (position, part)),
        }
    }

    /// The sum, rounded once.
    pub(crate) fn value(&self) -> f64 {
        match self.digits(1) {
            Ok(digits) => rounded(&digits),
            Err(Negative) => self.digits(-1).map_or(0.0, |digits| -rounded(&digits)),
        }
    }

    /// The digits of the sum in base 2^32, from the lowest, each with its position.
    fn digits(&self, sign: i128) -> Result<Vec<(i32, u32)>, Negative> {
        let mut digits = Vec::new();
        let mut parts = self.parts.iter().peekable();
        let mut carry = 0_i128;
        let Some((first, _)) = parts.peek() else { return Ok(digits) };
        let mut position = i32::from(*first);
        while parts.peek().is_some() || (carry != 0 && carry != -1) {
            let part = parts.next_if(|(at, _)| i32::from(*at) == position).map_or(0, |(_, part)| sign * part);
            let total = part + carry;
            digits.push((position, total as u32));
            carry = total >> STRIDE;
            position += 1;
        }
        if carry == 0 { Ok(digits) } else { Err(Negative) }
    }
}

struct Negative;

/// The double that is nearest to the digits.
fn rounded(digits: &[(i32, u32)]) -> f64 {
    let Some(highest) = digits.iter().rposition(|(_, digit)| *digit > 0) else { return 0.0 };
    let lowest = highest.saturating_sub(2);
    let top = digits[lowest..=highest].iter().rev().fold(0_u128, |top, (_, digit)| top << STRIDE | u128::from(*digit));
    // What lies below decides only whether a tie is one.
    let rest = digits[..lowest].iter().any(|(_, digit)| *digit > 0);
    let exponent = digits[lowest].0 * STRIDE;
    // In two steps, since a power of two may be too small where the product isn't.
    let half = exponent / 2;
    (top << 1 | u128::from(rest)) as f64 * 0.5 * 2_f64.powi(half) * 2_f64.powi(exponent - half)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum(numbers: &[f64]) -> f64 {
        let mut sum = ExactSum::default();
        numbers.iter().for_each(|number| sum.add(*number));
        sum.value()
    }

    #[test]
    fn nothing_is_lost() {
        assert_eq!(sum(&[]), 0.0);
        assert_eq!(sum(&[1e300, 1.0, -1e300]), 1.0);
        assert_eq!(sum(&[0.1; 10]), 1.0);
        assert_eq!(sum(&[-0.1; 10]), -1.0);
        assert_eq!(sum(&[f64::MAX, f64::MAX, -f64::MAX]), f64::MAX);
        assert_eq!(sum(&[f64::MAX, f64::MAX]), f64::INFINITY);
        assert_eq!(sum(&[1.0, f64::EPSILON / 4.0, -1.0]), f64::EPSILON / 4.0);
        assert_eq!(sum(&[f64::from_bits(1), f64::from_bits(3)]), f64::from_bits(4));
        assert_eq!(sum(&[-2_f64.powi(80), 2_f64.powi(79)]), -2_f64.powi(79));
        let mut ints = ExactSum::default();
        [i64::MAX, 1, i64::MIN].into_iter().for_each(|number| ints.add_int(number));
        assert_eq!(ints.value(), 0.0);
    }

    proptest! {
        /// Of integers that doubles hold, 128 bits know the sum.
        #[test]
        fn sums_are_the_nearest_doubles(numbers in proptest::collection::vec(-(1_i64 << 53)..1_i64 << 53, 0..50), scale in -60..60) {
            let exact: i128 = numbers.iter().map(|number| i128::from(*number)).sum();
            let scaled: Vec<f64> = numbers.iter().map(|number| *number as f64 * 2_f64.powi(scale)).collect();
            prop_assert_eq!(sum(&scaled), exact as f64 * 2_f64.powi(scale));
        }

        #[test]
        fn order_does_not_matter(numbers in proptest::collection::vec(proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL, 0..30), cut in 0_usize..30) {
            let cut = cut.min(numbers.len());
            let mut merged = ExactSum::default();
            for part in [&numbers[cut..], &numbers[..cut]] {
                let mut partial = ExactSum::default();
                part.iter().rev().for_each(|number| partial.add(*number));
                merged.merge(&partial);
            }
            prop_assert_eq!(merged.value().to_bits(), sum(&numbers).to_bits());
        }
    }
}
