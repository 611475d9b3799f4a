//! A token of one tenant reaches nothing of another's, whatever comes with it; what is no token reaches nothing.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use bytes::Bytes;
use http::{Method, Request, Response};
use niente_api::{Clock, Gate, Right, SourceError, TenantScope, Token, TokenDocument, TokenEntry, TokenSource};
use niente_cost::Budget;
use niente_model::{Nanos, Tenant};
use niente_store::MemoryStore;

use crate::harness::{InProcess, NOW, text, without_counters};

const ECHO: &str = "/api/echo";
const SEARCH: &str = "/api/search?q=%7B%7D&start=1793577000&end=1793590000";
/// The names of all spans.
const NAMES: &str = "/api/v2/search/tag/name/values?start=1793577000&end=1793590000";
/// A trace of tenant `a`, and one of tenant `b`.
const A: &str = "000000000000000000000000000000aa";
const B: &str = "000000000000000000000000000000bb";

/// What can be asked for, and needs a token.
const PATHS: [&str; 6] = [
    ECHO,
    SEARCH,
    "/api/traces/bb",
    "/api/v2/traces/bb?start=1793577000&end=1793590000",
    "/api/status/buildinfo",
    "/there/is/nothing/here",
];

/// A server with traces of two tenants, the document with the tokens for it, and its clock.
struct House {
    server: InProcess,
    document: Arc<Document>,
    seconds: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct Document {
    tokens: Mutex<TokenDocument>,
    reads: AtomicUsize,
}

#[async_trait::async_trait]
impl TokenSource for Document {
    async fn read(&self) -> Result<Bytes, SourceError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        Ok(self.tokens.lock().unwrap().encode().into())
    }
}

impl House {
    /// Tokens 1 and 2 are good for all that concerns `a` and `b`, 3 for questions about both and 4 about every tenant,
    /// 5 has expired.
    async fn new() -> Self {
        let (document, seconds) = (Arc::new(Document::default()), Arc::new(AtomicU64::new(NOW.as_secs())));
        let time = seconds.clone();
        let clock = Clock::new(move || Nanos::from_secs(time.load(Ordering::Relaxed)));
        let server = InProcess::guarded(Arc::new(MemoryStore::new()), Gate::guarded(document.clone()), clock);
        let house = Self { server, document, seconds };
        house.list(1, "a", Right::Admin, None);
        house.list(2, "b", Right::Admin, None);
        house.list(3, "a b", Right::Query, None);
        house.list(4, "*", Right::Query, None);
        house.list(5, "a", Right::Admin, Some(NOW));
        for (byte, trace) in [(1, A), (2, B)] {
            assert_eq!(house.push(&[bearer(byte)], trace).await.status(), 200);
        }
        house
    }

    fn list(&self, byte: u8, tenants: &str, right: Right, expires: Option<Nanos>) {
        let only = |names: &str| names.split(' ').map(|name| Tenant::new(name).unwrap()).collect();
        let entry = TokenEntry {
            id: token(byte).id(),
            name: "test".to_owned(),
            hash: token(byte).hash(),
            tenants: if tenants == "*" { TenantScope::Every } else { TenantScope::Only(only(tenants)) },
            rights: [right].into_iter().collect(),
            expires,
            budget: Budget::UNLIMITED,
        };
        self.document.tokens.lock().unwrap().add(entry).unwrap();
    }

    fn revoke(&self, byte: u8) {
        let mut tokens = self.document.tokens.lock().unwrap();
        let kept = tokens.entries().iter().filter(|entry| entry.id != token(byte).id()).cloned().collect::<Vec<_>>();
        *tokens = TokenDocument::default();
        kept.into_iter().for_each(|entry| tokens.add(entry).unwrap());
    }

