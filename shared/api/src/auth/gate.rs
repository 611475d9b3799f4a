use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use http::HeaderMap;
use niente_model::Nanos;

use super::{AuthError, Principal, Token, TokenDocument, TokenSource, credentials};
use crate::Clock;

/// How long a document is believed: a removed token is good for so long at most.
const FRESH: Nanos = Nanos::from_secs(60);
/// The least time between two reads: so wrong tokens, however many come, cost a request every so often.
const PAUSE: Nanos = Nanos::from_secs(5);
/// How long a document is believed if no newer one can be read. Long enough for most outages, short enough that a token
/// which leaked can be got rid of even then.
const LONGEST: Nanos = Nanos::from_secs(3_600);

/// Who is let in. The default is nobody.
#[derive(Clone, Debug, Default)]
pub enum Gate {
    /// Everybody, to everything: for a server that only its own machine reaches.
    Open,
    /// Nobody: what a function is without a configuration.
    #[default]
    Closed,
    /// The holders of tokens. Clones share what has been read.
    Guarded(Guard),
}

/// Looks tokens up in a source, and keeps what it has read.
#[derive(Clone)]
pub struct Guard {
    source: Arc<dyn TokenSource>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    kept: Mutex<Kept>,
    /// Held while the source is read, so that requests wait for one read and don't all make their own.
    reading: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Kept {
    /// The last document that could be read, and when.
    document: Option<(Nanos, Arc<TokenDocument>)>,
    /// When the last read ended, whatever came of it.
    tried: Option<Nanos>,
}

impl Gate {
    /// Lets in the holders of the tokens that this source lists. Nothing is read yet.
    pub fn guarded(source: Arc<dyn TokenSource>) -> Self {
        Gate::Guarded(Guard { source, shared: Arc::default() })
    }

    /// Who sends a request with these headers.
    ///
    /// Costs a read of the source once a minute, and while unknown tokens come, every five seconds.
    ///
    /// # Errors
    /// Whatever keeps the sender out.
    pub(crate) async fn authenticate(&self, headers: &HeaderMap, clock: &Clock) -> Result<Principal, AuthError> {
        match self {
            Gate::Open => Ok(Principal::anybody()),
            Gate::Closed => Err(AuthError::Closed),
            Gate::Guarded(guard) => guard.holder(&credentials::presented(headers)?, clock).await,
        }
    }
}

impl Guard {
    async fn holder(&self, token: &Token, clock: &Clock) -> Result<Principal, AuthError> {
        let mut document = self.document(clock, FRESH).await?;
        if document.find(token).is_none() {
            // It may have been listed since.
            document = self.document(clock, PAUSE).await?;
        }
        let entry = document.find(token).ok_or(AuthError::Unknown)?;
        match entry.expires {
            Some(moment) if moment <= clock.now() => Err(AuthError::Expired(moment)),
            _ => Ok(Principal::holder(entry)),
        }
    }

    /// The document as it is, or was less than `age` ago; an older one if the source fails or was just asked.
    async fn document(&self, clock: &Clock, age: Nanos) -> Result<Arc<TokenDocument>, AuthError> {
        if let Some(document) = self.kept(clock.now(), age) {
            return Ok(document);
        }
        let _turn = self.shared.reading.lock().await;
        // Whoever had the turn before may have read it, and that may have taken long.
        let started = clock.now();
        if let Some(document) = self.kept(started, age) {
            return Ok(document);
        }
        let just_tried = self.with_kept(|kept| kept.tried.is_some_and(|tried| is_within(tried, started, PAUSE)));
        if !just_tried {
            let read = self.read().await;
            self.with_kept(|kept| {
                kept.tried = Some(clock.now());
                match read {
                    Ok(document) => kept.document = Some((started, Arc::new(document))),
                    Err(error) => {
                        tracing::warn!(source = ?self.source, %error, "the tokens can't be read: older ones count");
                    }
                }
            });
        }
        self.kept(clock.now(), LONGEST).ok_or(AuthError::Unavailable)
    }

    async fn read(&self) -> Result<TokenDocument, super::SourceError> {
        Ok(TokenDocument::decode(&self.source.read().await?)?)
    }

    /// The document that was last read, if that was less than `age` ago.
    fn kept(&self, now: Nanos, age: Nanos) -> Option<Arc<TokenDocument>> {
        self.with_kept(|kept| {
            let (read, document) = kept.document.as_ref()?;
            is_within(*read, now, age).then(|| document.clone())
        })
    }

    fn with_kept<T>(&self, use_it: impl FnOnce(&mut Kept) -> T) -> T {
        use_it(&mut self.shared.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether less than `age` lies between two moments. Clocks may go back, and then nothing is to be believed for longer.
fn is_within(earlier: Nanos, now: Nanos, age: Nanos) -> bool {
    now.get().abs_diff(earlier.get()) < age.get()
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("source", &self.source).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
