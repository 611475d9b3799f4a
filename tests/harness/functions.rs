//! Niente's functions as the template has them, over an S3 server, and who may ask them. (The example `cold_start` of the
//! Lambda host has this file too.)

use std::path::Path;

use niente_api::{Right, TenantScope, Token, TokenDocument, TokenEntry};
use niente_cost::Budget;
use niente_lambda_host::Function;
use niente_store::testing::S3Server;
use serde_json::{Value, json};

/// A token that may ingest and query as every tenant, and the document that lists it.
pub(crate) fn everybody() -> (String, Vec<u8>) {
    let token = Token::from_random([7; Token::RANDOM_BYTES]);
    let mut document = TokenDocument::default();
    let entry = TokenEntry {
        id: token.id(),
        name: "everybody".to_owned(),
        hash: token.hash(),
        tenants: TenantScope::Every,
        rights: [Right::Ingest, Right::Query].into_iter().collect(),
        expires: None,
        budget: Budget::UNLIMITED,
    };
    document.add(entry).expect("a new document has no other token");
    (token.reveal().to_string(), document.encode())
}

/// A function, with what its environment needs: the server and its keys, the prefixes in the bucket, the file of tokens.
pub(crate) fn function(name: &str, binary: &Path, s3: &S3Server, tokens: &Path) -> Function {
    let (access, secret) = s3.credentials();
    Function::new(name, binary)
        .env("NIENTE_STORE", format!("s3://{}/traces", S3Server::BUCKET))
        .env("NIENTE_RESULTS", format!("s3://{}/results", S3Server::BUCKET))
        .env("NIENTE_TOKENS", format!("file:{}", tokens.display()))
        .env("AWS_ENDPOINT_URL", s3.endpoint())
        .env("AWS_ACCESS_KEY_ID", access)
        .env("AWS_SECRET_ACCESS_KEY", secret)
}

/// The event of a `GET` at a function URL, as far as it matters.
pub(crate) fn get_event(path_and_query: &str, token: &str, accepts: &str) -> Value {
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    json!({"version": "2.0", "rawPath": path, "rawQueryString": query, "isBase64Encoded": false,
        "headers": {"authorization": format!("Bearer {token}"), "accept-encoding": accepts},
        "requestContext": {"http": {"method": "GET", "path": path}}})
}
