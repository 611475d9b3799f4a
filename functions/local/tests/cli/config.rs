use crate::niente::{Desk, request};

#[test]
fn retention_is_set_and_shown() {
    let desk = Desk::new();
    let retention = |args: &[&str]| {
        let out = desk.out(&[&["config", "--tenant", "acme"], args].concat());
        let line = out.lines().find(|line| line.starts_with("retention ")).unwrap();
        line["retention".len()..].trim().to_owned()
    };
    let days = "30 days beyond the day on which a span starts";
    assert_eq!(retention(&["--retention", "30d"]), days);
    assert_eq!(retention(&[]), days);
    assert!(retention(&["--retention", "none"]).starts_with("none"));
    assert!(retention(&[]).starts_with("none"));
}

#[test]
fn spans_beyond_the_retention_are_refused() {
    let desk = Desk::new();
    desk.out(&["config", "--retention", "30d"]);
    let file = desk.file("traces.jsonl", request("shop", &"ab".repeat(16)));
    let out = desk.out(&["ingest", &file, "--data", "data"]);
    assert!(out.contains("refused       2 spans\n") && out.contains("older than the retention"), "{out}");
}

#[test]
fn a_question_creates_nothing() {
    let desk = Desk::new();
    let ended = desk.run(&["config"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("there is no folder ./data") && !desk.path("data").exists(), "{ended:?}");
}
