//! A Lambda of one's own, for tests: runs function binaries as Lambda runs them, on this machine, as processes.
//!
//! A function is tested best by what Lambda does to it. A [`Host`] starts the real `bootstrap` binary, with the
//! environment that Lambda would give it, and speaks the Runtime API to it. Whoever invokes it, by the SDK, over HTTP or
//! from the test, meets Lambda's rules: one event at a time for each process, cold starts on demand and warm ones
//! after, a stop between events in which nothing runs, limits of time, memory, payload and concurrency, and errors as
//! Lambda words them.
//!
//! The types to know:
//!
//! * [`Function`]: a binary and its limits, in the words of a template.
//! * [`Host`]: runs functions until it is dropped. Tests ask it for an [`Answer`], for [`Counters`], for a URL, or to kill.
//! * [`Front`]: what stands between HTTP and the function: a function URL, an API Gateway HTTP API, or an ALB.
//! * [`Fault`]: what goes wrong with an [`Invocation`]; a test decides for each.
//! * [`events`]: the events of SQS, schedules and buckets, as AWS documents them.
//!
//! ```no_run
//! use niente_lambda_host::{Fault, Front, Function, Host, built};
//! use serde_json::json;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let scan = Function::new("scan", built("niente-scan")).memory_mb(1769).concurrency(4);
//! let query = Function::new("query", built("niente-query")).front(Front::Url);
//! let host = Host::start([scan, query]).await;
//!
//! let answer = host.invoke("scan", &json!({ "shard": 3 })).await?;
//! assert_eq!(answer.error, None);
//! assert_eq!(host.counters("scan").cold_starts, 1);
//!
//! // From now on a quarter of the scans die in the middle, the same ones whenever the seed is the same.
//! host.faults(|invocation| {
//!     if invocation.function == "scan" && invocation.draw(7) < 0.25 { Fault::kill() } else { Fault::None }
//! });
//! let page = format!("{}/api/search?q=%7B%7D", host.url("query"));
//! # Ok(())
//! # }
//! ```
//!
//! Of Lambda this is the part that a stateless function can notice. Some things are not imitated. A process has all of
//! the machine's CPUs and network, whatever its memory; it shares `/tmp`; streams are not slowed down after 6 MB; events
//! that failed are tried again at once rather than after minutes. The memory that counts is the process's resident set,
//! which Linux alone tells.
//!
//! The crate runs on Unix only: a stop is `SIGSTOP`. Here, unlike in the libraries, clocks and dice are the machine's.

mod answer;
mod clock;
mod counters;
mod environment;
pub mod events;
mod fault;
mod front;
mod function;
mod host;
mod http_server;
mod ids;
mod invoke_api;
mod log;
mod pool;
mod process;
mod run;
mod runtime_api;
mod service;

pub use answer::{Answer, InvokeError};
pub use counters::Counters;
pub use fault::{Fault, Invocation};
pub use front::Front;
pub use function::{Function, built};
pub use host::{Config, Host};
