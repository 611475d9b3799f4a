//! A function that does what its event tells it to: what the host is tested with.
//!
//! An event is `{"do": VERB, …}` with the verbs below, or an HTTP request with such a body. Others are answered by
//! themselves, and batches by their failures.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures::stream;
use lambda_runtime::{Error, FunctionResponse, LambdaEvent, MetadataPrelude, StreamResponse, run, service_fn};
use serde_json::{Value, json};

type Chunks = stream::BoxStream<'static, Result<String, Error>>;
type Answer = FunctionResponse<Value, Chunks>;

/// Counts in the background: it stands still while the process is frozen.
static TICKS: AtomicU64 = AtomicU64::new(0);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    match std::env::var("PUPPET_START").as_deref() {
        Ok("exit") => std::process::exit(3),
        Ok("slow") => std::thread::sleep(Duration::from_millis(400)),
        Ok("error") => return Err(report_init_error().await),
        _ => {}
    }
    std::thread::spawn(|| {
        loop {
            TICKS.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(Duration::from_micros(200));
        }
    });
    println!("the puppet is up");
    run(service_fn(act)).await
}

/// The runtime crate keeps this request for snapshots, so it is sent by hand.
async fn report_init_error() -> Error {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let body = json!({ "errorType": "Puppet.NoStrings", "errorMessage": "cut" }).to_string();
    let host = std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap_or_default();
    let request = format!(
        "POST /2018-06-01/runtime/init/error HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let sent = async {
        let mut connection = tokio::net::TcpStream::connect(host).await?;
        connection.write_all(request.as_bytes()).await?;
        connection.read_to_end(&mut Vec::new()).await
    };
    sent.await.err().map_or_else(|| "cut".into(), Error::from)
}

async fn act(event: LambdaEvent<Value>) -> Result<Answer, Error> {
    let (event, context) = event.into_parts();
    let body = event["body"].as_str().and_then(|body| serde_json::from_str::<Value>(body).ok());
    let event = body.filter(|body| body["do"].is_string()).unwrap_or(event);
    let number = |name: &str| event[name].as_u64().unwrap_or_default();
    let value = match event["do"].as_str() {
        Some("echo") => event["value"].clone(),
        Some("context") => json!({
            "request_id": context.request_id,
            "deadline": context.deadline,
            "left_ms": Duration::from_millis(context.deadline).saturating_sub(now()).as_millis() as u64,
            "arn": context.invoked_function_arn,
            "trace_id": context.xray_trace_id,
            "client_context": context.client_context,
            "pid": std::process::id(),
            "environment": std::env::vars().collect::<std::collections::BTreeMap<_, _>>(),
        }),
        Some("ticks") => json!(TICKS.load(Ordering::Relaxed)),
        Some("sleep") => {
            tokio::time::sleep(Duration::from_millis(number("ms"))).await;
            json!(std::process::id())
        }
        Some("mark") => {
            std::fs::write(event["file"].as_str().unwrap_or_default(), "done")?;
            json!(null)
        }
        // Fails until it has been asked so often, counted in a file.
        Some("count") => {
            let file = event["file"].as_str().unwrap_or_default();
            let count = std::fs::read_to_string(file).unwrap_or_default().len() as u64 + 1;
            std::fs::write(file, "x".repeat(count as usize))?;
            if count < number("needed") {
                return Err(format!("attempt {count}").into());
            }
            json!(count)
        }
        Some("print") => {
            println!("{}", event["text"].as_str().unwrap_or_default());
            json!(null)
        }
        Some("error") => return Err("as it was told".into()),
        Some("panic") => panic!("as it was told"),
        Some("exit") => std::process::exit(i32::try_from(number("code"))?),
        Some("abort") => std::process::abort(),
        Some("allocate") => {
            // Written to, so that it is resident.
            let block = vec![1_u8; usize::try_from(number("mb"))? << 20];
            json!(std::hint::black_box(block).iter().step_by(4_096).map(|byte| u64::from(*byte)).sum::<u64>())
        }
        Some("large") => json!("x".repeat(usize::try_from(number("bytes"))?)),
        Some("stream") => return Ok(streamed(&event)),
        _ => answer_other(event),
    };
    Ok(FunctionResponse::BufferedResponse(value))
}

/// Of a batch, the messages that say so fail; a load balancer wants a status; all else is an echo.
fn answer_other(event: Value) -> Value {
    let records = event["Records"].as_array().filter(|records| records.iter().all(|r| r["eventSource"] == "aws:sqs"));
    match records {
        Some(records) => {
            let failed = records.iter().filter(|record| record["body"] == "fail");
            let failed = failed.map(|record| json!({ "itemIdentifier": record["messageId"] }));
            json!({ "batchItemFailures": failed.collect::<Vec<_>>() })
        }
        None if event["requestContext"]["elb"].is_object() => json!({ "statusCode": 200, "body": event.to_string() }),
        None => event,
    }
}

/// `chunks` one by one, as many `times` as is said, and then `end`: `break` for an error, `exit` for a dead process, `hang` for nothing more.
fn streamed(event: &Value) -> Answer {
    let chunks: Vec<Value> = event["chunks"].as_array().cloned().unwrap_or_default();
    let times = usize::try_from(event["times"].as_u64().unwrap_or(1)).unwrap_or(usize::MAX);
    let chunks = std::iter::repeat_n(chunks, times).flatten();
    let chunks = chunks.map(|chunk| chunk.as_str().unwrap_or_default().to_owned()).map(Ok::<_, Error>);
    let end = event["end"].as_str().unwrap_or_default().to_owned();
    let chunks = stream::iter(chunks.map(Some).chain([None]));
    let stream = futures::StreamExt::filter_map(chunks, move |chunk| {
        let end = end.clone();
        async move {
            // (The runtime sends what it has before it asks for more.)
            tokio::time::sleep(Duration::from_millis(5)).await;
            match (chunk, end.as_str()) {
                (Some(chunk), _) => Some(chunk),
                (None, "break") => Some(Err("as it was told".into())),
                (None, "exit") => std::process::exit(1),
                (None, "hang") => std::future::pending().await,
                (None, _) => None,
            }
        }
    });
    let mut metadata_prelude = MetadataPrelude { cookies: vec!["a=1".to_owned()], ..MetadataPrelude::default() };
    metadata_prelude.headers.insert("x-puppet", http::HeaderValue::from_static("yes"));
    if let Some(Ok(status)) = event["status"].as_u64().map(|status| http::StatusCode::from_u16(status as u16)) {
        metadata_prelude.status_code = status;
    }
    FunctionResponse::StreamingResponse(StreamResponse { metadata_prelude, stream: futures::StreamExt::boxed(stream) })
}

fn now() -> Duration {
    #[expect(clippy::disallowed_methods, reason = "a function compares its deadline with the time of day")]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).unwrap_or_default()
}
