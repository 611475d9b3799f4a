//! The bucket behind HTTP, with a switch for faults.

use std::{
    collections::VecDeque,
    fmt, io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_sdk_s3::{
    config::Credentials,
    primitives::{DateTime, DateTimeFormat},
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use hyper::{Method, Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use s3s::{
    Body, HttpResponse,
    config::{S3Config, StaticConfigProvider},
    dto::StreamingBlob,
    service::{S3Service, S3ServiceBuilder},
};
use tokio::{net::TcpListener, runtime::Runtime};

use super::{
    access::{Attempt, People},
    bucket::Bucket,
};
use crate::{S3Location, S3Options, S3Store};

const ACCESS_KEY: &str = "niente-test";
const SECRET_KEY: &str = "niente-test-secret";

/// A real S3 in this process, for any number of clients in any number of processes.
///
/// It speaks S3's protocol over HTTP on a port of its own, checks signatures, and decides conditional writes and
/// deletes atomically, as Amazon's S3 does. Its one bucket, [`S3Server::BUCKET`], is in memory. It runs on threads of
/// its own, so that it answers while a test blocks, and stops when it is dropped.
pub struct S3Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    runtime: Option<Runtime>,
}

struct Shared {
    bucket: Bucket,
    people: People,
    service: S3Service,
    faults: Mutex<VecDeque<ServerFault>>,
    requests: Mutex<Vec<String>>,
}

/// What goes wrong with a request.
#[derive(Clone, Debug)]
pub enum ServerFault {
    /// It is answered by an error and has no effect.
    Answer {
        /// The HTTP status.
        status: u16,
        /// S3's code in the answer's body.
        code: &'static str,
    },
    /// The connection is closed before it has an effect.
    Reset,
    /// It is done, and the answer breaks off in the middle of its body.
    CutBody,
    /// It is done, and the connection is closed instead of an answer.
    LoseAnswer,
}

impl S3Server {
    /// The bucket that exists.
    pub const BUCKET: &'static str = "niente-test";

    /// Starts a server with an empty bucket.
    ///
    /// # Panics
    /// If no port or no thread can be had.
    pub async fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("s3-server")
            .enable_all()
            .build()
            .expect("a test may start threads");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a test may listen");
        listener.set_nonblocking(true).expect("a socket can be non-blocking");
        let address = listener.local_addr().expect("it is bound");

        let bucket = Bucket::new(Self::BUCKET);
        let mut service = S3ServiceBuilder::new(bucket.clone());
        let people = People::new(bucket.clone());
        people.admit(ACCESS_KEY, SECRET_KEY, Arc::new(|_| true));
        service.set_auth(people.clone());
        service.set_access(people.clone());
        service.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config()))));
        let service = service.build();
        let shared = Arc::new(Shared { bucket, people, service, faults: Mutex::default(), requests: Mutex::default() });
        let accepting = Arc::clone(&shared);
        runtime.spawn(async move {
            let listener = TcpListener::from_std(listener).expect("it is non-blocking");
            accepting.accept(listener).await
        });
        Self { shared, address, runtime: Some(runtime) }
    }

    /// Its URL, for [`S3Options::endpoint`] or `AWS_ENDPOINT_URL`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The access key and the secret key of who may do everything.
    pub fn credentials(&self) -> (&'static str, &'static str) {
        (ACCESS_KEY, SECRET_KEY)
    }

    /// Lets in somebody with these keys, for what the policy allows; and again, to change what it allows.
    pub fn admit(&self, access: &str, secret: &str, allows: impl Fn(&Attempt<'_>) -> bool + Send + Sync + 'static) {
        self.shared.people.admit(access, secret, Arc::new(allows));
    }

    /// Its clock goes ahead by so much more: what it says the time is, and when what is written from now on was written.
    pub fn advance(&self, time: Duration) {
        self.shared.bucket.advance(time);
    }

    /// A store in its bucket, below `prefix`.
    ///
    /// # Panics
    /// If the prefix is none.
    pub async fn store(&self, prefix: &str) -> S3Store {
        let location = S3Location::new(Self::BUCKET, prefix).expect("a legal prefix");
        self.store_as(location, S3Options::default(), self.credentials()).await
    }

    /// A store on this server, with other options, another bucket, or another access key and secret key. The options'
    /// endpoint and region are the server's.
    ///
    /// # Panics
    /// Never: an endpoint has a region.
    pub async fn store_as(&self, location: S3Location, options: S3Options, keys: (&str, &str)) -> S3Store {
        self.store_at(&self.endpoint(), location, options, keys).await
    }

    /// As [`store_as`](Self::store_as), at another endpoint.
    ///
    /// # Panics
    /// Never: an endpoint has a region.
    pub async fn store_at(
        &self,
        endpoint: &str,
        location: S3Location,
        options: S3Options,
        keys: (&str, &str),
    ) -> S3Store {
        let credentials = Credentials::new(keys.0, keys.1, None, None, "test");
        let (endpoint, region) = (Some(endpoint.to_owned()), Some("us-east-1".to_owned()));
        let options = S3Options { endpoint, region, ..options };
        S3Store::connect_as(location, options, Some(credentials)).await.expect("it needs no region")
    }

    /// Has the next `times` requests fail so, after those of which that was said before.
    pub fn fail(&self, times: usize, fault: ServerFault) {
        lock(&self.shared.faults).extend(std::iter::repeat_n(fault, times));
    }

    /// Ends all faults.
    pub fn recover(&self) {
        lock(&self.shared.faults).clear();
    }

    /// Writes an object under any name, also one that no [`ObjectKey`](crate::ObjectKey) can be.
    pub fn insert(&self, key: &str, bytes: impl Into<Bytes>) {
        self.shared.bucket.insert(key, bytes.into());
    }

    /// The requests since the last call of this, failed ones included: method, path with query, and the range if
    /// there is one.
    pub fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.shared.requests))
    }
}

