use std::{
    io::{Read, Write},
    net::TcpStream,
};

use crate::niente::{Desk, SINCE, age, request};

/// Sends these bytes on a connection of their own and reads all that comes back.
fn talk(url: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn all_ports_answer() {
    let desk = Desk::new();
    let server = desk.start(&["serve"]);
    let get = |url: &str, path: &str| {
        talk(url, format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes())
    };
    assert!(get(&server.api, "/ready").starts_with("HTTP/1.1 200 OK"));
    assert!(get(&server.api, "/api/echo").ends_with("echo"));
    assert!(get(&server.otlp, "/ready").starts_with("HTTP/1.1 200 OK"));
    assert!(get(&server.grpc, "/").contains("this port speaks gRPC"));
}

#[test]
fn a_body_beyond_the_limit_is_413() {
    let desk = Desk::new();
    let server = desk.start(&["serve", "--max-body", "10KiB"]);
    let post = "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n";
    let large = "x".repeat(100_000);

    let announced = talk(&server.otlp, format!("{post}Content-Length: {}\r\n\r\n{large}", large.len()).as_bytes());
    assert!(announced.starts_with("HTTP/1.1 413"), "{announced}");
    assert!(announced.contains("larger than the 10240 bytes"), "{announced}");

    let chunk = format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
    let chunked = talk(&server.otlp, format!("{post}Transfer-Encoding: chunked\r\n\r\n{chunk}").as_bytes());
    assert!(chunked.starts_with("HTTP/1.1 413"), "{chunked}");

    let asking = format!("{post}Expect: 100-continue\r\nContent-Length: {}\r\n\r\n", large.len());
    assert!(talk(&server.otlp, asking.as_bytes()).starts_with("HTTP/1.1 413"));

    let small = request("shop", &"ab".repeat(16));
    let taken = talk(&server.otlp, format!("{post}Content-Length: {}\r\n\r\n{small}", small.len()).as_bytes());
    assert!(taken.starts_with("HTTP/1.1 200"), "{taken}");
}

#[test]
fn a_body_without_a_token_is_not_waited_for() {
    let desk = Desk::new();
    desk.file("tokens.json", r#"{"niente": 1, "tokens": []}"#);
    let server = desk.start(&["serve", "--tokens", "tokens.json", "--max-body", "10KiB"]);
    let post = "POST /v1/traces HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 100000\r\n";
    let large = "x".repeat(100_000);
    for request in [format!("{post}\r\n{large}"), format!("{post}Expect: 100-continue\r\n\r\n")] {
        let answer = talk(&server.otlp, request.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("\r\nwww-authenticate: Bearer "), "{answer}");
    }
    let probe = talk(&server.api, b"GET /ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(probe.starts_with("HTTP/1.1 200 OK"), "{probe}");
}

#[test]
fn a_taken_port_is_told_with_the_option_to_change() {
    let desk = Desk::new();
    let server = desk.start(&["serve"]);
    for (option, url) in [("--http", &server.api), ("--otlp-http", &server.otlp), ("--otlp-grpc", &server.grpc)] {
        let address = url.trim_start_matches("http://");
        let mut args = vec!["serve", "--data", "other"];
        for free in ["--http", "--otlp-http", "--otlp-grpc"] {
            args.extend([free, if free == option { address } else { "127.0.0.1:0" }]);
        }
        let ended = desk.run(&args);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let message = format!("niente: can't listen on {address}: the port is taken");
        assert!(ended.err.starts_with(&message) && ended.err.contains(&format!("with {option}")), "{ended:?}");
        assert!(!desk.path("other").exists(), "nothing is touched");
    }
}

#[test]
fn small_objects_are_merged_in_the_background() {
    let desk = Desk::new();
    for n in 1..=3 {
        let file = desk.file("traces.jsonl", request("shop", &format!("{n}{n}").repeat(16)));
        desk.out(&["ingest", &file, "--data", "data"]);
    }
    age(&desk.path("data"));
    let server = desk.start(&["serve", "--compact-every", "20ms", "--gc-grace", "0s"]);
    // However slow the machine is, one of so many looks comes after the merge.
    assert!((0..2_000).any(|_| desk.out(&["inspect"]).contains(" 0+1+0 ")));
    let found = desk.out(&[&["query", "{}", "--url", &server.api][..], &SINCE].concat());
    assert_eq!(found.lines().count(), 4, "{found}");
}

#[test]
fn nothing_is_merged_if_others_do_it() {
    let desk = Desk::new();
    let file = desk.file("traces.jsonl", request("shop", &"ab".repeat(16)));
    desk.out(&["ingest", &file, "--data", "data"]);
    age(&desk.path("data"));
    let help = desk.out(&["serve", "--help"]);
    assert!(help.contains("--no-compaction"), "{help}");
    let mut server = desk.start(&["serve", "--compact-every", "1ms", "--no-compaction"]);
    desk.out(&[&["query", "{}", "--url", &server.api][..], &SINCE].concat());
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
    assert!(!desk.path("data/single-tenant/blocks").exists());
}

#[test]
#[cfg(unix)]
fn signals_end_it_in_good_order() {
    for signal in ["TERM", "INT"] {
        let desk = Desk::new();
        let mut server = desk.start(&["serve"]);
        // An idle connection doesn't hold it up.
        let _idle = TcpStream::connect(server.api.trim_start_matches("http://")).unwrap();
        server.signal(signal);
        assert_eq!(server.wait(), Some(0), "{signal}");
    }
}
