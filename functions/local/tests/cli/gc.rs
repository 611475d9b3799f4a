use crate::niente::{Desk, SINCE, files, request};

#[test]
fn replaced_objects_go_after_their_grace() {
    let desk = Desk::new();
    for n in 1..=3 {
        let file = desk.file("traces.jsonl", request("shop", &format!("{n}{n}").repeat(16)));
        desk.out(&["ingest", &file, "--data", "data"]);
    }
    desk.out(&["compact", "--all"]);
    let l0 = || files(&desk.path("data/single-tenant/l0")).len();
    let everything = || files(&desk.path("data/single-tenant"));
    let before = everything();

    let kept = desk.out(&["gc", "--dry-run"]);
    assert!(kept.contains("WOULD GO") && kept.contains("kept for 1h after they were replaced"), "{kept}");
    let ended = desk.run(&["gc", "--dry-run", "--grace", "0s"]);
    let row = ended.out.lines().find(|line| line.contains("as ingest wrote them")).unwrap();
    assert!(row.split_whitespace().any(|cell| cell == "3"), "{ended:?}");
    assert_eq!(ended.err, "this was a dry run: nothing was changed\n");
    desk.out(&["gc"]);
    assert_eq!((everything(), l0()), (before, 3));

    let removed = desk.out(&["gc", "--grace", "0s"]);
    assert!(removed.contains("REMOVED"), "{removed}");
    assert_eq!(l0(), 0);
    assert_eq!(desk.out(&["gc", "--grace", "0s"]), "there is nothing to remove\n");
    let found = desk.out(&[&["query", "{}", "--data", "data"][..], &SINCE].concat());
    assert_eq!(found.lines().count(), 4, "{found}");
}

#[test]
fn what_was_left_behind_is_named() {
    let desk = Desk::new();
    let file = desk.file("traces.jsonl", request("shop", &"ab".repeat(16)));
    desk.out(&["ingest", &file, "--data", "data"]);
    let orphan = "single-tenant/blocks/2023-11-14/01M6BWGFE8000000000000014M.parquet";
    desk.file(&format!("data/{orphan}"), "unfinished");
    let told = desk.out(&["gc"]);
    let line = told.lines().find(|line| line.starts_with(orphan)).unwrap_or_else(|| panic!("{told}"));
    assert!(line.contains("10 B") && line.ends_with("kept"), "{told}");
    assert!(desk.out(&["inspect"]).contains("no catalog knows 1 object, 10 B"));
}

#[test]
fn days_beyond_the_retention_go() {
    let desk = Desk::new();
    let file = desk.file("traces.jsonl", request("shop", &"ab".repeat(16)));
    desk.out(&["ingest", &file, "--data", "data"]);
    desk.out(&["config", "--retention", "30d"]);
    assert!(desk.out(&["inspect"]).contains("expire"));
    desk.out(&["gc", "--grace", "0s"]);
    desk.out(&["gc", "--grace", "0s"]);
    assert_eq!(files(&desk.path("data/single-tenant/l0")).len(), 0);
    assert_eq!(desk.out(&[&["query", "{}", "--data", "data"][..], &SINCE].concat()), "");
}
