use niente_model::{Nanos, TimeRange};
use serde::{Deserialize, Serialize};

/// Equal intervals of time, one after the other, each without its first moment and with its last: `(start, end]`.
///
/// A span belongs to the interval in which it starts, and a sample to its interval's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intervals {
    /// Before the first moment of the first interval, in nanoseconds; may be before the epoch.
    start: i64,
    /// Nanoseconds; more than none.
    step: i64,
    /// At least one.
    count: u32,
}

impl Intervals {
    /// The longest step: far more than the time between two spans can be.
    const MAX_STEP: i64 = i64::MAX / 4;

    /// The intervals of a range query: their ends are the multiples of `step` from the last before or at the range's start
    /// to the first after or at its end, so the first interval lies before the range.
    pub fn aligned(range: TimeRange, step: Nanos) -> Self {
        let step = step.as_i64().clamp(1, Self::MAX_STEP);
        let (first, last) = (range.start().as_i64() / step, range.end().as_i64().div_euclid(step));
        let last = last + i64::from(range.end().as_i64() % step > 0);
        let count = u32::try_from((last - first).saturating_add(1)).unwrap_or(u32::MAX);
        Self { start: (first - 1).saturating_mul(step), step, count }
    }

    /// Those of the intervals that have ended by then; at least one.
    pub fn ended(self, now: Nanos) -> Self {
        let ended = now.as_i64().saturating_sub(self.start) / self.step;
        Self { count: u32::try_from(ended.max(1)).unwrap_or(u32::MAX).min(self.count), ..self }
    }

    /// One interval, from a range's start to its end: that of an instant query.
    pub fn one(range: TimeRange) -> Self {
        let (start, end) = (range.start().as_i64(), range.end().as_i64());
        Self { start, step: (end - start).clamp(1, Self::MAX_STEP), count: 1 }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count as usize
    }

    /// How long each is, in seconds.
    pub fn seconds(&self) -> f64 {
        self.step as f64 / 1e9
    }

    /// The time that they cover.
    pub fn range(&self) -> TimeRange {
        let end = self.start.saturating_add(self.step.saturating_mul(self.count.into()));
        TimeRange::new(Nanos::from_i64(self.start.saturating_add(1)), Nanos::from_i64(end.max(0)))
            .unwrap_or(TimeRange::lasting(Nanos::ZERO, Nanos::ZERO))
    }

    /// The end of each, in milliseconds since the epoch.
    pub fn ends(&self) -> impl Iterator<Item = i64> + use<> {
        let Self { start, step, count } = *self;
        (1..=i64::from(count)).map(move |n| start.saturating_add(step.saturating_mul(n)).div_euclid(1_000_000))
    }

    /// In which of them a moment lies.
    pub(crate) fn of(&self, moment: Nanos) -> Option<usize> {
        let moment = moment.as_i64();
        if moment <= self.start {
            return None;
        }
        // The difference fits although it may not fit an `i64`.
        let since = (moment as u64).wrapping_sub(self.start as u64) - 1;
        let interval = since / self.step as u64;
        (interval < u64::from(self.count)).then_some(interval as usize)
    }

    /// In which of so many equal slots of all their time a moment lies that lies in them.
    pub(crate) fn slot(&self, moment: Nanos, slots: usize) -> usize {
        let since = (moment.as_i64() as u64).wrapping_sub(self.start as u64) as f64;
        let part = since / (self.step as f64 * f64::from(self.count));
        ((part * slots as f64) as usize).min(slots - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: u64, end: u64) -> TimeRange {
        TimeRange::new(Nanos::from_secs(start), Nanos::from_secs(end)).unwrap()
    }

    #[test]
    fn ends_are_multiples_of_the_step() {
        for (start, end, step, expected) in [
            (100, 190, 60, &[60, 120, 180, 240][..]),
            (120, 180, 60, &[120, 180]),
            (120, 120, 60, &[120]),
            (0, 1, 60, &[0, 60]),
            (7, 8, 1, &[7, 8]),
        ] {
            let intervals = Intervals::aligned(range(start, end), Nanos::from_secs(step));
            let ends: Vec<_> = intervals.ends().map(|ms| ms / 1_000).collect();
            assert_eq!(ends, expected, "{start}..{end} by {step}");
            assert_eq!(intervals.count(), expected.len());
        }
    }

    #[test]
    fn an_interval_has_its_end_and_not_its_start() {
        let intervals = Intervals::aligned(range(100, 190), Nanos::from_secs(60));
        let of = |nanos: u64| intervals.of(Nanos::new(nanos).unwrap());
        let second = 1_000_000_000;
        // The first interval begins with the epoch, which it leaves out.
        assert_eq!(of(0), None);
        assert_eq!((of(1), of(60 * second), of(60 * second + 1)), (Some(0), Some(0), Some(1)));
        assert_eq!((of(240 * second), of(240 * second + 1)), (Some(3), None));
        assert_eq!(of(Nanos::MAX.get()), None);
        assert_eq!((intervals.range().start().get(), intervals.range().end()), (1, Nanos::from_secs(240)));
    }

    #[test]
    fn an_instant_is_one_interval() {
        let intervals = Intervals::one(range(100, 190));
        assert_eq!((intervals.count(), intervals.seconds()), (1, 90.0));
        assert_eq!(intervals.of(Nanos::from_secs(100)), None);
        assert_eq!(intervals.of(Nanos::from_secs(190)), Some(0));
        // Of no length it still divides.
        assert!(Intervals::one(range(5, 5)).seconds() > 0.0);
    }

    #[test]
    fn what_has_not_ended_can_be_left_out() {
        let intervals = Intervals::aligned(range(100, 190), Nanos::from_secs(60));
        for (now, expected) in [(1_000, 4), (240, 4), (239, 3), (180, 3), (60, 1), (0, 1)] {
            assert_eq!(intervals.ended(Nanos::from_secs(now)).count(), expected, "{now}");
        }
    }

    #[test]
    fn extremes_don_t_overflow() {
        let all = Intervals::aligned(TimeRange::ALL, Nanos::MAX);
        assert!(all.of(Nanos::MAX).is_some());
        let fine = Intervals::aligned(TimeRange::ALL, Nanos::new(1).unwrap());
        assert_eq!(fine.of(Nanos::MAX), None);
        assert!(fine.ends().last().is_some_and(|end| end > 0));
    }

    #[test]
    fn slots_divide_all_the_time() {
        let intervals = Intervals::aligned(range(100, 190), Nanos::from_secs(60));
        let slot = |second| intervals.slot(Nanos::from_secs(second), 8);
        assert_eq!([slot(1), slot(30), slot(121), slot(240)], [0, 1, 4, 7]);
    }
}
