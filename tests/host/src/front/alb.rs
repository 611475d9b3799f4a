//! An Application Load Balancer's events and answers:
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html>.

use http::Response;
use serde_json::{Map, Value, json};

use super::{
    event::{Incoming, text},
    proxy,
};
use crate::{function::REGION, http_server::ResponseBody};

/// The largest JSON that a function may return.
const MAX_RESPONSE: usize = 1 << 20;

/// An event in which the last of several values counts. Parameters stay as the client encoded them.
pub(super) fn event(request: &Incoming) -> Value {
    let headers = request.headers();
    let headers: Map<String, Value> =
        headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value).into())).collect();
    let parameters: Map<String, Value> =
        parameters(request.query()).map(|(name, value)| (name, value.into())).collect();
    with(request, json!({ "headers": headers, "queryStringParameters": parameters }))
}

/// An event in which each header and parameter is a list.
pub(super) fn multi_value_event(request: &Incoming) -> Value {
    let headers = request.headers();
    let headers = headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
    let headers = lists(headers);
    let parameters = lists(parameters(request.query()));
    with(request, json!({ "multiValueHeaders": headers, "multiValueQueryStringParameters": parameters }))
}

fn with(request: &Incoming, mut event: Value) -> Value {
    let (body, encoded) = request.body();
    let target_group =
        format!("arn:aws:elasticloadbalancing:{REGION}:123456789012:targetgroup/lambda/49e9d65c45c6791a");
    event["requestContext"] = json!({ "elb": { "targetGroupArn": target_group } });
    event["httpMethod"] = request.parts.method.as_str().into();
    event["path"] = request.path().into();
    event["body"] = body.into();
    event["isBase64Encoded"] = encoded.into();
    event
}

fn parameters(query: &str) -> impl Iterator<Item = (String, String)> {
    let parameters = query.split('&').filter(|parameter| !parameter.is_empty());
    parameters.map(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        (name.to_owned(), value.to_owned())
    })
}

fn lists(pairs: impl Iterator<Item = (String, String)>) -> Map<String, Value> {
    let mut lists = Map::new();
    for (name, value) in pairs {
        let list = lists.entry(name).or_insert_with(|| json!([]));
        list.as_array_mut().expect("only lists are put in").push(value.into());
    }
    lists
}

/// What a function returned, with its headers in the field that the target group's mode looks at.
pub(super) fn response(payload: &[u8], headers: &str) -> Option<Response<ResponseBody>> {
    if payload.len() > MAX_RESPONSE {
        return None;
    }
    let payload: Value = serde_json::from_slice(payload).ok()?;
    proxy::response(&payload, proxy::headers(&payload[headers])?)
}
