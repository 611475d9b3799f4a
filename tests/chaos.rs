//! Real processes over an S3 server, killed and started again at random: nothing is lost and nothing is double.

#![expect(clippy::disallowed_methods, reason = "how long processes live is told by the clock of the machine")]

use std::{
    collections::{BTreeMap, BTreeSet},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use fastrand::Rng;
use niente_block::KeyRange;
use niente_catalog::{BlockReader, Catalog};
use niente_model::{Tenant, TimeRange};
use niente_store::testing::S3Server;

use crate::harness::{Server, exchange, scale};

const INGESTING: usize = 3;
const QUERYING: usize = 3;
const COMPACTING: usize = 2;
/// How long they run, and how often one of them is killed.
const LASTING: Duration = Duration::from_secs(60);
const BETWEEN_KILLS: Duration = Duration::from_millis(700);
const SPANS_A_TRACE: u64 = 6;

/// How a process reaches the bucket.
#[derive(Clone)]
struct Bucket {
    endpoint: String,
    access: &'static str,
    secret: &'static str,
}

impl Bucket {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_niente"));
        command
            .args(arguments)
            .args(["--store", &format!("s3://{}/chaos", S3Server::BUCKET), "--endpoint", &self.endpoint])
            .env("AWS_ACCESS_KEY_ID", self.access)
            .env("AWS_SECRET_ACCESS_KEY", self.secret);
        command
    }

    fn serve(&self) -> Server {
        Server::start_with(&mut self.command(&["serve", "--no-compaction"]))
    }
}

