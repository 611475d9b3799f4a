//! Events that nobody waits for, batches, schedules, buckets.

use std::sync::atomic::{AtomicU64, Ordering};

use niente_lambda_host::{Fault, Host, events};
use serde_json::json;

use crate::vocabulary::{host, new_file, puppet, told, until};

#[tokio::test]
async fn an_event_is_done_in_the_background_and_tried_three_times() {
    let host = host().await;
    for (needed, attempts, errors) in [(1, 1, 0), (3, 3, 2), (9, 3, 3)] {
        let (_folder, file) = new_file();
        let before = host.counters("puppet").errors;
        host.send("puppet", &json!({ "do": "count", "file": file, "needed": needed })).unwrap();
        host.settled().await;
        assert_eq!(std::fs::read_to_string(file).unwrap().len(), attempts, "{needed}");
        assert_eq!(host.counters("puppet").errors - before, errors);
    }
}

#[tokio::test]
async fn an_event_that_is_throttled_waits() {
    let host = Host::start([puppet().concurrency(1)]).await;
    let (_folder, file) = new_file();
    for _ in 0..3 {
        host.send("puppet", &json!({ "do": "count", "file": file, "needed": 1 })).unwrap();
    }
    host.settled().await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "xxx");

    let refused = AtomicU64::new(0);
    host.faults(move |_| if refused.fetch_add(1, Ordering::Relaxed) < 5 { Fault::Throttle } else { Fault::None });
    host.send("puppet", &json!({ "do": "count", "file": file, "needed": 1 })).unwrap();
    host.settled().await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "xxxx");
}

#[tokio::test]
async fn a_killed_event_is_tried_again() {
    let host = host().await;
    let (_folder, file) = new_file();
    host.faults(|invocation| if invocation.number == 0 { Fault::kill() } else { Fault::None });
    host.send("puppet", &json!({ "do": "count", "file": file, "needed": 1 })).unwrap();
    host.settled().await;
    assert_eq!(std::fs::read_to_string(file).unwrap(), "xx");
}

#[tokio::test]
async fn a_batch_gives_back_what_failed() {
    let host = host().await;
    assert_eq!(host.send_batch("puppet", &["a", "fail", "b"]).await.unwrap(), ["fail"]);
    assert_eq!(host.send_batch("puppet", &["a", "b"]).await.unwrap(), [""; 0]);
    host.faults(|_| Fault::kill());
    assert_eq!(host.send_batch("puppet", &["a", "b"]).await.unwrap(), ["a", "b"]);
}

#[tokio::test]
async fn schedules_and_buckets_send_what_is_documented() {
    let host = host().await;
    let event = told(&host, events::schedule("sweep")).await;
    assert_eq!((&event["source"], &event["detail-type"]), (&json!("aws.events"), &json!("Scheduled Event")));
    assert_eq!(event["resources"][0], "arn:aws:events:us-east-1:123456789012:rule/sweep");
    let event = told(&host, events::object_created("bucket", "acme/l0/a b.parquet", 9)).await;
    assert_eq!(event["Records"][0]["s3"]["object"]["key"], "acme/l0/a+b.parquet");
    assert_eq!(event["Records"][0]["eventSource"], "aws:s3");
}

#[tokio::test]
async fn sending_returns_before_the_work_is_done() {
    let host = host().await;
    host.send("puppet", &json!({ "do": "sleep", "ms": 60_000 })).unwrap();
    until(async || host.working("puppet") == 1).await;
}
