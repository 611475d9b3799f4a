use std::{
    fmt,
    iter::Sum,
    ops::{Add, AddAssign, Mul},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An amount of US dollars, in whole picodollars.
///
/// Every list price of AWS is a whole number of them, and whole numbers add up to the same sum in every order: shards
/// answer when they like. Sums end at [`Dollars::MAX`] instead of overflowing.
///
/// It prints for people: cents from a dollar on, three digits that matter below, and `$0` for nothing alone. In JSON
/// it is a number of dollars, exact up to two thousand dollars and to 15 digits beyond.
///
/// ```
/// use niente_cost::Dollars;
///
/// let get: Dollars = "0.0000004".parse().unwrap();
/// assert_eq!((get * 41).to_string(), "$0.0000164");
/// assert_eq!((get * 30_750_000).to_string(), "$12.30");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dollars(u128);

/// Why a text or a number is no amount of dollars.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given} is no amount of dollars: write a decimal number from 0 on, such as 0.05, of at most 12 decimals")]
pub struct InvalidDollars {
    given: String,
}

/// A dollar in picodollars: twelve decimals.
const DOLLAR: u128 = 1_000_000_000_000;
const DECIMALS: usize = 12;

impl Dollars {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// Where sums end.
    pub const MAX: Self = Self(u128::MAX);

    /// So many picodollars: 10⁻¹² dollars.
    pub const fn from_picodollars(picodollars: u128) -> Self {
        Self(picodollars)
    }

    /// The amount in picodollars.
    pub const fn picodollars(self) -> u128 {
        self.0
    }

    /// The amount that is nearest to a number; none is for negative ones, infinities and NaN.
    pub fn from_f64(dollars: f64) -> Result<Self, InvalidDollars> {
        if dollars.is_finite() && dollars >= 0.0 {
            // (The cast ends at the largest amount.)
            Ok(Self((dollars * DOLLAR as f64).round() as u128))
        } else {
            Err(InvalidDollars { given: dollars.to_string() })
        }
    }

    /// The number that is nearest to the amount.
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / DOLLAR as f64
    }

    /// Every digit of the amount and no sign, for headers and programs: `0.0000164`.
    pub fn to_decimal(self) -> String {
        let decimals = format!("{:0DECIMALS$}", self.0 % DOLLAR);
        match decimals.trim_end_matches('0') {
            "" => (self.0 / DOLLAR).to_string(),
            decimals => format!("{}.{decimals}", self.0 / DOLLAR),
        }
    }

    /// What `quantity` costs where `unit` of it cost `self`, rounded up: what is not nothing never costs nothing.
    pub fn for_each(self, unit: u64, quantity: u64) -> Self {
        Self(self.0.saturating_mul(quantity.into()).div_ceil(unit.into()))
    }

    /// The amount that a text of digits and at most one point spells.
    pub(crate) const fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        // Digits so far, decimals once there was a point, the amount in units of the last digit.
        let (mut at, mut digits, mut decimals, mut amount) = (0, 0, None, 0u128);
        while at < bytes.len() {
            match (bytes[at], decimals) {
                (b'.', None) => decimals = Some(0),
                (digit @ b'0'..=b'9', _) => {
                    if let Some(so_far) = decimals {
                        decimals = Some(so_far + 1);
                    }
                    digits += 1;
                    let Some(shifted) = amount.checked_mul(10) else { return None };
                    let Some(sum) = shifted.checked_add((digit - b'0') as u128) else { return None };
                    amount = sum;
                }
                _ => return None,
            }
            at += 1;
        }
        let mut decimals = match decimals {
            Some(decimals) => decimals,
            None => 0,
        };
        if digits == 0 || decimals > DECIMALS {
            return None;
        }
        while decimals < DECIMALS {
            let Some(shifted) = amount.checked_mul(10) else { return None };
            amount = shifted;
            decimals += 1;
        }
        Some(Self(amount))
    }
}

impl FromStr for Dollars {
    type Err = InvalidDollars;

    /// `0.05` or `$0.05`.
    fn from_str(text: &str) -> Result<Self, InvalidDollars> {
        Self::parse(text.strip_prefix('$').unwrap_or(text)).ok_or_else(|| InvalidDollars { given: format!("{text:?}") })
    }
}

