//! Having shards answered: some at a time, failed ones again, the slowest twice.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::stream::{self, StreamExt, TryStreamExt};
use niente_cost::{Architecture, Spent};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};

use crate::{Error, Partial, Shard, Workers};

/// How often a shard is tried.
const ATTEMPTS: u32 = 4;
/// The pause before a failed shard is sent again, doubled each time.
const PAUSE: Duration = Duration::from_millis(100);
/// A shard is slow if it takes so many times as long as nearly all that have finished.
const SLOW: u32 = 3;
/// No shard is slow before this.
const NEVER_SLOW: Duration = Duration::from_millis(200);

/// Has every shard answered, in their order, and says what was spent on attempts that came to nothing.
///
/// # Errors
/// The first that trying again does not mend: an answer without one of its shards would be a silent hole.
pub(crate) async fn dispatch(workers: &dyn Workers, shards: Vec<Arc<Shard>>) -> (Result<Vec<Partial>, Error>, Spent) {
    let pace = Pace::new(shards.len());
    let answers = shards.into_iter().map(|shard| answered(workers, shard, &pace));
    let partials = stream::iter(answers).buffered(workers.parallel().max(1)).try_collect().await;
    let lost = pace.lost.into_inner().unwrap_or_else(PoisonError::into_inner);
    let lost =
        lost.into_iter().map(|time| Spent::invocation(Architecture::of_this_build(), workers.memory_mib(), time));
    (partials, lost.sum())
}

