//! How long a cold function takes until its first answer, and how large it is.
//!
//! `cargo build --release -p niente-query -p niente-ingest -p niente-scan -p niente-compact-function`, then
//! `cargo run --release -p niente-lambda-host --example cold_start -- target/release`
//!
//! Each of some twenty processes is started for one event and dropped. The storage is a server in this process, which
//! answers at once: what is measured is the function. `niente-scan` and `niente-compact` are measured by what they say to
//! an event that they refuse, `niente-ingest` and `niente-query` by an answer over HTTP, with a search among them.

#![expect(clippy::disallowed_methods, reason = "it measures")]

#[path = "../../harness/functions.rs"]
mod functions;

use std::{error::Error, path::PathBuf, time::Instant};

use niente_lambda_host::Host;
use niente_store::testing::S3Server;
use serde_json::{Value, json};

use functions::{everybody, function, get_event};

const RUNS: usize = 21;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder: PathBuf = std::env::args().nth(1).ok_or("usage: cold_start FOLDER")?.into();
    let s3 = S3Server::start().await;
    let tokens = folder.join("cold-start.tokens.json");
    let (token, document) = everybody();
    std::fs::write(&tokens, document)?;
    let get = |path_and_query| get_event(path_and_query, &token, "");
    println!("{:<15} {:>9} {:>22} {:>10} {:>10} {:>10}", "FUNCTION", "SIZE", "EVENT", "COLD ms", "MOST ms", "WARM ms");
    for (name, what, event) in [
        ("niente-ingest", "GET /ready", get("/ready")),
        ("niente-query", "GET /ready", get("/ready")),
        ("niente-query", "a search, with a token", get("/api/search?q=%7B%7D&start=1793577000&end=1793580000")),
        ("niente-scan", "a damaged shard", json!({"inline": "AQ=="})),
        ("niente-compact", "a task that is none", json!({"task": "none"})),
    ] {
        let function = function(name, &folder.join(name), &s3, &tokens).memory_mb(1_769);
        let host = Host::start([function]).await;
        let (mut cold, mut warm) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            host.cool(name);
            cold.push(measured(&host, name, &event).await?);
            warm.push(measured(&host, name, &event).await?);
        }
        cold.sort_by(f64::total_cmp);
        warm.sort_by(f64::total_cmp);
        let megabytes = std::fs::metadata(folder.join(name))?.len() as f64 / 1e6;
        let (median, most) = (cold[RUNS / 2], cold[RUNS - 1]);
        println!("{name:<15} {megabytes:>6.1} MB {what:>22} {median:>10.1} {most:>10.1} {:>10.1}", warm[RUNS / 2]);
    }
    std::fs::remove_file(tokens)?;
    Ok(())
}

/// Milliseconds until the answer.
async fn measured(host: &Host, name: &str, event: &Value) -> Result<f64, Box<dyn Error>> {
    let begun = Instant::now();
    let answer = host.invoke(name, event).await.map_err(|error| format!("{name}: {error:?}"))?;
    let taken = begun.elapsed().as_secs_f64() * 1e3;
    let status = if answer.error.is_some() { Value::Null } else { answer.json()["statusCode"].clone() };
    let is_http = event["requestContext"].is_object();
    if is_http && status != 200 {
        return Err(format!("{name}: {}", String::from_utf8_lossy(&answer.payload)).into());
    }
    Ok(taken)
}
