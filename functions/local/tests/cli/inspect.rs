use crate::niente::{Desk, request};

#[test]
fn blocks_and_folders_of_them_are_described() {
    let desk = Desk::new();
    let file = desk.file("traces.jsonl", request("shop", &"ab".repeat(16)));
    desk.out(&["ingest", &file, "--data", "data", "--tenant", "acme"]);
    let objects: Vec<_> = std::fs::read_dir(desk.path("data/acme/l0")).unwrap().collect();
    let object = objects[0].as_ref().unwrap().path();

    let block = desk.out(&["inspect", object.to_str().unwrap()]);
    let has = |line: &str| assert!(block.lines().any(|found| found.starts_with(line)), "{line}: {block}");
    has("spans       2");
    has("traces      1");
    has("from        2023-11-14 22:13:20.000");
    has("to          2023-11-14 22:13:21.500 (UTC)");
    has("format      version 1");
    has("row groups  1");
    has("span_id ");
    has("(all) ");

    let folder = desk.out(&["inspect", "data"]);
    let lines: Vec<_> = folder.lines().collect();
    assert!(lines[0].starts_with("acme: 1 day, 1 object, "), "{folder}");
    let row: Vec<_> = lines[2].split_whitespace().collect();
    assert_eq!(row[..2], ["2023-11-14", "1"], "{folder}");
    assert_eq!(desk.out(&["inspect", "--data", "data", "--tenant", "acme"]), folder);
}

#[test]
fn what_others_put_there_is_told() {
    let desk = Desk::new();
    let file = desk.file("traces.jsonl", request("shop", &"ab".repeat(16)));
    desk.out(&["ingest", &file, "--data", "data"]);
    desk.file("data/single-tenant/l0/notes.txt", "to do");
    desk.file("data/single-tenant/README", "read me");
    let told = desk.out(&["inspect"]);
    let expected = "not written by Niente, and left alone: single-tenant/README and 1 other object\n";
    assert!(told.ends_with(expected), "{told}");
}

#[test]
fn what_is_no_block_is_told() {
    let desk = Desk::new();
    let file = desk.file("x.parquet", "PAR1 and so on");
    for path in [&*file, "nowhere", "."] {
        let ended = desk.run(&["inspect", path]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.err.starts_with("niente: "), "{ended:?}");
    }
    assert!(!desk.path(".niente~").exists(), "looking changes nothing");
}
