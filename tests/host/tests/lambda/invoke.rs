//! The Invoke API, with Amazon's own client.

use aws_sdk_lambda::{
    config::retry::RetryConfig,
    error::{ProvideErrorMetadata, SdkError},
    operation::invoke::{InvokeError, InvokeOutput},
    primitives::Blob,
    types::InvocationType,
};
use niente_lambda_host::{Fault, Host};
use serde_json::{Value, json};

use crate::vocabulary::{host, new_file, puppet, sdk, sdk_with};

type Invoked = Result<InvokeOutput, SdkError<InvokeError>>;

async fn invoke(host: &Host, name: &str, event: Value) -> Invoked {
    sdk(host).invoke().function_name(name).payload(Blob::new(event.to_string())).send().await
}

fn payload(output: &InvokeOutput) -> Value {
    serde_json::from_slice(output.payload().unwrap().as_ref()).unwrap()
}

fn refused(invoked: Invoked) -> (u16, InvokeError) {
    match invoked {
        Err(SdkError::ServiceError(error)) => (error.raw().status().as_u16(), error.into_err()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_answer_is_the_functions_bytes() {
    let host = host().await;
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:puppet";
    for name in ["puppet", arn, "123456789012:function:puppet", "puppet:$LATEST"] {
        let output = invoke(&host, name, json!({ "do": "echo", "value": "ü" })).await.unwrap();
        assert_eq!((output.status_code(), output.function_error()), (200, None));
        assert_eq!((payload(&output), output.executed_version()), (json!("ü"), Some("$LATEST")), "{name}");
    }
    let output = sdk(&host).invoke().function_name("puppet").send().await.unwrap();
    assert_eq!(payload(&output), json!({}), "no payload is an empty object");
}

#[tokio::test]
async fn a_function_error_is_an_answer() {
    let host = host().await;
    let output = invoke(&host, "puppet", json!({ "do": "error" })).await.unwrap();
    assert_eq!((output.status_code(), output.function_error()), (200, Some("Unhandled")));
    assert_eq!(payload(&output)["errorMessage"], "as it was told");
    assert_eq!(host.counters("puppet").invocations, 1, "nobody tries that again");
}

#[tokio::test]
async fn the_client_knows_what_was_refused() {
    let host = Host::start([puppet()]).await;
    let (status, error) = refused(invoke(&host, "nobody", json!({})).await);
    assert_eq!(status, 404);
    assert!(error.is_resource_not_found_exception(), "{error:?}");
    let message = "Function not found: arn:aws:lambda:us-east-1:123456789012:function:nobody";
    assert_eq!(error.meta().message(), Some(message));

    let broken = sdk(&host).invoke().function_name("puppet").payload(Blob::new("{")).send().await;
    let (status, error) = refused(broken);
    assert_eq!(status, 400);
    assert!(error.is_invalid_request_content_exception(), "{error:?}");

    let (status, error) = refused(invoke(&host, "puppet", json!("x".repeat(6 << 20))).await);
    assert_eq!((status, error.code()), (413, Some("RequestEntityTooLargeException")));

    host.faults(|_| Fault::Throttle);
    let (status, error) = refused(invoke(&host, "puppet", json!({})).await);
    assert_eq!(status, 429);
    assert!(error.is_too_many_requests_exception(), "{error:?}");
    assert_eq!(host.counters("puppet").invocations, 0);
}

#[tokio::test]
async fn the_client_tries_again_where_amazons_would_have_it() {
    let host = host().await;
    for fault in [Fault::Throttle, Fault::LoseAnswer] {
        let before = host.counters("puppet");
        let first = before.invocations + before.throttled;
        host.faults(move |invocation| if invocation.number == first { fault } else { Fault::None });
        let retries = RetryConfig::standard().with_initial_backoff(std::time::Duration::from_millis(1));
        let output = sdk_with(&host, retries).invoke().function_name("puppet").send().await.unwrap();
        assert_eq!(payload(&output), json!({}), "{fault:?}");
    }
    let counters = host.counters("puppet");
    assert_eq!((counters.throttled, counters.invocations), (1, 3));
}

#[tokio::test]
async fn a_lost_answer_is_a_broken_connection() {
    let host = host().await;
    host.faults(|_| Fault::LoseAnswer);
    let lost = invoke(&host, "puppet", json!({})).await;
    assert!(matches!(lost, Err(SdkError::DispatchFailure(_) | SdkError::ResponseError(_))), "{lost:?}");
    assert_eq!(host.counters("puppet").invocations, 1);
}

#[tokio::test]
async fn events_are_accepted_and_dry_runs_do_nothing() {
    let host = host().await;
    let (_folder, file) = new_file();
    let event = Blob::new(json!({ "do": "mark", "file": file }).to_string());
    let request = || sdk(&host).invoke().function_name("puppet").payload(event.clone());

    let dry = request().invocation_type(InvocationType::DryRun).send().await.unwrap();
    assert_eq!((dry.status_code(), host.counters("puppet").invocations), (204, 0));

    let accepted = request().invocation_type(InvocationType::Event).send().await.unwrap();
    assert_eq!((accepted.status_code(), accepted.payload().map_or(0, |payload| payload.as_ref().len())), (202, 0));
    host.settled().await;
    assert_eq!(std::fs::read_to_string(file).unwrap(), "done");

    let large = Blob::new(json!("x".repeat(1 << 20)).to_string());
    let large = sdk(&host).invoke().function_name("puppet").payload(large).invocation_type(InvocationType::Event);
    assert_eq!(refused(large.send().await).0, 413);
}

#[tokio::test]
async fn a_client_context_reaches_the_function() {
    let host = host().await;
    let context = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, r#"{"custom":{"a":"1"}}"#);
    let event = Blob::new(json!({ "do": "context" }).to_string());
    let request = sdk(&host).invoke().function_name("puppet").client_context(context).payload(event);
    assert_eq!(payload(&request.send().await.unwrap())["client_context"]["custom"]["a"], "1");
}

#[tokio::test]
async fn a_stream_that_is_invoked_comes_in_one_piece() {
    let host = host().await;
    let event = json!({ "do": "stream", "chunks": ["one", "two"] });
    let output = invoke(&host, "puppet", event).await.unwrap();
    let bytes = output.payload().unwrap().as_ref();
    assert!(bytes.ends_with(b"\0\0\0\0\0\0\0\0onetwo"), "{bytes:?}");
    let failed = invoke(&host, "puppet", json!({ "do": "stream", "chunks": ["one"], "end": "exit" })).await.unwrap();
    assert_eq!(
        (failed.function_error(), &payload(&failed)["errorType"]),
        (Some("Unhandled"), &json!("Runtime.ExitError"))
    );
}
