use std::io::Write;

use crate::niente::{Desk, SINCE, request};

fn gzip(content: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// What the summary says of `name`.
fn told<'o>(out: &'o str, name: &str) -> &'o str {
    let line = out.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name} in {out}"));
    line[name.len()..].trim()
}

#[test]
fn files_of_all_kinds_go_into_a_folder() {
    let desk = Desk::new();
    let (a, b, c) = (request("a", "a1"), request("b", "b1"), request("c", "c1"));
    let a = a.replace("\"a1\"", &format!("{:?}", "a1".repeat(16)));
    let b = b.replace("\"b1\"", &format!("{:?}", "b1".repeat(16)));
    let c = c.replace("\"c1\"", &format!("{:?}", "c1".repeat(16)));
    desk.file("in/lines.txt", format!("{a}\n{b}\n"));
    desk.file("in/more/one.gz", gzip(&c));
    let out = desk.out(&["ingest", "in", "--data", "data"]);
    assert_eq!(told(&out, "requests"), "3");
    assert!(told(&out, "spans").starts_with("6, "), "{out}");
    assert!(told(&out, "objects").starts_with("3, "), "{out}");

    let table = desk.out(&[&["query", "{}", "--data", "data"][..], &SINCE].concat());
    assert_eq!(table.lines().count(), 4, "{table}");
}

#[test]
fn files_go_to_a_server_once_however_often_they_are_sent() {
    let desk = Desk::new();
    let server = desk.start(&["serve"]);
    let file = desk.file("traces.jsonl", request("shop", &"ab".repeat(16)));
    for url in [server.otlp.clone(), format!("{}/v1/traces", server.otlp), server.api.clone()] {
        let out = desk.out(&["ingest", &file, "--url", &url]);
        assert!(told(&out, "spans").starts_with("2, "), "{out}");
    }
    let table = desk.out(&[&["query", "{ status = error }", "--url", &server.api][..], &SINCE].concat());
    let row: Vec<_> = table.lines().nth(1).unwrap().split_whitespace().collect();
    let id = "ab".repeat(16);
    assert_eq!(row, [&id, "2023-11-14", "22:13:20.000", "1.5", "s", "shop", "GET", "/", "1", "2", "1", "1"]);
}

#[test]
fn tenants_are_kept_apart() {
    let desk = Desk::new();
    let server = desk.start(&["serve", "--require-tenant"]);
    let file = desk.file("traces.jsonl", request("shop", &"ab".repeat(16)));
    let refused = desk.run(&["ingest", &file, "--url", &server.otlp]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("X-Scope-OrgID"), "{refused:?}");

    desk.out(&["ingest", &file, "--url", &server.otlp, "--tenant", "acme"]);
    let found = |tenant| {
        let query = ["query", "{}", "--url", &server.api, "--tenant", tenant];
        desk.out(&[&query[..], &SINCE].concat()).lines().count()
    };
    assert_eq!((found("acme"), found("other")), (2, 0));
}

#[test]
fn what_is_wrong_with_one_file_stops_no_other() {
    let desk = Desk::new();
    let good = desk.file("b.json", request("shop", &"ab".repeat(16)));
    let cut = desk.file("a.json", &request("shop", &"cd".repeat(16))[..100]);
    let noise = desk.file("c.pb", [0xff; 100]);
    let short = desk.file("d.json", request("shop", "abcd"));
    let ended = desk.run(&["ingest", &cut, &good, &noise, &short, "--data", "data"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("a.json: the body is no OTLP/JSON"), "{ended:?}");
    assert!(ended.err.contains("c.pb: the body is no protobuf"), "{ended:?}");
    assert!(ended.err.contains("2 of the files or requests were not taken"), "{ended:?}");
    assert!(told(&ended.out, "spans").starts_with("2, "), "{ended:?}");
    assert_eq!(told(&ended.out, "refused"), "2 spans");
    assert!(ended.out.contains("2: trace ID has 2 bytes"), "{ended:?}");
}

#[test]
fn a_missing_file_or_server_is_told() {
    let desk = Desk::new();
    let ended = desk.run(&["ingest", "nowhere.json", "--data", "data"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.starts_with("niente: nowhere.json: "), "{ended:?}");

    let file = desk.file("traces.jsonl", request("shop", &"ab".repeat(16)));
    let ended = desk.run(&["ingest", &file, "--url", "http://127.0.0.1:1"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("no server answers at http://127.0.0.1:1: start one"), "{ended:?}");
}
