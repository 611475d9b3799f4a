//! The Runtime API, as one process sees it: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.
//!
//! A process asks for the next event, and is stopped until there is one. It answers in one piece, in pieces, or with an
//! error; what comes goes as [`Part`]s to who waits for it.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::json;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    answer::{Answer, Failure, MAX_RESPONSE, too_large},
    http_server::{self, ResponseBody},
    process::Process,
};

/// An event on its way to a process.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) request_id: String,
    /// Milliseconds since 1970.
    pub(crate) deadline: u128,
    pub(crate) arn: String,
    pub(crate) trace_id: String,
    pub(crate) client_context: Option<String>,
    pub(crate) payload: Bytes,
    /// Who waits for the answer.
    pub(crate) answer: mpsc::Sender<Part>,
}

/// What a process says to an event.
#[derive(Debug)]
pub(crate) enum Part {
    /// All that it says.
    Whole(Answer),
    /// From here on it streams.
    Start {
        has_prelude: bool,
    },
    Chunk(Bytes),
    End,
    /// The stream ends with an error.
    Failed(Failure),
}

/// What a process is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Starting,
    /// It is stopped, in the middle of its request for an event.
    Waiting,
    Working,
}

/// The API's state towards its one process.
#[derive(Debug)]
pub(crate) struct RuntimeApi {
    process: Process,
    status: watch::Sender<Status>,
    /// Where the process waits.
    seat: Mutex<Option<oneshot::Sender<Event>>>,
    /// The event that is not answered yet, and who waits for its answer.
    unanswered: Mutex<Option<(String, mpsc::Sender<Part>)>>,
    init_error: Mutex<Option<Failure>>,
}

const PREFIX: &str = "/2018-06-01/runtime/";
/// A stream of this type begins with a prelude.
const WITH_PRELUDE: &str = "application/vnd.awslambda.http-integration-response";

impl RuntimeApi {
    pub(crate) fn new(process: Process) -> Self {
        Self {
            process,
            status: watch::Sender::new(Status::Starting),
            seat: Mutex::default(),
            unanswered: Mutex::default(),
            init_error: Mutex::default(),
        }
    }

    pub(crate) fn status(&self) -> Status {
        *self.status.borrow()
    }

    /// Returns when the process waits for an event.
    pub(crate) async fn waiting(&self) {
        let mut status = self.status.subscribe();
        status.wait_for(|status| *status == Status::Waiting).await.expect("the sender is this API's");
    }

    /// Gives a process that waits its event, and lets it go on. Says whether it was still there.
    pub(crate) fn hand_over(&self, event: Event) -> bool {
        let Some(seat) = lock(&self.seat).take() else { return false };
        *lock(&self.unanswered) = Some((event.request_id.clone(), event.answer.clone()));
        self.status.send_replace(Status::Working);
        self.process.thaw();
        seat.send(event).is_ok()
    }

    /// From now on no answer to the event is taken. One that is being read is read to its end.
    pub(crate) fn give_up(&self) {
        *lock(&self.unanswered) = None;
    }

    /// What the process said of its failure to start.
    pub(crate) fn init_error(&self) -> Option<Failure> {
        lock(&self.init_error).take()
    }

    /// Answers a request of the process.
    pub(crate) async fn answer(self: Arc<Self>, request: Request<Incoming>) -> io::Result<Response<ResponseBody>> {
        let path = request.uri().path().strip_prefix(PREFIX).unwrap_or_default().to_owned();
        let path: Vec<&str> = path.split('/').collect();
        match (request.method(), &path[..]) {
            (&Method::GET, ["invocation", "next"]) => self.next().await,
            (&Method::POST, ["invocation", id, "response"]) => match self.answering(id) {
                Some(answer) => response(request, answer).await,
                None => Ok(unknown_id()),
            },
            (&Method::POST, ["invocation", id, "error"]) => match self.answering(id) {
                Some(answer) => {
                    let failure = reported(request).await?;
                    Ok(accepted(answer.send(Part::Whole(failure.into())).await))
                }
                None => Ok(unknown_id()),
            },
            (&Method::POST, ["init", "error"]) => {
                let failure = reported(request).await?;
                *lock(&self.init_error) = Some(failure);
                Ok(accepted(Ok(())))
            }
            _ => Ok(refused(StatusCode::NOT_FOUND, "UnknownPath", "the Runtime API has no such path")),
        }
    }

    /// Who waits for the answer to this event. It is given once.
    fn answering(&self, id: &str) -> Option<mpsc::Sender<Part>> {
        let mut unanswered = lock(&self.unanswered);
        unanswered.take_if(|(expected, _)| expected == id).map(|(_, answer)| answer)
    }

