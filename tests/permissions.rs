//! Each function with what its role in the template allows, and nothing else.
//!
//! The bucket, the Invoke API and the tokens' secret know every function by keys of its own, and let it do what the
//! statements of template.yaml say. All that Niente does must go well so; what a role leaves out must be refused; and no
//! statement may be there for nothing.

mod role;
mod services;
mod template;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, RwLock},
    time::Duration,
};

use niente_lambda_host::{Front, Function, Host, built};
use niente_store::{Error as StoreError, ObjectKey, S3Location, S3Options, S3Store, Store, testing::S3Server};
use serde_json::json;

use self::{role::Role, services::Services, template::Template};
use crate::harness::{Answer, everybody, exchange, requests};

/// The functions: name, name in the template, binary.
const FUNCTIONS: [(&str, &str, &str); 4] = [
    ("ingest", "Ingest", "niente-ingest"),
    ("query", "Query", "niente-query"),
    ("scan", "Scan", "niente-scan"),
    ("compact", "Compact", "niente-compact"),
];

/// What each function may do at the moment.
pub(crate) type Roles = Arc<RwLock<BTreeMap<String, Role>>>;

/// The stack as the template has it.
struct Stack {
    host: Arc<Host>,
    s3: S3Server,
    roles: Roles,
    token: String,
    _services: Services,
}

impl Stack {
    async fn deploy() -> Self {
        let s3 = S3Server::start().await;
        let template = Template::read([
            ("Bucket", S3Server::BUCKET.to_owned()),
            ("Bucket.Arn", format!("arn:aws:s3:::{}", S3Server::BUCKET)),
            ("Scan.Arn", services::arn("scan")),
            ("TokensSecret.Id", services::SECRET.to_owned()),
        ]);
        let (token, document) = everybody();
        let roles = Roles::default();
        let services = Services::start(roles.clone(), document).await;
        let functions = FUNCTIONS.map(|(name, resource, binary)| {
            let role = Role::of(&template, &format!("{resource}Role"));
            roles.write().unwrap().insert(name.to_owned(), role);
            let theirs = roles.clone();
            s3.admit(name, &secret(name), move |attempt| theirs.read().unwrap()[name].allows(attempt));
            let function = template.environment(resource).into_iter().fold(
                Function::new(name, built(binary)).timeout(Duration::from_secs(60)),
                |function, (variable, value)| function.env(variable, value),
            );
            let function = function
                .env("NIENTE_SHARD_BYTES", "6000000")
                .env("NIENTE_SCAN_CONCURRENCY", "4")
                .env("AWS_ACCESS_KEY_ID", name)
                .env("AWS_SECRET_ACCESS_KEY", secret(name))
                .env("AWS_ENDPOINT_URL", s3.endpoint())
                .env("AWS_ENDPOINT_URL_LAMBDA", services.endpoint())
                .env("AWS_ENDPOINT_URL_SECRETS_MANAGER", services.endpoint());
            match name {
                "ingest" => function.front(Front::Url),
                // (As with QueryStreaming: what is large enough to go through the bucket is too large for a plain answer.)
                "query" => function.front(Front::StreamingUrl).env("NIENTE_RESPONSE_STREAM", "true"),
                _ => function,
            }
        });
        let host = Arc::new(Host::start(functions).await);
        services.invokes(&host);
        Self { host, s3, roles, token, _services: services }
    }

    /// A request to a function's URL.
    async fn send(&self, function: &str, line: &str, body: Vec<u8>) -> Answer {
        let address: SocketAddr = self.host.url(function).trim_start_matches("http://").parse().unwrap();
        let head =
            format!("{line} HTTP/1.0\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n", self.token);
        tokio::task::spawn_blocking(move || exchange(address, &head, &body).unwrap()).await.unwrap()
    }

    /// A store below a part of the bucket, with a function's keys.
    async fn store_of(&self, function: &str, prefix: &str) -> S3Store {
        let location = S3Location::new(S3Server::BUCKET, prefix).unwrap();
        self.s3.store_as(location, S3Options::default(), (function, &secret(function))).await
    }

    /// What is there, whoever may see it.
    async fn keys(&self, prefix: &str) -> Vec<ObjectKey> {
        let page = self.s3.store("").await.list(prefix, None).await.unwrap();
        page.objects.into_iter().map(|object| object.key).collect()
    }

