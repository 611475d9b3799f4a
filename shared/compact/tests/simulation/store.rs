//! The bucket as one process sees it: every request takes its time, and some go wrong.

use std::{
    fmt,
    future::poll_fn,
    ops::Range,
    sync::{Arc, Mutex},
    task::Poll,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::FutureExt;
use niente_model::Nanos;
use niente_store::{Action, ETag, Error, Folders, Object, ObjectKey, ObjectMeta, Page, Result, Store, Suffix};

use crate::{bugs::Lens, world::World};

/// A process's way to the bucket.
///
/// Each request takes at least two turns: in one it has its effect, in a later one its answer comes. Between any two
/// turns others move, time passes, or the process is killed: before the effect, or after it and before the answer.
pub(crate) struct SimStore {
    world: Arc<World>,
    /// The process.
    who: usize,
    lens: Lens,
    /// The time of the last answer.
    date: Mutex<Option<Nanos>>,
}

/// A write. It is data, so that it can be done twice, or when nobody waits for it any more.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    Create(ObjectKey, Bytes),
    Replace(ObjectKey, Bytes, ETag),
    /// What no correct process asks for.
    Overwrite(ObjectKey, Bytes),
    Delete(ObjectKey),
    DeleteMatch(ObjectKey, ETag),
}

/// What goes wrong with a request.
enum Fault {
    /// It is refused.
    Throttled,
    /// It never arrives.
    Lost,
    /// It is done, but the answer never arrives.
    Unanswered,
    /// It is done later, when its client has given it up.
    Late,
    /// The answer was lost and the client's library has asked again by itself, so that the second answer is about an
    /// object that the first request has changed.
    Repeated,
}

impl SimStore {
    /// A process's store, with the eyes that a planted bug gives it.
    pub(crate) fn new(world: Arc<World>, who: usize, lens: Lens) -> Self {
        Self { world, who, lens, date: Mutex::default() }
    }