    /// Stops the process until there is an event.
    async fn next(&self) -> io::Result<Response<ResponseBody>> {
        let (seat, event) = oneshot::channel();
        *lock(&self.seat) = Some(seat);
        self.process.freeze();
        self.status.send_replace(Status::Waiting);
        let event = event.await.map_err(io::Error::other)?;

        let mut response = http_server::answer(StatusCode::OK, "application/json", event.payload);
        let headers = [
            ("lambda-runtime-aws-request-id", Some(event.request_id)),
            ("lambda-runtime-deadline-ms", Some(event.deadline.to_string())),
            ("lambda-runtime-invoked-function-arn", Some(event.arn)),
            ("lambda-runtime-trace-id", Some(event.trace_id)),
            ("lambda-runtime-client-context", event.client_context),
        ];
        for (name, value) in headers {
            let value = value.map(|value| HeaderValue::try_from(value).map_err(io::Error::other)).transpose()?;
            response.headers_mut().extend(value.map(|value| (HeaderName::from_static(name), value)));
        }
        Ok(response)
    }
}

/// Takes an answer, in one piece or as it comes.
async fn response(request: Request<Incoming>, answer: mpsc::Sender<Part>) -> io::Result<Response<ResponseBody>> {
    let header = |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if header("lambda-runtime-function-response-mode") != Some("streaming") {
        return match http_server::read(request.into_body(), MAX_RESPONSE).await? {
            Ok(payload) => Ok(accepted(answer.send(Part::Whole(Answer { payload, error: None })).await)),
            Err(_) => {
                let _ = answer.send(Part::Whole(too_large().into())).await;
                let message = format!("Exceeded maximum allowed payload size ({MAX_RESPONSE} bytes).");
                Ok(refused(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message))
            }
        };
    }
    let has_prelude = header("content-type") == Some(WITH_PRELUDE);
    let mut gone = answer.send(Part::Start { has_prelude }).await.is_err();
    let mut body = request.into_body();
    // (A body that breaks off leaves `answer` without an end. One whose caller is gone is still read to its end.)
    while let Some(frame) = body.frame().await {
        let part = match frame.map_err(io::Error::other)?.into_data() {
            Ok(data) => Some(Part::Chunk(data)),
            Err(frame) => frame.into_trailers().ok().as_ref().and_then(stream_error).map(Part::Failed),
        };
        if let Some(part) = part {
            let failed = matches!(part, Part::Failed(_));
            gone |= answer.send(part).await.is_err();
            if failed {
                return Ok(accepted(Ok(())));
            }
        }
    }
    if !gone {
        let _ = answer.send(Part::End).await;
    }
    Ok(accepted(Ok(())))
}

/// The error that trailers tell of.
fn stream_error(trailers: &HeaderMap) -> Option<Failure> {
    let kind = trailers.get("lambda-runtime-function-error-type")?.to_str().ok()?;
    let body = trailers.get("lambda-runtime-function-error-body");
    let body = body.and_then(|body| BASE64_STANDARD.decode(body).ok()).unwrap_or_default();
    Some(Failure { kind: kind.to_owned(), payload: body.into() })
}

async fn reported(request: Request<Incoming>) -> io::Result<Failure> {
    let header = request.headers().get("lambda-runtime-function-error-type").cloned();
    let payload = http_server::read(request.into_body(), MAX_RESPONSE).await?;
    let header = header.as_ref().and_then(|value| value.to_str().ok());
    Ok(payload.map_or_else(|_| too_large(), |payload| Failure::reported(payload, header)))
}

/// (A caller that has given up changes nothing for the process.)
fn accepted(_: Result<(), mpsc::error::SendError<Part>>) -> Response<ResponseBody> {
    http_server::json(StatusCode::ACCEPTED, &json!({ "status": "OK" }))
}

fn refused(status: StatusCode, kind: &str, message: &str) -> Response<ResponseBody> {
    http_server::json(status, &json!({ "errorMessage": message, "errorType": kind }))
}

