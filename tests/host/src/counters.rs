//! What a function has done, in the units that Lambda bills.

use std::time::Duration;

/// What has happened to a function since its host started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Events that were handed to a process. Throttled ones are not among them.
    pub invocations: u64,
    /// Processes that were started for them.
    pub cold_starts: u64,
    /// Invocations that were refused for want of concurrency, or by a fault.
    pub throttled: u64,
    /// Invocations that ended with a function error.
    pub errors: u64,
    /// Milliseconds that are billed: of each invocation, start of a process included, rounded up.
    pub billed_ms: u64,
    /// The most memory that a process of the function held at any time, in bytes.
    pub peak_memory_bytes: u64,
    /// Bytes that were streamed, preludes included.
    pub streamed_bytes: u64,
}

impl Counters {
    /// What is billed of an invocation that took so long.
    pub(crate) fn bill(&mut self, took: Duration) {
        let millis = took.as_nanos().div_ceil(1_000_000);
        self.billed_ms += u64::try_from(millis).expect("no invocation lasts for millions of years");
    }

    /// GB-seconds as they are billed, for a function of so much memory.
    pub fn gb_seconds(&self, memory_mb: u32) -> f64 {
        self.billed_ms as f64 / 1_000.0 * f64::from(memory_mb) / 1_024.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_begun_millisecond_is_billed() {
        let billed = |took| {
            let mut counters = Counters::default();
            counters.bill(took);
            counters.billed_ms
        };
        assert_eq!(billed(Duration::ZERO), 0);
        assert_eq!(billed(Duration::from_nanos(1)), 1);
        assert_eq!(billed(Duration::from_millis(20)), 20);
        assert_eq!(billed(Duration::from_micros(20_001)), 21);
    }

    #[test]
    fn gb_seconds_are_memory_times_billed_time() {
        let counters = Counters { billed_ms: 2_000, ..Counters::default() };
        assert_eq!(counters.gb_seconds(512), 1.0);
    }
}
