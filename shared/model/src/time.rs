use std::fmt;

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// Nanoseconds: since the Unix epoch where it names a moment, a length where it names a duration.
///
/// Always at most `i64::MAX` (the year 2262), so that it fits Parquet's and Arrow's signed 64-bit columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "u64", try_from = "u64")]
pub struct Nanos(u64);

/// An hour of UTC, counted from the Unix epoch: the window by which level 0 is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Hour(u32);

/// A day of UTC, counted from the Unix epoch: the window that a catalog covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(u32);

/// A span of time, both ends included. Never reversed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "(Nanos, Nanos)", try_from = "(Nanos, Nanos)")]
pub struct TimeRange {
    start: Nanos,
    end: Nanos,
}

/// A range of time that ends before it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the time range ends at {end}, before it starts at {start}")]
pub struct Reversed {
    /// Where it was to start.
    pub start: Nanos,
    /// Where it was to end.
    pub end: Nanos,
}

/// A moment or length beyond what [`Nanos`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} ns is beyond the year 2262, the last that a 64-bit timestamp can hold")]
pub struct OutOfRange(pub u64);

const SECOND: u64 = 1_000_000_000;
const HOUR: u64 = 3_600 * SECOND;

impl From<Nanos> for u64 {
    fn from(nanos: Nanos) -> Self {
        nanos.0
    }
}

impl TryFrom<u64> for Nanos {
    type Error = OutOfRange;

    fn try_from(nanos: u64) -> Result<Self, OutOfRange> {
        Self::new(nanos)
    }
}

impl From<TimeRange> for (Nanos, Nanos) {
    fn from(range: TimeRange) -> Self {
        (range.start, range.end)
    }
}

impl TryFrom<(Nanos, Nanos)> for TimeRange {
    type Error = Reversed;

    fn try_from((start, end): (Nanos, Nanos)) -> Result<Self, Reversed> {
        Self::new(start, end)
    }
}

impl Nanos {
    /// The largest: some moment in the year 2262.
    pub const MAX: Nanos = Nanos(i64::MAX as u64);
    /// The epoch, or no time at all.
    pub const ZERO: Nanos = Nanos(0);

    /// So many nanoseconds.
    pub fn new(nanos: u64) -> Result<Self, OutOfRange> {
        if nanos > Self::MAX.0 { Err(OutOfRange(nanos)) } else { Ok(Self(nanos)) }
    }

    /// So many seconds, or [`Nanos::MAX`].
    pub const fn from_secs(secs: u64) -> Self {
        let nanos = secs.saturating_mul(SECOND);
        if nanos > Self::MAX.0 { Self::MAX } else { Self(nanos) }
    }

    /// The nanoseconds.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The nanoseconds as the signed number that columns hold.
    pub const fn as_i64(self) -> i64 {
        self.0 as i64
    }

    /// What a column holds; negative numbers become zero.
    pub fn from_i64(nanos: i64) -> Self {
        Self(nanos.max(0) as u64)
    }

    /// Whole seconds, rounded down.
    pub const fn as_secs(self) -> u64 {
        self.0 / SECOND
    }

    /// Later by `length`, at most [`Nanos::MAX`].
    pub fn saturating_add(self, length: Nanos) -> Self {
        Self((self.0 + length.0).min(Self::MAX.0))
    }

    /// The time since `earlier`, zero if that is later.
    pub fn saturating_sub(self, earlier: Nanos) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }

    /// The hour that this moment lies in.
    pub fn hour(self) -> Hour {
        Hour((self.0 / HOUR) as u32)
    }
}

impl TimeRange {
    /// All the time there is.
    pub const ALL: TimeRange = TimeRange { start: Nanos::ZERO, end: Nanos::MAX };

    /// From `start` to `end`, both included.
    pub fn new(start: Nanos, end: Nanos) -> Result<Self, Reversed> {
        if start > end { Err(Reversed { start, end }) } else { Ok(Self { start, end }) }
    }

    /// From `start`, for so long.
    pub fn lasting(start: Nanos, length: Nanos) -> Self {
        Self { start, end: start.saturating_add(length) }
    }

    /// The first moment.
    pub fn start(self) -> Nanos {
        self.start
    }

    /// The last moment.
    pub fn end(self) -> Nanos {
        self.end
    }

    /// Whether the ranges have a moment in common.
    pub fn overlaps(self, other: TimeRange) -> bool {
        self.start <= other.end && other.start <= self.end
    }

    /// Whether a moment lies in the range.
    pub fn contains(self, moment: Nanos) -> bool {
        self.start <= moment && moment <= self.end
    }

    /// The days that the range touches, in order.
    pub fn days(self) -> impl DoubleEndedIterator<Item = Day> + ExactSizeIterator {
        (self.start.hour().day().0..self.end.hour().day().0 + 1).map(Day)
    }

