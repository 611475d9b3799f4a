//! Batches of a queue: each message is an OTLP request, and those that fail are reported one by one.

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use niente_api::Api;
use niente_model::Tenant;
use niente_receive::{Format, Limits, Request};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An event of SQS, as far as it matters here.
#[derive(Deserialize)]
struct Batch {
    #[serde(rename = "Records")]
    records: Vec<Message>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    message_id: String,
    /// OTLP's JSON, or its protobuf in base64.
    body: String,
    #[serde(default)]
    message_attributes: BTreeMap<String, Attribute>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attribute {
    string_value: Option<String>,
}

/// Which messages are to be sent again: `ReportBatchItemFailures`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Failures {
    batch_item_failures: Vec<Failure>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: String,
}

/// Why a message was not stored.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Tenant(#[from] niente_model::InvalidTenant),
    #[error("the body is neither OTLP's JSON nor base64 of its protobuf: {0}")]
    Body(#[from] base64::DecodeError),
    #[error(transparent)]
    Receive(#[from] niente_receive::Error),
    #[error(transparent)]
    Api(#[from] niente_api::Error),
}

/// The message attribute that names the tenant.
const TENANT: &str = "tenant";

/// Whether an event is a batch of SQS.
pub(crate) fn is_batch(event: &Value) -> bool {
    event["Records"][0]["eventSource"] == "aws:sqs"
}

/// Stores a batch. What can't be stored comes back to the queue, and in the end to its dead-letter queue.
pub(crate) async fn store(api: &Api, event: Value) -> Result<Failures, serde_json::Error> {
    let batch: Batch = serde_json::from_value(event)?;
    let mut failures = Vec::new();
    for message in batch.records {
        if let Err(error) = store_one(api, &message).await {
            tracing::warn!(message = message.message_id, %error, "a message was not stored");
            failures.push(Failure { item_identifier: message.message_id });
        }
    }
    Ok(Failures { batch_item_failures: failures })
}

/// Whoever may write to the queue is let in by its policy, not by a token.
async fn store_one(api: &Api, message: &Message) -> Result<(), Refused> {
    let tenant = message.message_attributes.get(TENANT).and_then(|attribute| attribute.string_value.as_deref());
    let tenant = tenant.map_or_else(|| Ok(Tenant::single()), Tenant::new)?;
    let limits = Limits::default();
    let request = if message.body.trim_start().starts_with('{') {
        Request::decode(message.body.as_bytes(), Format::Json, &limits)?
    } else {
        Request::decode(&BASE64_STANDARD.decode(message.body.trim())?, Format::Protobuf, &limits)?
    };
    api.ingest(&tenant, request).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use niente_api::{Clock, Gate, Settings};
    use niente_model::Nanos;
    use niente_store::{MemoryStore, Store};
    use serde_json::json;

    use super::*;

    fn message(id: &str, body: &str, tenant: Option<&str>) -> Value {
        let attributes = match tenant {
            Some(tenant) => json!({"tenant": {"stringValue": tenant, "dataType": "String"}}),
            None => json!({}),
        };
        json!({"messageId": id, "body": body, "messageAttributes": attributes, "eventSource": "aws:sqs"})
    }

    #[tokio::test]
    async fn what_fails_is_reported_alone() {
        let store = Arc::new(MemoryStore::new());
        let clock = Clock::new(|| Nanos::from_secs(1_793_584_000));
        let api = Api::new(store.clone(), Settings::default(), Gate::Closed, clock);
        let span = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"00000000000000000000000000000001","spanId":"0000000000000002","name":"x","startTimeUnixNano":"1793583000000000000","endTimeUnixNano":"1793583000000000001"}]}]}]}"#;
        let event = json!({"Records": [
            message("json", span, None),
            message("empty protobuf", "", Some("team-a")),
            message("damaged", "{\"resourceSpans\": 7}", None),
            message("no base64", "!!", None),
            message("odd tenant", span, Some("../team-b")),
            message("tenant", span, Some("team-a")),
        ]});
        assert!(is_batch(&event));
        let failures = serde_json::to_value(super::store(&api, event).await.unwrap()).unwrap();
        let failed: Vec<&str> = failures["batchItemFailures"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| f["itemIdentifier"].as_str().unwrap())
            .collect();
        assert_eq!(failed, ["damaged", "no base64", "odd tenant"]);
        let tenants = store.list_folders("", None).await.unwrap().names;
        assert_eq!(tenants, ["single-tenant", "team-a"]);
    }

    #[test]
    fn other_events_are_no_batches() {
        for event in [json!({}), json!({"Records": []}), json!({"Records": [{"eventSource": "aws:s3"}]})] {
            assert!(!is_batch(&event));
        }
    }
}
