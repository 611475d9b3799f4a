//! What goes wrong on request.

use std::time::{Duration, Instant};

use niente_lambda_host::{Fault, InvokeError};
use serde_json::json;

use crate::vocabulary::{failure, host, new_file, pid, told};

#[tokio::test]
async fn killed_at_the_last_moment_it_has_done_its_work() {
    let host = host().await;
    let (_folder, file) = new_file();
    host.faults(|invocation| if invocation.number == 0 { Fault::kill() } else { Fault::None });
    let (kind, message) = failure(&host, json!({ "do": "mark", "file": file })).await;
    assert_eq!(kind, "Runtime.ExitError");
    assert!(message.ends_with("signal: killed"), "{message}");
    assert_eq!(std::fs::read_to_string(file).unwrap(), "done");
    pid(&host).await;
    assert_eq!(host.counters("puppet").cold_starts, 2);
}

#[tokio::test]
async fn killed_early_it_has_not() {
    let host = host().await;
    host.faults(|_| Fault::Kill(Duration::from_millis(5)));
    let (kind, _) = failure(&host, json!({ "do": "sleep", "ms": 60_000 })).await;
    assert_eq!(kind, "Runtime.ExitError");
}

#[tokio::test]
async fn a_lost_answer_is_no_answer_and_the_work_is_done() {
    let host = host().await;
    let (_folder, file) = new_file();
    host.faults(|_| Fault::LoseAnswer);
    let lost = host.invoke("puppet", &json!({ "do": "mark", "file": file })).await;
    assert_eq!(lost, Err(InvokeError::AnswerLost));
    assert_eq!(std::fs::read_to_string(file).unwrap(), "done");
    assert_eq!(host.counters("puppet").errors, 0);
}

#[tokio::test]
async fn a_throttled_invocation_reaches_no_process() {
    let host = host().await;
    host.faults(|_| Fault::Throttle);
    assert_eq!(host.invoke("puppet", &json!({})).await, Err(InvokeError::Throttled));
    let counters = host.counters("puppet");
    assert_eq!((counters.throttled, counters.invocations, counters.cold_starts), (1, 0, 0));
}

#[tokio::test]
async fn a_delay_holds_its_place_and_is_not_billed() {
    let host = host().await;
    pid(&host).await;
    let before = host.counters("puppet").billed_ms;
    host.faults(|_| Fault::Delay(Duration::from_millis(300)));
    #[expect(clippy::disallowed_methods, reason = "the wait is what is tested")]
    let start = Instant::now();
    told(&host, json!({ "do": "echo" })).await;
    assert!(start.elapsed() >= Duration::from_millis(300));
    let billed = host.counters("puppet").billed_ms - before;
    assert!(billed < 300, "{billed}");
}

#[tokio::test]
async fn a_seed_says_which_invocations_fail() {
    let run = async |seed| {
        let host = host().await;
        host.faults(move |invocation| if invocation.draw(seed) < 0.25 { Fault::Throttle } else { Fault::None });
        let mut failed = Vec::new();
        for n in 0..40 {
            failed.extend(host.invoke("puppet", &json!(n)).await.is_err().then_some(n));
        }
        failed
    };
    let failed = run(7).await;
    assert!((3..=20).contains(&failed.len()), "{failed:?}");
    assert_eq!(run(7).await, failed);
    assert_ne!(run(8).await, failed);
}
