use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use niente_cost::Budget;

use super::{
    super::{Right, SourceError, TenantScope, TokenEntry},
    *,
};

/// A document in memory that counts how often it is read, and fails if there is none.
#[derive(Debug, Default)]
struct Memory {
    document: Mutex<Option<Vec<u8>>>,
    reads: AtomicUsize,
}

#[async_trait]
impl TokenSource for Memory {
    async fn read(&self) -> Result<Bytes, SourceError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        // Others may come in between.
        tokio::task::yield_now().await;
        self.document.lock().unwrap().clone().map(Bytes::from).ok_or_else(|| "it is gone".into())
    }
}

/// A gate over such a document, and a clock that stands still.
struct House {
    memory: Arc<Memory>,
    gate: Gate,
    seconds: Arc<AtomicU64>,
    clock: Clock,
}

impl House {
    fn with(tokens: &[u8]) -> Self {
        let (memory, seconds) = (Arc::new(Memory::default()), Arc::new(AtomicU64::new(1_000_000)));
        let time = seconds.clone();
        let clock = Clock::new(move || Nanos::from_secs(time.load(Ordering::Relaxed)));
        let house = Self { gate: Gate::guarded(memory.clone()), memory, seconds, clock };
        house.list(tokens);
        house
    }

    /// From now on these are the tokens.
    fn list(&self, tokens: &[u8]) {
        let mut document = TokenDocument::default();
        tokens.iter().for_each(|byte| document.add(entry(*byte)).unwrap());
        *self.memory.document.lock().unwrap() = Some(document.encode());
    }

    fn write(&self, document: Option<&str>) {
        *self.memory.document.lock().unwrap() = document.map(|text| text.as_bytes().to_vec());
    }

    fn pass(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Ordering::Relaxed);
    }

    fn reads(&self) -> usize {
        self.memory.reads.load(Ordering::Relaxed)
    }

    async fn ask(&self, byte: u8) -> Result<Principal, AuthError> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, format!("Bearer {}", token(byte).reveal()).parse().unwrap());
        self.gate.authenticate(&headers, &self.clock).await
    }
}

fn token(byte: u8) -> Token {
    Token::from_random([byte; Token::RANDOM_BYTES])
}

/// Token 9 expires when the clock of a [`House`] has gone on for 100 seconds.
fn entry(byte: u8) -> TokenEntry {
    TokenEntry {
        id: token(byte).id(),
        name: "test".to_owned(),
        hash: token(byte).hash(),
        tenants: TenantScope::Every,
        rights: [Right::Query].into_iter().collect(),
        expires: (byte == 9).then_some(Nanos::from_secs(1_000_100)),
        budget: Budget { dollars: None, bytes: Some(7) },
    }
}

#[tokio::test]
async fn holders_of_tokens_are_let_in() {
    let house = House::with(&[1]);
    let principal = house.ask(1).await.unwrap();
    assert_eq!((principal.token, principal.budget.bytes), (Some(token(1).id()), Some(7)));
    assert_eq!(house.ask(2).await, Err(AuthError::Unknown));
    assert_eq!(house.gate.authenticate(&HeaderMap::new(), &house.clock).await, Err(AuthError::Missing));
}

#[tokio::test]
async fn open_and_closed_gates_ask_for_nothing() {
    let house = House::with(&[]);
    let none = HeaderMap::new();
    assert_eq!(Gate::Closed.authenticate(&none, &house.clock).await, Err(AuthError::Closed));
    let anybody = Gate::Open.authenticate(&none, &house.clock).await.unwrap();
    assert!(anybody.token.is_none() && Right::ALL.into_iter().all(|right| anybody.require(right).is_ok()));
}

#[tokio::test]
async fn a_document_is_read_once_a_minute() {
    let house = House::with(&[1]);
    for (seconds, reads) in [(0, 1), (59, 1), (1, 2), (30, 2), (29, 2), (1, 3)] {
        house.pass(seconds);
        house.ask(1).await.unwrap();
        assert_eq!(house.reads(), reads);
    }
    // A clock that goes back is no reason to believe it for longer.
    house.seconds.fetch_sub(3_600, Ordering::Relaxed);
    house.ask(1).await.unwrap();
    assert_eq!(house.reads(), 4);
}

#[tokio::test]
async fn requests_at_a_time_share_a_read() {
    let house = House::with(&[1]);
    let (a, b, c) = tokio::join!(house.ask(1), house.ask(1), house.ask(2));
    assert!(a.is_ok() && b.is_ok() && c == Err(AuthError::Unknown));
    assert_eq!(house.reads(), 1);
}

#[tokio::test]
async fn many_wrong_tokens_cost_a_read_every_five_seconds() {
    let house = House::with(&[1]);
    house.ask(1).await.unwrap();
    for _ in 0..20 {
        for byte in 2..=40 {
            assert_eq!(house.ask(byte).await, Err(AuthError::Unknown));
        }
        house.pass(1);
    }
    assert_eq!(house.reads(), 4);
}

#[tokio::test]
async fn a_token_works_when_it_is_new_and_stops_when_it_is_removed() {
    let house = House::with(&[1]);
    house.ask(1).await.unwrap();
    house.list(&[1, 2]);
    house.pass(5);
    house.ask(2).await.unwrap();
    house.list(&[2]);
    house.pass(59);
    house.ask(1).await.unwrap();
    house.pass(1);
    assert_eq!(house.ask(1).await, Err(AuthError::Unknown));
    house.ask(2).await.unwrap();
}

#[tokio::test]
async fn a_token_expires() {
    let house = House::with(&[9]);
    house.pass(99);
    house.ask(9).await.unwrap();
    house.pass(1);
    assert_eq!(house.ask(9).await, Err(AuthError::Expired(Nanos::from_secs(1_000_100))));
}

#[tokio::test]
async fn what_was_read_counts_for_an_hour_if_the_source_fails() {
    for broken in [None, Some("{"), Some(r#"{"niente": 2}"#), Some("")] {
        let house = House::with(&[1]);
        house.ask(1).await.unwrap();
        house.write(broken);
        for _ in 0..59 {
            house.pass(60);
            house.ask(1).await.unwrap();
            assert_eq!(house.ask(2).await, Err(AuthError::Unknown));
        }
        assert_eq!(house.reads(), 60, "one a minute, whoever asks");
        house.pass(60);
        assert_eq!(house.ask(1).await, Err(AuthError::Unavailable));
        // As soon as it is whole again, all is well.
        house.list(&[1]);
        assert_eq!(house.ask(1).await, Err(AuthError::Unavailable), "not at every request");
        house.pass(5);
        house.ask(1).await.unwrap();
    }
}

#[tokio::test]
async fn without_any_document_nobody_is_let_in() {
    let house = House::with(&[]);
    house.write(None);
    assert_eq!(house.ask(1).await, Err(AuthError::Unavailable));
}

#[test]
fn debug_shows_the_source_alone() {
    let house = House::with(&[]);
    let text = format!("{:?}", Gate::guarded(house.memory));
    assert!(text.starts_with("Guarded(Guard { source: Memory") && !text.contains("tokens"), "{text}");
}
