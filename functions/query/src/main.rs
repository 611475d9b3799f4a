//! The function `query`: Tempo's HTTP API, over shards that the function `scan` answers.
//!
//! A question of one shard is answered here; a larger one is cut, and its shards are invocations of `scan`. Nothing is
//! kept from one question to the next but what cannot be wrong: catalogs by their versions, footers of blocks.

mod invoker;

use std::sync::Arc;

use aws_config::SdkConfig;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use niente_api::Settings;
use niente_cost::{Budget, Prices};
use niente_engine::{Settings as EngineSettings, Workers};
use niente_lambda::{Environment, HttpEvent, HttpFunction, InvalidEvent, Sent, logs};
use serde_json::Value;

use invoker::Invoker;

/// How many scans one query runs at a time, unless told otherwise.
const PARALLEL: usize = 64;
/// The memory of `scan` in MiB, unless told otherwise.
const SCAN_MEMORY: u32 = 1_769;

#[tokio::main]
async fn main() -> Result<(), Error> {
    logs::install();
    let environment = Environment::of_process();
    let aws = environment.aws().await;
    let function = HttpFunction {
        streams: environment.flag("NIENTE_RESPONSE_STREAM")?,
        ..HttpFunction::new(&environment, &aws, settings(&environment, &aws)?)?
    };
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| answer(&function, event).await)).await
}

async fn answer(function: &HttpFunction, event: LambdaEvent<Value>) -> Result<Sent, Error> {
    let LambdaEvent { payload, context } = event;
    if !HttpEvent::is_one(&payload) {
        return Err(InvalidEvent::Shape("it has no requestContext of one".to_owned()).into());
    }
    Ok(function.answer(payload, &context).await)
}

fn settings(environment: &Environment, aws: &SdkConfig) -> Result<Settings, Error> {
    let defaults = Settings::default();
    let mut engine = EngineSettings { workers: workers(environment, aws)?, ..EngineSettings::default() };
    if let Some(bytes) = environment.value("NIENTE_SHARD_BYTES")? {
        engine.shard_bytes = bytes;
    }
    if let Some(prices) = environment.text("NIENTE_PRICES") {
        engine.prices = Prices::from_json(&prices)?;
    }
    let max_range = environment.duration("NIENTE_MAX_RANGE")?;
    Ok(Settings {
        path_prefix: environment.text("NIENTE_PATH_PREFIX").unwrap_or_default(),
        max_range,
        max_metrics_range: max_range,
        budget: Budget {
            bytes: environment.value("NIENTE_MAX_QUERY_BYTES")?,
            dollars: environment.value("NIENTE_MAX_QUERY_COST")?,
        },
        memory_mib: environment.memory_mib()?,
        compress: true,
        engine,
        ..defaults
    })
}

/// Who answers shards: the function that `NIENTE_SCAN_FUNCTION` names; nobody else, where none is named.
fn workers(environment: &Environment, aws: &SdkConfig) -> Result<Option<Arc<dyn Workers>>, Error> {
    let Some(function) = environment.text("NIENTE_SCAN_FUNCTION") else { return Ok(None) };
    let results = environment.results("NIENTE_RESULTS", aws)?;
    let parallel = environment.value("NIENTE_SCAN_CONCURRENCY")?.unwrap_or(PARALLEL);
    let memory = environment.value("NIENTE_SCAN_MEMORY")?.unwrap_or(SCAN_MEMORY);
    Ok(Some(Arc::new(Invoker::new(invoker::client(aws), function, results, parallel, memory))))
}
