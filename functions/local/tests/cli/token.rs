use std::fs;

use serde_json::Value as Json;

use crate::niente::{Desk, SINCE, request};

/// Ports that are free.
const FREE: [&str; 6] = ["--http", "127.0.0.1:0", "--otlp-http", "127.0.0.1:0", "--otlp-grpc", "127.0.0.1:0"];

/// Makes a token, lists it in `tokens.json`, and gives it.
fn token(desk: &Desk, options: &[&str]) -> String {
    let out = desk.out(&[&["token", "new", "--name", "x", "--file", "tokens.json"], options].concat());
    let token = out.strip_suffix('\n').unwrap();
    assert!(token.starts_with("niente_") && token.len() == 84, "the token alone is printed: {out:?}");
    token.to_owned()
}

#[test]
fn a_token_is_printed_once_and_its_hash_is_listed() {
    let desk = Desk::new();
    let limits = ["--expires", "90d", "--max-query-cost", "0.05", "--max-query-bytes", "10GB"];
    let first = token(&desk, &[&["--tenant", "b", "--tenant", "a", "--right", "query"][..], &limits].concat());
    let second = token(&desk, &["--tenant", "*", "--right", "admin"]);
    let text = fs::read_to_string(desk.path("tokens.json")).unwrap();
    let document: Json = serde_json::from_str(&text).unwrap();
    assert_eq!(document["niente"], 1);
    assert_eq!(document["tokens"].as_array().unwrap().len(), 2);
    let listed = &document["tokens"][0];
    assert_eq!((&listed["name"], &listed["tenants"]), (&"x".into(), &serde_json::json!(["a", "b"])));
    assert_eq!(
        (listed["max_query_cost"].as_f64(), listed["max_query_bytes"].as_u64()),
        (Some(0.05), Some(10 * 1_000_000_000))
    );
    assert!(listed["expires"].as_str().unwrap().ends_with('Z'));
    assert_eq!(document["tokens"][1]["tenants"], "*");
    for token in [first, second] {
        let (public, secret) = token.split_at("niente_0123456789ab".len());
        assert!(text.contains(&public["niente_".len()..]) && !text.contains(&secret[1..]), "{text}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(desk.path("tokens.json")).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn without_a_file_the_document_is_told() {
    let desk = Desk::new();
    let ended = desk.run(&["token", "new", "--name", "grafana", "--tenant", "team-a", "--right", "query"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let document = &ended.err[ended.err.find("{\n").unwrap()..];
    let document: Json = serde_json::from_str(document).unwrap();
    assert_eq!(document["tokens"][0]["name"], "grafana");
    assert!(ended.err.contains("Authorization: Bearer TOKEN") && !ended.err.contains(ended.out.trim()), "{ended:?}");
}

#[test]
fn a_server_asks_for_them_and_needs_no_restart() {
    let desk = Desk::new();
    let sender = token(&desk, &["--tenant", "acme", "--right", "ingest"]);
    let server = desk.start(&["serve", "--tokens", "tokens.json"]);
    let file = desk.file("traces.jsonl", request("shop", &"ab".repeat(16)));

    let ended = desk.run(&["ingest", &file, "--url", &server.otlp]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("answered 401: this needs a token"), "{ended:?}");
    desk.out(&["ingest", &file, "--url", &server.otlp, "--token", &sender]);

    let query = [&["query", "{}", "--url", &server.api][..], &SINCE].concat();
    let ended = desk.run(&[&query[..], &["--token", &sender]].concat());
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("answered 403: the token has not the right to query"), "{ended:?}");
    assert!(!ended.err.contains(&sender), "{ended:?}");

    // Made while the server runs: it looks again for what it doesn't know, if it has not just done so.
    let reader = token(&desk, &["--tenant", "acme", "--right", "query"]);
    let desk = desk.with("NIENTE_TOKEN", &reader);
    let found = (0..2_000).map(|_| desk.run(&query)).find(|ended| ended.code == Some(0)).unwrap();
    assert_eq!(found.out.lines().count(), 2, "{found:?}");
    let ended = desk.run(&[&query[..], &["--tenant", "other"]].concat());
    assert!(ended.err.contains("answered 403: the token is not good for the tenant other"), "{ended:?}");
    let help = desk.out(&["query", "--help"]);
    assert!(help.contains("NIENTE_TOKEN") && !help.contains(&reader), "{help}");
}

#[test]
fn a_server_that_others_reach_asks_for_tokens() {
    let desk = Desk::new();
    let ports = ["--http", "0.0.0.0:0", "--otlp-http", "127.0.0.1:0", "--otlp-grpc", "127.0.0.1:0"];
    for command in ["serve", "demo"] {
        let ended = desk.run(&[&[command, "--data", "data"][..], &ports].concat());
        assert_eq!(ended.code, Some(2), "{ended:?}");
        let advice = ["others than this machine reach 0.0.0.0:", "--tokens FILE", "--let-everybody-in"];
        assert!(advice.iter().all(|piece| ended.err.contains(piece)), "{ended:?}");
        assert!(!desk.path("data").exists(), "nothing is touched");
    }
}

#[test]
fn a_server_does_not_start_over_a_damaged_document() {
    let desk = Desk::new();
    let token = token(&desk, &["--tenant", "a", "--right", "query"]);
    let good = fs::read_to_string(desk.path("tokens.json")).unwrap();
    for (wrong, told) in [
        (good.replace("\"query\"", &format!("\"{token}\"")), "unknown variant `…`"),
        (good.replace("\"rights\"", "\"colour\": 1, \"rights\""), "unknown field `colour`"),
        (good.replace("\"niente\": 1", "\"niente\": 9"), "upgrade Niente"),
    ] {
        desk.file("tokens.json", wrong);
        let ended = desk.run(&[&["serve", "--tokens", "tokens.json"][..], &FREE].concat());
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(
            ended.err.contains("--tokens tokens.json: the tokens document: ") && ended.err.contains(told),
            "{ended:?}"
        );
        assert!(!ended.err.contains(&token[20..]), "{ended:?}");
    }
    let ended = desk.run(&[&["serve", "--tokens", "nowhere.json"][..], &FREE].concat());
    assert!(ended.code == Some(1) && ended.err.contains("--tokens nowhere.json: "), "{ended:?}");
}
