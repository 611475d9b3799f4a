//! What lies between a function and the bucket.

use std::{
    f64::consts::TAU,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use fastrand::Rng;
use tokio::time::Instant;

/// The median and the 95th percentile of the time until S3's first byte, in seconds (arXiv 2501.07771).
const FIRST_BYTE: (f64, f64) = (0.027, 0.075);
/// Bytes a second of one function for long, its first fast 300 MiB left out (the same).
pub(crate) const BYTES_PER_SECOND: f64 = 75e6;

/// `GET`s that a prefix answers in a second, however many ask: it does not grow within a burst (the same).
const GETS_PER_SECOND: u32 = 5_500;
/// The limit is kept over each of so many parts of a second.
const PARTS: u32 = 10;

/// The latencies of requests, by dice of one seed. Clones throw the same dice.
#[derive(Clone, Debug)]
pub(crate) struct Network(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    dice: Mutex<Rng>,
    began: Instant,
    taken: Mutex<Taken>,
}

/// Which requests of workers the bucket has taken, by the part of a second.
#[derive(Debug, Default)]
struct Taken {
    requests: Vec<u32>,
    /// Of a part that is full, one that comes before the next that is not.
    next: Vec<usize>,
}

impl Taken {
    /// Takes a request in this part, or in the next that is not full.
    fn take(&mut self, wanted: usize) -> usize {
        let mut part = wanted;
        loop {
            for new in self.next.len()..=part {
                self.requests.push(0);
                self.next.push(new + 1);
            }
            if self.requests[part] < GETS_PER_SECOND / PARTS {
                self.requests[part] += 1;
                self.next[wanted] = self.next[wanted].max(part);
                return part;
            }
            part = self.next[part];
        }
    }
}

impl Network {
    pub(crate) fn new(seed: u64) -> Self {
        let dice = Mutex::new(Rng::with_seed(seed));
        Self(Arc::new(Shared { dice, began: Instant::now(), taken: Mutex::default() }))
    }

    /// When, in so many seconds, the first byte comes of a request that a worker sends in so many.
    pub(crate) fn first_byte_at(&self, sent: f64) -> f64 {
        let now = self.0.began.elapsed().as_secs_f64();
        let parts = f64::from(PARTS);
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let part = taken.take(((now + sent) * parts) as usize);
        sent.max(part as f64 / parts - now) + self.first_byte()
    }

    /// Seconds until the first byte of an answer of S3's.
    pub(crate) fn first_byte(&self) -> f64 {
        self.lognormal(FIRST_BYTE.0, FIRST_BYTE.1)
    }

    /// How long one request for so many bytes takes, if it has the network for itself.
    pub(crate) fn request(&self, bytes: u64) -> Duration {
        Duration::from_secs_f64(self.first_byte() + bytes as f64 / BYTES_PER_SECOND)
    }

    /// A sample of the log-normal distribution that has this median and this 95th percentile.
    pub(crate) fn lognormal(&self, median: f64, p95: f64) -> f64 {
        /// The 95th percentile of the normal distribution.
        const Z95: f64 = 1.644_854;
        median * ((p95 / median).ln() / Z95 * self.normal()).exp()
    }

    /// A sample of the normal distribution (Box and Muller's).
    fn normal(&self) -> f64 {
        let mut dice = self.0.dice.lock().unwrap_or_else(PoisonError::into_inner);
        // (Never the logarithm of zero.)
        (-2.0 * (1.0 - dice.f64()).ln()).sqrt() * (TAU * dice.f64()).cos()
    }
}
