use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use aws_sdk_s3::{
    config::{ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeDeserializationInterceptorContextRef},
    error::BoxError,
    primitives::{DateTime, DateTimeFormat},
};
use niente_model::Nanos;

/// The store's time: the latest `Date` of all of its answers, errors included.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock(Arc<AtomicU64>);

impl Clock {
    /// The latest time that was seen, in whole seconds as HTTP has them; none before the first answer.
    pub(super) fn latest(&self) -> Option<Nanos> {
        match self.0.load(Ordering::Acquire) {
            0 => None,
            secs => Some(Nanos::from_secs(secs)),
        }
    }

    fn see(&self, date: &str) {
        let read = DateTime::from_str(date, DateTimeFormat::HttpDate).map(|date| u64::try_from(date.secs()));
        if let Ok(Ok(secs)) = read {
            self.0.fetch_max(secs, Ordering::AcqRel);
        }
    }
}

impl Intercept for Clock {
    fn name(&self) -> &'static str {
        "store's clock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(date) = context.response().headers().get("date") {
            self.see(date);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_goes_back() {
        let clock = Clock::default();
        assert_eq!(clock.latest(), None);
        for (date, secs) in [
            ("Thu, 01 Jan 1970 00:01:00 GMT", 60),
            ("Thu, 01 Jan 1970 00:00:59 GMT", 60),
            ("Thu, 01 Jan 1970 00:01:01 GMT", 61),
            ("yesterday", 61),
            ("Wed, 31 Dec 1969 23:59:59 GMT", 61),
        ] {
            clock.see(date);
            assert_eq!(clock.latest(), Some(Nanos::from_secs(secs)), "{date}");
        }
    }
}
