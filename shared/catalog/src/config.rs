//! What a tenant has been given or has asked for: retention and redactions.

use std::collections::BTreeMap;

use bytes::Bytes;
use niente_model::{Day, Nanos, Tenant, TraceId};
use niente_store::{ETag, Error as StoreError, Store};
use serde::{Deserialize, Serialize};

use crate::{Error, name::config_key};

/// A tenant's configuration: one small JSON object in the store, changed by compare-and-swap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantConfig {
    /// How many days a day's spans are kept beyond its end; without it, for ever.
    pub retention_days: Option<u32>,
    /// Traces that are gone for good.
    pub redactions: BTreeMap<TraceId, Redaction>,
    /// The number of the last redaction, whether it is still listed or not.
    pub last_redaction: u64,
}

/// The removal of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redaction {
    /// Redactions are counted, so that a block can tell which of them it has honoured whatever clocks say.
    pub number: u64,
    /// When it was asked for, in nanoseconds since the epoch.
    pub at: u64,
}

/// The version that this build writes, and the newest that it reads.
const VERSION: u32 = 1;
/// Attempts to change a configuration that others change at the same time.
const ATTEMPTS: u32 = 16;

#[derive(Serialize, Deserialize)]
struct ConfigJson {
    /// The least version that a reader has to know.
    niente: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retention_days: Option<u32>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    redactions: BTreeMap<String, Redaction>,
    #[serde(default)]
    last_redaction: u64,
}

impl TenantConfig {
    /// The tenant's configuration, and its version for who wants to replace it. The default if there is none.
    pub async fn read(store: &dyn Store, tenant: &Tenant) -> Result<(Self, Option<ETag>), Error> {
        match store.get(&config_key(tenant)).await {
            Ok(object) => Ok((Self::decode(&object.bytes, tenant)?, Some(object.etag))),
            Err(StoreError::NotFound { .. }) => Ok((Self::default(), None)),
            Err(error) => Err(error.into()),
        }
    }

    /// Changes the configuration: `change` sees what it is and may be called again, if others change it meanwhile.
    /// Nothing is written if it changes nothing. Returns what the configuration is now.
    pub async fn update(store: &dyn Store, tenant: &Tenant, change: impl Fn(&mut Self)) -> Result<Self, Error> {
        let key = config_key(tenant);
        for _ in 0..ATTEMPTS {
            let (current, etag) = Self::read(store, tenant).await?;
            let mut changed = current.clone();
            change(&mut changed);
            if changed == current {
                return Ok(current);
            }
            let written = match &etag {
                Some(etag) => store.put_if_match(&key, changed.encode(), etag).await,
                None => store.put_if_absent(&key, changed.encode()).await,
            };
            match written {
                Ok(_) => return Ok(changed),
                // Somebody else was faster, or it was us and the answer was lost: the next round sees.
                Err(
                    StoreError::Precondition { .. } | StoreError::AlreadyExists { .. } | StoreError::NotFound { .. },
                ) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Contended { key: key.to_string(), attempts: ATTEMPTS })
    }

    /// Asks for the removal of a trace, if nobody has yet.
    pub fn redact(&mut self, id: TraceId, at: Nanos) {
        let number = self.last_redaction + 1;
        let redaction = *self.redactions.entry(id).or_insert(Redaction { number, at: at.get() });
        self.last_redaction = self.last_redaction.max(redaction.number);
    }

    /// Whether what starts on this day has outlived its retention at `now`.
    pub fn has_expired(&self, day: Day, now: Nanos) -> bool {
        self.retention().is_some_and(|retention| day.end().saturating_add(retention) <= now)
    }

    /// How long spans are kept beyond the end of the day on which they start. No older ones are taken: one that starts
    /// no longer ago than this is of a day that has not expired.
    pub fn retention(&self) -> Option<Nanos> {
        self.retention_days.map(|days| Nanos::from_secs(u64::from(days) * 24 * 3_600))
    }

    fn encode(&self) -> Bytes {
        let json = ConfigJson {
            niente: VERSION,
            retention_days: self.retention_days,
            redactions: self.redactions.iter().map(|(id, redaction)| (id.to_string(), *redaction)).collect(),
            last_redaction: self.last_redaction,
        };
        serde_json::to_vec_pretty(&json).expect("numbers and text become JSON").into()
    }

    pub(crate) fn decode(bytes: &[u8], tenant: &Tenant) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Unreadable { key: config_key(tenant).to_string(), reason };
        let json: ConfigJson = serde_json::from_slice(bytes).map_err(|error| wrong(error.to_string()))?;
        if json.niente > VERSION {
            return Err(wrong(format!(
                "it needs a reader of version {}, this one knows versions up to {VERSION}: upgrade Niente",
                json.niente
            )));
        }
        let redaction = |(id, redaction): (String, Redaction)| {
            Ok((id.parse().map_err(|error| wrong(format!("{error}")))?, redaction))
        };
        let redactions = json.redactions.into_iter().map(redaction).collect::<Result<_, Error>>()?;
        Ok(Self { retention_days: json.retention_days, redactions, last_redaction: json.last_redaction })
    }
}
