//! What callers of the crate see, by purpose.

#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in tests, but not in what they share")]

mod bodies;
mod checks;
mod json;
mod limits;
mod protobuf;
mod responses;
mod spans;
mod vocabulary;
mod way_back;
