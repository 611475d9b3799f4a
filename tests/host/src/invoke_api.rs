//! The Invoke API, as the SDKs call it: <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>.

use std::{io, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::{
    InvokeError,
    answer::Reply,
    function::name_of,
    http_server::{self, ResponseBody},
    ids::request_id,
    pool,
    service::Lambda,
};

const PREFIX: &str = "/2015-03-31/functions/";
const SUFFIX: &str = "/invocations";

/// Answers one request. An error closes the connection.
pub(crate) async fn answer(lambda: Arc<Lambda>, request: Request<Incoming>) -> io::Result<Response<ResponseBody>> {
    let mut response = match function(&request) {
        Some(name) => invoke(&lambda, &name, request).await?,
        None => json_error(StatusCode::NOT_FOUND, "UnknownOperationException", &json!({})),
    };
    let id = HeaderValue::try_from(request_id()).expect("a UUID is a legal header");
    response.headers_mut().insert(HeaderName::from_static("x-amzn-requestid"), id);
    Ok(response)
}

/// The name of the function that is to be invoked.
fn function(request: &Request<Incoming>) -> Option<String> {
    let function = request.uri().path().strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let function = percent_decode_str(function).decode_utf8().ok()?;
    (request.method() == Method::POST).then(|| name_of(&function).to_owned())
}

async fn invoke(lambda: &Arc<Lambda>, name: &str, request: Request<Incoming>) -> io::Result<Response<ResponseBody>> {
    let header = |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let kind = header("x-amz-invocation-type").unwrap_or("RequestResponse").to_owned();
    let trace_id = header("x-amzn-trace-id").map(str::to_owned);
    let context = header("x-amz-client-context").and_then(|context| BASE64_STANDARD.decode(context).ok());
    let client_context = context.and_then(|context| String::from_utf8(context).ok());

    let limit = if kind == "Event" { Lambda::MAX_EVENT } else { Lambda::MAX_REQUEST };
    let Ok(payload) = http_server::read(request.into_body(), limit).await? else {
        return refusal(&InvokeError::TooLarge(limit));
    };
    let request = pool::Request { payload, trace_id, client_context };
    match kind.as_str() {
        "RequestResponse" => match lambda.invoke(name, request) {
            Ok(reply) => replied(reply.await.unwrap_or(Reply::Lost)).await,
            Err(error) => refusal(&error),
        },
        "Event" => match lambda.enqueue(name, request) {
            Ok(()) => Ok(http_server::answer(StatusCode::ACCEPTED, "application/json", "")),
            Err(error) => refusal(&error),
        },
        "DryRun" => match lambda.dry_run(name, request) {
            Ok(()) => Ok(http_server::answer(StatusCode::NO_CONTENT, "application/json", "")),
            Err(error) => refusal(&error),
        },
        other => {
            let body = json!({ "Type": "User", "message": format!("Unknown invocation type: {other}") });
            Ok(json_error(StatusCode::BAD_REQUEST, "InvalidParameterValueException", &body))
        }
    }
}

/// What the function says: 200 even when it failed, and then a header tells.
async fn replied(reply: Reply) -> io::Result<Response<ResponseBody>> {
    let answer = match reply.whole().await {
        Ok(answer) => answer,
        Err(error) => return refusal(&error),
    };
    let mut response = http_server::answer(StatusCode::OK, "application/json", answer.payload);
    let headers = response.headers_mut();
    headers.insert("x-amz-executed-version", HeaderValue::from_static("$LATEST"));
    if answer.error.is_some() {
        headers.insert("x-amz-function-error", HeaderValue::from_static("Unhandled"));
    }
    Ok(response)
}

/// An answer of the service rather than the function's.
pub(crate) fn refusal(error: &InvokeError) -> io::Result<Response<ResponseBody>> {
    let (status, kind, body) = match error {
        InvokeError::NotFound(_) => (
            StatusCode::NOT_FOUND,
            "ResourceNotFoundException",
            json!({ "Type": "User", "Message": error.to_string() }),
        ),
        InvokeError::Throttled => (
            StatusCode::TOO_MANY_REQUESTS,
            "TooManyRequestsException",
            json!({
                "Type": "User",
                "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded",
                "message": error.to_string(),
            }),
        ),
        InvokeError::TooLarge(_) => (
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestEntityTooLargeException",
            json!({ "Type": "User", "message": error.to_string() }),
        ),
        InvokeError::NotJson(_) => (
            StatusCode::BAD_REQUEST,
            "InvalidRequestContentException",
            json!({ "Type": "User", "message": error.to_string() }),
        ),
        InvokeError::AnswerLost => return Err(io::Error::other(error.clone())),
    };
    Ok(json_error(status, kind, &body))
}

fn json_error(status: StatusCode, kind: &'static str, body: &Value) -> Response<ResponseBody> {
    let mut response = http_server::json(status, body);
    response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(kind));
    response
}
