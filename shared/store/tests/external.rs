//! The suite, against a server that runs elsewhere: an independent implementation of S3, or Amazon's own.
//!
//! `NIENTE_TEST_S3_ENDPOINT` is its URL, `NIENTE_TEST_S3_BUCKET` a bucket that exists, and credentials are where AWS tools
//! look for them. Each case has a prefix of its own and leaves its objects there. In what the server is known to differ,
//! `NIENTE_TEST_S3_DEVIATIONS` says. `.ci/s3-servers` sets all this for the servers that it starts.

#![allow(clippy::unwrap_used)] // in the helpers too

use std::{
    env, process,
    sync::{
        Arc, Once,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use niente_store::{S3Location, S3Options, S3Store, store_suite, suite::Deviations};

const ENDPOINT: &str = "NIENTE_TEST_S3_ENDPOINT";
const BUCKET: &str = "NIENTE_TEST_S3_BUCKET";

/// A store below a fresh prefix, or none if there is no server.
async fn fresh() -> Option<S3Store> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let Ok(endpoint) = env::var(ENDPOINT) else {
        static SAID: Once = Once::new();
        SAID.call_once(|| {
            // Past the harness, which shows the output of failed tests only.
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "SKIPPED: {ENDPOINT} names no server to test against");
        });
        return None;
    };
    let bucket = env::var(BUCKET).unwrap_or_else(|_| panic!("{BUCKET} must name a bucket on {endpoint}"));
    #[allow(clippy::disallowed_methods)] // for a name that no earlier run has used
    let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let prefix = format!("suite/{started}-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let location = S3Location::new(&bucket, &prefix).unwrap();
    let options = S3Options { endpoint: Some(endpoint), ..S3Options::default() };
    Some(S3Store::connect(location, options).await.unwrap())
}

store_suite! {
    {
        let Some(store) = fresh().await else { return };
        (Arc::new(store), ())
    };
    Deviations::from_env()
}
