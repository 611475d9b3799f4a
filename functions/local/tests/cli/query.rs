use crate::niente::{Desk, SINCE, request};

#[test]
fn a_folder_and_a_server_over_it_answer_alike() {
    let desk = Desk::new();
    let file = desk.file("traces.jsonl", request("shop", &"ab".repeat(16)));
    desk.out(&["ingest", &file, "--data", "data"]);
    let server = desk.start(&["serve", "--data", "data"]);
    for query in
        [r#"{ resource.service.name = "shop" }"#, r#"{ name = "GET /" } > { status = error }"#, "{ .none = 1 }"]
    {
        let of_server = desk.out(&[&["query", query, "--url", &server.api][..], &SINCE].concat());
        let of_folder = desk.out(&[&["query", query, "--data", "data"][..], &SINCE].concat());
        assert_eq!(of_server, of_folder, "{query}");
        assert_eq!(of_folder.is_empty(), query.contains("none"));
    }
}

#[test]
fn json_is_the_answer_of_the_api() {
    let desk = Desk::new();
    let file = desk.file("traces.jsonl", request("shop", &"ab".repeat(16)));
    desk.out(&["ingest", &file, "--data", "data"]);
    let out = desk.out(&[&["query", "{}", "--data", "data", "--json"][..], &SINCE].concat());
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["traces"][0]["traceID"], "ab".repeat(16));
    assert!(out.ends_with('\n'));
}

#[test]
fn a_query_that_is_none_is_shown_with_the_place() {
    let ended = Desk::new().run(&["query", "{ .env = }"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.err.contains("\n    { .env = }\n             ^\n"), "{}", ended.err);
}

#[test]
fn a_missing_server_or_folder_is_told() {
    let desk = Desk::new();
    let ended = desk.run(&["query", "{}", "--url", "127.0.0.1:1"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("no server answers at http://127.0.0.1:1: start one"), "{ended:?}");

    let ended = desk.run(&["query", "{}", "--data", "nowhere"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("there is no folder nowhere"), "{ended:?}");
    assert!(!desk.path("nowhere").exists());
}