/// What all threads share.
struct Scene {
    over: AtomicBool,
    next_trace: AtomicU64,
    /// Traces of which some spans were acknowledged, with how many.
    acknowledged: Mutex<BTreeMap<u64, u64>>,
    asked: AtomicU64,
    compacted: AtomicU64,
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_come_and_go_and_nothing_is_lost_or_double() {
    let s3 = S3Server::start().await;
    let (access, secret) = s3.credentials();
    let bucket = Bucket { endpoint: s3.endpoint(), access, secret };
    tokio::task::spawn_blocking(move || run(&bucket)).await.unwrap();

    // A lookup tells of each span once whatever is stored: of what is stored nothing is there twice either.
    let catalog = Catalog::new(Arc::new(s3.store("chaos").await));
    let snapshot = catalog.snapshot(&Tenant::single(), TimeRange::ALL).await.unwrap();
    let mut seen = BTreeSet::new();
    for object in &snapshot.objects {
        for rows in BlockReader::new(&catalog, object).spans(KeyRange::ALL).await.unwrap() {
            for span in rows.into_spans().unwrap() {
                assert!(seen.insert(span.identity()), "{:?} is stored twice", span.identity());
            }
        }
    }
}

fn run(bucket: &Bucket) {
    let scene = Scene {
        over: AtomicBool::new(false),
        next_trace: AtomicU64::new(1),
        acknowledged: Mutex::default(),
        asked: AtomicU64::new(0),
        compacted: AtomicU64::new(0),
    };
    let scene = &scene;
    thread::scope(|scope| {
        for seed in 0..INGESTING as u64 {
            scope.spawn(move || serving(scene, bucket, Rng::with_seed(seed), send));
        }
        for seed in 0..QUERYING as u64 {
            scope.spawn(move || serving(scene, bucket, Rng::with_seed(100 + seed), ask));
        }
        for seed in 0..COMPACTING as u64 {
            scope.spawn(move || compacting(scene, bucket, Rng::with_seed(200 + seed)));
        }
        thread::sleep(LASTING * scale() as u32);
        scene.over.store(true, Ordering::Relaxed);
    });
    // A last look with everything done.
    let done = bucket.command(&["compact", "--all"]).stdout(Stdio::null()).status().unwrap();
    assert!(done.success());
    let server = bucket.serve();
    let acknowledged = scene.acknowledged.lock().unwrap();
    assert!(acknowledged.len() > 50, "{} traces", acknowledged.len());
    assert!(scene.asked.load(Ordering::Relaxed) > 10 && scene.compacted.load(Ordering::Relaxed) > 0);
    for (trace, spans) in acknowledged.iter() {
        check(&server, *trace, *spans).unwrap();
    }
}

/// A server that is killed now and then, and what a client does with it meanwhile.
fn serving(scene: &Scene, bucket: &Bucket, mut rng: Rng, mut act: impl FnMut(&Scene, &Server, &mut Rng)) {
    while !scene.over.load(Ordering::Relaxed) {
        let server = Arc::new(bucket.serve());
        let killer = {
            let (server, after) = (Arc::downgrade(&server), lifetime(&mut rng));
            thread::spawn(move || {
                thread::sleep(after);
                if let Some(server) = server.upgrade() {
                    server.end();
                }
            })
        };
        while server.is_running() && !scene.over.load(Ordering::Relaxed) {
            act(scene, &server, &mut rng);
        }
        drop(server);
        killer.join().unwrap();
    }
}

fn lifetime(rng: &mut Rng) -> Duration {
    let all = (INGESTING + QUERYING + COMPACTING) as u32;
    BETWEEN_KILLS * all / 2 + (BETWEEN_KILLS * all).mul_f64(rng.f64())
}

/// Sends a part of a trace until it is acknowledged or the server is gone.
fn send(scene: &Scene, server: &Server, rng: &mut Rng) {
    let trace = scene.next_trace.fetch_add(1, Ordering::Relaxed);
    // In two requests, so that compaction finds parts.
    let cut = rng.u64(1..SPANS_A_TRACE);
    let mut sent = 0;
    for part in [0..cut, cut..SPANS_A_TRACE] {
        let spans = part.end - part.start;
        match exchange(server.otlp, POST, request(trace, part).as_bytes()) {
            Ok(answer) if answer.status == 200 => sent += spans,
            Ok(answer) if matches!(answer.status, 429 | 503) => return,
            Ok(answer) => panic!("{}: {}", answer.status, String::from_utf8_lossy(&answer.body)),
            Err(_) => return,
        }
        scene.acknowledged.lock().unwrap().insert(trace, sent);
    }
}

/// Asks for one of the traces that were acknowledged before.
fn ask(scene: &Scene, server: &Server, rng: &mut Rng) {
    let known: Vec<(u64, u64)> = scene.acknowledged.lock().unwrap().iter().map(|(t, s)| (*t, *s)).collect();
    let Some((trace, spans)) = rng.choice(known) else { return };
    if check(server, trace, spans).is_ok() {
        scene.asked.fetch_add(1, Ordering::Relaxed);
    }
}

/// The trace has all that was acknowledged, and nothing twice. No answer is no answer.
fn check(server: &Server, trace: u64, spans: u64) -> std::io::Result<()> {
    let answer = exchange(server.api, &format!("GET /api/v2/traces/{trace:x} HTTP/1.1\r\n"), b"")?;
    let body = String::from_utf8(answer.body).unwrap();
    // What is replaced again and again while it is read may be told so.
    if answer.status == 503 {
        return Err(std::io::Error::other(body));
    }
    assert_eq!(answer.status, 200, "trace {trace:x}: {body}");
    let mut ids: Vec<&str> = body.split("\"spanId\":\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let found = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(found, ids.len(), "trace {trace:x} has spans twice: {body}");
    assert!((spans..=SPANS_A_TRACE).contains(&(found as u64)), "trace {trace:x} has {found} of {spans} spans: {body}");
    Ok(())
}

/// Compacts and removes what was replaced, again and again, and is killed in the middle.
fn compacting(scene: &Scene, bucket: &Bucket, mut rng: Rng) {
    while !scene.over.load(Ordering::Relaxed) {
        let command = if rng.u8(0..4) == 0 { &["gc", "--grace", "3s"][..] } else { &["compact", "--all"][..] };
        let mut child = bucket.command(command).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let until = Instant::now() + Duration::from_millis(rng.u64(200..12_000));
        if ended_before(&mut child, until) {
            scene.compacted.fetch_add(1, Ordering::Relaxed);
        } else {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

fn ended_before(child: &mut Child, until: Instant) -> bool {
    while Instant::now() < until {
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        thread::sleep(Duration::from_millis(20));
    }
    false
}

const POST: &str = "POST /v1/traces HTTP/1.1\r\nContent-Type: application/json\r\n";

/// Some spans of a trace that lasts over several hours.
fn request(trace: u64, spans: std::ops::Range<u64>) -> String {
    let span = |span: u64| {
        let start = 1_793_580_000 + span * 2_400;
        format!(
            r#"{{"traceId":"{trace:032x}","spanId":"{:016x}","name":"step {span}","startTimeUnixNano":"{start}000000000","endTimeUnixNano":"{start}900000000"}}"#,
            span + 1
        )
    };
    let spans: Vec<String> = spans.map(span).collect();
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}]}}]}}]}}"#, spans.join(","))
}
