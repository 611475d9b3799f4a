//! Memory is bounded by configuration, not by data.

use std::{fs, path::PathBuf, sync::Mutex};

use crate::harness::{Server, exchange};

/// The requests of a workload go in over HTTP, eight at a time, and are searched: the server stays under 1 GiB.
///
/// `NIENTE_WORKLOAD` names a folder of OTLP protobuf requests, such as `gen_otlp.py --spans 1000000` writes; without
/// it a small workload is made here.
#[test]
fn the_server_stays_under_a_gibibyte() {
    let requests = Mutex::new(workload());
    let sent = requests.lock().unwrap().len();
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let post = "POST /v1/traces HTTP/1.1\r\nContent-Type: application/x-protobuf\r\n";
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(request) = { requests.lock().unwrap().pop() } {
                    let answer = exchange(server.otlp, post, &request()).unwrap();
                    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
                }
            });
        }
    });
    let ingested = server.peak_memory();
    let query = "GET /api/search?q=%7Bstatus%3Derror%7D%7Ccount()%3E2&start=1793400000&end=1793700000 HTTP/1.1\r\n";
    let answer = exchange(server.api, query, b"").unwrap();
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    assert!(String::from_utf8_lossy(&answer.body).contains("\"traceID\""));
    if let (Some(ingested), Some(searched)) = (ingested, server.peak_memory()) {
        eprintln!("{sent} requests: peak {} MiB after ingest, {} MiB after a search", ingested >> 20, searched >> 20);
        assert!(searched < 1 << 30, "the server's memory grew to {searched} bytes");
    }
}

type Load = Box<dyn Fn() -> Vec<u8> + Send>;

fn workload() -> Vec<Load> {
    let Some(folder) = std::env::var_os("NIENTE_WORKLOAD") else {
        return (0..40).map(|request| Box::new(move || made(request)) as Load).collect();
    };
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "otlp"));
    files.map(|path: PathBuf| Box::new(move || fs::read(&path).unwrap()) as Load).collect()
}

/// A request of 4,000 spans with errors among them.
fn made(request: u64) -> Vec<u8> {
    use niente_receive::proto::{
        collector::trace::v1::ExportTraceServiceRequest,
        trace::v1::{ResourceSpans, ScopeSpans, Span, Status},
    };
    use prost::Message;
    let span = |n: u64| Span {
        trace_id: u128::from(request * 400 + n / 10 + 1).to_be_bytes().to_vec(),
        span_id: (n + 1).to_be_bytes().to_vec(),
        name: format!("operation {}", n % 50),
        start_time_unix_nano: (1_793_500_000 + request) * 1_000_000_000 + n,
        end_time_unix_nano: (1_793_500_001 + request) * 1_000_000_000,
        status: Some(Status { code: if n.is_multiple_of(3) { 2 } else { 0 }, message: String::new() }),
        ..Span::default()
    };
    let spans = (0..4_000).map(span).collect();
    let of_scope = ScopeSpans { spans, ..ScopeSpans::default() };
    let of_resource = ResourceSpans { scope_spans: vec![of_scope], ..ResourceSpans::default() };
    ExportTraceServiceRequest { resource_spans: vec![of_resource] }.encode_to_vec()
}