    fn pass(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Ordering::Relaxed);
    }

    fn reads(&self) -> usize {
        self.document.reads.load(Ordering::Relaxed)
    }

    async fn send(&self, method: Method, path: &str, headers: &[Header], body: String) -> Response<Bytes> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, value.as_slice());
        }
        self.server.send(request, body.into()).await
    }

    async fn get(&self, path: &str, headers: &[Header]) -> Response<Bytes> {
        self.send(Method::GET, path, headers, String::new()).await
    }

    async fn push(&self, headers: &[Header], trace: &str) -> Response<Bytes> {
        let json = ("content-type", b"application/json".to_vec());
        self.send(Method::POST, "/v1/traces", &[&[json], headers].concat(), export(trace)).await
    }

    /// Nothing that needs a token is answered to a request with these headers.
    async fn refuses(&self, headers: &[Header], status: u16, words: &str) {
        let mut answers = vec![self.push(headers, A).await];
        for path in PATHS {
            answers.push(self.get(path, headers).await);
        }
        for answer in answers {
            let said = text(&answer);
            assert_eq!(answer.status(), status, "{said}");
            assert!(said.contains(words) && said.len() < 300, "{said}");
            assert_eq!(answer.headers().contains_key("www-authenticate"), status == 401);
            assert!(!said.contains("niente_"), "{said}");
        }
    }

    /// All that token 1 can get to see with these headers, in one text.
    async fn seen(&self, headers: &[Header]) -> String {
        let mut seen = String::new();
        for path in PATHS {
            seen += &text(&self.get(path, &[&[bearer(1)], headers].concat()).await);
        }
        seen
    }
}

type Header = (&'static str, Vec<u8>);

fn token(byte: u8) -> Token {
    Token::from_random([byte; Token::RANDOM_BYTES])
}

fn bearer(byte: u8) -> Header {
    ("authorization", format!("Bearer {}", token(byte).reveal()).into_bytes())
}

fn authorization(value: impl Into<Vec<u8>>) -> Header {
    ("authorization", value.into())
}

fn tenant(name: impl Into<Vec<u8>>) -> Header {
    ("x-scope-orgid", name.into())
}

/// A span whose name is its trace's ID.
fn export(trace: &str) -> String {
    let times = r#""startTimeUnixNano":"1793580000000000000","endTimeUnixNano":"1793580001000000000""#;
    let span = format!(r#"{{"traceId":"{trace}","spanId":"00000000000000a1","name":"of {trace}",{times}}}"#);
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{span}]}}]}}]}}"#)
}

#[tokio::test]
async fn without_a_good_token_nothing_is_answered() {
    let house = House::new().await;
    house.refuses(&[], 401, "this needs a token").await;
    house.refuses(&[tenant("a")], 401, "this needs a token").await;
    house.refuses(&[bearer(9)], 401, "the token is not known").await;
    house.refuses(&[bearer(5)], 401, "the token has expired").await;
    let good = token(1).reveal().to_owned();
    let other = token(2).reveal().to_owned();
    let mixed = good[..20].to_owned() + &other[20..];
    for wrong in ["", "x", &mixed, &good.to_uppercase(), &good[..83], &format!("{good}0"), &format!("{good} {good}")] {
        house.refuses(&[authorization(format!("Bearer {wrong}"))], 401, "the token is not known").await;
    }
    for wrong in ["Basic", "Basic !!!", "Basic Og==", "Basic niente"] {
        house.refuses(&[authorization(wrong)], 401, "the token is not known").await;
    }
    for wrong in [&good, &format!("Digest {good}"), &format!("\tBearer {good}"), ""] {
        house.refuses(&[authorization(wrong.as_bytes())], 401, "this needs a token").await;
    }
    assert_eq!(house.get("/ready", &[]).await.status(), 200);
}

#[tokio::test]
async fn odd_headers_are_refused() {
    let house = House::new().await;
    house.refuses(&[bearer(1), bearer(1)], 400, "is there several times").await;
    house.refuses(&[bearer(1), bearer(9)], 400, "is there several times").await;
    house.refuses(&[authorization(b"Bearer \xff\xfe")], 400, "is not UTF-8").await;
    for length in [5_000, 60_000, 1 << 20] {
        let long = [b"Bearer ".to_vec(), vec![b'x'; length]].concat();
        house.refuses(&[authorization(long)], 400, "is longer than 4096 bytes").await;
    }
    for names in ["x".repeat(1 << 20), "a|".repeat(1 << 19), "../".repeat(300_000)] {
        let answer = house.get(SEARCH, &[bearer(4), tenant(names)]).await;
        assert!(answer.status() == 400 && answer.body().len() < 300, "{}", text(&answer));
    }
}

