//! Processes that stand still for hours, as a laptop's do when it sleeps, and what others do meanwhile.

#![allow(clippy::unwrap_used)]

mod vocabulary;

use std::sync::{Arc, Mutex};

use niente_catalog::{Catalog, Change, Commit, DayCatalog, JOB_LIFE, Name, TenantConfig, commit};
use niente_compact::{Gc, Policy, Scope};
use niente_model::{Nanos, Tenant};
use niente_store::{
    Action, MemoryStore, Store,
    testing::{Fault, Faulty, Request},
};

use vocabulary::{DAY, HOUR, at, compactor, rows, span, write};

const AT_ONCE: Gc = Gc { grace: Nanos::ZERO, dry_run: false, retention_days: None };

/// A store whose clock moves on by so many seconds with each request of this kind, before it is answered.
fn slow(memory: &Arc<MemoryStore>, second: u64, by: u64, kind: fn(&Request) -> bool) -> Arc<dyn Store> {
    let (clock, now) = (memory.clone(), Mutex::new(second));
    memory.set_now(at(second));
    Arc::new(Faulty::new(memory.clone(), move |request: &Request| {
        if kind(request) {
            let mut now = now.lock().unwrap();
            *now += by;
            clock.set_now(at(*now));
        }
        Fault::None
    }))
}

#[tokio::test]
async fn a_job_is_as_old_as_what_it_has_seen() {
    // Or it could commit what was replaced, deleted and forgotten since it looked.
    let (memory, tenant) = (Arc::new(MemoryStore::new()), Tenant::single());
    write(&*memory, vec![span(1, 1, 10)]).await;
    let read = Arc::new(Mutex::new(Nanos::MAX));
    let (clock, first) = (memory.clone(), read.clone());
    let now = Mutex::new(at(HOUR));
    let store = Faulty::new(memory.clone(), move |request: &Request| {
        let mut now = now.lock().unwrap();
        *now = now.saturating_add(Nanos::from_secs(HOUR));
        clock.set_now(*now);
        if request.action == Action::Read && request.key.contains("/catalog/") {
            let mut first = first.lock().unwrap();
            *first = (*first).min(*now);
        }
        Fault::None
    });
    let states = compactor(Arc::new(store), Policy::everything()).survey(&tenant, Scope::Everything).await.unwrap();
    assert!(states[0].now <= *read.lock().unwrap());
}

#[tokio::test]
async fn what_was_replaced_is_remembered_while_jobs_that_have_read_it_live() {
    let (memory, tenant) = (Arc::new(MemoryStore::new()), Tenant::single());
    memory.set_now(at(HOUR));
    write(&*memory, vec![span(1, 1, 10)]).await;
    let compactor = compactor(memory.clone(), Policy::everything());
    let slow = compactor.survey(&tenant, Scope::Everything).await.unwrap().remove(0);
    compactor.sweep(&tenant, Scope::Everything, &mut |_| {}).await.unwrap();
    let left = rows(memory.clone()).await;
    AT_ONCE.run(compactor.catalog(), &tenant, &mut |_| {}).await.unwrap();

    // The slow one has read the object, and merged it too.
    let (catalog, _) = DayCatalog::read(&*memory, &tenant, slow.day).await.unwrap();
    let mut output = catalog.blocks().next().unwrap().clone();
    output.id = niente_catalog::ObjectId::new(slow.now, 99);
    let change = Change::Replace { inputs: vec![Name::Level0(slow.level_0[0].0)], outputs: vec![output] };
    assert_eq!(commit(&*memory, &tenant, slow.day, &change, slow.now).await.unwrap(), Commit::Stale);

    // Once it may not commit any more, nothing needs to be remembered.
    memory.set_now(at(HOUR).saturating_add(JOB_LIFE).saturating_add(Nanos::from_secs(HOUR)));
    AT_ONCE.run(compactor.catalog(), &tenant, &mut |_| {}).await.unwrap();
    let (catalog, _) = DayCatalog::read(&*memory, &tenant, slow.day).await.unwrap();
    assert_eq!(catalog.replaced().len(), 0);
    assert_eq!(commit(&*memory, &tenant, slow.day, &change, slow.now).await.unwrap(), Commit::TooLate);
    assert_eq!(rows(memory).await, left);
}

#[tokio::test]
async fn an_expiry_that_comes_too_late_deletes_nothing() {
    let (memory, tenant) = (Arc::new(MemoryStore::new()), Tenant::single());
    memory.set_now(at(HOUR));
    write(&*memory, vec![span(1, 1, 10)]).await;
    compactor(memory.clone(), Policy::everything()).sweep(&tenant, Scope::Everything, &mut |_| {}).await.unwrap();
    let left = rows(memory.clone()).await;
    TenantConfig::update(&*memory, &tenant, |config| config.retention_days = Some(1)).await.unwrap();

    let two_hours_each = slow(&memory, 3 * DAY, 2 * HOUR, |request| request.action == Action::Now);
    AT_ONCE.run(&Catalog::new(two_hours_each), &tenant, &mut |_| {}).await.unwrap();
    assert_eq!(rows(memory.clone()).await, left);

    AT_ONCE.run(&Catalog::new(memory.clone()), &tenant, &mut |_| {}).await.unwrap();
    assert_eq!(rows(memory).await, []);
}

#[tokio::test]
async fn a_block_that_was_young_when_gc_began_is_none_of_its_business() {
    // Its job may have committed it just after gc had read the catalog.
    let (memory, tenant) = (Arc::new(MemoryStore::new()), Tenant::single());
    memory.set_now(at(HOUR));
    let key = Name::Block(niente_catalog::ObjectId::new(at(HOUR), 1)).key(&tenant, at(0).hour().day());
    memory.put_if_absent(&key, "a block".into()).await.unwrap();
    let half_a_day_each = slow(&memory, 2 * HOUR, DAY / 2, |request| request.action == Action::List);
    AT_ONCE.run(&Catalog::new(half_a_day_each), &tenant, &mut |_| {}).await.unwrap();
    assert!(memory.head(&key).await.is_ok());

    AT_ONCE.run(&Catalog::new(memory.clone()), &tenant, &mut |_| {}).await.unwrap();
    assert!(memory.head(&key).await.is_err());
}
