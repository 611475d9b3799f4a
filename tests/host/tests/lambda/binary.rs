//! The binary `lambda-host`.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use serde_json::json;

use crate::vocabulary::{body, is_frozen, new_file, post, state, until};

fn command(config: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lambda-host"));
    command.arg(config);
    command
}

fn run(config: &Path) -> Output {
    command(config).output().unwrap()
}

/// A host of its own, which a test that fails doesn't leave behind.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // (It has ended already where the test went well.)
        let _ = self.0.kill();
    }
}

/// A host of one puppet, and what it says that it listens on.
fn start(config: &Path) -> (Running, Vec<(String, String)>) {
    let puppet = json!({ "name": "puppet", "binary": env!("CARGO_BIN_EXE_lambda-puppet"), "front": "url" });
    std::fs::write(config, json!({ "functions": [puppet] }).to_string()).unwrap();
    let mut host = Running(command(config).stdout(Stdio::piped()).spawn().unwrap());
    let lines = BufReader::new(host.0.stdout.take().unwrap()).lines().take(2);
    let listening = lines.map(|line| {
        let line = line.unwrap();
        let (name, url) = line.strip_prefix("listening: ").unwrap().split_once(' ').unwrap();
        (name.to_owned(), url.to_owned())
    });
    let listening = listening.collect();
    (host, listening)
}

/// The ID of the puppet's process, which is frozen when this returns.
async fn frozen(url: &str) -> u32 {
    let process = body(&post(url, &json!({ "do": "sleep", "ms": 0 }))).parse().unwrap();
    until(async || is_frozen(process)).await;
    process
}

#[tokio::test]
async fn it_says_where_it_listens_and_ends_in_good_order() {
    let (_folder, config) = new_file();
    let (mut host, listening) = start(&config);
    let [(api, api_url), (name, url)] = &listening[..] else { panic!("{listening:?}") };
    assert_eq!((api.as_str(), name.as_str()), ("lambda-api", "puppet"));
    let invoked = post(&format!("{api_url}/2015-03-31/functions/puppet/invocations"), &json!({ "a": 1 }));
    assert_eq!(body(&invoked), r#"{"a":1}"#);

    let process = frozen(url).await;
    assert!(Command::new("kill").args(["-TERM", &host.0.id().to_string()]).status().unwrap().success());
    assert_eq!(host.0.wait().unwrap().code(), Some(0));
    until(async || matches!(state(process), None | Some('Z'))).await;
}

#[tokio::test]
async fn nothing_is_left_behind_when_it_is_killed() {
    let (_folder, config) = new_file();
    let (mut host, listening) = start(&config);
    let process = frozen(&listening[1].1).await;
    host.0.kill().unwrap();
    host.0.wait().unwrap();
    until(async || matches!(state(process), None | Some('Z'))).await;
}

#[test]
fn a_wrong_file_is_told() {
    let (_folder, config) = new_file();
    let complaint = |expected: &str| {
        let output = run(&config);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.starts_with("lambda-host: ") && said.contains(expected), "{said}");
    };
    complaint("can't open");
    std::fs::write(&config, r#"{"functions": [{"name": "a"}]}"#).unwrap();
    complaint("missing field `binary`");
    let twice = json!({ "name": "a", "binary": "b" });
    std::fs::write(&config, json!({ "functions": [twice, twice] }).to_string()).unwrap();
    complaint("two functions are called a");
}
