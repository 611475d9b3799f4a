//! How far samples lie apart.

use niente_model::Nanos;

/// A range may have so many steps: what Prometheus and Tempo allow, less one screen's width a hundred times over.
pub(crate) const MOST_STEPS: u64 = 10_000;

const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MILLISECOND;

/// The step of a range for which none was asked: about 240 of them, and a length that people would choose.
pub(crate) fn default_step(range: Nanos) -> Nanos {
    let wanted = range.get() / 240;
    let step = if range.get() < 60 * SECOND {
        let grain = 50 * MILLISECOND;
        (wanted / grain * grain).max(grain)
    } else {
        let grains = [3_600, 300, 60, 15, 5, 1].map(|seconds| seconds * SECOND);
        // The coarsest that is shorter than the step.
        let grain = grains.into_iter().find(|grain| wanted > *grain).unwrap_or(SECOND);
        (wanted / grain * grain).max(SECOND)
    };
    Nanos::new(step).expect("a part of a range is no longer than the range")
}

/// The shortest step that a range may have.
pub(crate) fn shortest_step(range: Nanos) -> Nanos {
    Nanos::new(range.get().div_ceil(MOST_STEPS)).expect("a part of a range is no longer than the range")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_tempo() {
        for (seconds, millis) in [
            (10, 50),
            (59, 200),
            (60, 1_000),
            (300, 1_000),
            (1_200, 5_000),
            (3_600, 15_000),
            (7_200, 30_000),
            (3 * 3_600, 45_000),
            (4 * 3_600, 60_000),
            (6 * 3_600, 60_000),
            (24 * 3_600, 300_000),
            (30 * 24 * 3_600, 3 * 3_600_000),
            (0, 50),
        ] {
            assert_eq!(default_step(Nanos::from_secs(seconds)).get(), millis * MILLISECOND, "{seconds} s");
        }
        assert_eq!(shortest_step(Nanos::from_secs(100_000)), Nanos::from_secs(10));
    }
}
