//! A server in this process, a server as a process, and what is sent to them.

mod demo;
mod functions;
mod process;
/// The shop of `niente demo`, which is part of the binary.
#[allow(dead_code, reason = "the binary has its uses for the rest")]
#[path = "../../functions/local/src/demo/shop/mod.rs"]
mod shop;
mod suite;

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response};
use niente_api::{Api, Clock, Gate, Settings};
use niente_catalog::Catalog;
use niente_compact::{Compactor, Policy, Scope};
use niente_model::{Nanos, Tenant};
use niente_store::{MemoryStore, Store};

pub(crate) use demo::{CLOSES, OPENS, demo};
pub(crate) use functions::{everybody, function, get_event};
pub(crate) use process::{Answer, Server, exchange};
pub(crate) use suite::{Case, cases, requests, spans};

/// The handlers in this process, over a store, at a time shortly after the suite's.
#[derive(Clone)]
pub(crate) struct InProcess {
    api: Arc<Api>,
    store: Arc<dyn Store>,
}

/// Shortly after the suite's spans.
pub(crate) const NOW: Nanos = Nanos::from_secs(1_793_590_000);

/// How far compaction has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// All is as ingest wrote it.
    Level0,
    /// Hours are open: some of their objects are blocks.
    Open,
    /// All has its final form.
    Final,
}

impl InProcess {
    pub(crate) fn in_memory() -> Self {
        Self::over(Arc::new(MemoryStore::new()))
    }

    pub(crate) fn over(store: Arc<dyn Store>) -> Self {
        Self::guarded(store, Gate::Open, Clock::new(|| NOW))
    }

    /// The handlers behind a gate, at a time of the test's own.
    pub(crate) fn guarded(store: Arc<dyn Store>, gate: Gate, clock: Clock) -> Self {
        let api = Api::new(store.clone(), Settings::default(), gate, clock);
        Self { api: Arc::new(api), store }
    }

    /// Compacts what there is, up to a stage.
    pub(crate) async fn compact(&self, stage: Stage) {
        let policy = match stage {
            Stage::Level0 => return,
            Stage::Open => {
                let (level_0_objects, level_0_age) = (7, Nanos::ZERO);
                Policy { level_0_objects, level_0_age, settle: Some(Nanos::MAX), ..Policy::default() }
            }
            Stage::Final => Policy::everything(),
        };
        let random = Arc::new(|| fastrand::u128(..));
        let compactor = Compactor::new(Catalog::new(self.store.clone()), policy, random);
        compactor.sweep(&Tenant::single(), Scope::Everything, &mut |_| {}).await.unwrap();
        let level_0 = niente_catalog::level_0(&*self.store, &Tenant::single()).await.unwrap().len();
        assert!(level_0 > 0, "there was something to compact");
    }

    pub(crate) async fn get(&self, path_and_query: &str) -> Response<Bytes> {
        self.send(Request::builder().uri(path_and_query), Bytes::new()).await
    }

    /// Asks with these parameters, whatever has to be escaped in them.
    pub(crate) async fn ask(&self, path: &str, params: &[(&str, &str)]) -> Response<Bytes> {
        self.get(&with_query(path, params)).await
    }

    pub(crate) async fn post(&self, path: &str, content_type: &str, body: impl Into<Bytes>) -> Response<Bytes> {
        let request = Request::builder().method(Method::POST).uri(path).header("content-type", content_type);
        self.send(request, body.into()).await
    }

    pub(crate) async fn send(&self, request: http::request::Builder, body: Bytes) -> Response<Bytes> {
        self.api.handle(request.body(body).unwrap()).await
    }

    /// Sends an OTLP/JSON request that must be taken whole.
    pub(crate) async fn push(&self, json: impl Into<Bytes>) {
        let answer = self.post("/v1/traces", "application/json", json).await;
        assert_eq!((answer.status().as_u16(), text(&answer)), (200, "{}".into()));
    }

    /// Sends an OTLP/protobuf request that must be taken whole.
    pub(crate) async fn push_protobuf(&self, body: Vec<u8>) {
        let answer = self.post("/v1/traces", "application/x-protobuf", body).await;
        assert_eq!((answer.status().as_u16(), answer.body().len()), (200, 0));
    }
}

/// A path with these parameters, escaped.
pub(crate) fn with_query(path: &str, params: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
    format!("{path}?{query}")
}

/// An answer's bytes, without the counters of what was looked at.
pub(crate) fn without_counters(answer: &Response<Bytes>) -> String {
    cut_counters(&text(answer))
}

fn cut_counters(text: &str) -> String {
    let counters = text.rfind(",\"metrics\":").unwrap_or(text.len());
    text[..counters].to_owned()
}

pub(crate) fn text(answer: &Response<Bytes>) -> String {
    String::from_utf8_lossy(answer.body()).into_owned()
}

/// How much of a large test to do: `NIENTE_TEST_SCALE`, 1 unless said.
pub(crate) fn scale() -> usize {
    std::env::var("NIENTE_TEST_SCALE").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}