#[tokio::test]
async fn a_wrong_token_is_told_what_an_unknown_one_is() {
    let house = House::new().await;
    let wrong = token(1).reveal()[..20].to_owned() + &"0".repeat(64);
    let wrong = house.get(SEARCH, &[authorization(format!("Bearer {wrong}"))]).await;
    let unknown = house.get(SEARCH, &[bearer(9)]).await;
    assert_eq!((wrong.status(), wrong.headers(), wrong.body()), (unknown.status(), unknown.headers(), unknown.body()));
}

#[tokio::test]
async fn tenant_names_lead_nowhere_else() {
    let house = House::new().await;
    let own = house.seen(&[]).await;
    assert!(own.contains(&A[30..]) && !own.contains(&format!("of {B}")), "{own}");
    for name in [
        &b"b"[..],
        b"B",
        b"A",
        b"*",
        b"a|b",
        b"b|a",
        b"a||b",
        b"|b",
        b"a|",
        b"|",
        b"",
        b"a,b",
        b"a, b",
        b"a;b",
        b"a b",
        b"../b",
        b"..",
        b".",
        b"a/../b",
        b"a|../b",
        b"/b",
        b"b/",
        b"%2e%2e",
        b"%2e%2e%2fb",
        b"..%2Fb",
        b"a%7Cb",
        b"%62",
        b"..\\b",
        b"a\xc0\xaf..\xc0\xafb",
        b"a\xff",
        "ｂ".as_bytes(),
        b"single-tenant",
    ] {
        let told = format!("{:?}", String::from_utf8_lossy(name));
        let seen = house.seen(&[tenant(name)]).await;
        assert!(!seen.contains(&format!("of {B}")) && !seen.contains("\"traceID\""), "{told}: {seen}");
        for path in [SEARCH, NAMES, "/api/search/tags", "/api/traces/bb", "/api/v2/traces/bb", ECHO] {
            let answer = house.get(path, &[bearer(1), tenant(name)]).await;
            assert!([400, 403].contains(&answer.status().as_u16()), "{told}: {}", text(&answer));
        }
        let pushed = house.push(&[bearer(1), tenant(name)], B).await;
        assert!([400, 403].contains(&pushed.status().as_u16()), "{told}: {}", text(&pushed));
    }
    assert!(http::HeaderValue::from_bytes(b"a\0b").is_err(), "no request can have a NUL in a header");
    for headers in [
        &[tenant("a"), tenant("b")][..],
        &[tenant("a"), tenant("a")],
        &[("X-Scope-OrgID", b"a".to_vec()), ("x-scope-orgid", b"b".to_vec())],
        &[("X-SCOPE-ORGID", b"b".to_vec())],
        &[tenant("b"), ("x-forwarded-for", b"127.0.0.1".to_vec()), ("x-tenant", b"a".to_vec())],
    ] {
        assert!(!house.seen(headers).await.contains("\"traceID\""), "{headers:?}");
    }
    // Nothing of all that has been stored.
    let all = text(&house.get(SEARCH, &[bearer(3), tenant("a|b")]).await);
    assert_eq!(all.matches("\"traceID\"").count(), 2, "{all}");
}

#[tokio::test]
async fn parameters_name_no_tenant() {
    let house = House::new().await;
    for path in [
        "/api/traces/..%2f..%2fb%2fbb",
        "/api/traces/../b/bb",
        "/api/traces/bb%00",
        "/api/traces/%2e%2e",
        "/api/v2/traces/bb|aa",
        "/api/traces/bb?X-Scope-OrgID=b&tenant=b",
        "/api/search?q=%7B%7D&start=1793577000&end=1793590000&X-Scope-OrgID=b&orgID=b",
        "/api/v2/search/tag/name/values?start=1793577000&end=1793590000&X-Scope-OrgID=b&tenant=b",
        "/api/v2/search/tag/..%2f..%2fb%2fname/values?start=1793577000&end=1793590000",
        "/b/api/search",
        "/api/search/../../b",
    ] {
        let answer = house.get(path, &[bearer(1)]).await;
        assert!([200, 400, 404].contains(&answer.status().as_u16()), "{path}: {}", text(&answer));
        assert!(!text(&answer).contains(&format!("of {B}")) && !text(&answer).contains("\"bb\""), "{path}");
    }
}

