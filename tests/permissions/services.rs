//! Lambda's and Secrets Manager's doors, where a function's role is asked whether it may come in.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use niente_lambda_host::Host;
use serde_json::{Value, json};

use super::Roles;

/// The ARN of the tokens' secret.
pub(crate) const SECRET: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:tokens";

/// The ARN of a function.
pub(crate) fn arn(function: &str) -> String {
    format!("arn:aws:lambda:us-east-1:123456789012:function:{function}")
}

/// A server that stands for both, until it is dropped.
pub(crate) struct Services {
    shared: Arc<Shared>,
    address: SocketAddr,
    serving: tokio::task::JoinHandle<()>,
}

struct Shared {
    roles: Roles,
    secret: String,
    host: OnceLock<Arc<Host>>,
}

impl Services {
    pub(crate) async fn start(roles: Roles, secret: Vec<u8>) -> Self {
        let secret = String::from_utf8(secret).unwrap();
        let shared = Arc::new(Shared { roles, secret, host: OnceLock::new() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { shared, address, serving }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on invocations come to this host.
    pub(crate) fn invokes(&self, host: &Arc<Host>) {
        assert!(self.shared.host.set(host.clone()).is_ok(), "there is one host");
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(State(shared): State<Arc<Shared>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let may = |action: &str, resource: &str| {
        let roles = shared.roles.read().unwrap();
        roles.get(who(&headers)).is_some_and(|role| role.covers(action, resource))
    };
    if headers.get("x-amz-target").is_some_and(|target| target == "secretsmanager.GetSecretValue") {
        let asked: Value = serde_json::from_slice(&body).unwrap();
        if !may("secretsmanager:GetSecretValue", asked["SecretId"].as_str().unwrap()) {
            return refusal();
        }
        return json!({"ARN": SECRET, "Name": "tokens", "SecretString": shared.secret}).to_string().into_response();
    }
    let function = uri.path().trim_start_matches("/2015-03-31/functions/").trim_end_matches("/invocations");
    let function = function.replace("%3A", ":");
    if !may("lambda:InvokeFunction", &function) {
        return refusal();
    }
    let host = shared.host.get().expect("it has started").clone();
    let event: Value = serde_json::from_slice(&body).unwrap();
    let answer = host.invoke(&function, &event).await.unwrap();
    let mut response = answer.payload.into_response();
    if answer.error.is_some() {
        response.headers_mut().insert("x-amz-function-error", HeaderValue::from_static("Unhandled"));
    }
    response
}

/// Whose access key signed the request. (Of signatures the S3 server makes sure.)
fn who(headers: &HeaderMap) -> &str {
    let signed = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let key = signed.split_once("Credential=").map_or("", |(_, rest)| rest);
    key.split('/').next().unwrap_or_default()
}

fn refusal() -> Response {
    let code = "AccessDeniedException";
    (StatusCode::FORBIDDEN, [("x-amzn-errortype", code)], json!({"__type": code}).to_string()).into_response()
}
