//! Words to say it with.

#![allow(dead_code)] // not each test file uses all of them

use niente_block::KeyRange;
use niente_catalog::{Block, Hours, ObjectId};
use niente_model::{Hour, Nanos, TimeRange, TraceKey};

/// Seconds into a day of which midnight is an hour's border.
pub(crate) fn at(seconds: u64) -> Nanos {
    Nanos::from_secs(20_000 * 24 * 3_600 + seconds)
}

pub(crate) fn id(number: u128) -> ObjectId {
    ObjectId::new(at(0), number)
}

/// A block of some spans that start in this hour.
pub(crate) fn block(number: u128, hour: Hour) -> Block {
    Block {
        id: id(number),
        level: 2,
        hours: Hours::only(hour),
        rows: 1_000,
        bytes: 50_000,
        tail: 9_000,
        times: TimeRange::lasting(hour.start(), Nanos::from_secs(3_600)),
        keys: KeyRange { from: TraceKey(1), to: TraceKey(u64::MAX) },
        indexed: false,
        purged: 0,
        services: None,
        attributes: None,
    }
}