#[tokio::test]
async fn a_token_of_several_tenants_sees_those_that_it_names() {
    let house = House::new().await;
    let ids = async |byte: u8, names: &str| {
        let answer = house.get(SEARCH, &[bearer(byte), tenant(names)]).await;
        assert_eq!(answer.status(), 200, "{}", text(&answer));
        ["aa", "bb"].map(|id| text(&answer).contains(&format!("\"traceID\":\"{id}\"")))
    };
    for byte in [3, 4] {
        assert_eq!(ids(byte, "a").await, [true, false]);
        assert_eq!(ids(byte, "b").await, [false, true]);
        assert_eq!(ids(byte, "b|a|b").await, [true, true]);
    }
    assert_eq!(ids(4, "nobody|single-tenant").await, [false, false]);
    assert_eq!(house.get(SEARCH, &[bearer(3)]).await.status(), 400, "it has to say which");
    assert_eq!(house.get(SEARCH, &[bearer(3), tenant("a|c")]).await.status(), 403);
}

#[tokio::test]
async fn rights_are_kept_apart() {
    let house = House::new().await;
    house.list(6, "a", Right::Ingest, None);
    house.pass(5);
    let pushed = house.push(&[bearer(3), tenant("a")], A).await;
    assert_eq!((pushed.status().as_u16(), &*text(&pushed)), (403, "the token has not the right to ingest"));
    assert_eq!(house.push(&[bearer(6)], A).await.status(), 200);
    for path in &PATHS[..5] {
        let answer = house.get(path, &[bearer(6)]).await;
        assert_eq!((answer.status().as_u16(), &*text(&answer)), (403, "the token has not the right to query"));
    }
}

#[tokio::test]
async fn many_wrong_tokens_do_not_reach_the_source() {
    let house = House::new().await;
    assert_eq!(house.reads(), 1);
    house.pass(30);
    for byte in 10..=255 {
        assert_eq!(house.get(ECHO, &[bearer(byte)]).await.status(), 401);
        assert_eq!(house.get(ECHO, &[authorization("Bearer guess")]).await.status(), 401);
        assert_eq!(house.get(ECHO, &[bearer(1)]).await.status(), 200);
    }
    assert_eq!(house.reads(), 2);
}

#[tokio::test]
async fn a_token_is_rotated_without_a_restart() {
    let house = House::new().await;
    assert_eq!(house.get(ECHO, &[bearer(1)]).await.status(), 200);
    // Both are good while clients change over.
    house.list(7, "a", Right::Admin, None);
    house.pass(5);
    assert!(text(&house.get(SEARCH, &[bearer(7)]).await).contains("\"traceID\":\"aa\""));
    assert_eq!(house.get(ECHO, &[bearer(1)]).await.status(), 200);
    house.revoke(1);
    house.pass(60);
    house.refuses(&[bearer(1)], 401, "the token is not known").await;
    assert_eq!(house.get(ECHO, &[bearer(7)]).await.status(), 200);
}

#[tokio::test]
async fn a_replayed_body_changes_nothing() {
    let house = House::new().await;
    let answers = async || {
        let mut answers = Vec::new();
        for (byte, path) in [(1, SEARCH), (1, "/api/traces/aa"), (1, "/api/v2/traces/aa"), (2, SEARCH)] {
            answers.push(without_counters(&house.get(path, &[bearer(byte)]).await));
        }
        answers
    };
    let before = answers().await;
    for _ in 0..3 {
        assert_eq!(house.push(&[bearer(1)], A).await.status(), 200);
        house.pass(100);
    }
    // Somebody who has caught it, but no token for it.
    house.refuses(&[], 401, "this needs a token").await;
    assert_eq!(house.push(&[bearer(2), tenant("a")], A).await.status(), 403);
    assert_eq!(answers().await, before);
    // Sent as one's own it is one's own, and changes nothing of the other's.
    assert_eq!(house.push(&[bearer(2)], A).await.status(), 200);
    assert_eq!(answers().await[..3], before[..3]);
}
