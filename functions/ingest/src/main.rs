//! The function `ingest`: OTLP into the bucket.
//!
//! It takes HTTP from a function URL, an HTTP API or a load balancer, and batches of a queue. Either way spans are
//! durable and visible when it has answered. It can neither read nor delete: its role has no such permission.

mod queue;

use lambda_runtime::{Error, FunctionResponse, LambdaEvent, service_fn};
use niente_api::{Retention, Settings};
use niente_lambda::{Environment, HttpEvent, HttpFunction, InvalidEvent, logs};
use niente_model::Nanos;
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Error> {
    logs::install();
    let environment = Environment::of_process();
    let function = HttpFunction {
        cors: environment.value("NIENTE_CORS_ORIGINS")?.unwrap_or_default(),
        ..HttpFunction::new(&environment, &environment.aws().await, settings(&environment)?)?
    };
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| answer(&function, event).await)).await
}

async fn answer(function: &HttpFunction, event: LambdaEvent<Value>) -> Result<Value, Error> {
    let LambdaEvent { payload, context } = event;
    if HttpEvent::is_one(&payload) {
        return match function.answer(payload, &context).await {
            FunctionResponse::BufferedResponse(answer) => Ok(serde_json::to_value(answer)?),
            FunctionResponse::StreamingResponse(_) => unreachable!("this function's URL does not stream"),
        };
    }
    if queue::is_batch(&payload) {
        return Ok(serde_json::to_value(queue::store(&function.api, payload).await?)?);
    }
    Err(InvalidEvent::Shape("it is neither HTTP nor a batch of SQS".to_owned()).into())
}

fn settings(environment: &Environment) -> Result<Settings, Error> {
    const DAY: u64 = 24 * 3_600;
    let retention = environment.days("NIENTE_RETENTION_DAYS")?;
    Ok(Settings {
        path_prefix: environment.text("NIENTE_PATH_PREFIX").unwrap_or_default(),
        retention: Retention::Fixed(retention.map(|days| Nanos::from_secs(u64::from(days) * DAY))),
        ..Settings::default()
    })
}
