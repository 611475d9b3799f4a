//! Stores around a store: each forwards every request and adds one thing.

mod counting;
mod hedged;

pub use counting::{Counting, Counts};
pub use hedged::Hedged;
