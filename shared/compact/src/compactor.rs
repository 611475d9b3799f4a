use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use niente_catalog::{Catalog, Commit, JOB_LIFE, L0Name, TenantConfig, catalog_days, level_0};
use niente_model::{Day, Nanos, Tenant, TimeRange};
use niente_store::{Error as StoreError, ErrorKind, ObjectKey, ObjectMeta};

use crate::{DayState, Done, Error, Job, Policy};

/// Where random bits come from: 80 of each number are used.
pub type Random = Arc<dyn Fn() -> u128 + Send + Sync>;

/// Keeps a store's blocks few and large.
///
/// It has no state: every method looks at what there is. Any number of them may run at the same time.
#[derive(Clone)]
pub struct Compactor {
    pub(crate) catalog: Catalog,
    pub(crate) policy: Policy,
    pub(crate) random: Random,
}

/// Which of a tenant's days to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Those in which something can be due: days with level 0, and the last few.
    Recent,
    /// Every day.
    Everything,
}

/// What happens during a sweep, for who wants to tell of it.
#[derive(Clone, Debug)]
pub enum Event<'e> {
    /// A job begins.
    Begins(&'e DayState, &'e Job),
    /// A job has ended.
    Ended(&'e DayState, &'e Done),
    /// A job was given up, since somebody else was faster or an object that it read is gone.
    Outrun(&'e DayState, &'e Job),
}

/// Days before today that a sweep looks at though nothing new has come: their hours and they themselves may just have
/// closed.
const RECENT: Nanos = Nanos::from_secs(2 * 24 * 3_600);
/// No job begins by a state that is older than this: it would be too late for its commit.
const STATE_LIFE: Nanos = Nanos::from_secs(JOB_LIFE.as_secs() / 6);
/// A sweep ends after so many rounds of plans for a day, though more may have become due meanwhile.
const ROUNDS: u32 = 32;

impl Compactor {
    /// A compactor of what this catalog shows.
    pub fn new(catalog: Catalog, policy: Policy, random: Random) -> Self {
        Self { catalog, policy, random }
    }

    /// The catalog.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// What a tenant's days hold.
    ///
    /// Costs a listing of level 0, of everything also one of the catalogs, and a `GET` for each day and for the
    /// configuration.
    pub async fn survey(&self, tenant: &Tenant, scope: Scope) -> Result<Vec<DayState>, Error> {
        let store = &**self.catalog.store();
        let config = self.catalog.config(tenant).await?;
        // Level 0 first, then the catalogs: the order of every snapshot.
        let mut by_day: BTreeMap<Day, Vec<(L0Name, ObjectMeta)>> = BTreeMap::new();
        for (name, meta) in level_0(store, tenant).await? {
            by_day.entry(name.hour().day()).or_default().push((name, meta));
        }
        let mut days: BTreeSet<Day> = by_day.keys().copied().collect();
        match scope {
            Scope::Everything => days.extend(catalog_days(store, tenant).await?),
            Scope::Recent => {
                let now = store.now().await?;
                let recent = TimeRange::new(now.saturating_sub(RECENT), now).expect("the past is before the present");
                days.extend(recent.days());
            }
        }
        let mut states = Vec::with_capacity(days.len());
        for day in days {
            let level_0 = by_day.remove(&day).unwrap_or_default();
            states.push(self.state(tenant, day, level_0, &config).await?);
        }
        Ok(states)
    }

    async fn state(
        &self,
        tenant: &Tenant,
        day: Day,
        level_0: Vec<(L0Name, ObjectMeta)>,
        config: &TenantConfig,
    ) -> Result<DayState, Error> {
        // Asked for before the day is read: a job's life begins no later than what it builds upon was seen.
        let now = self.catalog.store().now().await?;
        let catalog = self.catalog.day(tenant, day).await?;
        Ok(DayState::new(tenant.clone(), day, (*catalog).clone(), level_0, config.clone(), now))
    }

    /// The day as it is now. Level 0 is not listed again: what came meanwhile is the next sweep's.
    async fn refresh(&self, state: &DayState) -> Result<DayState, Error> {
        let config = self.catalog.config(&state.tenant).await?;
        self.state(&state.tenant, state.day, state.level_0.clone(), &config).await
    }

