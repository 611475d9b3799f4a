//! The clocks of the machine: read here and nowhere else.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use niente_api::Clock;
use niente_model::Nanos;

/// The time of day.
pub(crate) fn now() -> Nanos {
    #[expect(clippy::disallowed_methods, reason = "the binary is where the libraries' clock comes from")]
    let now = SystemTime::now();
    // A machine whose clock stands before 1970 gets the epoch.
    let nanos = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    u64::try_from(nanos).ok().and_then(|nanos| Nanos::new(nanos).ok()).unwrap_or(Nanos::MAX)
}

/// The time of day, for those who ask later.
pub(crate) fn system() -> Clock {
    Clock::new(now)
}

/// Measures how long something takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the binary tells people how long things took")]
        let start = Instant::now();
        Self(start)
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
