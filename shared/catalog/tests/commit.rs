//! Commits and configurations while others commit, answers get lost and jobs grow old.

#![allow(clippy::unwrap_used)]

mod vocabulary;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use niente_catalog::{Change, Commit, DayCatalog, Error, JOB_LIFE, TenantConfig, commit};
use niente_model::{Nanos, Tenant};
use niente_store::{
    Action, MemoryStore, Store,
    testing::{Failure, Fault, Faulty},
};

use vocabulary::{at, block, id};

fn output(number: u128) -> Change {
    Change::Replace { inputs: vec![], outputs: vec![block(number, at(0).hour())] }
}

async fn blocks(store: &dyn Store) -> Vec<niente_catalog::ObjectId> {
    let (catalog, _) = DayCatalog::read(store, &Tenant::single(), at(0).hour().day()).await.unwrap();
    catalog.blocks().map(|block| block.id).collect()
}

/// A store of which the n-th write goes as said, and every other one well.
fn with_fault(store: Arc<MemoryStore>, nth: usize, fault: Fault) -> Faulty {
    let writes = AtomicUsize::new(0);
    Faulty::new(store, move |request| match request.action {
        Action::Write | Action::Replace if writes.fetch_add(1, Ordering::Relaxed) == nth => fault,
        _ => Fault::None,
    })
}

#[tokio::test]
async fn many_at_once_all_get_in() {
    let store = Arc::new(MemoryStore::new());
    let commits = (0..16).map(|number| {
        let store = store.clone();
        tokio::spawn(async move {
            commit(&*store, &Tenant::single(), at(0).hour().day(), &output(number), Nanos::ZERO).await.unwrap()
        })
    });
    for done in futures::future::join_all(commits).await {
        assert_eq!(done.unwrap(), Commit::Done);
    }
    assert_eq!(blocks(&*store).await, (0..16).map(id).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_answer_that_is_lost_after_the_write_makes_no_difference() {
    // The first commit creates the catalog, the second replaces it.
    for nth in 0..2 {
        for fault in [Fault::After(Failure::TimedOut), Fault::Before(Failure::Reset), Fault::Before(Failure::SlowDown)]
        {
            let store = Arc::new(MemoryStore::new());
            let faulty = with_fault(store.clone(), nth, fault);
            for number in 0..2 {
                let done = commit(&faulty, &Tenant::single(), at(0).hour().day(), &output(number), Nanos::ZERO).await;
                assert_eq!(done.unwrap(), Commit::Done);
            }
            assert_eq!(blocks(&*store).await, [id(0), id(1)]);
        }
    }
}

#[tokio::test]
async fn a_store_that_never_answers_is_an_error() {
    let faulty = Faulty::new(Arc::new(MemoryStore::new()), |request| match request.action {
        Action::Write => Fault::Before(Failure::TimedOut),
        _ => Fault::None,
    });
    let done = commit(&faulty, &Tenant::single(), at(0).hour().day(), &output(1), Nanos::ZERO).await;
    assert!(matches!(done, Err(Error::Store(niente_store::Error::Unavailable { .. }))), "{done:?}");
}

#[tokio::test]
async fn a_job_that_took_too_long_does_not_commit() {
    let store = MemoryStore::new();
    let day = at(0).hour().day();
    store.set_now(at(0).saturating_add(JOB_LIFE));
    assert_eq!(commit(&store, &Tenant::single(), day, &output(1), at(0)).await.unwrap(), Commit::Done);
    store.set_now(at(1).saturating_add(JOB_LIFE));
    assert_eq!(commit(&store, &Tenant::single(), day, &output(2), at(0)).await.unwrap(), Commit::TooLate);
    // What is in already is in.
    assert_eq!(commit(&store, &Tenant::single(), day, &output(1), at(0)).await.unwrap(), Commit::Done);
    assert_eq!(blocks(&store).await, [id(1)]);
}

#[tokio::test]
async fn configurations_change_one_after_the_other() {
    let store = Arc::new(MemoryStore::new());
    let tenant = Tenant::single();
    let changes = (1..=16u64).map(|number| {
        let (store, tenant) = (store.clone(), tenant.clone());
        tokio::spawn(async move {
            let trace = niente_model::TraceId::from_slice(&number.to_be_bytes()).unwrap();
            TenantConfig::update(&*store, &tenant, |config| config.redact(trace, at(number))).await.unwrap()
        })
    });
    futures::future::join_all(changes).await;
    TenantConfig::update(&*store, &tenant, |config| config.retention_days = Some(30)).await.unwrap();
    let (config, _) = TenantConfig::read(&*store, &tenant).await.unwrap();
    assert_eq!((config.redactions.len(), config.last_redaction, config.retention_days), (16, 16, Some(30)));
    let mut numbers: Vec<_> = config.redactions.values().map(|redaction| redaction.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=16).collect::<Vec<_>>());

    // The same again changes nothing.
    let again = "1".parse().unwrap();
    assert_eq!(TenantConfig::update(&*store, &tenant, |config| config.redact(again, at(99))).await.unwrap(), config);
}

#[test]
fn a_day_expires_as_a_whole() {
    let day = at(0).hour().day();
    let config = TenantConfig { retention_days: Some(2), ..TenantConfig::default() };
    let after = |days: u64| day.end().saturating_add(Nanos::from_secs(days * 24 * 3_600));
    assert!(!config.has_expired(day, after(2).saturating_sub(Nanos::from_secs(1))));
    assert!(config.has_expired(day, after(2)));
    assert!(!TenantConfig::default().has_expired(day, Nanos::MAX));
}
