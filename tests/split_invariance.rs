//! Answers don't depend on batching: the same spans give the same bytes however they were cut into requests, and
//! however often a request was sent.

use fastrand::Rng;
use niente_model::{Nanos, Span};
use niente_receive::{
    Format, Limits, Request, proto::collector::trace::v1::ExportTraceServiceRequest, to_resource_spans,
};
use prost::Message;

use crate::harness::{InProcess, cases, scale, spans};

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
            // A question reads every object: the more of them, the fewer questions must do.
            let share = if cut < 100 { questions.len() / 10 } else { 2 };
            for (at, question) in questions.iter().enumerate().skip((round as usize + cut) % share).step_by(share) {
                let answer = answers(&server, std::slice::from_ref(question)).await.remove(0);
                assert!(
                    answer == expected[at],
                    "{question}, round {round}, up to {cut} spans a request:\n{answer}\n{}",
                    expected[at]
                );
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
    for request in requests {
        let request = ExportTraceServiceRequest { resource_spans: to_resource_spans(&request) };
        server.push_protobuf(request.encode_to_vec()).await;
    }
    server
}

/// Every search of the conformance suite, with narrower limits too, and traces by ID.
fn questions() -> Vec<String> {
    let mut questions: Vec<String> = cases()
        .iter()
        .filter(|case| ["search", "trace", "trace_v1"].contains(&case.text("kind")))
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
    ]
    .concat()
}

/// The answers' bytes, without the counters of what was looked at.
async fn answers(server: &InProcess, questions: &[String]) -> Vec<String> {
    let mut answers = Vec::new();
    for question in questions {
        let answer = server.get(question).await;
        assert_eq!(answer.status(), 200, "{question}");
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        let counters = text.rfind(",\"metrics\":").unwrap_or(text.len());
        answers.push(text[..counters].to_owned());
    }
    answers
}
