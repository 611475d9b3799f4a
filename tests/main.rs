//! What a user sees, end to end. Filed by purpose; `harness` has the words to say it with.

#![allow(clippy::unwrap_used)]

mod attacks;
mod bad_input;
mod chaos;
mod conformance;
mod durability;
mod grafana;
mod harness;
mod lambda;
mod language;
mod memory;
mod permissions;
mod split_invariance;
