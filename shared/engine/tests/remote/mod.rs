//! Workers that are reached as functions are, and an engine that has them.

#![allow(clippy::unwrap_used, dead_code)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use niente_catalog::Catalog;
use niente_cost::Spent;
use niente_engine::{Engine, Error, Partial, Reply, Settings, Shard, Workers};
use niente_store::MemoryStore;

/// What becomes of a request to a worker, by its number.
pub(crate) type Fate = fn(u64) -> Outcome;

#[derive(Clone, Copy)]
pub(crate) enum Outcome {
    Answered,
    Killed,
    Throttled,
    Late,
    Refused,
}

/// Workers that are reached as functions are: by bytes. Each starts cold.
#[derive(Debug)]
pub(crate) struct Remote {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) fate: Fate,
    pub(crate) asked: AtomicU64,
}

#[async_trait]
impl Workers for Remote {
    fn parallel(&self) -> usize {
        4
    }

    fn memory_mib(&self) -> u32 {
        1_769
    }

    async fn answer(&self, shard: Arc<Shard>) -> Result<Partial, Error> {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        let failed = |reason: &str, again| Err(Error::Shard { reason: reason.to_owned(), again });
        match (self.fate)(number) {
            Outcome::Answered => {}
            Outcome::Killed => return failed("killed", true),
            Outcome::Throttled => return failed("throttled", true),
            Outcome::Refused => return failed("no such function", false),
            Outcome::Late => tokio::time::sleep(Duration::from_secs(10)).await,
        }
        let shard = Shard::decode(&shard.encode()).unwrap();
        let engine = Engine::new(Catalog::new(self.store.clone()));
        let answered = engine.answer(shard).await;
        let reply = Reply::decode(&Reply::of(answered).encode()).unwrap();
        let partial = reply.into_result()?;
        Ok(Partial { spent: partial.spent + Spent { invocations: 1, ..Spent::NOTHING }, ..partial })
    }
}

/// An engine over this store that cuts its questions into small shards.
pub(crate) fn cut(store: &Arc<MemoryStore>, fate: Option<Fate>) -> (Engine, Option<Arc<Remote>>) {
    let remote = fate.map(|fate| Arc::new(Remote { store: store.clone(), fate, asked: AtomicU64::new(0) }));
    let workers = remote.clone().map(|remote| remote as Arc<dyn Workers>);
    (
        Engine::with(Catalog::new(store.clone()), Settings { shard_bytes: 100_000, workers, ..Settings::default() }),
        remote,
    )
}
