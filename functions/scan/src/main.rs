//! The function `scan`: answers one shard of a query, which the function `query` has planned.
//!
//! It is invoked by `query` and by nobody else, and reads what it is told to read. It may be asked twice for the same
//! shard, and may die in the middle: nothing depends on it.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use niente_catalog::Catalog;
use niente_cost::{Architecture, Spent};
use niente_engine::{Engine, Partial, Reply, Shard};
use niente_lambda::{Environment, Message, Results, logs};
use tokio::time::Instant;

#[tokio::main]
async fn main() -> Result<(), Error> {
    logs::install();
    let environment = Environment::of_process();
    let aws = environment.aws().await;
    let scan = Scan {
        engine: Engine::new(Catalog::new(environment.store("NIENTE_STORE", &aws)?)),
        results: environment.results("NIENTE_RESULTS", &aws)?,
        memory_mib: environment.memory_mib()?.unwrap_or_default(),
    };
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Message>| scan.answer(event).await)).await
}

struct Scan {
    engine: Engine,
    results: Results,
    memory_mib: u32,
}

impl Scan {
    async fn answer(&self, event: LambdaEvent<Message>) -> Result<Message, Error> {
        let begun = Instant::now();
        let shard = Shard::decode(&self.results.unpack(event.payload).await?)?;
        let tenant = shard.tenant.clone();
        let answered = self.engine.answer(shard).await.inspect_err(|error| tracing::warn!(%error, "no answer"));
        let answered = answered.map(|partial| {
            let own = Spent::invocation(Architecture::of_this_build(), self.memory_mib, begun.elapsed());
            Partial { spent: partial.spent + own, ..partial }
        });
        Ok(self.results.pack(Reply::of(answered).encode(), &tenant).await?)
    }
}
