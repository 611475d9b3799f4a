use std::{fmt, sync::Arc};

use niente_model::Nanos;

/// Where the handler gets the time from: a server gives it the system's clock, a simulation its own.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Nanos + Send + Sync>);

impl Clock {
    /// The clock that calls this function, which returns the time since the Unix epoch.
    pub fn new(now: impl Fn() -> Nanos + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time.
    pub fn now(&self) -> Nanos {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}
