//! What these tests are told in: a folder to work in, commands to run in it, a server to talk to.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, SystemTime},
};

use niente_store::testing::S3Server;
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_niente");

/// A folder of the test's own, in which commands run, and what stands in their environment.
pub(crate) struct Desk {
    folder: TempDir,
    environment: Vec<(&'static str, String)>,
}

/// What a command said, and how it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), environment: Vec::new() }
    }

    /// A desk whose commands find a bucket, and may use it.
    pub(crate) fn beside(s3: &S3Server) -> Self {
        let (access_key, secret_key) = s3.credentials();
        Self::new()
            .with("NIENTE_ENDPOINT", &s3.endpoint())
            .with("AWS_ACCESS_KEY_ID", access_key)
            .with("AWS_SECRET_ACCESS_KEY", secret_key)
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    fn command(&self) -> Command {
        let mut command = Command::new(BINARY);
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("NIENTE_") || name.starts_with("AWS_")) {
            command.env_remove(name);
        }
        // Who has no credentials is not to look for a cloud around the test, nor into the developer's own.
        command.env("AWS_EC2_METADATA_DISABLED", "true").env("HOME", self.folder.path());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        name.to_owned()
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        let output = self.command().args(args).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Runs a command that must succeed, and gives what it printed.
    pub(crate) fn out(&self, args: &[&str]) -> String {
        let ended = self.run(args);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.out
    }

    /// Starts `serve` or `demo` on free ports.
    pub(crate) fn start(&self, args: &[&str]) -> Server {
        let free = ["--http", "127.0.0.1:0", "--otlp-http", "127.0.0.1:0", "--otlp-grpc", "127.0.0.1:0"];
        let mut command = self.command();
        command.args(args).args(free).env("NIENTE_LOG", "warn");
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let [api, otlp, grpc] = ["tempo-api", "otlp-http", "otlp-grpc"].map(|listener| {
            let mut line = String::new();
            out.read_line(&mut line).unwrap();
            let url = line.trim_end().strip_prefix(&format!("listening: {listener} "));
            url.unwrap_or_else(|| panic!("{line:?}")).to_owned()
        });
        Server { child, out, api, otlp, grpc }
    }
}

/// A server that runs until it is dropped.
pub(crate) struct Server {
    child: Child,
    out: BufReader<ChildStdout>,
    /// The URL of Tempo's API.
    pub(crate) api: String,
    /// The URL of OTLP over HTTP.
    pub(crate) otlp: String,
    /// The URL of OTLP over gRPC.
    pub(crate) grpc: String,
}

impl Server {
    /// What it prints up to and including this line.
    pub(crate) fn out_until(&mut self, last: &str) -> String {
        let mut out = String::new();
        while !out.trim_end().ends_with(last) {
            assert!(self.out.read_line(&mut out).unwrap() > 0, "ended after {out}");
        }
        out
    }

    /// Sends it a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Waits for its end and gives its exit code.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The files in this folder and those below it, by path.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let below = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    let mut files: Vec<_> = entries.flat_map(|entry| below(entry.unwrap().path())).collect();
    files.sort();
    files
}

/// Makes all objects in this folder seem as old as the spans of [`request`].
pub(crate) fn age(folder: &Path) {
    let before = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    for path in files(folder) {
        File::options().write(true).open(path).unwrap().set_modified(before).unwrap();
    }
}

/// An OTLP/JSON request on one line: a server span of `service` and its failed child, in the year 2023.
pub(crate) fn request(service: &str, trace_id: &str) -> String {
    let span = |id: &str, parent: &str, name: &str, status: u8| {
        format!(
            r#"{{"traceId":"{trace_id}","spanId":"{id}","parentSpanId":"{parent}","name":"{name}","kind":2,"startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000001500000000","status":{{"code":{status}}}}}"#
        )
    };
    format!(
        r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{service}"}}}}]}},"scopeSpans":[{{"spans":[{},{}]}}]}}]}}"#,
        span("00f067aa0ba902b7", "", "GET /", 0),
        span("00f067aa0ba902b8", "00f067aa0ba902b7", "SELECT", 2),
    )
}

/// Far enough back for [`request`].
pub(crate) const SINCE: [&str; 2] = ["--since", "20years"];