impl Add for Dollars {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self(self.0.saturating_add(more.0))
    }
}

impl AddAssign for Dollars {
    fn add_assign(&mut self, more: Self) {
        *self = *self + more;
    }
}

impl Sum for Dollars {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl Mul<u64> for Dollars {
    type Output = Self;

    fn mul(self, times: u64) -> Self {
        Self(self.0.saturating_mul(times.into()))
    }
}

impl fmt::Display for Dollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&printed(self.0))
    }
}

impl fmt::Debug for Dollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}", self.to_decimal())
    }
}

fn printed(picodollars: u128) -> String {
    let rounded = match picodollars.checked_ilog10() {
        None => return "$0".to_owned(),
        Some(last @ 3..DECIMALS_U32) => rounded_to(picodollars, 10u128.pow(last - 2)),
        Some(0..3) => picodollars,
        Some(_) => rounded_to(picodollars, DOLLAR / 100),
    };
    let decimals = format!("{:0DECIMALS$}", rounded % DOLLAR);
    let shown = decimals.trim_end_matches('0').len().max(2);
    format!("${}.{}", grouped(rounded / DOLLAR), &decimals[..shown])
}

const DECIMALS_U32: u32 = DECIMALS as u32;

fn rounded_to(amount: u128, step: u128) -> u128 {
    amount.saturating_add(step / 2) / step * step
}

/// `1,234,567`.
pub(crate) fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

impl Serialize for Dollars {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.as_f64())
    }
}

impl<'de> Deserialize<'de> for Dollars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer).and_then(|dollars| Self::from_f64(dollars).map_err(de::Error::custom))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_print_for_people() {
        for (amount, text) in [
            ("0", "$0"),
            ("0.000000000001", "$0.000000000001"),
            ("0.0000164", "$0.0000164"),
            ("0.00001642", "$0.0000164"),
            ("0.00001649999", "$0.0000165"),
            ("0.0149", "$0.0149"),
            ("0.036", "$0.036"),
            ("0.5", "$0.50"),
            ("0.9994", "$0.999"),
            ("0.9996", "$1.00"),
            ("1.004", "$1.00"),
            ("12.3", "$12.30"),
            ("1234567.891", "$1,234,567.89"),
        ] {
            assert_eq!(amount.parse::<Dollars>().unwrap().to_string(), text, "{amount}");
        }
        assert_eq!(format!("{:>8}", Dollars::from_picodollars(DOLLAR)), "   $1.00");
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in
            ["", "$", ".", "-1", "+1", "1e3", "1,000", "0.05 ", "1.2.3", "0.0000000000001", "NaN", &"9".repeat(40)]
        {
            let error = text.parse::<Dollars>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("{text:?} is no amount of dollars: ")), "{error}");
        }
        for number in [-1.0, -1e-20, f64::NAN, f64::INFINITY] {
            assert!(Dollars::from_f64(number).is_err(), "{number}");
        }
        for json in ["-0.05", "1e999", "null", "\"0.05\"", "true"] {
            assert!(serde_json::from_str::<Dollars>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn sums_end_instead_of_overflowing() {
        assert_eq!(Dollars::MAX + Dollars::MAX, Dollars::MAX);
        assert_eq!(Dollars::MAX * 2, Dollars::MAX);
        assert!(Dollars::MAX.to_string().starts_with("$340,282,366,"));
    }

    proptest! {
        #[test]
        fn amounts_come_back(picodollars: u128, small in 0..2_000 * DOLLAR) {
            let amount = Dollars(picodollars);
            prop_assert_eq!(amount.to_decimal().parse(), Ok(amount));
            let amount = Dollars(small);
            let json = serde_json::to_string(&amount).unwrap();
            prop_assert_eq!(serde_json::from_str::<Dollars>(&json).unwrap(), amount);
        }

        #[test]
        fn what_is_not_nothing_prints_a_digit(picodollars in 1u128.., quantity in 1u64.., unit in 1u64..) {
            prop_assert!(Dollars(picodollars).to_string().contains(|c: char| matches!(c, '1'..='9')));
            prop_assert!(Dollars(picodollars).for_each(unit, quantity) > Dollars::ZERO);
        }
    }
}
