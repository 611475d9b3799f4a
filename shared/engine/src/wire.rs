//! Shards and their answers as bytes.
//!
//! One byte of version, then Postcard in zstd. Both ends are deployed together, so a version is read by itself alone:
//! while an upgrade is under way the other end's message is refused, and the question is asked again.

use std::io::Read;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Error, Partial, Shard};

/// Raised whenever anything that travels changes.
const VERSION: u8 = 2;
/// More than any shard or answer decodes to.
const MAX_DECODED: u64 = 1 << 30;

/// What a worker answers.
#[derive(Debug, Serialize, Deserialize)]
pub enum Reply {
    /// The shard's answer.
    Done(Partial),
    /// An object is gone: the snapshot is outdated.
    Stale {
        /// Which.
        object: String,
    },
    /// An object may not be read: or it is gone, which S3 doesn't tell those who may not list.
    Denied {
        /// Which.
        object: String,
        /// What the store said.
        reason: String,
    },
    /// No answer.
    Failed {
        /// Why.
        reason: String,
        /// Whether another try may help.
        again: bool,
    },
}

/// Why bytes are no message of this version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The other end is of another version.
    #[error("it is of version {0}, and this end speaks {VERSION}: an upgrade is under way")]
    Version(u8),
    /// It is no message, or was cut.
    #[error("it is damaged: {0}")]
    Damaged(String),
}

impl Shard {
    /// The shard as bytes.
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads what [`encode`](Self::encode) makes.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        decode(bytes)
    }
}

impl Reply {
    /// What a worker says of its result.
    pub fn of(result: Result<Partial, Error>) -> Self {
        match result {
            Ok(partial) => Reply::Done(partial),
            Err(Error::Store(niente_store::Error::NotFound { key, .. })) => Reply::Stale { object: key },
            Err(Error::Store(ref error @ niente_store::Error::PermissionDenied { ref key, .. })) => {
                Reply::Denied { object: key.clone(), reason: error.to_string() }
            }
            Err(error) => Reply::Failed { reason: error.to_string(), again: error.may_pass() },
        }
    }

    /// The result again.
    ///
    /// # Errors
    /// What the worker's error was to its asker.
    pub fn into_result(self) -> Result<Partial, Error> {
        match self {
            Reply::Done(partial) => Ok(partial),
            Reply::Stale { object } => Err(Error::Stale { object }),
            Reply::Denied { object, reason } => Err(Error::Denied { object, reason }),
            Reply::Failed { reason, again } => Err(Error::Shard { reason, again }),
        }
    }

    /// The reply as bytes.
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads what [`encode`](Self::encode) makes.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        decode(bytes)
    }
}

fn encode(message: &impl Serialize) -> Vec<u8> {
    let plain = postcard::to_allocvec(message).expect("messages have no maps or sequences of unknown length");
    let mut bytes = vec![VERSION];
    bytes.extend(zstd::bulk::compress(&plain, 1).expect("memory takes whatever is written to it"));
    bytes
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, WireError> {
    let damaged = |error: &dyn std::fmt::Display| WireError::Damaged(error.to_string());
    let (version, packed) = bytes.split_first().ok_or_else(|| damaged(&"it is empty"))?;
    if *version != VERSION {
        return Err(WireError::Version(*version));
    }
    let mut plain = Vec::new();
    let decoder = zstd::stream::read::Decoder::new(packed).map_err(|error| damaged(&error))?;
    decoder.take(MAX_DECODED).read_to_end(&mut plain).map_err(|error| damaged(&error))?;
    postcard::from_bytes(&plain).map_err(|error| damaged(&error))
}

#[cfg(test)]
mod tests {
    use niente_block::KeyRange;
    use niente_model::{Nanos, SpanKind, StatusCode, Tenant, TimeRange, Value};

    use super::*;
    use crate::{Findings, FoundSpan, FoundSpanset, FoundTrace, Shown, Task};

    fn shard() -> Shard {
        Shard {
            tenant: Tenant::single(),
            task: Task::Search { query: "{ }".into(), window: TimeRange::ALL, limit: 20, spans_per_set: 3 },
            keys: KeyRange::shard(3, 7),
            objects: Vec::new(),
            reach: TimeRange::ALL,
            redacted: vec!["1".parse().unwrap()],
            patience: Some(std::time::Duration::from_millis(1_500)),
        }
    }

    #[test]
    fn a_shard_comes_back() {
        assert_eq!(Shard::decode(&shard().encode()).unwrap(), shard());
    }

    #[test]
    fn every_kind_of_value_comes_back() {
        let shown = [
            Shown::Nil,
            Shown::Str("ä\0".into()),
            Shown::Int(i64::MIN),
            Shown::Float(-0.0),
            Shown::Float(f64::INFINITY),
            Shown::Bool(true),
            Shown::Duration(-1),
            Shown::Status(StatusCode(7)),
            Shown::Kind(SpanKind::CLIENT),
            Shown::Array(vec![Value::Int(1), Value::Bytes(vec![255]), Value::Map(vec![("k".into(), Value::Empty)])]),
        ];
        let attributes: Vec<_> = shown.into_iter().map(|value| ("key".to_owned(), value)).collect();
        let span = FoundSpan {
            span_id: "2".parse().unwrap(),
            name: None,
            start: Nanos::MAX,
            duration: Nanos::ZERO,
            attributes: attributes.clone(),
        };
        let trace = FoundTrace {
            trace_id: "1".parse().unwrap(),
            start: Nanos::from_secs(1),
            duration: Nanos::from_secs(2),
            root_service: String::new(),
            root_name: "root".into(),
            services: [("shop".into(), Default::default())].into(),
            spansets: vec![FoundSpanset { matched: 9, spans: vec![span], attributes }],
        };
        let partial = Partial {
            findings: Findings::Traces(vec![trace]),
            inspected: Default::default(),
            spent: Default::default(),
        };
        let reply = Reply::decode(&Reply::Done(partial.clone()).encode()).unwrap();
        assert_eq!(reply.into_result().unwrap(), partial);
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let bytes = shard().encode();
        assert_eq!(Shard::decode(&[9]), Err(WireError::Version(9)));
        for damaged in [&[][..], &bytes[..bytes.len() - 1], &[VERSION, 0, 1, 2]] {
            assert!(matches!(Shard::decode(damaged), Err(WireError::Damaged(_))), "{damaged:?}");
        }
    }
}
