//! A function as a template describes it.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;

use crate::{Front, host::any_port};

/// A binary, and what a template says of it.
///
/// Its JSON has the fields' names, with the time-out as `timeout_s`; all but `name` and `binary` may be left out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Function {
    pub(crate) name: String,
    pub(crate) binary: PathBuf,
    #[serde(default = "default_memory")]
    pub(crate) memory_mb: u32,
    #[serde(default = "default_timeout", rename = "timeout_s", deserialize_with = "seconds")]
    pub(crate) timeout: Duration,
    #[serde(default = "default_concurrency")]
    pub(crate) concurrency: usize,
    #[serde(default)]
    pub(crate) environment: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) front: Option<Front>,
    #[serde(default = "any_port")]
    pub(crate) listen: SocketAddr,
}

impl Function {
    /// A function with 1,024 MB, a time-out of 30 seconds, as much concurrency as a new region has, and no URL.
    pub fn new(name: impl Into<String>, binary: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            binary: binary.into(),
            memory_mb: default_memory(),
            timeout: default_timeout(),
            concurrency: default_concurrency(),
            environment: BTreeMap::new(),
            front: None,
            listen: any_port(),
        }
    }

    /// Kills a process that holds more (in MB of 1,048,576 bytes).
    #[must_use]
    pub fn memory_mb(mut self, memory_mb: u32) -> Self {
        self.memory_mb = memory_mb;
        self
    }

    /// Kills a process that works longer on an event.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Refuses an invocation while so many others run.
    #[must_use]
    pub fn concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency;
        self
    }

    /// A variable of its processes' environment, which otherwise has only what Lambda sets.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// Gives it a URL.
    #[must_use]
    pub fn front(mut self, front: Front) -> Self {
        self.front = Some(front);
        self
    }

    /// Where its URL listens: a free port of this machine, unless it is said.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    pub(crate) fn arn(&self) -> String {
        arn(&self.name)
    }

    pub(crate) fn memory_bytes(&self) -> u64 {
        u64::from(self.memory_mb) << 20
    }
}

/// The region, as functions and callers see it.
pub(crate) const REGION: &str = "us-east-1";

pub(crate) fn arn(name: &str) -> String {
    format!("arn:aws:lambda:{REGION}:123456789012:function:{name}")
}

/// The function that a name, a partial ARN or a full ARN means, each with or without a version.
pub(crate) fn name_of(name_or_arn: &str) -> &str {
    let name = name_or_arn.rsplit_once("function:").map_or(name_or_arn, |(_, name)| name);
    name.split_once(':').map_or(name, |(name, _version)| name)
}

/// The binary of this workspace that cargo has built beside the running test.
///
/// # Panics
/// If there is none: `cargo test --workspace` builds them all, `cargo build -p PACKAGE` one.
pub fn built(binary: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let folders = test.ancestors().skip(1).take(2);
    let found = folders.map(|folder: &Path| folder.join(binary)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{binary} is not built: cargo build --bin {binary}"))
}

fn default_memory() -> u32 {
    1_024
}

fn default_timeout() -> Duration {
    Duration::from_secs(30)
}

fn default_concurrency() -> usize {
    1_000
}

fn seconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(deserializer)?;
    Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_found_by_name_and_by_arn() {
        for name in ["scan", "scan:$LATEST", "123456789012:function:scan", &arn("scan"), &(arn("scan") + ":live")] {
            assert_eq!(name_of(name), "scan", "{name}");
        }
    }

    #[test]
    fn what_a_file_leaves_out_has_defaults() {
        let function: Function = serde_json::from_str(r#"{"name": "scan", "binary": "b", "timeout_s": 0.5}"#).unwrap();
        assert_eq!((function.timeout, function.memory_mb), (Duration::from_millis(500), 1_024));
        assert!(function.front.is_none());
        let front = |json| serde_json::from_str::<Front>(json).unwrap();
        assert_eq!(front(r#""alb_multi_value""#), Front::AlbMultiValue);
        assert_eq!(front(r#"{"http_api": {"stage": "prod"}}"#), Front::http_api("prod"));
        for wrong in [r#"{"name": "scan"}"#, r#"{"name": "a", "binary": "b", "timeout": 3}"#] {
            assert!(serde_json::from_str::<Function>(wrong).is_err(), "{wrong}");
        }
    }
}
