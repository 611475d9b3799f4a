//! What a function and its callers see of the host, with a real function and the real SDK.

#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod binary;
mod events;
mod faults;
mod fronts;
mod invoke;
mod limits;
mod processes;
mod streams;
mod vocabulary;