    /// Does something that is to go well, and tells what went wrong.
    async fn does(&self, step: Step) -> Result<(), String> {
        match step {
            Step::Ingest => {
                for request in requests().into_iter().take(3) {
                    status(self.send("ingest", "POST /v1/traces", request.into()).await)?;
                }
                Ok(())
            }
            Step::Search => {
                let line = "GET /api/search?q=%7B%7D&limit=1000&start=1793577000&end=1793599000";
                status(self.send("query", line, Vec::new()).await)
            }
            Step::LargeSearch => {
                let line =
                    "GET /api/search?q=%7Bspan.noise!=nil%7D&limit=1000&spss=100&start=1793570000&end=1793577000";
                status(self.send("query", line, Vec::new()).await)
            }
            Step::Compact => {
                // Until then level 0 has waited long enough, and nobody can need what was replaced by the run before.
                self.s3.advance(Duration::from_secs(2 * 3_600));
                let answer = self.host.invoke("compact", &json!({"task": "all"})).await.unwrap();
                match answer.error {
                    None => Ok(()),
                    Some(_) => Err(String::from_utf8_lossy(&answer.payload).into_owned()),
                }
            }
        }
    }

    /// Takes statements away, does something, and gives them back.
    async fn does_without(&self, function: &str, sid: &str, step: Step) -> Result<(), String> {
        let whole = self.roles.read().unwrap()[function].clone();
        self.roles.write().unwrap().insert(function.to_owned(), whole.without(sid));
        // A warm process need not read its tokens again, and for a while doesn't try again what was refused.
        self.host.cool(function);
        let done = self.does(step).await;
        self.roles.write().unwrap().insert(function.to_owned(), whole);
        self.host.cool(function);
        done
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Ingest,
    Search,
    LargeSearch,
    Compact,
}

fn secret(function: &str) -> String {
    format!("the secret key of {function}")
}

fn status(answer: Answer) -> Result<(), String> {
    match answer.status {
        200 => Ok(()),
        status => Err(format!("{status}: {}", String::from_utf8_lossy(&answer.body))),
    }
}

/// Spans that hardly compress, so that a shard's answer about them needs the bucket.
async fn make_noise(stack: &Stack) {
    let mut dice = fastrand::Rng::with_seed(7);
    for batch in 0..8_u64 {
        let spans = (0..2_500_u64).map(|number| {
            let number = batch * 2_500 + number;
            let noise: String = (0..1_000).map(|_| dice.alphanumeric()).collect();
            json!({"traceId": format!("{:032x}", number / 100 + 1), "spanId": format!("{:016x}", number + 1),
                "name": "noise", "startTimeUnixNano": format!("1793570100{number:09}"),
                "endTimeUnixNano": format!("1793570101{number:09}"),
                "attributes": [{"key": "noise", "value": {"stringValue": noise}}]})
        });
        let body = json!({"resourceSpans": [{"scopeSpans": [{"spans": spans.collect::<Vec<_>>()}]}]}).to_string();
        status(stack.send("ingest", "POST /v1/traces", body.into()).await).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_functions_need_what_their_roles_allow_and_no_more() {
    let stack = Stack::deploy().await;
    stack.does(Step::Ingest).await.unwrap();
    make_noise(&stack).await;
    stack.does(Step::Search).await.unwrap();
    stack.does(Step::LargeSearch).await.unwrap();
    assert!(stack.host.counters("scan").invocations > 1, "searches are cut");
    assert!(!stack.keys("results/").await.is_empty(), "large answers of scans go through the bucket");

    // No statement is there for nothing: without it something fails. (First what needs level 0, then what compacts it.)
    let needs = [
        ("ingest", "WriteLevel0", Step::Ingest),
        ("ingest", "ReadTokens", Step::Ingest),
        ("query", "ListTraces", Step::Search),
        ("query", "InvokeScan", Step::LargeSearch),
        ("query", "ExchangeResults", Step::LargeSearch),
        ("query", "ReadTokens", Step::Search),
        ("scan", "ReadTraces", Step::LargeSearch),
        ("scan", "WriteResults", Step::LargeSearch),
        ("compact", "ListTraces", Step::Compact),
        ("compact", "ChangeTraces", Step::Compact),
        ("query", "ReadTraces", Step::Search),
    ];
    for (function, sid, step) in needs {
        let done = stack.does_without(function, sid, step).await;
        let error = done.expect_err(&format!("{step:?} needs no {sid} of {function}"));
        let is_refused = error.to_lowercase().contains("denied") || error.contains("the tokens can't be read");
        assert!(is_refused, "{step:?} without {sid} of {function}: {error}");
        // With it all is well again; but a compaction is better made once.
        if !matches!(step, Step::Compact) {
            stack.does(step).await.unwrap_or_else(|error| panic!("{step:?} with {sid} of {function}: {error}"));
        }
    }
    let listed: BTreeSet<_> = needs.iter().map(|(function, sid, _)| (*function, *sid)).collect();
    for (function, role) in &*stack.roles.read().unwrap() {
        // (Lambda itself writes the log.)
        for sid in role.sids().filter(|sid| *sid != "WriteLog") {
            assert!(listed.contains(&(function, sid)), "what needs {sid} of {function}?");
        }
    }

    // Compaction replaces, and the next removes what it has replaced.
    let level_0 = stack.keys("traces/single-tenant/l0/").await.len();
    stack.does(Step::Compact).await.unwrap();
    assert!(!stack.keys("traces/single-tenant/blocks/").await.is_empty());
    assert_eq!(stack.keys("traces/single-tenant/l0/").await.len(), level_0, "queries under way may need them");
    stack.does(Step::Compact).await.unwrap();
    assert!(stack.keys("traces/single-tenant/l0/").await.len() < level_0);
    stack.does(Step::Search).await.unwrap();
    stack.does(Step::LargeSearch).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_role_leaves_out_is_refused() {
    let stack = Stack::deploy().await;
    stack.does(Step::Ingest).await.unwrap();
    let level_0 = stack.keys("traces/single-tenant/l0/").await.remove(0);
    let level_0 = ObjectKey::new(level_0.as_str().trim_start_matches("traces/")).unwrap();
    let key = |text| ObjectKey::new(text).unwrap();
    let (block, index, config, result) = (
        key("single-tenant/blocks/2026-11-02/x"),
        key("single-tenant/index/2026-11-02/x"),
        key("single-tenant/config"),
        key("single-tenant/x"),
    );
    // By function: whether it may read, write and delete what ingest, compaction, tenants and searches leave; and list.
    let traces = [&level_0, &block, &index, &config];
    // All are there: of what is not, who may not list learns no more than that it is denied.
    let there = || {
        for (prefix, object) in traces.map(|object| ("traces", object)).into_iter().chain([("results", &result)]) {
            stack.s3.insert(&format!("{prefix}/{object}"), "x");
        }
    };
    for (function, reads, writes, deletes, lists) in [
        ("ingest", "no", "only level 0", "no", false),
        ("query", "yes", "no", "no", true),
        ("scan", "yes", "no", "no", false),
        ("compact", "yes", "yes", "yes", true),
    ] {
        let store = stack.store_of(function, "traces").await;
        there();
        for object in traces {
            let own = *object == level_0;
            let may = |word| word == "yes" || (word == "only level 0" && own);
            assert_eq!(!denied(store.get(object).await), may(reads), "{function} reads {object}");
            assert_eq!(
                !denied(store.put_if_absent(object, "x".into()).await),
                may(writes),
                "{function} writes {object}"
            );
            if !own {
                assert_eq!(!denied(store.delete(object).await), may(deletes), "{function} deletes {object}");
            }
        }
        assert_eq!(!denied(store.list("single-tenant/", None).await), lists, "{function} lists");
    }
    for (function, reads, writes) in
        [("ingest", false, false), ("query", true, true), ("scan", false, true), ("compact", false, false)]
    {
        let store = stack.store_of(function, "results").await;
        there();
        assert_eq!(!denied(store.put_if_absent(&result, "x".into()).await), writes, "{function} writes results");
        assert_eq!(!denied(store.get(&result).await), reads, "{function} reads results");
        assert!(denied(store.delete(&result).await), "{function} deletes results");
        assert!(denied(store.list("", None).await), "{function} lists results");
    }
    let roles = stack.roles.read().unwrap();
    for (function, role) in &*roles {
        let invokes = FUNCTIONS.map(|(other, ..)| role.covers("lambda:InvokeFunction", &services::arn(other)));
        let expected = FUNCTIONS.map(|(other, ..)| function == "query" && other == "scan");
        assert_eq!(invokes, expected, "{function}");
        let knows_tokens = matches!(&**function, "ingest" | "query");
        assert_eq!(role.covers("secretsmanager:GetSecretValue", services::SECRET), knows_tokens, "{function}");
        assert!(!role.covers("secretsmanager:PutSecretValue", services::SECRET), "{function}");
    }
}

fn denied<T>(result: Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::PermissionDenied { .. }))
}
