//! A function's processes: which wait, which work, and whether another may start.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use bytes::Bytes;
use tokio::{sync::oneshot, time::Instant};

use crate::{
    Counters, Fault, Function, Invocation, InvokeError,
    answer::{Failure, Reply},
    environment::Environment,
    ids::request_id,
    log::Log,
    run::run,
};

/// What is asked of a function.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) payload: Bytes,
    /// As the caller sent it; otherwise one is made.
    pub(crate) trace_id: Option<String>,
    /// JSON.
    pub(crate) client_context: Option<String>,
}

/// A test's decision.
pub(crate) type Faults = Arc<dyn Fn(&Invocation) -> Fault + Send + Sync>;

/// All that there is of a function.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) function: Function,
    pub(crate) log: Log,
    lambda: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Invocations that hold a place.
    running: usize,
    asked: u64,
    /// The last one that worked comes first.
    idle: Vec<Arc<Environment>>,
    all: Vec<Weak<Environment>>,
    counters: Counters,
}

/// A process that waits for its event, and how long its start took if it was started for it.
pub(crate) struct Ready {
    pub(crate) environment: Arc<Environment>,
    pub(crate) init: Duration,
}

impl Pool {
    /// A start may take so long before Lambda starts again.
    const INIT_LIMIT: Duration = Duration::from_secs(10);

    pub(crate) fn new(function: Function, lambda: String, log: Log) -> Self {
        Self { function, log, lambda, state: Mutex::default() }
    }

    /// Begins an invocation, if there is a place for it. It goes on whether or not anybody waits for its reply.
    pub(crate) fn invoke(
        self: &Arc<Self>,
        request: Request,
        faults: &Faults,
    ) -> Result<oneshot::Receiver<Reply>, InvokeError> {
        let invocation = {
            let mut state = self.lock();
            state.asked += 1;
            let (function, number) = (self.function.name.clone(), state.asked - 1);
            Invocation { function, number, payload: request.payload.clone(), request_id: request_id() }
        };
        let fault = faults(&invocation);
        {
            let mut state = self.lock();
            if fault == Fault::Throttle || state.running >= self.function.concurrency {
                state.counters.throttled += 1;
                return Err(InvokeError::Throttled);
            }
            state.running += 1;
        }
        let (reply, receiver) = oneshot::channel();
        tokio::spawn(run(Arc::clone(self), request, invocation.request_id, fault, reply));
        Ok(receiver)
    }

    /// A process that waits: a warm one, or else a new one.
    pub(crate) async fn ready(&self, request_id: &str) -> Result<Ready, (Failure, Duration)> {
        let timeout = self.function.timeout;
        while let Some(environment) = self.pop_idle() {
            // (One that ended while it was idle is not this invocation's concern.)
            if environment.ready(timeout, request_id).await.is_ok() {
                return Ok(Ready { environment, init: Duration::ZERO });
            }
        }
        let start = Instant::now();
        let first = match self.start(Self::INIT_LIMIT, request_id).await {
            Err(failure) if failure.kind != INVALID_ENTRYPOINT => self.start(timeout, request_id).await,
            first => first,
        };
        match first {
            Ok(environment) => Ok(Ready { environment, init: start.elapsed() }),
            Err(failure) => Err((failure, start.elapsed())),
        }
    }

    fn pop_idle(&self) -> Option<Arc<Environment>> {
        self.lock().idle.pop()
    }

    async fn start(&self, limit: Duration, request_id: &str) -> Result<Arc<Environment>, Failure> {
        let environment = Environment::start(&self.function, &self.lambda, &self.log).await.map_err(|error| {
            let binary = self.function.binary.display();
            Failure::new(INVALID_ENTRYPOINT, &format!("RequestId: {request_id} Error: fork/exec {binary}: {error}"))
        })?;
        let environment = Arc::new(environment);
        {
            let mut state = self.lock();
            state.counters.cold_starts += 1;
            state.all.retain(|other| other.strong_count() > 0);
            state.all.push(Arc::downgrade(&environment));
        }
        environment.ready(limit, request_id).await?;
        Ok(environment)
    }

    /// Ends an invocation: its place is free, and its process may serve the next.
    pub(crate) fn finish(&self, reusable: Option<Arc<Environment>>, count: impl FnOnce(&mut Counters)) {
        let mut state = self.lock();
        state.running -= 1;
        state.idle.extend(reusable);
        count(&mut state.counters);
    }

    pub(crate) fn counters(&self) -> Counters {
        self.lock().counters
    }

    /// Ends the processes that have nothing to do.
    pub(crate) fn drop_idle(&self) {
        let idle = std::mem::take(&mut self.lock().idle);
        drop(idle);
    }

    /// The processes that there are.
    pub(crate) fn environments(&self) -> Vec<Arc<Environment>> {
        self.lock().all.iter().filter_map(Weak::upgrade).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const INVALID_ENTRYPOINT: &str = "Runtime.InvalidEntrypoint";
