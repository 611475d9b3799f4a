//! Lambda itself: which functions there are, and what may be asked of them.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde::de::IgnoredAny;
use tokio::{
    sync::{oneshot, watch},
    time::sleep,
};

use crate::{
    Fault, InvokeError,
    answer::Reply,
    pool::{Faults, Pool, Request},
};

/// The service that functions run in.
pub(crate) struct Lambda {
    pools: BTreeMap<String, Arc<Pool>>,
    faults: Mutex<Faults>,
    /// Events that are not done with.
    pending: watch::Sender<usize>,
}

impl Lambda {
    /// The largest payload that is answered.
    pub(crate) const MAX_REQUEST: usize = 6 << 20;
    /// The largest payload of an event.
    pub(crate) const MAX_EVENT: usize = 1 << 20;
    /// How often an event is tried when the function fails.
    const ATTEMPTS: u32 = 3;

    pub(crate) fn new(pools: BTreeMap<String, Arc<Pool>>) -> Self {
        Self { pools, faults: Mutex::new(Arc::new(|_| Fault::None)), pending: watch::Sender::new(0) }
    }

    pub(crate) fn set_faults(&self, faults: Faults) {
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    pub(crate) fn pool(&self, name: &str) -> Result<&Arc<Pool>, InvokeError> {
        self.pools.get(name).ok_or_else(|| InvokeError::NotFound(crate::function::arn(name)))
    }

    pub(crate) fn pools(&self) -> impl Iterator<Item = &Arc<Pool>> {
        self.pools.values()
    }

    /// Begins an invocation whose reply somebody waits for.
    pub(crate) fn invoke(&self, name: &str, request: Request) -> Result<oneshot::Receiver<Reply>, InvokeError> {
        let pool = self.pool(name)?;
        pool.invoke(admit(request, Self::MAX_REQUEST)?, &self.faults())
    }

    /// Checks a request without doing anything.
    pub(crate) fn dry_run(&self, name: &str, request: Request) -> Result<(), InvokeError> {
        self.pool(name)?;
        admit(request, Self::MAX_REQUEST).map(drop)
    }

    /// Takes an event, and sees to it that it is done: it waits while the function is throttled, and is tried again
    /// twice when the function fails.
    pub(crate) fn enqueue(self: &Arc<Self>, name: &str, request: Request) -> Result<(), InvokeError> {
        let pool = Arc::clone(self.pool(name)?);
        let request = admit(request, Self::MAX_EVENT)?;
        let lambda = Arc::clone(self);
        self.pending.send_modify(|pending| *pending += 1);
        tokio::spawn(async move {
            for _ in 0..Self::ATTEMPTS {
                if lambda.attempt(&pool, &request).await {
                    break;
                }
            }
            lambda.pending.send_modify(|pending| *pending -= 1);
        });
        Ok(())
    }

    /// Runs an event once, and says whether the function succeeded.
    async fn attempt(&self, pool: &Arc<Pool>, request: &Request) -> bool {
        let mut pause = Duration::from_millis(5);
        let reply = loop {
            match pool.invoke(request.clone(), &self.faults()) {
                Ok(reply) => break reply,
                Err(_) => sleep(pause).await,
            }
            pause = (pause * 2).min(Duration::from_secs(1));
        };
        match reply.await {
            // (An answer that is lost on its way is one that nobody waits for.)
            Ok(Reply::Lost) => true,
            Ok(reply) => reply.whole().await.is_ok_and(|answer| answer.error.is_none()),
            Err(_) => false,
        }
    }

    /// Returns when all events are done with.
    pub(crate) async fn settled(&self) {
        let mut pending = self.pending.subscribe();
        pending.wait_for(|pending| *pending == 0).await.expect("the sender is this service's");
    }

    fn faults(&self) -> Faults {
        Arc::clone(&self.faults.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Lambda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lambda").field("pools", &self.pools).finish_non_exhaustive()
    }
}

/// A payload that the service takes. None at all is an empty object.
fn admit(mut request: Request, limit: usize) -> Result<Request, InvokeError> {
    if request.payload.len() > limit {
        return Err(InvokeError::TooLarge(limit));
    }
    if request.payload.is_empty() {
        request.payload = "{}".into();
    }
    match serde_json::from_slice::<IgnoredAny>(&request.payload) {
        Ok(_) => Ok(request),
        Err(error) => Err(InvokeError::NotJson(error.to_string())),
    }
}