    /// The smallest range that holds both.
    pub fn union(self, other: TimeRange) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// Wider by `by` on both sides.
    pub fn padded(self, by: Nanos) -> Self {
        Self { start: self.start.saturating_sub(by), end: self.end.saturating_add(by) }
    }
}

impl Hour {
    /// The first moment of the hour.
    pub fn start(self) -> Nanos {
        Nanos(u64::from(self.0) * HOUR)
    }

    /// The first moment after the hour.
    pub fn end(self) -> Nanos {
        Nanos((u64::from(self.0) + 1) * HOUR).min(Nanos::MAX)
    }

    /// The day that the hour lies in.
    pub fn day(self) -> Day {
        Day(self.0 / 24)
    }

    /// Which hour of its day it is, 0 to 23.
    pub fn of_day(self) -> u8 {
        (self.0 % 24) as u8
    }

    /// Reads what `Display` writes: `2026-11-01T10`.
    pub fn parse(text: &str) -> Option<Self> {
        let (day, hour) = text.split_once('T')?;
        let hour: u32 = (hour.len() == 2).then(|| hour.parse().ok())??;
        (hour < 24).then_some(Self(Day::parse(day)?.0 * 24 + hour))
    }
}

impl Day {
    /// The first moment of the day.
    pub fn start(self) -> Nanos {
        Nanos(u64::from(self.0) * 24 * HOUR)
    }

    /// The first moment after the day.
    pub fn end(self) -> Nanos {
        Nanos((u64::from(self.0) + 1) * 24 * HOUR).min(Nanos::MAX)
    }

    /// One of its hours, 0 to 23.
    pub fn hour(self, hour: u8) -> Option<Hour> {
        (hour < 24).then_some(Hour(self.0 * 24 + u32::from(hour)))
    }

    /// Reads what `Display` writes: `2026-11-01`.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 10 {
            return None;
        }
        let date: jiff::civil::Date = text.parse().ok()?;
        let seconds = date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second();
        Some(Self(u32::try_from(seconds / 86_400).ok()?))
    }
}

fn utc(moment: Nanos) -> jiff::civil::DateTime {
    let timestamp = Timestamp::from_nanosecond(i128::from(moment.0)).expect("Nanos end in the year 2262");
    TimeZone::UTC.to_datetime(timestamp)
}

impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}T{:02}", self.day(), self.0 % 24)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", utc(self.start()).date())
    }
}

impl fmt::Display for Nanos {
    /// The moment in RFC 3339 with nine decimals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.9}Z", utc(*self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_and_days_print_and_parse() {
        let moment = Nanos::new(1_793_577_605_026_456_407).unwrap();
        assert_eq!(moment.to_string(), "2026-11-02T00:00:05.026456407Z");
        assert_eq!(moment.hour().to_string(), "2026-11-02T00");
        assert_eq!(moment.hour().day().to_string(), "2026-11-02");
        assert_eq!(Hour::parse("2026-11-02T00"), Some(moment.hour()));
        assert_eq!(Nanos::ZERO.hour().to_string(), "1970-01-01T00");
        assert_eq!(Hour::parse(&Nanos::MAX.hour().to_string()), Some(Nanos::MAX.hour()));
        for wrong in
            ["", "2026-11-01", "2026-11-01T24", "2026-13-01T00", "2026-11-01T1", "x026-11-01T01", "1969-12-31T23"]
        {
            assert_eq!(Hour::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_beyond_2262_are_refused() {
        assert!(Nanos::new(i64::MAX as u64).is_ok());
        assert!(Nanos::new(1 << 63).is_err());
        assert_eq!(Nanos::MAX.saturating_add(Nanos::from_secs(1)), Nanos::MAX);
    }

    #[test]
    fn both_ends_of_a_range_are_included() {
        let range = |start, end| TimeRange::new(Nanos::from_secs(start), Nanos::from_secs(end)).unwrap();
        for (a, b, overlap) in [
            (range(1, 2), range(2, 3), true),
            (range(1, 2), range(3, 4), false),
            (range(1, 9), range(3, 4), true),
            (range(5, 5), range(5, 5), true),
            (range(5, 5), TimeRange::ALL, true),
        ] {
            assert_eq!(a.overlaps(b), overlap, "{a:?} {b:?}");
            assert_eq!(b.overlaps(a), overlap, "{b:?} {a:?}");
        }
        assert!(range(5, 5).padded(Nanos::from_secs(2)).overlaps(range(1, 3)));
    }

    #[test]
    fn a_reversed_range_is_refused() {
        let error = TimeRange::new(Nanos::from_secs(1), Nanos::ZERO).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the time range ends at 1970-01-01T00:00:00.000000000Z, before it starts at 1970-01-01T00:00:01.000000000Z"
        );
    }
}
