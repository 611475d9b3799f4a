//! What these tests are told in: a puppet, what it is told to do, and conditions that are waited for.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    time::Duration,
};

use aws_sdk_lambda::{
    Client,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
};
use niente_lambda_host::{Front, Function, Host};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A function that does what its events say.
pub(crate) fn puppet() -> Function {
    Function::new("puppet", env!("CARGO_BIN_EXE_lambda-puppet"))
}

/// A host of nothing but a puppet.
pub(crate) async fn host() -> Host {
    Host::start([puppet()]).await
}

/// A host of a puppet behind a front.
pub(crate) async fn behind(front: Front) -> Host {
    Host::start([puppet().front(front)]).await
}

/// Has the puppet say who it is.
pub(crate) async fn pid(host: &Host) -> Value {
    told(host, json!({ "do": "sleep", "ms": 0 })).await
}

/// What the puppet answers, which must not be an error.
pub(crate) async fn told(host: &Host, event: Value) -> Value {
    let answer = host.invoke("puppet", &event).await.unwrap();
    assert_eq!(answer.error, None, "{answer:?}");
    answer.json()
}

/// The type and the message of the error that comes of an event.
pub(crate) async fn failure(host: &Host, event: Value) -> (String, String) {
    let answer = host.invoke("puppet", &event).await.unwrap();
    let json = answer.json();
    (answer.error.unwrap(), json["errorMessage"].as_str().unwrap().to_owned())
}

/// Waits for a condition, however slow the machine is.
pub(crate) async fn until(condition: impl AsyncFn() -> bool) {
    let waited = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waited).await.unwrap();
}

/// Amazon's client, without its patience.
pub(crate) fn sdk(host: &Host) -> Client {
    sdk_with(host, RetryConfig::disabled())
}

pub(crate) fn sdk_with(host: &Host, retries: RetryConfig) -> Client {
    let config = aws_sdk_lambda::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
        .region(Region::new("us-east-1"))
        .endpoint_url(host.endpoint())
        .retry_config(retries);
    Client::from_conf(config.build())
}

/// What a process, or a thread, does: `T` if it is stopped, `Z` if it has ended, nothing if it is no more.
pub(crate) fn state(pid: u32) -> Option<char> {
    thread_state(&PathBuf::from(format!("/proc/{pid}")))
}

fn thread_state(folder: &Path) -> Option<char> {
    let stat = std::fs::read_to_string(folder.join("stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

fn threads(pid: u32) -> Vec<PathBuf> {
    std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().map(|thread| thread.unwrap().path()).collect()
}

/// Whether each of a process's threads is stopped.
pub(crate) fn is_frozen(pid: u32) -> bool {
    threads(pid).iter().all(|thread| thread_state(thread) == Some('T'))
}

/// How often the threads of a process have given up the CPU.
pub(crate) fn context_switches(pid: u32) -> u64 {
    let switches = threads(pid).into_iter().flat_map(|thread| {
        let status = std::fs::read_to_string(thread.join("status")).unwrap();
        let lines = status.lines().filter_map(|line| line.split_once("voluntary_ctxt_switches:"));
        lines.map(|(_, count)| count.trim().parse::<u64>().unwrap()).collect::<Vec<_>>()
    });
    switches.sum()
}

/// A file that isn't there yet, in a folder that goes away.
pub(crate) fn new_file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    (folder, file)
}

/// What comes back for a request that is sent as it is, until the connection closes.
pub(crate) fn talk(url: &str, request: &str) -> String {
    let address = url.trim_start_matches("http://").split('/').next().unwrap();
    let mut connection = TcpStream::connect(address).unwrap();
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

/// A request's status, headers and body, for a client that takes every status for an answer.
pub(crate) fn ask(request: http::Request<Vec<u8>>) -> http::Response<Vec<u8>> {
    let agent = ureq::Agent::new_with_config(ureq::Agent::config_builder().http_status_as_error(false).build());
    let (parts, mut body) = agent.run(request).unwrap().into_parts();
    http::Response::from_parts(parts, body.with_config().limit(u64::MAX).read_to_vec().unwrap())
}

/// Posts what the puppet is to do.
pub(crate) fn post(url: &str, event: &Value) -> http::Response<Vec<u8>> {
    let request = http::Request::post(url).header("content-type", "application/json");
    ask(request.body(event.to_string().into_bytes()).unwrap())
}

pub(crate) fn body(response: &http::Response<Vec<u8>>) -> &str {
    std::str::from_utf8(response.body()).unwrap()
}
