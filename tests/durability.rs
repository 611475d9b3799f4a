//! 200 means durable: a server that is killed in the middle of its work has lost nothing that it acknowledged.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
    mpsc,
};

use crate::harness::{Server, exchange, scale};

const CLIENTS: u64 = 4;
const SPANS_A_REQUEST: u64 = 20;

#[test]
fn a_killed_server_has_lost_nothing_that_it_acknowledged() {
    let data = tempfile::tempdir().unwrap();
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let next_trace = Arc::new(AtomicU64::new(1));
    for round in 1..=4 * scale() as u64 {
        let server = Server::start(data.path());
        let address = server.otlp;
        let (report, reports) = mpsc::channel();
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let (acknowledged, next_trace, report) = (acknowledged.clone(), next_trace.clone(), report.clone());
                std::thread::spawn(move || {
                    // Until the server is gone.
                    loop {
                        let trace = next_trace.fetch_add(1, Ordering::Relaxed);
                        match exchange(address, POST, request(trace).as_bytes()) {
                            Ok(answer) if answer.status == 200 => acknowledged.lock().unwrap().push(trace),
                            Ok(answer) => panic!("{}: {}", answer.status, String::from_utf8_lossy(&answer.body)),
                            Err(_) => return,
                        }
                        if report.send(()).is_err() {
                            return;
                        }
                    }
                })
            })
            .collect();
        // Killed while the others' requests are under way; each round a little later than the last.
        (0..7 * round).for_each(|_| reports.recv().unwrap());
        server.kill();
        drop(reports);
        clients.into_iter().for_each(|client| client.join().unwrap());
    }

    let server = Server::start(data.path());
    let acknowledged = acknowledged.lock().unwrap();
    assert!(acknowledged.len() as u64 >= 7 * (1 + 2 + 3 + 4));
    for trace in acknowledged.iter() {
        let answer = exchange(server.api, &format!("GET /api/v2/traces/{trace:x} HTTP/1.1\r\n"), b"").unwrap();
        let body = String::from_utf8(answer.body).unwrap();
        assert_eq!(answer.status, 200, "{body}");
        assert_eq!(body.matches("\"spanId\"").count() as u64, SPANS_A_REQUEST, "trace {trace:x}: {body}");
    }
}

#[test]
fn what_one_process_acknowledged_another_sees() {
    let data = tempfile::tempdir().unwrap();
    let (writer, reader) = (Server::start(data.path()), Server::start(data.path()));
    for trace in 1..=20 {
        let answer = exchange(writer.otlp, POST, request(trace).as_bytes()).unwrap();
        assert_eq!(answer.status, 200);
        let search =
            format!("GET /api/search?q=%7Btrace:id=%22{trace:x}%22%7D&start=1793580000&end=1793590000 HTTP/1.1\r\n");
        let found = String::from_utf8(exchange(reader.api, &search, b"").unwrap().body).unwrap();
        assert!(found.contains("\"matched\":20"), "{found}");
    }
}

const POST: &str = "POST /v1/traces HTTP/1.1\r\nContent-Type: application/json\r\n";

/// A trace of some spans, some of which start in the next hour, so that a request makes two objects.
fn request(trace: u64) -> String {
    let span = |span: u64| {
        let start = 1_793_580_000 + span * 360;
        format!(
            r#"{{"traceId":"{trace:032x}","spanId":"{:016x}","name":"step {span}","startTimeUnixNano":"{start}000000000","endTimeUnixNano":"{start}900000000"}}"#,
            span + 1
        )
    };
    let spans: Vec<String> = (0..SPANS_A_REQUEST).map(span).collect();
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}]}}]}}]}}"#, spans.join(","))
}