    /// Lets others move.
    async fn turn(&self) {
        let from = self.world.with(|state| state.turn);
        // Requests that a process makes side by side take different times.
        let over = || self.world.with(|state| state.at_once || (state.turn > from && state.rng.u32(..4) != 0));
        poll_fn(|context| {
            if over() {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    fn fault(&self) -> Option<Fault> {
        self.world.with(|state| {
            let every = self.world.case.fault_every;
            if every == 0 || !state.faults || state.at_once || state.rng.u32(..every) != 0 {
                return None;
            }
            Some(match state.rng.u32(..6) {
                0 => Fault::Throttled,
                1 => Fault::Lost,
                2 => Fault::Late,
                3 => Fault::Unanswered,
                _ => Fault::Repeated,
            })
        })
    }

    async fn read<T>(&self, action: Action, key: &str, answer: impl Future<Output = Result<T>> + Send) -> Result<T> {
        self.turn().await;
        let fault = self.fault();
        let answer = match &fault {
            Some(Fault::Throttled) => Err(throttled(action, key)),
            Some(Fault::Repeated) | None => answer.now_or_never().expect("memory answers at once"),
            Some(_) => Err(unanswered(action, key)),
        };
        self.answered(format_args!("{action} {key}"), answer.as_ref().err());
        self.turn().await;
        answer
    }

    async fn write(&self, effect: Effect) -> Result<Option<ETag>> {
        let mut waiting = Waiting { world: &self.world, effect: Some(effect) };
        self.turn().await;
        let Some(effect) = waiting.effect.take() else { unreachable!("it is taken once") };
        let (action, key) = (effect.action(), effect.key().as_str());
        let answer = match self.fault() {
            None => effect.apply(&self.world),
            Some(Fault::Throttled) => Err(throttled(action, key)),
            Some(Fault::Lost) => Err(unanswered(action, key)),
            Some(Fault::Unanswered) => {
                let _ = effect.apply(&self.world);
                Err(unanswered(action, key))
            }
            Some(Fault::Late) => {
                self.world.with(|state| {
                    let turn = state.turn + state.rng.u64(1..60);
                    state.late.push((turn, effect.clone()));
                });
                Err(unanswered(action, key))
            }
            Some(Fault::Repeated) => {
                let _ = effect.apply(&self.world);
                self.turn().await;
                effect.apply(&self.world)
            }
        };
        self.answered(format_args!("{effect}"), answer.as_ref().err());
        self.lens.wrote(&self.world, &effect, &answer);
        self.turn().await;
        answer
    }

    fn answered(&self, request: fmt::Arguments<'_>, error: Option<&Error>) {
        let at_once = self.world.with(|state| {
            *self.date.lock().unwrap() = Some(state.now);
            if let Some(last) = state.answered.get_mut(&self.who) {
                *last = state.now;
            }
            state.at_once
        });
        if at_once {
            return;
        }
        match error {
            None => self.world.log(format_args!("  {} {request}", self.who)),
            Some(error) => self.world.log(format_args!("  {} {request}: {error}", self.who)),
        }
    }
}

/// A write that has not arrived yet. If its process is killed it may arrive all the same.
struct Waiting<'w> {
    world: &'w World,
    effect: Option<Effect>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(effect) = self.effect.take() {
            self.world.with(|state| {
                if state.rng.u32(..3) == 0 {
                    let turn = state.turn + state.rng.u64(1..60);
                    state.late.push((turn, effect));
                }
            });
        }
    }
}

impl Effect {
    /// Does it, now.
    pub(crate) fn apply(&self, world: &World) -> Result<Option<ETag>> {
        let bucket = &world.bucket;
        let done = match self {
            Effect::Create(key, bytes) => bucket.put_if_absent(key, bytes.clone()).now_or_never().map(as_version),
            Effect::Replace(key, bytes, etag) => {
                bucket.put_if_match(key, bytes.clone(), etag).now_or_never().map(as_version)
            }
            Effect::Overwrite(key, bytes) => {
                drop(bucket.delete(key).now_or_never());
                bucket.put_if_absent(key, bytes.clone()).now_or_never().map(as_version)
            }
            Effect::Delete(key) => bucket.delete(key).now_or_never().map(|done| done.map(|()| None)),
            Effect::DeleteMatch(key, etag) => {
                bucket.delete_if_match(key, etag).now_or_never().map(|done| done.map(|()| None))
            }
        };
        let done = done.expect("memory answers at once");
        if done.is_ok() {
            world.with(|state| {
                state.changed = true;
                if let Effect::Create(key, _) = self {
                    *state.created.entry(key.clone()).or_default() += 1;
                }
            });
        }
        done
    }

    pub(crate) fn key(&self) -> &ObjectKey {
        match self {
            Effect::Create(key, _)
            | Effect::Replace(key, ..)
            | Effect::Overwrite(key, _)
            | Effect::Delete(key)
            | Effect::DeleteMatch(key, _) => key,
        }
    }

    fn action(&self) -> Action {
        match self {
            Effect::Create(..) => Action::Write,
            Effect::Replace(..) | Effect::Overwrite(..) => Action::Replace,
            Effect::Delete(_) | Effect::DeleteMatch(..) => Action::Delete,
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.action(), self.key())
    }
}

fn as_version(done: Result<ETag>) -> Result<Option<ETag>> {
    done.map(Some)
}

fn throttled(action: Action, key: &str) -> Error {
    Error::Throttled { action, key: key.to_owned(), source: None }
}

fn unanswered(action: Action, key: &str) -> Error {
    Error::Unavailable { action, key: key.to_owned(), source: None }
}

fn version(done: Option<ETag>) -> ETag {
    done.expect("a write that makes a version says which")
}

#[async_trait]
impl Store for SimStore {
    async fn get(&self, key: &ObjectKey) -> Result<Object> {
        self.read(Action::Read, key.as_str(), self.world.bucket.get(key)).await
    }

    async fn get_if_none_match(&self, key: &ObjectKey, known: &ETag) -> Result<Option<Object>> {
        self.read(Action::Read, key.as_str(), self.world.bucket.get_if_none_match(key, known)).await
    }

    async fn get_range(&self, key: &ObjectKey, range: Range<u64>) -> Result<Bytes> {
        self.read(Action::Read, key.as_str(), self.world.bucket.get_range(key, range)).await
    }

    async fn get_suffix(&self, key: &ObjectKey, length: u64) -> Result<Suffix> {
        self.read(Action::Read, key.as_str(), self.world.bucket.get_suffix(key, length)).await
    }

    async fn head(&self, key: &ObjectKey) -> Result<ObjectMeta> {
        self.read(Action::Head, key.as_str(), self.world.bucket.head(key)).await
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Page> {
        let mut page = self.read(Action::List, prefix, self.world.bucket.list(prefix, start_after)).await?;
        // Pages are short, so that things happen between them.
        let size = self.world.case.page;
        if page.objects.len() > size && !self.world.with(|state| state.at_once) {
            page.objects.truncate(size);
            page.next = page.objects.last().map(|last| last.key.to_string());
        }
        page.objects.iter_mut().for_each(|object| self.lens.listed(object));
        Ok(page)
    }

    async fn list_folders(&self, prefix: &str, start_after: Option<&str>) -> Result<Folders> {
        self.read(Action::List, prefix, self.world.bucket.list_folders(prefix, start_after)).await
    }

    async fn put_if_absent(&self, key: &ObjectKey, bytes: Bytes) -> Result<ETag> {
        self.write(self.lens.write(Effect::Create(key.clone(), bytes))).await.map(version)
    }

    async fn put_if_match(&self, key: &ObjectKey, bytes: Bytes, expected: &ETag) -> Result<ETag> {
        self.write(self.lens.write(Effect::Replace(key.clone(), bytes, expected.clone()))).await.map(version)
    }

    async fn delete(&self, key: &ObjectKey) -> Result<()> {
        self.write(Effect::Delete(key.clone())).await.map(drop)
    }

    async fn delete_if_match(&self, key: &ObjectKey, expected: &ETag) -> Result<()> {
        self.write(Effect::DeleteMatch(key.clone(), expected.clone())).await.map(drop)
    }

    async fn now(&self) -> Result<Nanos> {
        // On S3 the time comes with each answer, and is asked for by itself only before the first.
        let date = self.date.lock().unwrap().filter(|_| self.world.case.dated);
        let now = match date {
            Some(date) => date,
            None => self.read(Action::Now, "", self.world.bucket.now()).await?,
        };
        Ok(self.lens.now(now))
    }
}

impl fmt::Debug for SimStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store of {}", self.who)
    }
}
