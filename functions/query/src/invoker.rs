//! Shards as invocations of the function `scan`.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use aws_config::{SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_lambda::{
    Client,
    error::{DisplayErrorContext, ProvideErrorMetadata},
    operation::invoke::InvokeOutput,
    primitives::Blob,
};
use niente_engine::{Error, Partial, Reply, Shard, Workers};
use niente_lambda::{Message, Results};

/// A client that repeats nothing by itself, since shards are sent again as a whole, and waits as long as a scan may take.
pub(crate) fn client(config: &SdkConfig) -> Client {
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).disable_read_timeout().build();
    let config = aws_sdk_lambda::config::Builder::from(config)
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
        .build();
    Client::from_conf(config)
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Invokes `scan` for each shard.
pub(crate) struct Invoker {
    client: Client,
    function: String,
    results: Results,
    parallel: usize,
    memory_mib: u32,
}

impl Invoker {
    pub(crate) fn new(client: Client, function: String, results: Results, parallel: usize, memory_mib: u32) -> Self {
        Self { client, function, results, parallel, memory_mib }
    }

    async fn invoke(&self, shard: &Shard) -> Result<Partial, Error> {
        let message = self.results.pack(shard.encode(), &shard.tenant).await.map_err(|error| failed(&error, true))?;
        let payload = serde_json::to_vec(&message).map_err(|error| failed(&error, false))?;
        let invoked = self.client.invoke().function_name(&self.function).payload(Blob::new(payload)).send().await;
        let output = invoked.map_err(|error| {
            // Too many at once, or the service itself: such things pass.
            let passes = error.as_service_error().is_none_or(|error| passes(error.code().unwrap_or_default()));
            failed(&DisplayErrorContext(error), passes)
        })?;
        self.read(output).await
    }

    async fn read(&self, output: InvokeOutput) -> Result<Partial, Error> {
        let payload = output.payload().map(|payload| payload.as_ref()).unwrap_or_default();
        if output.function_error().is_some() {
            // It ran out of time or memory, or died: a fresh one may not.
            let told: String = String::from_utf8_lossy(payload).chars().take(500).collect();
            return Err(Error::Shard { reason: format!("the function scan failed: {told}"), again: true });
        }
        let message: Message = serde_json::from_slice(payload).map_err(|error| failed(&error, false))?;
        let reply = self.results.unpack(message).await.map_err(|error| failed(&error, true))?;
        Reply::decode(&reply).map_err(|error| failed(&error, true))?.into_result()
    }
}

#[async_trait]
impl Workers for Invoker {
    fn parallel(&self) -> usize {
        self.parallel
    }

    fn memory_mib(&self) -> u32 {
        self.memory_mib
    }

    async fn answer(&self, shard: Arc<Shard>) -> Result<Partial, Error> {
        self.invoke(&shard).await
    }
}

impl fmt::Debug for Invoker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invoker")
            .field("function", &self.function)
            .field("parallel", &self.parallel)
            .finish_non_exhaustive()
    }
}

/// Whether an error of Lambda's API, by its code, is one that passes.
fn passes(code: &str) -> bool {
    !matches!(
        code,
        "ResourceNotFoundException"
            | "AccessDeniedException"
            | "InvalidParameterValueException"
            | "InvalidRequestContentException"
            | "RequestTooLargeException"
            | "UnsupportedMediaTypeException"
    )
}

fn failed(error: &dyn fmt::Display, again: bool) -> Error {
    Error::Shard { reason: format!("invoking the function scan: {error}"), again }
}
