use niente_store::testing::S3Server;

use crate::niente::{Desk, SINCE, request};

const STORE: [&str; 2] = ["--store", "s3://niente-test/a/prefix"];
const FREE_PORTS: [&str; 6] = ["--http", "127.0.0.1:0", "--otlp-http", "127.0.0.1:0", "--otlp-grpc", "127.0.0.1:0"];

fn s3() -> S3Server {
    tokio::runtime::Runtime::new().unwrap().block_on(S3Server::start())
}

#[test]
fn a_bucket_does_as_well_as_a_folder() {
    let s3 = s3();
    let desk = Desk::beside(&s3);
    let on_store = |args: &[&str]| desk.out(&[args, &STORE].concat());
    let found = || on_store(&["query", "{}", SINCE[0], SINCE[1]]);
    for n in 1..=3 {
        let file = desk.file("traces.jsonl", request("shop", &format!("{n}{n}").repeat(16)));
        on_store(&["ingest", &file]);
    }
    let before = found();
    assert_eq!(before.lines().count(), 4, "{before}");
    assert!(on_store(&["compact", "--all"]).contains("merged 3 objects"));
    assert!(on_store(&["gc", "--grace", "0s"]).contains("replaced objects as ingest wrote them"));
    assert!(on_store(&["inspect"]).contains("0+1+0"));
    assert_eq!(found(), before);

    let mut server = desk.start(&[&["serve"], &STORE[..]].concat());
    assert_eq!(server.out_until("a/prefix"), "data: s3://niente-test/a/prefix\n");
    let file = desk.file("traces.jsonl", request("shop", &"ab".repeat(16)));
    desk.out(&["ingest", &file, "--url", &server.otlp]);
    let of_server = desk.out(&[&["query", "{}", "--url", &server.api][..], &SINCE].concat());
    assert_eq!(of_server.lines().count(), 5, "{of_server}");
    assert_eq!(found(), of_server);

    on_store(&["redact", "--trace", &"ab".repeat(16), "--yes"]);
    assert_eq!(found(), before);
    assert!(!desk.path("data").exists());
}

#[test]
fn a_store_in_the_environment_is_used_unless_another_place_is_typed() {
    let s3 = s3();
    let desk = Desk::beside(&s3).with("NIENTE_STORE", STORE[1]);
    let file = desk.file("traces.jsonl", request("shop", &"ab".repeat(16)));
    desk.out(&["ingest", &file]);
    assert!(desk.out(&["inspect"]).contains("2023-11-14"));
    let ended = desk.run(&["inspect", "--data", "nowhere"]);
    assert!(ended.err.contains("there is no folder nowhere"), "{ended:?}");
    let ended = desk.run(&["query", "{}", "--url", "127.0.0.1:1"]);
    assert!(ended.err.contains("no server answers"), "{ended:?}");
}

/// What these commands say of a bucket that they can't use, in one line.
fn check_refusal(desk: &Desk, store: &str, about: &[&str]) {
    for command in [&["serve"], &FREE_PORTS[..]].concat().chunks(7).chain([&["inspect"][..]]) {
        let ended = desk.run(&[command, &["--store", store]].concat());
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert_eq!(ended.err.lines().count(), 1, "{ended:?}");
        assert!(about.iter().all(|about| ended.err.contains(about)), "{ended:?}");
    }
}

#[test]
fn a_bucket_that_refuses_is_told_at_once() {
    let s3 = s3();
    check_refusal(&Desk::beside(&s3), "s3://no-such-bucket/x", &["s3://no-such-bucket/x", "there is no bucket"]);
    let stranger = Desk::beside(&s3).with("AWS_ACCESS_KEY_ID", "stranger");
    check_refusal(&stranger, STORE[1], &[STORE[1], "permission denied"]);
    let nobody = Desk::new().with("NIENTE_ENDPOINT", &s3.endpoint());
    check_refusal(&nobody, STORE[1], &[STORE[1], "credentials"]);
}

#[test]
fn a_bucket_that_does_not_answer_is_told_at_once() {
    let s3 = s3();
    let desk = Desk::beside(&s3).with("NIENTE_ENDPOINT", "http://127.0.0.1:1");
    check_refusal(&desk, STORE[1], &[STORE[1], "did not answer"]);
}