async fn answered(workers: &dyn Workers, shard: Arc<Shard>, pace: &Pace) -> Result<Partial, Error> {
    let begun = Instant::now();
    let mut attempt = 0;
    loop {
        let sent = Instant::now();
        match hedged(workers, &shard, pace).await {
            Ok(partial) => {
                pace.tell(begun.elapsed());
                return Ok(partial);
            }
            Err(error) if error.may_pass() && attempt + 1 < ATTEMPTS => {
                pace.lose(sent.elapsed());
                attempt += 1;
                tracing::warn!(%error, attempt, "a shard failed and is sent again");
                sleep(pause(&shard, attempt)).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Asks once, and once more when that takes longer than nearly all others took; the first answer counts.
async fn hedged(workers: &dyn Workers, shard: &Arc<Shard>, pace: &Pace) -> Result<Partial, Error> {
    let begun = Instant::now();
    let mut first = workers.answer(shard.clone());
    tokio::select! {
        biased;
        answer = &mut first => return answer,
        () = pace.overdue(begun) => {}
    }
    tracing::info!("a shard is slow and is sent a second time");
    let mut second = workers.answer(shard.clone());
    let (answer, other) = tokio::select! {
        answer = &mut first => (answer, second),
        answer = &mut second => (answer, first),
    };
    // Whichever was not needed is billed all the same.
    pace.lose(begun.elapsed());
    match answer {
        Ok(partial) => Ok(partial),
        Err(_) => other.await,
    }
}

/// Doubled each time, and different for each shard: those that were throttled together don't come back together.
fn pause(shard: &Shard, attempt: u32) -> Duration {
    let spread = u32::from(twox_hash::XxHash64::oneshot(attempt.into(), &shard.keys.from.0.to_le_bytes()) as u8);
    PAUSE * (1 << (attempt - 1)) * (256 + spread) / 256
}

/// How long shards have taken so far.
struct Pace {
    shards: usize,
    /// The shortest first.
    taken: Mutex<Vec<Duration>>,
    /// What counts as slow, once half of the shards have finished.
    slow: watch::Sender<Option<Duration>>,
    /// How long those ran that came to nothing.
    lost: Mutex<Vec<Duration>>,
}

impl Pace {
    fn new(shards: usize) -> Self {
        Self { shards, taken: Mutex::default(), slow: watch::Sender::new(None), lost: Mutex::default() }
    }

    fn tell(&self, duration: Duration) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let at = taken.partition_point(|taken| *taken <= duration);
        taken.insert(at, duration);
        if self.shards >= 2 && taken.len() >= self.shards.div_ceil(2) {
            // Reckoned here and once, not by each of the hundreds that wait; who waits is woken when it changes.
            let slow = Some((taken[taken.len() * 9 / 10] * SLOW).max(NEVER_SLOW));
            self.slow.send_if_modified(|known| std::mem::replace(known, slow) != slow);
        }
    }

    fn lose(&self, duration: Duration) {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).push(duration);
    }

    /// Waits until a shard that began then has taken too long.
    async fn overdue(&self, begun: Instant) {
        let mut changes = self.slow.subscribe();
        loop {
            let slow = *changes.borrow_and_update();
            tokio::select! {
                () = async { match slow { Some(slow) => sleep_until(begun + slow).await, None => std::future::pending().await } } => return,
                Ok(()) = changes.changed() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use niente_block::KeyRange;
    use niente_model::{Tenant, TimeRange};

    use super::*;
    use crate::{Findings, Inspected, Task};

    /// What each attempt at each shard comes to, by the shard's number and the attempt's.
    type Script = fn(u64, usize) -> (Duration, Result<(), bool>);

    #[derive(Debug)]
    struct Scripted {
        script: Script,
        asked: Mutex<Vec<u64>>,
    }

    #[async_trait]
    impl Workers for Scripted {
        fn parallel(&self) -> usize {
            8
        }

        fn memory_mib(&self) -> u32 {
            1_024
        }

        async fn answer(&self, shard: Arc<Shard>) -> Result<Partial, Error> {
            let number = shard.redacted.len() as u64;
            let attempt = {
                let mut asked = self.asked.lock().unwrap();
                asked.push(number);
                asked.iter().filter(|asked| **asked == number).count()
            };
            let (takes, result) = (self.script)(number, attempt);
            sleep(takes).await;
            let inspected = Inspected { traces: number, ..Inspected::default() };
            match result {
                Ok(()) => Ok(Partial { findings: Findings::Spans(Vec::new()), inspected, spent: Default::default() }),
                Err(again) => Err(Error::Shard { reason: "as the script says".into(), again }),
            }
        }
    }

    /// Four shards by this script: how long it took in milliseconds, how many requests, and the error.
    async fn run(script: Script) -> (u128, usize, Option<String>) {
        let workers = Scripted { script, asked: Mutex::default() };
        let shards = (0..4).map(|number| {
            Arc::new(Shard {
                tenant: Tenant::single(),
                task: Task::Trace { id: "1".parse().unwrap() },
                keys: KeyRange::shard(number, 4),
                objects: Vec::new(),
                reach: TimeRange::ALL,
                redacted: vec!["1".parse().unwrap(); number as usize],
                patience: None,
            })
        });
        let begun = Instant::now();
        let (answer, lost) = dispatch(&workers, shards.collect()).await;
        let asked = workers.asked.lock().unwrap().len();
        if answer.is_ok() {
            assert_eq!(lost.invocations as usize, asked - 4, "what came to nothing is counted");
        }
        if let Ok(partials) = &answer {
            let numbers: Vec<u64> = partials.iter().map(|partial| partial.inspected.traces).collect();
            assert_eq!(numbers, [0, 1, 2, 3], "in their order");
        }
        (begun.elapsed().as_millis(), asked, answer.err().map(|error| error.to_string()))
    }

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[tokio::test(start_paused = true)]
    async fn shards_run_side_by_side() {
        assert_eq!(run(|_, _| (ms(50), Ok(()))).await, (50, 4, None));
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_pass_is_tried_again_alone() {
        let (took, asked, error) =
            run(|shard, attempt| (ms(50), if shard == 2 && attempt < 3 { Err(true) } else { Ok(()) })).await;
        assert_eq!((asked, error), (6, None));
        // Three attempts, a pause of one to two tenths of a second and one of two to four.
        assert!((450..=750).contains(&took), "{took}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_pass_ends_it() {
        let (_, asked, error) = run(|shard, _| (ms(50), if shard == 2 { Err(false) } else { Ok(()) })).await;
        assert_eq!((asked, error.is_some()), (4, true));
        let (_, asked, error) = run(|shard, _| (ms(50), if shard == 2 { Err(true) } else { Ok(()) })).await;
        assert_eq!((asked, error.is_some()), (3 + ATTEMPTS as usize, true));
    }

    #[tokio::test(start_paused = true)]
    async fn the_slowest_is_sent_twice_and_the_first_answer_counts() {
        let slow = |shard, attempt| (if shard == 3 && attempt == 1 { ms(10_000) } else { ms(100) }, Ok(()));
        assert_eq!(run(slow).await, (400, 5, None));
        // If one of the two fails the other one still counts.
        let worse = |shard, attempt| match (shard, attempt) {
            (3, 1) => (ms(1_000), Ok(())),
            (3, _) => (ms(10), Err(true)),
            _ => (ms(100), Ok(())),
        };
        assert_eq!(run(worse).await, (1_000, 5, None));
    }
}