impl Shared {
    async fn accept(self: Arc<Self>, listener: TcpListener) {
        loop {
            // Out of file descriptors, most likely: some come back.
            let Ok((stream, _)) = listener.accept().await else {
                tokio::task::yield_now().await;
                continue;
            };
            // Answers go out in two parts, of which the second would wait for the client's acknowledgement.
            let _ = stream.set_nodelay(true);
            let shared = Arc::clone(&self);
            tokio::spawn(async move {
                let answer = service_fn(move |request| Arc::clone(&shared).answer(request));
                // An error is a client that left, or a fault that was asked for.
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> io::Result<HttpResponse> {
        let range = request.headers().get("range").and_then(|range| range.to_str().ok());
        let line = format!("{} {} {}", request.method(), request.uri(), range.unwrap_or_default());
        lock(&self.requests).push(line.trim_end().to_owned());

        let head = request.method() == Method::HEAD;
        let fault = lock(&self.faults).pop_front();
        let mut request = request.map(Body::from);
        match fault {
            Some(ServerFault::Reset) => return Err(io::ErrorKind::ConnectionReset.into()),
            Some(ServerFault::Answer { status, code }) => {
                // A client that is still sending would not see the answer.
                while request.body_mut().next().await.is_some() {}
                return error(status, code, head);
            }
            _ => {}
        }
        let mut answer = self.service.call(request).await.map_err(|error| io::Error::other(format!("{error:?}")))?;
        let date = DateTime::from(self.bucket.now()).fmt(DateTimeFormat::HttpDate).map_err(io::Error::other)?;
        answer.headers_mut().insert("date", date.parse().map_err(io::Error::other)?);
        match fault {
            Some(ServerFault::LoseAnswer) => Err(io::ErrorKind::ConnectionReset.into()),
            Some(ServerFault::CutBody) => Ok(cut(answer).await),
            _ => Ok(answer),
        }
    }
}

/// An answer as S3 words its errors.
fn error(status: u16, code: &str, head: bool) -> io::Result<HttpResponse> {
    let body = format!("<Error><Code>{code}</Code><Message>as the test wants it</Message></Error>");
    Response::builder()
        .status(status)
        .header("content-type", "application/xml")
        .header("x-amz-bucket-region", "eu-north-1")
        .body(if head { Body::empty() } else { Body::from(body) })
        .map_err(io::Error::other)
}

/// The same answer, which says the same length and ends in the middle.
async fn cut(answer: HttpResponse) -> HttpResponse {
    let (mut head, mut body) = answer.into_parts();
    let mut bytes = Vec::new();
    while let Some(Ok(chunk)) = body.next().await {
        bytes.extend_from_slice(&chunk);
    }
    head.headers.insert("content-length", bytes.len().into());
    bytes.truncate(bytes.len() / 2);
    let broken = stream::iter([Ok(Bytes::from(bytes)), Err(io::Error::from(io::ErrorKind::ConnectionReset))]);
    Response::from_parts(head, Body::from(StreamingBlob::wrap(broken)))
}

/// As everywhere, but that a signature may be of any time: clients sign by the time that the bucket tells them.
fn config() -> S3Config {
    let mut config = S3Config::default();
    config.presigned_url_max_skew_time_secs = u32::MAX;
    config
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for S3Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // In an async test nothing may block; connections end with their tasks.
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for S3Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Server").field("address", &self.address).finish_non_exhaustive()
    }
}
