use std::fmt;

use niente_model::{InvalidId, Nanos};

/// Why one span was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A trace or span ID of a wrong length, or of zeros only.
    #[error(transparent)]
    Id(InvalidId),
    /// A parent's ID of a wrong length.
    #[error("parent {0}")]
    ParentId(InvalidId),
    /// An ID in OTLP/JSON with something else than hexadecimal digits.
    #[error(
        "{id} has the character {character:?} at position {position}, OTLP/JSON wants hexadecimal digits (no base64)"
    )]
    NotHex {
        /// Whose: `trace ID`, `link's span ID` and so on.
        id: &'static str,
        /// The offending character.
        character: char,
        /// Its 1-based position.
        position: usize,
    },
    /// An ID in OTLP/JSON with half a byte at its end.
    #[error("{id} has {digits} hexadecimal digits, an odd number")]
    HalfByte {
        /// Whose: `trace ID`, `link's span ID` and so on.
        id: &'static str,
        /// How many it has.
        digits: usize,
    },
    /// No start time, so no place among the others.
    #[error("start time is missing or 0")]
    NoStart,
    /// A time that no signed 64-bit column holds.
    #[error("{which} time is beyond the year 2262")]
    Unrepresentable {
        /// `start`, `end` or `event`.
        which: &'static str,
    },
    /// Later than [`Limits::future`](crate::Limits::future) allows.
    #[error("{which} time is more than {} in the future", Length(*.allowed))]
    Future {
        /// `start` or `end`.
        which: &'static str,
        /// What would be allowed.
        allowed: Nanos,
    },
    /// Started before what the tenant keeps.
    #[error("start time is older than the retention of {}", Length(*.retention))]
    Expired {
        /// How long spans are kept.
        retention: Nanos,
    },
}

/// The spans of a request that were not taken, counted by reason.
///
/// Printed, it is the `error_message` of OTLP's partial success:
/// `2 spans refused: trace ID has 3 bytes, it must have 16 (or 8 for a 64-bit ID) (2)`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusals {
    /// In the order in which they first came up; few, so that finding one and telling all stays short.
    reasons: Vec<(Refusal, usize)>,
    others: usize,
}

impl Refusals {
    /// Different reasons that are told apart; the spans of further ones are counted together.
    pub const MAX_REASONS: usize = 10;

    /// Whether no span was refused.
    pub fn is_empty(&self) -> bool {
        self.total() == 0
    }

    /// How many spans were refused.
    pub fn total(&self) -> usize {
        self.others + self.reasons.iter().map(|(_, spans)| spans).sum::<usize>()
    }

    /// The first [`Refusals::MAX_REASONS`] different reasons with the number of spans refused for each.
    pub fn reasons(&self) -> impl ExactSizeIterator<Item = (&Refusal, usize)> {
        self.reasons.iter().map(|(reason, spans)| (reason, *spans))
    }

    pub(crate) fn count(&mut self, reason: Refusal, spans: usize) {
        if let Some((_, counted)) = self.reasons.iter_mut().find(|(known, _)| *known == reason) {
            *counted += spans;
        } else if self.reasons.len() < Self::MAX_REASONS {
            self.reasons.push((reason, spans));
        } else {
            self.others += spans;
        }
    }

    pub(crate) fn merge(&mut self, other: Refusals) {
        for (reason, spans) in other.reasons {
            self.count(reason, spans);
        }
        self.others += other.others;
    }
}

impl fmt::Display for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.total();
        write!(f, "{total} {} refused", if total == 1 { "span" } else { "spans" })?;
        for (at, (reason, spans)) in self.reasons.iter().enumerate() {
            write!(f, "{} {reason} ({spans})", if at == 0 { ":" } else { ";" })?;
        }
        if self.others > 0 {
            write!(f, "; other reasons ({})", self.others)?;
        }
        Ok(())
    }
}

/// A length of time in words.
struct Length(Nanos);

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match seconds {
            0 => write!(f, "{} ns", self.0.get()),
            _ if seconds.is_multiple_of(86_400) => write!(f, "{} d", seconds / 86_400),
            _ if seconds.is_multiple_of(3_600) => write!(f, "{} h", seconds / 3_600),
            _ => write!(f, "{seconds} s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_by_reason() {
        let mut refusals = Refusals::default();
        assert!(refusals.is_empty());
        refusals.count(Refusal::NoStart, 1);
        assert_eq!(refusals.to_string(), "1 span refused: start time is missing or 0 (1)");
        refusals.count(Refusal::Future { which: "end", allowed: Nanos::from_secs(7_200) }, 2);
        refusals.count(Refusal::Expired { retention: Nanos::from_secs(14 * 86_400) }, 1);
        refusals.count(Refusal::NoStart, 1);
        assert_eq!(
            refusals.to_string(),
            "5 spans refused: start time is missing or 0 (2); end time is more than 2 h in the future (2); \
             start time is older than the retention of 14 d (1)"
        );
    }

    #[test]
    fn a_thousand_different_reasons_stay_a_short_message() {
        let mut refusals = Refusals::default();
        for digits in 0..1_000 {
            refusals.count(Refusal::HalfByte { id: "trace ID", digits }, 1);
        }
        let mut doubled = refusals.clone();
        doubled.merge(refusals);
        assert_eq!(doubled.total(), 2_000);
        assert!(doubled.to_string().ends_with("; other reasons (1980)"), "{doubled}");
        assert!(doubled.to_string().len() < 1_000);
    }

    #[test]
    fn lengths_are_told_in_their_largest_whole_unit() {
        for (nanos, words) in
            [(5, "5 ns"), (90_000_000_000, "90 s"), (7_200_000_000_000, "2 h"), (86_400_000_000_000, "1 d")]
        {
            assert_eq!(Length(Nanos::new(nanos).unwrap()).to_string(), words);
        }
    }
}
