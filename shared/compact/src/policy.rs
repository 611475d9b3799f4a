use niente_model::{Day, Hour, Nanos};

/// When something is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// So many level-0 objects of an hour are merged.
    pub level_0_objects: usize,
    /// So many bytes of them are merged.
    pub level_0_bytes: u64,
    /// Level 0 that has waited so long is merged.
    pub level_0_age: Nanos,
    /// An open hour with so many blocks has them merged along with its next level 0.
    pub open_blocks: usize,
    /// So long after its end an hour or a day counts as closed: what comes then is late. None: at once, while it
    /// still runs.
    pub settle: Option<Nanos>,
    /// No block is to be much larger, and no merge takes in much more, unless one trace or the overlaps of large
    /// blocks force it to.
    pub block_bytes: u64,
    /// Late data is merged into what was there when it has grown to one part in so many.
    pub late_share: u64,
}

impl Default for Policy {
    /// Level 0 within minutes, few rewrites.
    fn default() -> Self {
        Self {
            level_0_objects: 500,
            level_0_bytes: 64 << 20,
            level_0_age: Nanos::from_secs(120),
            open_blocks: 8,
            settle: Some(Nanos::from_secs(600)),
            block_bytes: 256 << 20,
            late_share: 10,
        }
    }
}

impl Policy {
    /// Everything down to the final form, at once.
    pub fn everything() -> Self {
        Self { level_0_age: Nanos::ZERO, settle: None, late_share: u64::MAX, ..Self::default() }
    }

    pub(crate) fn hour_is_closed(&self, hour: Hour, now: Nanos) -> bool {
        self.settle.is_none_or(|settle| hour.end().saturating_add(settle) <= now)
    }

    pub(crate) fn day_is_closed(&self, day: Day, now: Nanos) -> bool {
        self.settle.is_none_or(|settle| day.end().saturating_add(settle) <= now)
    }

    /// Whether `late` bytes are enough to rewrite `main` bytes for.
    pub(crate) fn worth_merging(&self, late: u64, main: u64) -> bool {
        late.saturating_mul(self.late_share) >= main
    }
}
