use std::{
    fmt,
    iter::Sum,
    ops::{Add, AddAssign},
    str::FromStr,
    time::Duration,
};

use niente_store::Counts;
use serde::{Deserialize, Serialize};

/// What something took of what AWS bills.
///
/// It is made where it arises, added up on the way back, and priced last ([`Prices::of`](crate::Prices::of)). It
/// travels between functions that may be of different versions: what the sender doesn't know is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spent {
    /// Requests to the object store, and the bytes that they moved.
    pub store: Counts,
    /// Invocations of functions.
    pub invocations: u64,
    /// Memory held over time, on arm64.
    pub arm64: MemoryTime,
    /// Memory held over time, on x86_64.
    pub x86_64: MemoryTime,
    /// Bytes of streamed answers beyond the first 6 MB of each.
    pub streamed_bytes: u64,
    /// Bytes of logs.
    pub logged_bytes: u64,
    /// Requests that came through an HTTP API rather than a function URL.
    pub http_api_requests: u64,
    /// Requests to SQS: sending, receiving and deleting are one each, for every 64 KB.
    pub queue_requests: u64,
    /// Invocations of EventBridge Scheduler.
    pub schedules: u64,
}

/// Memory times the time for which it was held, in mebibyte-milliseconds: what a function is billed by.
///
/// The memory is the configured one and the time is rounded up to milliseconds, as Lambda does. A gigabyte-second of
/// Lambda's is 1,024 MiB for a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MemoryTime(u64);

/// The processors that Lambda offers, each at its price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Architecture {
    /// AWS Graviton: a fifth cheaper.
    #[serde(rename = "arm64")]
    Arm64,
    /// Intel and AMD.
    #[serde(rename = "x86_64")]
    X86_64,
}

impl Spent {
    /// Nothing.
    pub const NOTHING: Self = Self {
        store: Counts {
            gets: 0,
            heads: 0,
            lists: 0,
            puts: 0,
            deletes: 0,
            bytes_read: 0,
            bytes_written: 0,
            time: Duration::ZERO,
        },
        invocations: 0,
        arm64: MemoryTime(0),
        x86_64: MemoryTime(0),
        streamed_bytes: 0,
        logged_bytes: 0,
        http_api_requests: 0,
        queue_requests: 0,
        schedules: 0,
    };

    /// One invocation of a function that has so much memory, for so long.
    pub fn invocation(architecture: Architecture, mebibytes: u32, time: Duration) -> Self {
        Self { invocations: 1, ..Self::compute(architecture, MemoryTime::of(mebibytes, time)) }
    }

    /// Memory-time alone.
    pub fn compute(architecture: Architecture, held: MemoryTime) -> Self {
        match architecture {
            Architecture::Arm64 => Self { arm64: held, ..Self::NOTHING },
            Architecture::X86_64 => Self { x86_64: held, ..Self::NOTHING },
        }
    }

    /// What of a streamed answer of so many bytes is billed.
    pub fn streamed(bytes: u64) -> Self {
        Self { streamed_bytes: bytes.saturating_sub(FREELY_STREAMED), ..Self::NOTHING }
    }

    /// Memory held over time, on whatever processor.
    pub fn memory_time(&self) -> MemoryTime {
        self.arm64 + self.x86_64
    }
}

/// How much of each answer streams for free ("6 MB", taken for the smaller of its two meanings).
const FREELY_STREAMED: u64 = 6_000_000;

impl From<Counts> for Spent {
    fn from(store: Counts) -> Self {
        Self { store, ..Self::NOTHING }
    }
}

impl Add for Spent {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            store: self.store + more.store,
            invocations: self.invocations.saturating_add(more.invocations),
            arm64: self.arm64 + more.arm64,
            x86_64: self.x86_64 + more.x86_64,
            streamed_bytes: self.streamed_bytes.saturating_add(more.streamed_bytes),
            logged_bytes: self.logged_bytes.saturating_add(more.logged_bytes),
            http_api_requests: self.http_api_requests.saturating_add(more.http_api_requests),
            queue_requests: self.queue_requests.saturating_add(more.queue_requests),
            schedules: self.schedules.saturating_add(more.schedules),
        }
    }
}

impl AddAssign for Spent {
    fn add_assign(&mut self, more: Self) {
        *self = *self + more;
    }
}

impl Sum for Spent {
    fn sum<I: Iterator<Item = Self>>(spent: I) -> Self {
        spent.fold(Self::NOTHING, Add::add)
    }
}

