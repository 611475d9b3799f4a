//! The command line as people and scripts meet it: the real binary, its output and its exit codes.

#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod niente;

mod demo;
mod help;
mod ingest;
mod inspect;
mod query;
mod serve;
