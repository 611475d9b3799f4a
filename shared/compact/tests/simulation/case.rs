//! What a seed stands for.

use fastrand::Rng;
use niente_compact::Policy;
use niente_model::Nanos;

use crate::bugs::Bug;

/// The circumstances of a run. Everything in them follows from the seed, and differs a lot between seeds: one that
/// never fails shows what one full of faults never gets to.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) seed: u64,
    pub(crate) bug: Option<Bug>,
    /// How often the scheduler moves somebody.
    pub(crate) turns: u64,
    /// One in so many requests goes wrong; none, if zero.
    pub(crate) fault_every: u32,
    /// After one in so many turns somebody is killed; never, if zero.
    pub(crate) kill_every: u32,
    /// How many turns in a row one process gets at most.
    pub(crate) burst: u64,
    /// In one of so many turns time leaps by up to `leap`.
    pub(crate) leap_every: u32,
    pub(crate) leap: Nanos,
    /// How many keys a page of a listing has.
    pub(crate) page: usize,
    /// Whether the bucket's time is that of a process's last answer, as on S3, or the present.
    pub(crate) dated: bool,
    pub(crate) writers: usize,
    pub(crate) readers: usize,
    pub(crate) compactors: usize,
    pub(crate) gcs: usize,
    /// For how long gc leaves alone what was replaced.
    pub(crate) grace: Nanos,
    pub(crate) retention: bool,
    pub(crate) redaction: bool,
    pub(crate) policy: Policy,
    /// Whether to print what happens.
    pub(crate) trace: bool,
}

impl Case {
    pub(crate) fn new(seed: u64) -> Self {
        // Not the dice of the run itself, so that one can be changed without the other.
        let mut rng = Rng::with_seed(seed ^ 0x6e69_656e_7465);
        let mut of = |choices: &[u64]| choices[rng.usize(..choices.len())];
        Self {
            seed,
            bug: None,
            turns: of(&[150, 400, 800]),
            fault_every: of(&[0, 100, 30, 12]) as u32,
            kill_every: of(&[0, 400, 100, 40]) as u32,
            burst: of(&[1, 20, 80, 250]),
            leap_every: of(&[40, 150, 400]) as u32,
            leap: Nanos::from_secs(of(&[1_200, 3 * 3_600, 9 * 3_600])),
            page: of(&[1, 3, 1_000]) as usize,
            dated: of(&[0, 1]) == 1,
            writers: of(&[1, 2, 3]) as usize,
            readers: of(&[1, 2, 3]) as usize,
            compactors: of(&[1, 1, 2]) as usize,
            gcs: of(&[1, 1, 2]) as usize,
            grace: Nanos::from_secs(of(&[0, 600, 7_200, 30_000])),
            retention: of(&[0, 0, 1]) == 1,
            redaction: of(&[0, 0, 1]) == 1,
            policy: Policy {
                level_0_objects: of(&[2, 4, 8]) as usize,
                level_0_bytes: 64 << 10,
                level_0_age: Nanos::from_secs(of(&[0, 120])),
                open_blocks: of(&[2, 4]) as usize,
                settle: Some(Nanos::from_secs(600)),
                block_bytes: of(&[16 << 10, 1 << 20]),
                late_share: of(&[2, 10]),
            },
            trace: false,
        }
    }
}
