use crate::niente::{Desk, SINCE, files, request};

/// Nothing that a compressor could make shorter.
const GONE: [u8; 16] = *b"\x5b\x8e\xff\xf7\x98\x03\x81\x03\xd2\x69\xb6\x33\x81\x3f\xc6\x0c";

#[test]
fn a_trace_vanishes_from_answers_and_then_from_the_disk() {
    let desk = Desk::new();
    let (gone, stays) = (GONE.map(|byte| format!("{byte:02x}")).concat(), "cd".repeat(16));
    for (id, service) in [(&gone, "gone-service"), (&stays, "shop")] {
        let file = desk.file("traces.jsonl", request(service, id));
        desk.out(&["ingest", &file, "--data", "data"]);
    }
    let found = || desk.out(&[&["query", "{}", "--data", "data"][..], &SINCE].concat());
    let on_disk = || {
        let holds = |path: &std::path::PathBuf| std::fs::read(path).unwrap().windows(16).any(|bytes| bytes == GONE);
        files(&desk.path("data")).iter().filter(|path| holds(path)).count()
    };
    assert!(found().contains(&gone) && on_disk() > 0);

    let ended = desk.run(&["redact", "--trace", &gone]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.contains("--yes") && found().contains(&gone), "{ended:?}");

    let said = desk.out(&["redact", "--trace", &gone, "--yes"]);
    assert!(said.contains("Rewritten without it: 1 object."), "{said}");
    assert!(!found().contains(&gone) && found().contains(&stays));
    assert!(on_disk() > 0);

    desk.out(&["compact", "--all"]);
    desk.out(&["gc", "--grace", "0s"]);
    assert_eq!(on_disk(), 0);
    assert!(!found().contains(&gone) && found().contains(&stays));

    // Sent again, it stays away.
    let file = desk.file("traces.jsonl", request("gone-service", &gone));
    desk.out(&["ingest", &file, "--data", "data"]);
    assert!(!found().contains(&gone));
    assert!(desk.out(&["config"]).contains(&gone));
}

#[test]
fn a_tenant_that_is_not_there_is_told() {
    let desk = Desk::new();
    let file = desk.file("traces.jsonl", request("shop", &"ab".repeat(16)));
    desk.out(&["ingest", &file, "--data", "data"]);
    let ended = desk.run(&["redact", "--trace", "ab", "--tenant", "acme", "--yes"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("there is no tenant acme"), "{ended:?}");
}
