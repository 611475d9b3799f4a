//! `/api/metrics/query_range` and `/api/metrics/query`: from parameters to the engine's question, and from its answer to
//! JSON.

mod answer;
mod request;
mod step;

pub(crate) use answer::{instant, range};
pub(crate) use request::{Kind, parse};
