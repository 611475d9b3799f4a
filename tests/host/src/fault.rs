//! What goes wrong with invocations, as a test decides.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use bytes::Bytes;

/// What goes wrong with an invocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// The event reaches the process so much later. It occupies its place from the beginning; the wait isn't billed.
    Delay(Duration),
    /// It is refused with 429 and never reaches a process.
    Throttle,
    /// The process is killed so long after it got the event, or when it answers, whichever comes first: its answer
    /// never gets out, and what it did before stays done.
    Kill(Duration),
    /// The function does its work, and the connection to the caller breaks instead of an answer.
    LoseAnswer,
}

impl Fault {
    /// The process is killed at the last moment, when its work is done and it answers.
    pub const fn kill() -> Self {
        Self::Kill(Duration::MAX)
    }
}

/// An invocation, before anything has come of it.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The function's name.
    pub function: String,
    /// How many there were of this function before, those with faults and repetitions included.
    pub number: u64,
    /// The event.
    pub payload: Bytes,
    /// The request's ID, as the function sees it too.
    pub request_id: String,
}

impl Invocation {
    /// A number from 0 up to 1, evenly distributed, and the same for the same seed, function and number.
    pub fn draw(&self, seed: u64) -> f64 {
        let mut hasher = DefaultHasher::new();
        (seed, &self.function, self.number).hash(&mut hasher);
        fastrand::Rng::with_seed(hasher.finish()).f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invocation(function: &str, number: u64) -> Invocation {
        let (payload, request_id) = (Bytes::new(), String::new());
        Invocation { function: function.to_owned(), number, payload, request_id }
    }

    #[test]
    fn a_quarter_is_a_quarter_and_the_same_one_again() {
        let drawn = |seed, name| (0..4_000).map(|n| invocation(name, n).draw(seed) < 0.25).collect::<Vec<_>>();
        let quarter = drawn(7, "scan");
        let share = quarter.iter().filter(|drawn| **drawn).count();
        assert!((900..1_100).contains(&share), "{share}");
        assert_eq!(quarter, drawn(7, "scan"));
        assert_ne!(quarter, drawn(8, "scan"));
        assert_ne!(quarter, drawn(7, "query"));
    }
}
