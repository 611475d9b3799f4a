//! What an event asks for.

use niente_model::{InvalidTenant, Tenant};
use serde::Deserialize;
use serde_json::Value;

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Task {
    /// For whom; none for all.
    pub(crate) tenant: Option<Tenant>,
    /// Merging, indexing and so on.
    pub(crate) compacts: bool,
    /// Removing what was replaced, has expired, or was left behind.
    pub(crate) collects: bool,
}

/// Why an event asks for nothing that this function does.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidTask {
    #[error(r#"this function takes schedules, events of its bucket, and {{"task": "compact" | "gc" | "all", "tenant": NAME}}: {0}"#)]
    Shape(#[from] serde_json::Error),
    #[error("tenant: {0}")]
    Tenant(#[from] InvalidTenant),
}

/// What one types, or a schedule has for its input.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Asked {
    #[serde(default)]
    task: Kind,
    tenant: Option<String>,
}

#[derive(Deserialize, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
enum Kind {
    Compact,
    Gc,
    #[default]
    All,
}

impl Task {
    pub(crate) fn read(event: &Value) -> Result<Self, InvalidTask> {
        if event["Records"][0]["eventSource"] == "aws:s3" {
            return Ok(Self { tenant: tenant_of(event), compacts: true, collects: false });
        }
        // A schedule without an input of its own.
        if event["source"] == "aws.events" || event["source"] == "aws.scheduler" {
            return Ok(Self { tenant: None, compacts: true, collects: true });
        }
        let asked: Asked = serde_json::from_value(event.clone())?;
        let tenant = asked.tenant.as_deref().map(Tenant::new).transpose()?;
        Ok(Self { tenant, compacts: asked.task != Kind::Gc, collects: asked.task != Kind::Compact })
    }
}

/// Whose object the bucket tells of: `traces/<tenant>/l0/…`, if all are one tenant's.
fn tenant_of(event: &Value) -> Option<Tenant> {
    let keys = event["Records"].as_array().into_iter().flatten().map(|record| record["s3"]["object"]["key"].as_str());
    let tenant = |key: Option<&str>| key?.split("/l0/").next()?.rsplit('/').next().map(str::to_owned);
    let mut tenants: Vec<_> = keys.map(tenant).collect::<Option<_>>()?;
    tenants.dedup();
    match &tenants[..] {
        // Keys are percent-encoded there: a name with anything to encode is looked for among all.
        [tenant] => Tenant::new(tenant).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What is done for whom.
    fn check(event: Value, tenant: Option<&str>, compacts: bool, collects: bool) {
        let tenant = tenant.map(|name| Tenant::new(name).unwrap());
        assert_eq!(Task::read(&event).unwrap(), Task { tenant, compacts, collects }, "{event}");
    }

    #[test]
    fn schedules_and_people() {
        check(json!({"source": "aws.events", "detail-type": "Scheduled Event"}), None, true, true);
        check(json!({}), None, true, true);
        check(json!({"task": "compact"}), None, true, false);
        check(json!({"task": "gc", "tenant": "team-a"}), Some("team-a"), false, true);
        for odd in [
            json!({"task": "sweep"}),
            json!({"tenant": "../x"}),
            json!({"tenants": []}),
            json!("gc"),
            json!({"Records": []}),
        ] {
            assert!(Task::read(&odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn a_bucket_tells_whose_object_has_come() {
        let record =
            |key: &str| json!({"eventSource": "aws:s3", "s3": {"bucket": {"name": "b"}, "object": {"key": key}}});
        let one = "traces/team-a/l0/2026-11-01T10-1793584000-00.parquet";
        check(json!({"Records": [record(one), record(one)]}), Some("team-a"), true, false);
        let other = "traces/team-b/l0/2026-11-01T10-1793584000-00.parquet";
        check(json!({"Records": [record(one), record(other)]}), None, true, false);
        check(json!({"Records": [record("traces/o%27brien/l0/x.parquet")]}), None, true, false);
    }
}
