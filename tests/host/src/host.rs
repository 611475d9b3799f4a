//! The host: what tests hold in their hands.

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
    sync::oneshot,
};

use crate::{
    Answer, Counters, Fault, Function, Invocation, InvokeError,
    answer::Reply,
    events,
    front::Door,
    function::name_of,
    http_server::{Server, serve},
    invoke_api,
    log::Log,
    pool::{Pool, Request},
    service::Lambda,
};

/// Runs functions until it is dropped; then all their processes are killed.
///
/// It runs on threads of its own, so that it answers while a test blocks. Methods that take a function's name take its
/// ARN too, and panic if there is no such function, unless they say otherwise.
#[derive(Debug)]
pub struct Host {
    lambda: Arc<Lambda>,
    invoke: Server,
    urls: BTreeMap<String, Server>,
    threads: Threads,
}

/// What a host runs, and where it listens: what the binary `lambda-host` reads as JSON.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The functions. Their names are unique.
    pub functions: Vec<Function>,
    /// Where the Invoke API listens: a free port of this machine, unless it is said.
    #[serde(default = "any_port")]
    pub listen: SocketAddr,
    /// Whether what the functions print goes to standard error too.
    #[serde(default)]
    pub echo_logs: bool,
}

impl Host {
    /// Starts a host for these functions, and none of their processes yet.
    ///
    /// # Panics
    /// If no port or no thread can be had, or two functions have the same name.
    pub async fn start(functions: impl IntoIterator<Item = Function>) -> Self {
        let config = Config { functions: functions.into_iter().collect(), listen: any_port(), echo_logs: false };
        Self::open(config).await.expect("a test may listen on free ports")
    }

    /// As [`start`](Self::start), with all that can be said.
    ///
    /// # Errors
    /// A port or a thread that can't be had, and a name that two functions have.
    pub async fn open(config: Config) -> io::Result<Self> {
        let threads = Threads::start()?;
        // (On the host's threads from the beginning: sockets and processes belong to the runtime that makes them.)
        let opened = threads.runtime().spawn(async move {
            let listener = TcpListener::bind(config.listen).await?;
            let endpoint = format!("http://{}", listener.local_addr()?);
            let mut pools = BTreeMap::new();
            for function in config.functions {
                let name = function.name.clone();
                let log = if config.echo_logs { Log::echoed(&name) } else { Log::default() };
                let pool = Arc::new(Pool::new(function, endpoint.clone(), log));
                if pools.insert(name.clone(), pool).is_some() {
                    return Err(io::Error::other(format!("two functions are called {name}")));
                }
            }
            let lambda = Arc::new(Lambda::new(pools));
            let mut urls = BTreeMap::new();
            for function in lambda.pools().map(|pool| &pool.function) {
                if let Some(front) = &function.front {
                    let listener = TcpListener::bind(function.listen).await?;
                    let door = Arc::new(Door::new(front.clone(), function.name.clone(), Arc::clone(&lambda)));
                    let url = serve(listener, move |request, peer| Arc::clone(&door).answer(request, peer))?;
                    urls.insert(function.name.clone(), url);
                }
            }
            let answering = Arc::clone(&lambda);
            let invoke = serve(listener, move |request, _| invoke_api::answer(Arc::clone(&answering), request))?;
            Ok((lambda, invoke, urls))
        });
        let (lambda, invoke, urls) = opened.await.map_err(io::Error::other)??;
        Ok(Self { lambda, invoke, urls, threads })
    }