fn unknown_id() -> Response<ResponseBody> {
    refused(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
    };

    use super::*;
    use crate::http_server::{Server, serve};

    /// The API, an event that was handed over, and what comes of it.
    struct Desk {
        api: Arc<RuntimeApi>,
        server: Server,
        parts: mpsc::Receiver<Part>,
    }

    impl Desk {
        /// A process has asked for an event, and got one whose ID is `1`.
        async fn handed_over() -> (Self, String) {
            let api = Arc::new(RuntimeApi::new(Process::default()));
            let answering = Arc::clone(&api);
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let server = serve(listener, move |request, _| Arc::clone(&answering).answer(request)).unwrap();
            let (answer, parts) = mpsc::channel(16);
            let desk = Self { api, server, parts };
            let event = Event {
                request_id: "1".into(),
                deadline: 7,
                arn: "arn".into(),
                trace_id: "trace".into(),
                client_context: None,
                payload: "{}".into(),
                answer,
            };
            let handing = async {
                desk.api.waiting().await;
                assert!(desk.api.hand_over(event));
            };
            let (got, ()) = tokio::join!(desk.talk("GET", "invocation/next", "\r\n"), handing);
            (desk, got)
        }

        async fn talk(&self, method: &str, path: &str, rest: &str) -> String {
            let mut connection = TcpStream::connect(self.server.address).await.unwrap();
            let request = format!("{method} {PREFIX}{path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{rest}");
            connection.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            connection.read_to_string(&mut answer).await.unwrap();
            answer
        }

        async fn post(&self, path: &str, body: &str) -> String {
            self.talk("POST", path, &format!("Content-Length: {}\r\n\r\n{body}", body.len())).await
        }

        async fn part(&mut self) -> String {
            match self.parts.recv().await {
                Some(Part::Chunk(chunk)) => String::from_utf8(chunk.to_vec()).unwrap(),
                other => format!("{other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn an_event_comes_with_its_headers() {
        let (_, got) = Desk::handed_over().await;
        for line in ["aws-request-id: 1", "deadline-ms: 7", "invoked-function-arn: arn", "trace-id: trace"] {
            assert!(got.contains(&format!("lambda-runtime-{line}\r\n")), "{got}");
        }
        assert!(got.ends_with("\r\n\r\n{}"), "{got}");
    }

    #[tokio::test]
    async fn an_event_is_answered_once_and_by_its_id() {
        let (mut desk, _) = Desk::handed_over().await;
        assert!(desk.post("invocation/2/response", "1").await.starts_with("HTTP/1.1 400"));
        assert!(desk.post("invocation/1/response", "1").await.starts_with("HTTP/1.1 202"));
        assert!(desk.post("invocation/1/error", "{}").await.starts_with("HTTP/1.1 400"));
        assert!(desk.part().await.contains("error: None"));
        assert_eq!(desk.part().await, "None");
    }

    #[tokio::test]
    async fn too_large_an_answer_is_told_to_both_sides() {
        let (mut desk, _) = Desk::handed_over().await;
        let told = desk.post("invocation/1/response", &"1".repeat(MAX_RESPONSE + 1)).await;
        assert!(told.starts_with("HTTP/1.1 413") && told.contains("RequestEntityTooLarge"), "{told}");
        assert!(desk.part().await.contains("Function.ResponseSizeTooLarge"));
    }

    #[tokio::test]
    async fn an_error_has_the_type_of_its_body_or_header() {
        for (body, expected) in [(r#"{"errorType":"Mine"}"#, "Mine"), ("oops", "Theirs")] {
            let (mut desk, _) = Desk::handed_over().await;
            let header = "Lambda-Runtime-Function-Error-Type: Theirs\r\n";
            let rest = format!("{header}Content-Length: {}\r\n\r\n{body}", body.len());
            assert!(desk.talk("POST", "invocation/1/error", &rest).await.starts_with("HTTP/1.1 202"));
            assert!(desk.part().await.contains(&format!("Some(\"{expected}\")")));
        }
    }

    const STREAMING: &str = "Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n";

    #[tokio::test]
    async fn trailers_tell_of_an_error_in_a_stream() {
        let (mut desk, _) = Desk::handed_over().await;
        let trailers = "Lambda-Runtime-Function-Error-Type: Mine\r\nLambda-Runtime-Function-Error-Body: e30=\r\n";
        let rest = format!(
            "{STREAMING}Trailer: Lambda-Runtime-Function-Error-Type\r\nTrailer: Lambda-Runtime-Function-Error-Body\r\n\r\n3\r\none\r\n0\r\n{trailers}\r\n"
        );
        assert!(desk.talk("POST", "invocation/1/response", &rest).await.starts_with("HTTP/1.1 202"));
        assert_eq!(desk.part().await, "Some(Start { has_prelude: false })");
        assert_eq!(desk.part().await, "one");
        assert_eq!(desk.part().await, r#"Some(Failed(Failure { kind: "Mine", payload: b"{}" }))"#);
    }

    #[tokio::test]
    async fn a_stream_that_breaks_off_has_no_end() {
        let (mut desk, _) = Desk::handed_over().await;
        let mut connection = TcpStream::connect(desk.server.address).await.unwrap();
        let request = format!("POST {PREFIX}invocation/1/response HTTP/1.1\r\nHost: h\r\n{STREAMING}\r\n3\r\none\r\n");
        connection.write_all(request.as_bytes()).await.unwrap();
        assert_eq!(desk.part().await, "Some(Start { has_prelude: false })");
        assert_eq!(desk.part().await, "one");
        drop(connection);
        assert_eq!(desk.part().await, "None");
    }

    #[tokio::test]
    async fn a_failed_start_is_remembered() {
        let (desk, _) = Desk::handed_over().await;
        assert!(desk.post("init/error", r#"{"errorType":"Mine"}"#).await.starts_with("HTTP/1.1 202"));
        assert_eq!(desk.api.init_error().unwrap().kind, "Mine");
        assert!(desk.talk("GET", "nothing", "\r\n").await.starts_with("HTTP/1.1 404"));
    }
}
