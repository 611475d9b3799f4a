//! The clocks of the machine, for the functions: read here and nowhere else.

use std::time::{SystemTime, UNIX_EPOCH};

use niente_api::Clock;
use niente_model::Nanos;
use tokio::time::{Duration, Instant};

/// The time of day, for those who ask later.
pub fn system() -> Clock {
    Clock::new(now)
}

/// The time of day.
pub fn now() -> Nanos {
    #[expect(clippy::disallowed_methods, reason = "the functions are where the libraries' clock comes from")]
    let now = SystemTime::now();
    let nanos = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    u64::try_from(nanos).ok().and_then(|nanos| Nanos::new(nanos).ok()).unwrap_or(Nanos::MAX)
}

/// The moment at which work has to end for its answer to be sent before Lambda ends the invocation, at this many
/// milliseconds since the epoch.
pub fn deadline(ends_at_ms: u64, spare: Duration) -> Instant {
    let left = ends_at_ms.saturating_sub(now().get() / 1_000_000);
    Instant::now() + Duration::from_millis(left).saturating_sub(spare)
}