    /// The URL of the Invoke API, for the SDK or `AWS_ENDPOINT_URL_LAMBDA`. Functions find it in their environment.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.invoke.address)
    }

    /// The URL of a function's [`Front`](crate::Front), without a slash at its end; an API's stage is part of it.
    ///
    /// # Panics
    /// If it has none.
    pub fn url(&self, function: &str) -> String {
        let url = self.urls.get(name_of(function)).expect("the function has a front");
        let front = self.pool(function).function.front.as_ref().expect("it has a URL");
        format!("http://{}{}", url.address, front.base_path())
    }

    /// The URLs of all functions that have one, by name.
    pub fn urls(&self) -> Vec<(String, String)> {
        self.urls.keys().map(|name| (name.clone(), self.url(name))).collect()
    }

    /// Invokes a function and waits for its answer, which may be a function error.
    ///
    /// # Errors
    /// As the Invoke API has them; here a function that doesn't exist is one too.
    pub async fn invoke(&self, function: &str, event: &impl Serialize) -> Result<Answer, InvokeError> {
        let reply = self.begin(function, event)?;
        reply.await.unwrap_or(Reply::Lost).whole().await
    }

    fn begin(&self, function: &str, event: &impl Serialize) -> Result<oneshot::Receiver<Reply>, InvokeError> {
        let _entered = self.threads.runtime().enter();
        self.lambda.invoke(name_of(function), request(event))
    }

    /// Hands a function an event that nobody waits for. It is done in the background, and tried twice more if the
    /// function fails: see [`settled`](Self::settled).
    ///
    /// # Errors
    /// As [`invoke`](Self::invoke); being throttled is none, since the event waits.
    pub fn send(&self, function: &str, event: &impl Serialize) -> Result<(), InvokeError> {
        let _entered = self.threads.runtime().enter();
        self.lambda.enqueue(name_of(function), request(event))
    }

    /// Hands a function a batch of messages as SQS does, and returns the bodies of those that would come again: what
    /// the function named in `batchItemFailures`, or all if it failed or named one that isn't there.
    ///
    /// # Errors
    /// As [`invoke`](Self::invoke).
    pub async fn send_batch(&self, function: &str, bodies: &[&str]) -> Result<Vec<String>, InvokeError> {
        let batch = events::sqs(bodies);
        let answer = self.invoke(function, &batch).await?;
        Ok(events::returned(&batch, &answer))
    }

    /// Returns when all events that were [sent](Self::send) are done with.
    pub async fn settled(&self) {
        self.lambda.settled().await;
    }

    /// From now on `faults` decides what goes wrong.
    pub fn faults(&self, faults: impl Fn(&Invocation) -> Fault + Send + Sync + 'static) {
        self.lambda.set_faults(Arc::new(faults));
    }

    /// What a function has done so far, in the units of the bill. What an answer reports is counted before it is given.
    pub fn counters(&self, function: &str) -> Counters {
        self.pool(function).counters()
    }

    /// What a function's processes have printed: the newest few megabytes.
    pub fn logs(&self, function: &str) -> String {
        self.pool(function).log.text()
    }

    /// The IDs of a function's processes, those that wait included.
    pub fn processes(&self, function: &str) -> Vec<u32> {
        self.pool(function).environments().iter().filter_map(|environment| environment.id()).collect()
    }

    /// How many processes of a function have an event in their hands.
    pub fn working(&self, function: &str) -> usize {
        self.pool(function).environments().iter().filter(|environment| environment.is_working()).count()
    }

    /// Kills all processes of a function, whatever they are doing.
    pub fn kill(&self, function: &str) {
        self.pool(function).environments().iter().for_each(|environment| environment.kill());
    }

    /// Ends a function's processes that have nothing to do: the next start is a cold one.
    pub fn cool(&self, function: &str) {
        self.pool(function).drop_idle();
    }

    fn pool(&self, function: &str) -> &Arc<Pool> {
        self.lambda.pool(name_of(function)).expect("the host was given this function")
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.lambda.pools().flat_map(|pool| pool.environments()).for_each(|environment| environment.kill());
    }
}

/// The threads that a host runs on.
#[derive(Debug)]
struct Threads(Option<Runtime>);

impl Threads {
    fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name("lambda-host").enable_all().build()?;
        Ok(Self(Some(runtime)))
    }

    fn runtime(&self) -> &Runtime {
        self.0.as_ref().expect("it is there until it is dropped")
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // (A runtime that waits for its threads may not be dropped where others wait.)
            runtime.shutdown_background();
        }
    }
}

fn request(event: &impl Serialize) -> Request {
    let payload = serde_json::to_vec(event).expect("an event is JSON").into();
    Request { payload, ..Request::default() }
}

pub(crate) fn any_port() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}
