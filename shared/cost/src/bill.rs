use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{Dollars, dollars::grouped};

/// What something costs, line by line. What there was none of has no line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bill {
    /// In the order in which they are read.
    pub lines: Vec<Line>,
}

/// One thing that is billed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Line {
    /// Who needed it: `query`, or a part of a month such as `ingest`.
    pub part: &'static str,
    /// What it was, as AWS calls it: `S3 GET`.
    pub what: &'static str,
    /// How much of it.
    pub quantity: Quantity,
    /// What that costs.
    pub dollars: Dollars,
}

/// An amount with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Quantity {
    /// How many units.
    pub amount: f64,
    /// `requests`, `GB-s`, `GB`, `GB-months`.
    pub unit: &'static str,
}

impl Bill {
    /// All lines together.
    pub fn total(&self) -> Dollars {
        self.lines.iter().map(|line| line.dollars).sum()
    }

    /// What one part of it costs.
    pub fn part(&self, part: &str) -> Dollars {
        self.lines.iter().filter(|line| line.part == part).map(|line| line.dollars).sum()
    }
}

impl FromIterator<Line> for Bill {
    fn from_iter<I: IntoIterator<Item = Line>>(lines: I) -> Self {
        Self { lines: lines.into_iter().filter(|line| line.quantity.amount > 0.0).collect() }
    }
}

impl Serialize for Bill {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bill = serializer.serialize_struct("Bill", 2)?;
        bill.serialize_field("dollars", &self.total())?;
        bill.serialize_field("lines", &self.lines)?;
        bill.end()
    }
}

impl fmt::Display for Bill {
    /// A line each, and the sum below them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Line { part, what, quantity, dollars } in &self.lines {
            writeln!(f, "{part}: {what}, {quantity}: {dollars}")?;
        }
        write!(f, "total: {}", self.total())
    }
}

impl fmt::Display for Quantity {
    /// `12,800 requests`, `0.302 GB-s`: whole from a hundred on, three digits that matter below.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { amount, unit } = self;
        if *amount >= 100.0 || amount.fract() == 0.0 {
            return f.pad(&format!("{} {unit}", grouped(amount.round() as u128)));
        }
        let decimals = (2 - amount.log10().floor() as i32).max(0) as usize;
        f.pad(&format!("{amount:.decimals$} {unit}"))
    }
}

/// `512 B`, `1.5 kB`, `2.1 MB`, `12.8 GB`: the units of [`Counts`](niente_store::Counts), and one more.
pub(crate) fn bytes(number: u64) -> String {
    match number {
        0..1_000 => format!("{number} B"),
        1_000..1_000_000 => format!("{:.1} kB", number as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", number as f64 / 1e6),
        _ => format!("{:.1} GB", number as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_have_the_digits_that_matter() {
        for (amount, text) in [
            (3.0, "3 GB-s"),
            (0.3019, "0.302 GB-s"),
            (0.000_123_4, "0.000123 GB-s"),
            (12.345, "12.3 GB-s"),
            (99.96, "100.0 GB-s"),
            (123.4, "123 GB-s"),
            (12_800.0, "12,800 GB-s"),
        ] {
            assert_eq!(Quantity { amount, unit: "GB-s" }.to_string(), text);
        }
    }
}
