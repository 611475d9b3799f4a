use std::time::Duration;

use aws_config::{
    BehaviorVersion, Region, SdkConfig, environment::EnvironmentVariableRegionProvider,
    meta::region::RegionProviderChain, profile::ProfileFileRegionProvider, retry::RetryConfig, timeout::TimeoutConfig,
};
use aws_sdk_s3::{
    Client,
    config::{Builder, Credentials},
};

use super::{clock::Clock, conflict::Conflicts};

/// How a store in S3 is reached.
#[derive(Clone, Debug)]
pub struct S3Options {
    /// Another S3 than Amazon's, such as `http://127.0.0.1:9000`; its buckets are addressed by path. If none, then
    /// what `AWS_ENDPOINT_URL` or the profile says, or Amazon's.
    pub endpoint: Option<String>,
    /// The bucket's region. If none, then what the environment, the profile or the machine says; with an endpoint,
    /// `us-east-1` if neither of the first two says anything.
    pub region: Option<String>,
    /// How many requests are under way at once at most; others wait.
    pub concurrency: usize,
    /// How often a request is sent at most, the first time included, when the store fails in a way that passes.
    pub attempts: u32,
    /// How long the first repetition waits at most; the wait doubles with each, up to five seconds, and of each a random
    /// part is waited.
    pub first_wait: Duration,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long an answer to one attempt may take, besides the time of its bytes.
    pub answer_timeout: Duration,
    /// The slowest transfer that isn't given up, in bytes a second: each byte that is sent or read prolongs the wait.
    pub slowest_transfer: u64,
}

impl Default for S3Options {
    fn default() -> Self {
        Self {
            endpoint: None,
            region: None,
            concurrency: 64,
            attempts: 4,
            first_wait: Duration::from_millis(200),
            connect_timeout: Duration::from_secs(3),
            answer_timeout: Duration::from_secs(15),
            slowest_transfer: 1 << 20,
        }
    }
}

impl S3Options {
    /// How long one attempt may take that moves so many bytes.
    pub(super) fn time_for(&self, bytes: u64) -> Duration {
        self.answer_timeout + Duration::from_secs(bytes / self.slowest_transfer.max(1))
    }

    /// The time limits of a request with a body of so many bytes.
    ///
    /// There is no read timeout: the SDK's begins with the upload, and each value of it has connections of its own.
    pub(super) fn limits(&self, bytes: u64) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(self.connect_timeout)
            .disable_read_timeout()
            .operation_attempt_timeout(self.time_for(bytes))
            .build()
    }
}

/// What all AWS tools find in the environment, or else what `options` say.
pub(super) async fn load(options: &S3Options, credentials: Option<Credentials>) -> SdkConfig {
    let loader = aws_config::defaults(BehaviorVersion::latest());
    let loader = match credentials {
        Some(credentials) => loader.credentials_provider(credentials),
        None => loader,
    };
    let loader = match &options.endpoint {
        // The machine isn't asked for its region: it is not that of somebody else's S3.
        Some(endpoint) => loader.endpoint_url(endpoint).region(
            RegionProviderChain::first_try(options.region.clone().map(Region::new))
                .or_else(EnvironmentVariableRegionProvider::new())
                .or_else(ProfileFileRegionProvider::new())
                .or_else("us-east-1"),
        ),
        None => match &options.region {
            Some(region) => loader.region(Region::new(region.clone())),
            None => loader,
        },
    };
    loader.load().await
}

/// A client of this configuration, and where it leads: the endpoint's URL, or the region. None if that isn't known.
pub(super) fn client(shared: &SdkConfig, options: &S3Options, clock: Clock) -> Option<(Client, String)> {
    let endpoint = shared.endpoint_url();
    let place = endpoint.map(str::to_owned).or_else(|| shared.region().map(|region| format!("S3 in {region}")))?;
    let config = Builder::from(shared)
        .force_path_style(endpoint.is_some())
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(options.attempts.max(1))
                .with_initial_backoff(options.first_wait)
                .with_max_backoff(Duration::from_secs(5)),
        )
        .retry_classifier(Conflicts)
        .timeout_config(options.limits(0))
        .interceptor(clock)
        .build();
    Some((Client::from_conf(config), place))
}
