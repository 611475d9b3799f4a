//! For tests, here and elsewhere: a real S3 in the test's own process, and a layer of faults.
//!
//! What every backend has to pass is the [`suite`](crate::suite).

mod access;
mod bucket;
mod faulty;
mod server;

pub use access::Attempt;
pub use faulty::{Failure, Fault, Faulty, Request};
pub use server::{S3Server, ServerFault};
