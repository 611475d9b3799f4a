use niente_engine::Inspected;
use serde::Serialize;

use crate::json::{as_text, is_default};

/// What answers call `metrics`: what was looked at for them. A job is an object that was read; an answer is there when
/// all are done.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Inspection {
    #[serde(skip_serializing_if = "is_default")]
    inspected_traces: u32,
    #[serde(serialize_with = "as_text", skip_serializing_if = "is_default")]
    inspected_bytes: u64,
    #[serde(skip_serializing_if = "is_default")]
    total_blocks: u32,
    #[serde(skip_serializing_if = "is_default")]
    completed_jobs: u32,
    #[serde(skip_serializing_if = "is_default")]
    total_jobs: u32,
    #[serde(serialize_with = "as_text", skip_serializing_if = "is_default")]
    total_block_bytes: u64,
    /// Told of metrics alone, as Tempo does.
    #[serde(serialize_with = "as_text", skip_serializing_if = "is_default")]
    inspected_spans: u64,
}

/// No more than how much was read: what answers about tags, and of a trace by its ID, tell.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InspectedBytes {
    #[serde(serialize_with = "as_text", skip_serializing_if = "is_default")]
    pub(crate) inspected_bytes: u64,
}

/// What marks an answer as a partial one; nothing of a complete one.
#[derive(Serialize)]
pub(crate) struct Partial {
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl Partial {
    pub(crate) fn of(lacks: Option<String>) -> Self {
        Self { status: lacks.is_some().then_some("PARTIAL"), message: lacks }
    }
}

impl Inspection {
    /// That of spans rather than traces.
    pub(crate) fn of_spans(inspected: Inspected) -> Self {
        Self { inspected_spans: inspected.spans, ..Self::from(inspected) }
    }
}

impl From<Inspected> for Inspection {
    fn from(inspected: Inspected) -> Self {
        let objects = saturated(inspected.objects);
        Self {
            inspected_traces: saturated(inspected.traces),
            inspected_bytes: inspected.bytes,
            total_blocks: objects,
            completed_jobs: objects,
            total_jobs: objects,
            total_block_bytes: inspected.object_bytes,
            inspected_spans: 0,
        }
    }
}

pub(crate) fn saturated(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
