//! Limits of time, memory, concurrency and size, and what is billed.

use std::time::Duration;

use niente_lambda_host::{Host, InvokeError};
use serde_json::json;

use crate::vocabulary::{failure, host, pid, puppet, told, until};

#[tokio::test]
async fn a_process_that_takes_too_long_is_killed() {
    let host = Host::start([puppet().timeout(Duration::from_millis(600))]).await;
    let before = pid(&host).await;
    let (kind, message) = failure(&host, json!({ "do": "sleep", "ms": 60_000 })).await;
    assert_eq!(kind, "Sandbox.Timedout");
    assert!(message.ends_with("Error: Task timed out after 0.60 seconds"), "{message}");
    assert_ne!(pid(&host).await, before);
    let left = told(&host, json!({ "do": "context" })).await["left_ms"].as_u64().unwrap();
    assert!(left <= 600, "{left}");
}

#[tokio::test]
async fn a_process_that_holds_too_much_is_killed() {
    let host = Host::start([puppet().memory_mb(64)]).await;
    told(&host, json!({ "do": "allocate", "mb": 20 })).await;
    let peak = host.counters("puppet").peak_memory_bytes;
    assert!((20 << 20..64 << 20).contains(&peak), "{peak}");

    let before = pid(&host).await;
    let (kind, message) = failure(&host, json!({ "do": "allocate", "mb": 80 })).await;
    assert_eq!(kind, "Runtime.ExitError");
    assert!(message.ends_with("Runtime exited with error: signal: killed"), "{message}");
    assert_ne!(pid(&host).await, before);
    assert!(host.counters("puppet").peak_memory_bytes > 64 << 20);
}

#[tokio::test]
async fn one_more_than_may_run_is_throttled() {
    let host = Host::start([puppet().concurrency(2)]).await;
    let slow = json!({ "do": "sleep", "ms": 60_000 });
    let throttled = async {
        until(async || host.working("puppet") == 2).await;
        let refused = host.invoke("puppet", &json!({})).await;
        host.kill("puppet");
        refused
    };
    let (first, second, refused) = tokio::join!(failure(&host, slow.clone()), failure(&host, slow), throttled);
    assert_eq!((first.0, second.0), ("Runtime.ExitError".into(), "Runtime.ExitError".into()));
    assert_eq!(refused, Err(InvokeError::Throttled));
    pid(&host).await;
    let counters = host.counters("puppet");
    assert_eq!((counters.throttled, counters.invocations), (1, 3));
}

#[tokio::test]
async fn payloads_have_limits_both_ways() {
    let host = host().await;
    let limit = 6 << 20;
    let largest = "x".repeat(limit - 2);
    assert_eq!(told(&host, json!(largest)).await, largest);
    let refused = host.invoke("puppet", &format!("{largest}x")).await;
    assert_eq!(refused, Err(InvokeError::TooLarge(limit)));

    told(&host, json!({ "do": "large", "bytes": limit + 98 })).await;
    let (kind, message) = failure(&host, json!({ "do": "large", "bytes": limit + 99 })).await;
    assert_eq!(kind, "Function.ResponseSizeTooLarge");
    assert!(message.contains("6291556 bytes"), "{message}");
    assert_eq!(host.counters("puppet").cold_starts, 1, "that is no reason to die");
}

#[tokio::test]
async fn an_event_that_nobody_waits_for_is_smaller() {
    let host = host().await;
    assert_eq!(host.send("puppet", &"x".repeat((1 << 20) - 2)), Ok(()));
    assert_eq!(host.send("puppet", &"x".repeat((1 << 20) - 1)), Err(InvokeError::TooLarge(1 << 20)));
    host.settled().await;
    assert_eq!(host.counters("puppet").invocations, 1);
}

#[tokio::test]
async fn work_and_starts_are_billed_and_waiting_is_not() {
    let host = Host::start([puppet().env("PUPPET_START", "slow")]).await;
    told(&host, json!({ "do": "sleep", "ms": 100 })).await;
    let cold = host.counters("puppet").billed_ms;
    assert!(cold > 400 + 100, "{cold}");
    // (Frozen meanwhile.)
    tokio::time::sleep(Duration::from_millis(400)).await;
    pid(&host).await;
    let warm = host.counters("puppet").billed_ms - cold;
    assert!((1..400).contains(&warm), "{warm}");
}
