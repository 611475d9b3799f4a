//! The machine's clock: read here and nowhere else. (Durations are measured with `tokio::time`.)

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Since 1970.
pub(crate) fn now() -> Duration {
    #[expect(clippy::disallowed_methods, reason = "deadlines and events carry the time of day")]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Now, as `2026-09-25T14:00:00Z`.
pub(crate) fn iso() -> String {
    timestamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Now, as API Gateway writes it: `25/Sep/2026:14:00:00 +0000`.
pub(crate) fn common_log() -> String {
    timestamp().strftime("%d/%b/%Y:%H:%M:%S +0000").to_string()
}

fn timestamp() -> jiff::Timestamp {
    let seconds = i64::try_from(now().as_secs()).expect("the clock stands before the year 9999");
    jiff::Timestamp::from_second(seconds).expect("the clock stands before the year 9999")
}
