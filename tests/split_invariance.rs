//! Answers don't depend on batching: the same spans give the same bytes however they were cut into requests, however
//! often a request was sent, and however far compaction has come.

use fastrand::Rng;
use niente_model::{Nanos, Span};
use niente_receive::{
    Format, Limits, Request, proto::collector::trace::v1::ExportTraceServiceRequest, to_resource_spans,
};
use prost::Message;

use crate::harness::{InProcess, Stage, cases, scale, spans, without_counters};

/// Requests of these many spans at most; of each cut a few random ones.
const CUTS: [usize; 6] = [1, 3, 20, 150, 1_000, usize::MAX];

#[tokio::test(flavor = "multi_thread")]
async fn answers_do_not_depend_on_batching() {
    let mut spans = spans();
    spans.extend(awkward());
    let questions = questions();
    let expected = answers(&served(vec![spans.clone()]).await, &questions).await;
    assert!(expected.iter().filter(|answer| answer.len() > 200).count() > questions.len() / 2);

    for round in 0..scale() as u64 {
        for cut in CUTS {
            let mut rng = Rng::with_seed(round);
            let server = served(requests(&spans, cut, &mut rng)).await;
            for (stage_at, stage) in [Stage::Level0, Stage::Open, Stage::Final, Stage::Final].into_iter().enumerate() {
                if stage_at == 3 {
                    // What comes late, again in other batches, and what follows from it.
                    let again = requests(&spans[..spans.len() / 5], 150, &mut rng);
                    send(&server, again).await;
                }
                server.compact(stage).await;
                // A question reads every object: the more of them, the fewer questions must do.
                let share = if cut < 100 && stage == Stage::Level0 { questions.len() / 6 } else { 15 };
                let skipped = (round as usize + cut.min(1_000) + stage_at) % share;
                for (at, question) in questions.iter().enumerate().skip(skipped).step_by(share) {
                    let answer = answers(&server, std::slice::from_ref(question)).await.remove(0);
                    assert!(
                        answer == expected[at],
                        "{question}, round {round}, up to {cut} spans a request, {stage:?}:\n{answer}\n{}",
                        expected[at]
                    );
                }
            }
        }
    }
}

/// The spans in random order, cut into requests of random sizes; one in five requests comes twice.
fn requests(spans: &[Span], most: usize, rng: &mut Rng) -> Vec<Vec<Span>> {
    let mut shuffled = spans.to_vec();
    rng.shuffle(&mut shuffled);
    let mut requests = Vec::new();
    while !shuffled.is_empty() {
        let size = rng.usize(1..=most.min(shuffled.len()));
        let request = shuffled.split_off(shuffled.len() - size);
        if rng.u8(0..5) == 0 {
            requests.push(request.clone());
        }
        requests.push(request);
    }
    // What came twice need not come twice in the same cut: an exporter may batch its retries anew.
    let again = requests.iter().flatten().take(spans.len() / 10).cloned().collect();
    requests.push(again);
    rng.shuffle(&mut requests);
    requests
}

async fn served(requests: Vec<Vec<Span>>) -> InProcess {
    let server = InProcess::in_memory();
    send(&server, requests).await;
    server
}

async fn send(server: &InProcess, requests: Vec<Vec<Span>>) {
    for request in requests {
        let request = ExportTraceServiceRequest { resource_spans: to_resource_spans(&request) };
        server.push_protobuf(request.encode_to_vec()).await;
    }
}

/// About traces that are silent for hours, of which a window shows one end only.
const SILENT: [&str; 9] = [
    "{ } | count() > 1",
    "{ trace:duration > 4h }",
    "{ trace:rootName = \"root of silence\" }",
    "{ name = \"root of silence\" } > { name = \"after silence\" }",
    "{ name = \"root of silence\" } !> { }",
    "{ nestedSetParent < 0 } | count() = 2",
    "{ } | avg(duration) > 1s",
    "{ name != \"after silence\" }",
    "{ name =~ \".*silence\" } | by(name) | count() = 1",
];

