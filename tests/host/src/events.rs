//! The events of AWS's services, as their documentation gives them.

use serde_json::{Value, json};

use crate::{Answer, clock, function::REGION, ids::request_id};

/// A batch of SQS messages with these bodies.
pub fn sqs(bodies: &[&str]) -> Value {
    let sent = clock::now().as_millis().to_string();
    let records = bodies.iter().map(|body| {
        json!({
            "messageId": request_id(),
            "receiptHandle": format!("AQEB{:x}", fastrand::u128(..)),
            "body": body,
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": sent,
                "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                "ApproximateFirstReceiveTimestamp": sent,
            },
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": format!("arn:aws:sqs:{REGION}:123456789012:queue"),
            "awsRegion": REGION,
        })
    });
    json!({ "Records": records.collect::<Vec<_>>() })
}

/// The bodies of a batch's messages that SQS would deliver again after this answer.
pub(crate) fn returned(batch: &Value, answer: &Answer) -> Vec<String> {
    let messages: Vec<(&str, &str)> = batch["Records"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|record| Some((record["messageId"].as_str()?, record["body"].as_str()?)))
        .collect();
    let failed = match answer.error {
        None => named(answer),
        Some(_) => None,
    };
    let known = |failed: &Vec<String>| failed.iter().all(|id| messages.iter().any(|(known, _)| known == id));
    match failed.filter(known) {
        Some(failed) => {
            let failed = messages.iter().filter(|(id, _)| failed.iter().any(|failed| failed == id));
            failed.map(|(_, body)| (*body).to_owned()).collect()
        }
        None => messages.iter().map(|(_, body)| (*body).to_owned()).collect(),
    }
}

/// The messages that the function named, if its answer is one that SQS understands. None at all is a success.
fn named(answer: &Answer) -> Option<Vec<String>> {
    let answer: Value = serde_json::from_slice(&answer.payload).ok()?;
    match &answer["batchItemFailures"] {
        Value::Null => Some(Vec::new()),
        Value::Array(failures) => {
            failures.iter().map(|failure| failure["itemIdentifier"].as_str().map(str::to_owned)).collect()
        }
        _ => None,
    }
}

/// A schedule's event: EventBridge's, with the ARN of the rule.
pub fn schedule(rule: &str) -> Value {
    json!({
        "version": "0",
        "id": request_id(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": clock::iso(),
        "region": REGION,
        "resources": [format!("arn:aws:events:{REGION}:123456789012:rule/{rule}")],
        "detail": {},
    })
}

/// A bucket's notification that an object was created. The key is encoded as S3 does it.
pub fn object_created(bucket: &str, key: &str, size: u64) -> Value {
    let key: String = form_urlencoded::byte_serialize(key.as_bytes()).collect::<String>().replace("%2F", "/");
    json!({ "Records": [{
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": REGION,
        "eventTime": clock::iso(),
        "eventName": "ObjectCreated:Put",
        "userIdentity": { "principalId": "AIDAJDPLRKLG7UEXAMPLE" },
        "requestParameters": { "sourceIPAddress": "127.0.0.1" },
        "responseElements": { "x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "FMyUVURIY8" },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "created",
            "bucket": {
                "name": bucket,
                "ownerIdentity": { "principalId": "A3NL1KOZZKExample" },
                "arn": format!("arn:aws:s3:::{bucket}"),
            },
            "object": {
                "key": key,
                "size": size,
                "eTag": format!("{:032x}", fastrand::u128(..)),
                "sequencer": format!("{:018X}", clock::now().as_nanos()),
            },
        },
    }] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_again_as_the_function_says() {
        let batch = sqs(&["a", "b", "c"]);
        let id = |n: usize| batch["Records"][n]["messageId"].clone();
        let check = |payload: Value, expected: &[&str]| {
            let answer = Answer { payload: payload.to_string().into(), error: None };
            assert_eq!(returned(&batch, &answer), expected, "{payload}");
        };
        let failures = |ids: &[Value]| {
            let ids = ids.iter().map(|id| json!({ "itemIdentifier": id }));
            json!({ "batchItemFailures": ids.collect::<Vec<_>>() })
        };
        for success in [json!(null), json!({}), json!({ "batchItemFailures": null }), failures(&[])] {
            check(success, &[]);
        }
        check(failures(&[id(1)]), &["b"]);
        check(failures(&[id(2), id(0)]), &["a", "c"]);
        for malformed in [failures(&[id(1), json!("unknown")]), failures(&[json!(null)]), failures(&[json!("")])] {
            check(malformed, &["a", "b", "c"]);
        }
        let failed = Answer { payload: failures(&[]).to_string().into(), error: Some("Unhandled".into()) };
        assert_eq!(returned(&batch, &failed), ["a", "b", "c"]);
    }

    #[test]
    fn keys_are_encoded_as_s3_does() {
        let event = object_created("bucket", "a b/l0/é+.parquet", 7);
        assert_eq!(event["Records"][0]["s3"]["object"]["key"], "a+b/l0/%C3%A9%2B.parquet");
    }
}
