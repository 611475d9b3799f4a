//! Answers that are streamed.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use niente_lambda_host::{Front, Host};
use serde_json::{Value, json};

use crate::vocabulary::{behind, body, pid, post, puppet, until};

/// A connection on which the puppet streams, read until `seen` has come.
fn stream_until(host: &Host, event: Value, seen: &str) -> (TcpStream, String) {
    let event = event.to_string();
    let url = host.url("puppet");
    let mut connection = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    let length = event.len();
    let head =
        format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n");
    connection.write_all((head + &event).as_bytes()).unwrap();
    let mut read = Vec::new();
    let mut buffer = [0; 4_096];
    while !String::from_utf8_lossy(&read).contains(seen) {
        match connection.read(&mut buffer).unwrap() {
            0 => panic!("ended without {seen}: {:?}", String::from_utf8_lossy(&read)),
            n => read.extend_from_slice(&buffer[..n]),
        }
    }
    (connection, String::from_utf8(read).unwrap())
}

#[tokio::test]
async fn a_stream_has_the_status_and_headers_of_its_prelude() {
    let host = behind(Front::StreamingUrl).await;
    let response = post(&host.url("puppet"), &json!({ "do": "stream", "status": 203, "chunks": ["one", "two"] }));
    assert_eq!((response.status().as_u16(), body(&response)), (203, "onetwo"));
    let header = |name| response.headers()[name].to_str().unwrap();
    assert_eq!((header("x-puppet"), header("set-cookie")), ("yes", "a=1"));
    assert_eq!(header("content-type"), "application/octet-stream");
    let streamed = host.counters("puppet").streamed_bytes;
    assert!(streamed > 14, "{streamed}");
    pid(&host).await;
    assert_eq!(host.counters("puppet").cold_starts, 1);
}

#[tokio::test]
async fn chunks_come_while_the_function_works() {
    let host = behind(Front::StreamingUrl).await;
    let (mut connection, _) = stream_until(&host, json!({ "do": "stream", "chunks": ["one"], "end": "hang" }), "one");
    assert_eq!(host.working("puppet"), 1);
    host.kill("puppet");
    let mut rest = String::new();
    // The connection breaks, or ends without the chunk that would be the last.
    let ended = connection.read_to_string(&mut rest);
    assert!(ended.is_err() || !rest.contains("0\r\n\r\n"), "{rest:?}");
}

#[tokio::test]
async fn a_client_that_leaves_changes_nothing_for_the_function() {
    let host = behind(Front::StreamingUrl).await;
    let chunks: Vec<String> = (0..40).map(|n| format!("chunk {n}")).collect();
    let (connection, _) = stream_until(&host, json!({ "do": "stream", "chunks": chunks }), "chunk 0");
    drop(connection);
    until(async || host.counters("puppet").invocations == 1).await;
    let counters = host.counters("puppet");
    assert_eq!((counters.errors, counters.cold_starts), (0, 1));
    assert!(counters.streamed_bytes > 300, "all of it was sent: {counters:?}");
}

#[tokio::test]
async fn a_process_that_ends_in_a_stream_breaks_it() {
    let host = behind(Front::StreamingUrl).await;
    let event = json!({ "do": "stream", "chunks": ["one"], "end": "exit" });
    let (mut connection, read) = stream_until(&host, event, "one");
    let mut rest = String::new();
    let ended = connection.read_to_string(&mut rest);
    assert!(ended.is_err() || !(read + &rest).contains("\r\n0\r\n\r\n"));
    until(async || host.counters("puppet").errors == 1).await;
}

#[tokio::test]
async fn a_time_out_in_a_stream_breaks_it() {
    let puppet = puppet().front(Front::StreamingUrl).timeout(std::time::Duration::from_millis(600));
    let host = Host::start([puppet]).await;
    let event = json!({ "do": "stream", "chunks": ["one"], "end": "hang" });
    let (mut connection, read) = stream_until(&host, event, "one");
    let mut rest = String::new();
    let ended = connection.read_to_string(&mut rest);
    assert!(ended.is_err() || !(read + &rest).contains("\r\n0\r\n\r\n"));
    assert_eq!(host.counters("puppet").errors, 1);
}

#[tokio::test]
async fn a_stream_may_be_larger_than_an_answer() {
    let host = behind(Front::StreamingUrl).await;
    let chunk = "x".repeat(500_000);
    // (Larger than the answer's limit, from an event within its own: the puppet repeats.)
    let event = json!({ "do": "stream", "chunks": [chunk], "times": 16 });
    let response = post(&host.url("puppet"), &event);
    assert_eq!((response.status().as_u16(), response.body().len()), (200, 8_000_000));
}

#[tokio::test]
async fn fronts_and_functions_have_to_agree_on_streaming() {
    let host = behind(Front::StreamingUrl).await;
    let whole = json!({ "do": "echo", "value": { "statusCode": 404, "body": "no" } });
    let response = post(&host.url("puppet"), &whole);
    assert_eq!((response.status().as_u16(), body(&response)), (200, r#"{"body":"no","statusCode":404}"#));

    let host = behind(Front::Url).await;
    let response = post(&host.url("puppet"), &json!({ "do": "stream", "chunks": ["one"] }));
    assert_eq!(response.status(), 502, "a prelude is no JSON that a URL understands");
}