/// Every search and metrics query of the conformance suite, searches with narrower limits too, traces by ID, and values of
/// tags that a filter selects.
fn questions() -> Vec<String> {
    let mut questions: Vec<String> = cases()
        .iter()
        .filter(|case| ["metrics", "search", "trace", "trace_v1"].contains(&case.text("kind")))
        .map(|case| case.path_and_query())
        .chain(["aa", "bb", "cc"].map(|id| format!("/api/v2/traces/{id}?start=1793577000&end=1793585400")))
        .collect();
    let narrower: Vec<String> = questions
        .iter()
        .filter(|question| question.contains("limit=5000"))
        .step_by(5)
        .map(|question| question.replace("limit=5000", "limit=7").replace("spss=100", "spss=2"))
        .collect();
    questions.extend(narrower);
    // Around the child at five o'clock, around midnight, and around the second of two roots.
    for (start, end) in [(1_793_595_000, 1_793_596_200), (1_793_577_000, 1_793_578_200), (1_793_582_000, 1_793_583_000)]
    {
        for (limit, query) in SILENT.iter().enumerate() {
            let query: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
            questions.push(format!("/api/search?q={query}&start={start}&end={end}&limit={}&spss=9", limit % 4 + 1));
        }
    }
    questions.extend(["dd", "ee"].map(|id| format!("/api/v2/traces/{id}")));
    for (tag, filter) in [
        ("name", "{ kind = server }"),
        (".foo", "{ resource.service.name != \"cart\" }"),
        ("resource.service.name", "{ status = error || event:name =~ \".*\" }"),
        ("rootName", "{ span.http.status_code >= 400 }"),
        ("span:childCount", "{ duration > 10ms }"),
    ] {
        let filter: String = form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        questions.push(format!("/api/v2/search/tag/{tag}/values?q={filter}&start=1793577000&end=1793585400"));
        questions.push(format!("/api/v2/search/tags?q={filter}&start=1793577000&end=1793585400"));
    }
    questions
}

/// What is easily seen differently in parts: records of one span that differ, a trace whose root is beyond reach of
/// the window, and a long span that keeps its object within reach.
fn awkward() -> Vec<Span> {
    let spans = |json: String| {
        let limits = Limits::default();
        let request = Request::decode(json.as_bytes(), Format::Json, &limits).unwrap();
        request.check(&limits, Nanos::MAX, None).unwrap().spans
    };
    let span = |trace: u32, id: u32, parent: &str, name: &str, start: u64, seconds: u64| {
        spans(format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{trace:032x}","spanId":"{id:016x}","parentSpanId":"{parent}","name":"{name}","startTimeUnixNano":"{start}000000000","endTimeUnixNano":"{}000000000"}}]}}]}}]}}"#,
            start + seconds
        ))
    };
    let window = 1_793_577_000;
    [
        span(0xaa, 1, "", "twin", window + 700, 1),
        span(0xaa, 1, "", "twin of another name", window + 700, 1),
        span(0xaa, 1, "", "twin", window + 700, 2),
        span(0xbb, 1, "", "root beyond reach", window - 30 * 3_600, 1),
        span(0xbb, 2, "0000000000000001", "within reach", window + 800, 1),
        span(0xcc, 1, "", "long", window - 30 * 3_600 + 5, 10 * 3_600),
        // A root at midnight, a child at five o'clock.
        span(0xdd, 1, "", "root of silence", 1_793_577_600, 2),
        span(0xdd, 2, "0000000000000001", "after silence", 1_793_595_600, 3),
        // Two roots an hour apart.
        span(0xee, 1, "", "first root", window + 1_800, 1),
        span(0xee, 2, "", "second root", window + 5_400, 1),
        span(0xee, 3, "0000000000000002", "child of the second", window + 5_400, 1),
    ]
    .concat()
}

async fn answers(server: &InProcess, questions: &[String]) -> Vec<String> {
    let mut answers = Vec::new();
    for question in questions {
        let answer = server.get(question).await;
        assert_eq!(answer.status(), 200, "{question}");
        answers.push(without_counters(&answer));
    }
    answers
}