    /// Does what is due for a tenant, until nothing is.
    ///
    /// # Errors
    /// The first that is not somebody else's being faster. What was done before it is done, and other days than the
    /// one that failed are gone through all the same.
    pub async fn sweep(
        &self,
        tenant: &Tenant,
        scope: Scope,
        tell: &mut (dyn FnMut(Event<'_>) + Send),
    ) -> Result<(), Error> {
        let mut result = Ok(());
        for state in self.survey(tenant, scope).await? {
            let swept = self.sweep_day(state, tell).await;
            result = result.and(swept);
        }
        result
    }

    async fn sweep_day(&self, mut state: DayState, tell: &mut (dyn FnMut(Event<'_>) + Send)) -> Result<(), Error> {
        for _ in 0..ROUNDS {
            if self.has_aged(&state).await? {
                state = self.refresh(&state).await?;
            }
            let jobs = state.plan(&self.policy);
            if jobs.is_empty() {
                break;
            }
            for job in &jobs {
                // Jobs that begin late would not be allowed to commit.
                if self.has_aged(&state).await? {
                    break;
                }
                if !self.try_run(&state, job, tell).await? {
                    // Who was faster goes on; what remains is the next sweep's.
                    return Ok(());
                }
            }
            state = self.refresh(&state).await?;
        }
        Ok(())
    }

    /// Whether a state is too old for beginning a job by it.
    async fn has_aged(&self, state: &DayState) -> Result<bool, Error> {
        Ok(state.now.saturating_add(STATE_LIFE) < self.catalog.store().now().await?)
    }

    /// Says whether the job was done.
    pub(crate) async fn try_run(
        &self,
        state: &DayState,
        job: &Job,
        tell: &mut (dyn FnMut(Event<'_>) + Send),
    ) -> Result<bool, Error> {
        tell(Event::Begins(state, job));
        match self.run(state, job).await {
            Ok(done) if done.commit == Commit::Done => {
                tell(Event::Ended(state, &done));
                Ok(true)
            }
            Ok(_) => {
                tell(Event::Outrun(state, job));
                Ok(false)
            }
            Err(Error::Catalog(niente_catalog::Error::Store(StoreError::NotFound { .. }))) => {
                tell(Event::Outrun(state, job));
                Ok(false)
            }
            Err(error) if error.kind() == ErrorKind::Refresh => {
                tell(Event::Outrun(state, job));
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Has a trace removed for good.
    ///
    /// From the moment that the tombstone is written no answer has it. Then every object that holds it is rewritten;
    /// of what those replaced gc removes the bytes after its grace. It may be interrupted and repeated; whatever is
    /// rewritten by others meanwhile leaves the trace out too.
    ///
    /// # Errors
    /// [`Error::Outrun`] if others kept rewriting objects that hold it: then it is hidden, but not yet gone.
    ///
    /// Costs, for each day, a `GET`, and for each of its objects that may hold the trace one or two more.
    pub async fn redact(
        &self,
        tenant: &Tenant,
        id: niente_model::TraceId,
        tell: &mut (dyn FnMut(Event<'_>) + Send),
    ) -> Result<(), Error> {
        let store = &**self.catalog.store();
        // A request first, so that the store's time is fresh.
        TenantConfig::read(store, tenant).await?;
        let now = store.now().await?;
        TenantConfig::update(store, tenant, |config| config.redact(id, now)).await?;
        // Level 0 has no marks: what was looked into is remembered here.
        let mut clean: BTreeSet<ObjectKey> = BTreeSet::new();
        for _ in 0..ROUNDS {
            let mut left = false;
            for state in self.survey(tenant, Scope::Everything).await? {
                let state = if self.has_aged(&state).await? { self.refresh(&state).await? } else { state };
                let mut objects = state.suspects();
                objects.retain(|object| !clean.contains(&object.key));
                if !objects.is_empty() {
                    left = true;
                    let keys = objects.iter().map(|object| object.key.clone()).collect::<Vec<_>>();
                    if self.try_run(&state, &Job::Purge { objects }, tell).await? {
                        clean.extend(keys);
                    }
                }
            }
            if !left {
                return Ok(());
            }
        }
        Err(Error::Outrun { trace: id })
    }
}

impl fmt::Debug for Compactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compactor")
            .field("catalog", &self.catalog)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
