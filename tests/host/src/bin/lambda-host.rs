//! A Lambda on this machine: runs the functions that a file describes until it is told to end.

use std::{fs::File, io::Write, path::PathBuf, process::ExitCode};

use clap::Parser;
use niente_lambda_host::{Config, Host};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Runs function binaries as Lambda runs them.
///
/// Prints where everything listens, as `listening: NAME URL`, the Invoke API as `lambda-api`, and runs until SIGTERM or
/// SIGINT.
#[derive(Debug, Parser)]
#[command(name = "lambda-host")]
struct Args {
    /// JSON: {"functions": [{"name": …, "binary": …, "memory_mb": …, "timeout_s": …, "concurrency": …,
    /// "environment": {…}, "front": "url", "listen": "127.0.0.1:0"}], "listen": "127.0.0.1:0", "echo_logs": false}
    config: PathBuf,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("lambda-host: {message}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> Result<(), String> {
    let path = args.config.display();
    let file = File::open(&args.config).map_err(|error| format!("can't open {path}: {error}"))?;
    let config: Config = serde_json::from_reader(file).map_err(|error| format!("can't read {path}: {error}"))?;
    let catch = |kind| signal(kind).map_err(|error| format!("can't listen for signals: {error}"));
    let (mut interrupt, mut terminate): (Signal, Signal) =
        (catch(SignalKind::interrupt())?, catch(SignalKind::terminate())?);

    let host = Host::open(config).await.map_err(|error| format!("can't start: {error}"))?;
    let mut lines = format!("listening: lambda-api {}\n", host.endpoint());
    for (name, url) in host.urls() {
        lines.push_str(&format!("listening: {name} {url}\n"));
    }
    let mut out = std::io::stdout();
    out.write_all(lines.as_bytes()).and_then(|()| out.flush()).map_err(|error| format!("can't print: {error}"))?;

    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    drop(host);
    Ok(())
}
