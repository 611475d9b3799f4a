//! The command line as people and scripts meet it: the real binary, its output and its exit codes.

#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod niente;

mod bucket;
mod compact;
mod config;
mod cost;
mod demo;
mod explain;
mod gc;
mod help;
mod ingest;
mod inspect;
mod query;
mod redact;
mod serve;
mod tags;
mod token;
