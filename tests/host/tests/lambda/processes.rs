//! Processes: their environment, their starts, what they do between events, and their ends.

use std::time::Duration;

use futures::future::join_all;
use niente_lambda_host::Host;
use serde_json::json;

use crate::vocabulary::{context_switches, failure, host, is_frozen, pid, puppet, state, told, until};

#[tokio::test]
async fn one_process_serves_event_after_event() {
    let host = host().await;
    assert_eq!(host.processes("puppet"), [0_u32; 0], "none is started before it is needed");
    let first = pid(&host).await;
    for _ in 0..20 {
        assert_eq!(pid(&host).await, first);
    }
    let counters = host.counters("puppet");
    assert_eq!((counters.invocations, counters.cold_starts, counters.errors), (21, 1, 0));
}

#[tokio::test]
async fn each_process_has_one_event_at_a_time() {
    let host = host().await;
    let slow = json!({ "do": "sleep", "ms": 300 });
    let mut pids = join_all((0..4).map(|_| told(&host, slow.clone()))).await;
    pids.sort_by_key(|pid| pid.as_u64());
    pids.dedup();
    assert_eq!((pids.len(), host.counters("puppet").cold_starts), (4, 4));
    assert!(pids.contains(&pid(&host).await), "and then they are warm");
}

#[tokio::test]
async fn a_process_has_what_lambda_sets_and_no_more() {
    let host = Host::start([puppet().memory_mb(512).env("LIMIT", "7").env("AWS_REGION", "eu-west-1")]).await;
    let context = told(&host, json!({ "do": "context" })).await;
    let environment = context["environment"].as_object().unwrap();
    for (name, expected) in [
        ("AWS_LAMBDA_FUNCTION_NAME", "puppet"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_ENDPOINT_URL_LAMBDA", &host.endpoint()),
        ("AWS_REGION", "eu-west-1"),
        ("LIMIT", "7"),
        ("TZ", ":UTC"),
    ] {
        assert_eq!(environment[name], expected, "{name}");
    }
    assert_eq!(environment["AWS_SESSION_TOKEN"], "lambda-host");
    assert!(!environment.contains_key("CARGO_MANIFEST_DIR") && !environment.contains_key("HOME"), "{environment:?}");
}

#[tokio::test]
async fn keys_of_ones_own_come_without_the_roles_token() {
    let host = Host::start([puppet().env("AWS_ACCESS_KEY_ID", "mine")]).await;
    let context = told(&host, json!({ "do": "context" })).await;
    assert_eq!(context["environment"]["AWS_ACCESS_KEY_ID"], "mine");
    assert_eq!(context["environment"]["AWS_SESSION_TOKEN"], json!(null));
}

#[tokio::test]
async fn an_event_brings_its_context() {
    let host = host().await;
    let context = told(&host, json!({ "do": "context" })).await;
    assert_eq!(context["arn"], "arn:aws:lambda:us-east-1:123456789012:function:puppet");
    assert!((29_000..=30_000).contains(&context["left_ms"].as_u64().unwrap()), "{context}");
    assert!(context["trace_id"].as_str().unwrap().starts_with("Root=1-"), "{context}");
    let other = told(&host, json!({ "do": "context" })).await;
    assert_ne!(context["request_id"], other["request_id"]);
}

#[tokio::test]
async fn nothing_runs_between_events() {
    let host = host().await;
    let ticks = async || told(&host, json!({ "do": "ticks" })).await.as_u64().unwrap();
    ticks().await;
    let process = host.processes("puppet")[0];
    until(async || is_frozen(process)).await;

    let (before, switches) = (host.counters("puppet").invocations, context_switches(process));
    // (A thread of the puppet's wakes up thousands of times a second.)
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!((host.counters("puppet").invocations, context_switches(process)), (before, switches));

    // While it works, all of it does.
    let frozen = ticks().await;
    told(&host, json!({ "do": "sleep", "ms": 100 })).await;
    assert!(ticks().await > frozen + 10);
}

#[tokio::test]
async fn a_process_that_ends_in_the_middle_is_a_function_error() {
    let host = host().await;
    for (event, expected) in [
        (json!({ "do": "exit", "code": 3 }), "Runtime exited with error: exit status 3"),
        (json!({ "do": "exit", "code": 0 }), "Runtime exited without providing a reason"),
        (json!({ "do": "abort" }), "Runtime exited with error: signal: aborted"),
    ] {
        let before = pid(&host).await;
        let (kind, message) = failure(&host, event).await;
        assert_eq!(kind, "Runtime.ExitError");
        assert!(message.starts_with("RequestId: ") && message.ends_with(expected), "{message}");
        assert_ne!(pid(&host).await, before, "the next gets a fresh one");
    }
    assert_eq!(host.counters("puppet").errors, 3);
}

#[tokio::test]
async fn errors_and_panics_leave_the_process_alive() {
    let host = host().await;
    let before = pid(&host).await;
    let (_, message) = failure(&host, json!({ "do": "error" })).await;
    assert_eq!(message, "as it was told");
    let (_, message) = failure(&host, json!({ "do": "panic" })).await;
    assert_eq!(message, "Lambda panicked: as it was told");
    assert_eq!(pid(&host).await, before);
    assert_eq!(host.counters("puppet").errors, 2);
}

#[tokio::test]
async fn a_start_that_fails_is_tried_once_more() {
    let starting = async |how| {
        let host = Host::start([puppet().env("PUPPET_START", how)]).await;
        let (kind, message) = failure(&host, json!({})).await;
        (kind, message, host.counters("puppet").cold_starts)
    };
    let (kind, message, starts) = starting("exit").await;
    assert_eq!((kind.as_str(), starts), ("Runtime.ExitError", 2));
    assert!(message.ends_with("exit status 3"), "{message}");
    assert_eq!(starting("error").await, ("Puppet.NoStrings".into(), "cut".into(), 2));
}

#[tokio::test]
async fn a_binary_that_isnt_there_is_a_function_error() {
    let host = Host::start([niente_lambda_host::Function::new("puppet", "/nowhere/bootstrap")]).await;
    let (kind, message) = failure(&host, json!({})).await;
    assert_eq!(kind, "Runtime.InvalidEntrypoint");
    assert!(message.contains("/nowhere/bootstrap"), "{message}");
}

#[tokio::test]
async fn a_test_kills_what_works() {
    let host = host().await;
    let (killed, ()) = tokio::join!(failure(&host, json!({ "do": "sleep", "ms": 60_000 })), async {
        until(async || host.working("puppet") == 1).await;
        host.kill("puppet");
    });
    assert_eq!(killed.0, "Runtime.ExitError");
    assert!(killed.1.ends_with("signal: killed"), "{}", killed.1);
}

#[tokio::test]
async fn a_process_that_was_killed_while_idle_is_not_missed() {
    let host = host().await;
    let before = pid(&host).await;
    host.kill("puppet");
    assert_ne!(pid(&host).await, before);
    assert_eq!(host.counters("puppet").errors, 0);
}

#[tokio::test]
async fn cooling_forces_a_cold_start() {
    let host = host().await;
    let before = pid(&host).await;
    host.cool("puppet");
    assert_ne!(pid(&host).await, before);
    assert_eq!(host.counters("puppet").cold_starts, 2);
}

#[tokio::test]
async fn processes_die_with_their_host() {
    let host = host().await;
    pid(&host).await;
    let process = host.processes("puppet")[0];
    drop(host);
    until(async || matches!(state(process), None | Some('Z'))).await;
}

#[tokio::test]
async fn what_processes_print_is_kept() {
    let host = host().await;
    told(&host, json!({ "do": "print", "text": "{\"_aws\":{}}" })).await;
    until(async || host.logs("puppet").lines().any(|line| line == "{\"_aws\":{}}")).await;
    assert!(host.logs("puppet").starts_with("the puppet is up\n"));
}
