//! Tempo's HTTP API, and OTLP over HTTP, as one function from request to response.
//!
//! [`Api::handle`] takes an [`http::Request`] whose body has been read and returns an [`http::Response`]. Who turns
//! bytes of a socket or events of a function platform into these is another crate: nothing here knows a server, a
//! cloud or a clock, so that one handler serves all of them and a test needs neither port nor process.
//!
//! The types to know:
//!
//! * [`Api`]: the handler. Besides HTTP it offers [`Api::access`] and [`Api::ingest`] to other ways in, such as gRPC.
//! * [`Settings`]: what an operator may choose.
//! * [`Gate`]: who is let in. A [`TokenDocument`] lists tokens, a [`TokenSource`] is where it lies, and [`Access`] is
//!   what a request may touch.
//! * [`Error`]: everything that ends a request early. [`Error::status`] is the HTTP status, its display the body.
//!
//! ```
//! use std::sync::Arc;
//!
//! use bytes::Bytes;
//! use http::{Request, StatusCode};
//! use niente_api::{Api, Clock, Gate, Settings};
//! use niente_model::Nanos;
//! use niente_store::MemoryStore;
//!
//! # async fn example() {
//! let clock = Clock::new(|| Nanos::from_secs(1_793_584_000));
//! let api = Api::new(Arc::new(MemoryStore::new()), Settings::default(), Gate::Open, clock);
//!
//! let request = Request::get("/api/search?q=%7B%7D&limit=0").body(Bytes::new()).unwrap();
//! let response = api.handle(request).await;
//!
//! assert_eq!(response.status(), StatusCode::BAD_REQUEST);
//! assert_eq!(response.body(), "parameter limit: \"0\" is not a whole number from 1 to 262144");
//! # }
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(example());
//! ```
//!
//! A request passes through the private modules in this order: `route` says which question its path asks, `auth` who
//! asks, `tenant` whose data it is about, `search`, `metrics`, `tags` and `trace` turn parameters into the engine's question
//! and the engine's answer into a body, `federate` puts a question about several tenants to each, `ingest` decodes and
//! stores spans. Each of the query modules holds pure functions on both sides of the engine, which is where their tests
//! take hold.
//!
//! # What the answers promise
//!
//! Grafana is the reader that matters most, and a strict one. One unknown field in a search answer fails the whole
//! query, two types under one attribute key or a missing sub-message of a trace make its plugin panic, and an error
//! is only shown to people if it is short plain text. So the bodies are serialised from structs which list every
//! field that there may be, and [what differs from Tempo](Api#differences-from-tempo) is written down.

mod auth;
mod clock;
mod error;
mod explain;
mod federate;
mod handler;
mod ingest;
mod inspection;
mod json;
mod metrics;
mod params;
mod price;
mod response;
mod room;
mod route;
mod search;
mod settings;
mod tags;
mod tenant;
mod trace;

pub use auth::{
    Access, AuthError, Gate, Guard, InvalidDocument, InvalidToken, Principal, Right, Rights, SourceError, TenantScope,
    Token, TokenDocument, TokenEntry, TokenHash, TokenId, TokenSource,
};
pub use clock::Clock;
pub use error::Error;
pub use handler::{Api, Deadline};
pub use price::Price;
pub use room::MostBytes;
pub use settings::{Retention, Settings};