impl fmt::Display for Spent {
    /// `3 GET, 1 LIST, 2.1 MB read, 0.123 s waited, 2 invocations, 0.302 GB-s`: what there was none of is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.store.fmt(f)?;
        let times = [
            (self.invocations, "invocation"),
            (self.http_api_requests, "HTTP API request"),
            (self.queue_requests, "SQS request"),
            (self.schedules, "schedule"),
        ];
        for (times, name) in times.into_iter().filter(|(times, _)| *times > 0) {
            write!(f, ", {times} {name}{}", if times == 1 { "" } else { "s" })?;
        }
        if self.memory_time() > MemoryTime::ZERO {
            write!(f, ", {}", self.memory_time())?;
        }
        for (bytes, name) in [(self.streamed_bytes, "streamed"), (self.logged_bytes, "logged")] {
            if bytes > 0 {
                write!(f, ", {} {name}", crate::bill::bytes(bytes))?;
            }
        }
        Ok(())
    }
}

impl MemoryTime {
    /// None.
    pub const ZERO: Self = Self(0);
    /// A gigabyte-second in mebibyte-milliseconds.
    pub(crate) const GB_SECOND: u64 = 1_024 * 1_000;

    /// So many mebibytes for so long, begun milliseconds counted as whole ones.
    pub fn of(mebibytes: u32, time: Duration) -> Self {
        let milliseconds = u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
        Self(milliseconds.saturating_mul(mebibytes.into()))
    }

    /// So many mebibyte-milliseconds.
    pub const fn from_mebibyte_milliseconds(held: u64) -> Self {
        Self(held)
    }

    /// The exact number.
    pub const fn mebibyte_milliseconds(self) -> u64 {
        self.0
    }

    /// Gigabyte-seconds, as on Lambda's bill.
    pub fn gb_seconds(self) -> f64 {
        self.0 as f64 / Self::GB_SECOND as f64
    }
}

impl Add for MemoryTime {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self(self.0.saturating_add(more.0))
    }
}

impl fmt::Display for MemoryTime {
    /// `0.302 GB-s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} GB-s", self.gb_seconds())
    }
}

impl Architecture {
    /// What this build is for.
    pub const fn of_this_build() -> Self {
        if cfg!(target_arch = "aarch64") { Self::Arm64 } else { Self::X86_64 }
    }

    /// As Lambda spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Architecture {
    type Err = UnknownArchitecture;

    fn from_str(text: &str) -> Result<Self, UnknownArchitecture> {
        [Self::Arm64, Self::X86_64]
            .into_iter()
            .find(|architecture| architecture.as_str() == text)
            .ok_or_else(|| UnknownArchitecture(text.to_owned()))
    }
}

/// A processor that Lambda doesn't offer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no architecture of Lambda's: write arm64 or x86_64")]
pub struct UnknownArchitecture(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn begun_milliseconds_are_billed() {
        for (mebibytes, time, billed) in [
            (1_769, Duration::ZERO, 0),
            (1_769, Duration::from_nanos(1), 1_769),
            (128, Duration::from_millis(3), 384),
            (128, Duration::from_micros(3_001), 512),
        ] {
            assert_eq!(MemoryTime::of(mebibytes, time).mebibyte_milliseconds(), billed);
        }
        assert_eq!(MemoryTime::of(1_024, Duration::from_secs(1)).gb_seconds(), 1.0);
    }

    #[test]
    fn the_first_six_megabytes_stream_for_free() {
        assert_eq!(Spent::streamed(6_000_000), Spent::NOTHING);
        assert_eq!(Spent::streamed(6_000_001).streamed_bytes, 1);
    }

    #[test]
    fn it_reads_like_counts() {
        let counts = Counts { gets: 3, lists: 1, bytes_read: 2_100_000, ..Counts::default() };
        let query = Spent::from(counts) + Spent::invocation(Architecture::Arm64, 1_769, Duration::from_millis(100));
        let scan =
            Spent::invocation(Architecture::X86_64, 1_769, Duration::from_millis(75)) + Spent::streamed(7_500_000);
        assert_eq!(
            [query, scan].into_iter().sum::<Spent>().to_string(),
            "3 GET, 1 LIST, 2.1 MB read, 0.000 s waited, 2 invocations, 0.302 GB-s, 1.5 MB streamed"
        );
        assert_eq!(Spent::NOTHING.to_string(), "no requests, 0.000 s waited");
    }

    #[test]
    fn functions_of_other_versions_understand_each_other() {
        let sent = Spent::invocation(Architecture::Arm64, 128, Duration::from_millis(2))
            + Spent::from(Counts { gets: 7, time: Duration::from_millis(5), ..Counts::default() });
        let json = serde_json::to_string(&sent).unwrap();
        assert_eq!(serde_json::from_str::<Spent>(&json).unwrap(), sent);
        let older = r#"{"store": {"gets": 7}, "arm64": 256, "carbon": 3}"#;
        let read: Spent = serde_json::from_str(older).unwrap();
        assert_eq!((read.store.gets, read.arm64.mebibyte_milliseconds(), read.invocations), (7, 256, 0));
    }
}
