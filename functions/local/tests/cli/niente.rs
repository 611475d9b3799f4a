//! What these tests are told in: a folder to work in, commands to run in it, a server to talk to.

use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_niente");

/// A folder of the test's own, in which commands run.
pub(crate) struct Desk(TempDir);

/// What a command said, and how it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        name.to_owned()
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        let output = command(self.0.path()).args(args).output().unwrap();
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
        let mut command = command(self.0.path());
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

fn command(folder: &Path) -> Command {
    let mut command = Command::new(BINARY);
    command.current_dir(folder).stdin(Stdio::null());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("NIENTE_")) {
        command.env_remove(name);
    }
    command
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
