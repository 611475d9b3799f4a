use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, header::CONTENT_LENGTH};
use niente_catalog::Catalog;
use niente_cost::{Architecture, Spent};
use niente_engine::{Asking, Engine, Terms};
use niente_receive::encode_response;
use niente_store::Store;
use serde::Serialize;
use tokio::time::Instant;

use crate::{
    Access, Clock, Error, Gate, Price, Principal, Right, Settings,
    explain::{self, Explained},
    federate,
    metrics::{self, Kind},
    params::Params,
    response,
    room::Room,
    route::Route,
    search::{self, SearchRequest},
    tags::{NamesRequest, ValuesRequest},
    trace::{self, Form, TraceRequest},
};

/// The level of Tempo's API that is offered, for clients that ask before they use a feature.
const TEMPO_VERSION: &str = "3.0.3";

/// Tempo's HTTP API over a store.
///
/// Cheap to share behind an [`Arc`]; between requests it keeps nothing that it could not read
/// again. [`Api::handle`] and [`Api::ingest`] have to be
/// awaited on a Tokio runtime, since the long work below them runs on its blocking threads.
///
/// # Differences from Tempo
///
/// * A search's range ends at its `end`, or now. Tempo cuts it 30 seconds before now, since it sees spans only then.
/// * Any range may be searched, unless [`Settings::max_range`] says otherwise.
/// * `spanSet`, the deprecated copy of the first of `spanSets`, is there only when it is the only one: Grafana's table
///   of traces would leave out the others.
/// * All values of one attribute key have one type in a search's answer, as Grafana's tables need it: integers become
///   doubles next to doubles, and everything becomes text next to text. Arrays become their JSON text.
/// * Next to numbers, `nil` is left out if the client is Grafana, whose plugin would panic at it.
/// * Durations as parameters may be spelled in Go's or in Prometheus' way, whichever Tempo would insist on.
/// * `mode`, `blockStart` and `blockEnd` of traces by ID are checked but change nothing: there are no other places to
///   look in.
#[derive(Clone, Debug)]
pub struct Api {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) catalog: Catalog,
    pub(crate) engine: Engine,
    gate: Gate,
}

impl Api {
    /// The API over the tenants of this store, for those whom the gate lets in.
    pub fn new(store: Arc<dyn Store>, settings: Settings, gate: Gate, clock: Clock) -> Self {
        let catalog = Catalog::new(Arc::clone(&store));
        let engine = Engine::with(catalog.clone(), settings.engine.clone());
        Self { store, settings, clock, catalog, engine, gate }
    }

    /// Answers a request.
    ///
    /// Whatever goes wrong becomes a response too: one line of plain text, with the status of [`Error::status`]. About
    /// tags, browsers read it as JSON: there it is the fields `error` and `message`.
    pub async fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        let room = Room::of(&request, &self.settings);
        let mut response = self.answer(&request, room).await.unwrap_or_else(|error| error.to_response());
        let route = Route::find(request.method(), request.uri().path(), &self.settings.path_prefix);
        if let Ok(Route::TagNames(_) | Route::TagValues { .. }) = route {
            response = response::error_in_json(response);
        }
        if request.method() == Method::HEAD {
            let body = std::mem::take(response.body_mut());
            response.headers_mut().insert(CONTENT_LENGTH, body.len().into());
        }
        response
    }

    /// Who sends a request with these headers: for those who want to know before they read its body.
    ///
    /// # Errors
    ///
    /// [`Error::Auth`] if nobody is who may be let in.
    pub async fn authenticate(&self, headers: &HeaderMap) -> Result<Principal, Error> {
        Ok(self.gate.authenticate(headers, &self.clock).await?)
    }

    /// What a request with these headers may touch, which needs this right: `X-Scope-OrgID` names the tenants.
    ///
    /// # Errors
    ///
    /// Those of [`Api::authenticate`] and of [`Principal::access`].
    pub async fn access(&self, headers: &HeaderMap, right: Right) -> Result<Access, Error> {
        self.authenticate(headers).await?.access(right, headers, self.settings.require_tenant)
    }

    async fn answer(&self, request: &Request<Bytes>, room: Room) -> Result<Response<Bytes>, Error> {
        let params = Params::parse(request.uri().query());
        let headers = request.headers();
        let route = Route::find(request.method(), request.uri().path(), &self.settings.path_prefix);
        let principal = match route {
            // Who looks whether the process lives has no token.
            Ok(Route::Ready) => Principal::nobody(),
            _ => self.authenticate(headers).await?,
        };
        let access = |right| principal.access(right, headers, self.settings.require_tenant);
        match route? {
            Route::Export => {
                let access = access(Right::Ingest)?;
                let tenant = access.tenant()?;
                let (export, format) = self.decode(headers, request.body())?;
                let answer = self.ingest(tenant, export).await?;
                Ok(response::ok(format.content_type(), encode_response(&answer, format)))
            }
            Route::Search => {
                let access = access(Right::Query)?;
                let SearchRequest { question, detail } =
                    SearchRequest::parse(&params, &self.settings, self.clock.now())?;
                let query = self.query(request, &access);
                let answer = federate::search(&query.asking, &access, &question).await;
                Ok(query.priced(answer.map(|answer| room.fit(search::respond(&answer, detail, headers)))))
            }
            Route::Metrics(kind) => {
                let access = access(Right::Query)?;
                let question = metrics::parse(&params, kind, &self.settings, self.clock.now())?;
                let query = self.query(request, &access);
                let answer = query.asking.measure(&access.tenants, &question).await.map_err(Error::from);
                Ok(query.priced(answer.map(|answer| room.fit(metrics::respond(kind, &question, &answer)))))
            }
            Route::Explain => {
                let access = access(Right::Query)?;
                let now = self.clock.now();
                // What measures something is a metrics query, and everything else a search.
                let question = match metrics::parse(&params, Kind::Range, &self.settings, now) {
                    Ok(question) => Explained::Metrics(question),
                    Err(Error::MetricsQuery(_)) => {
                        Explained::Search(SearchRequest::parse(&params, &self.settings, now)?.question)
                    }
                    Err(error) => return Err(error),
                };
                let query = self.query(request, &access);
                let explained = federate::explain(&query.asking, &access, &question).await;
                let (text, prices) = (question.text(), &self.settings.engine.prices);
                let body = |found: Vec<_>| explain::to_json(&text, &access.tenants, &found, prices);
                Ok(query.priced(explained.map(|found| response::ok(response::JSON, body(found)))))
            }
            Route::TagNames(version) => {
                let access = access(Right::Query)?;
                let wanted = NamesRequest::parse(version, &params, &self.settings, self.clock.now())?;
                let query = self.query(request, &access);
                let answer = federate::tag_names(&query.asking, &access, &wanted.question).await;
                Ok(query.priced(answer.map(|answer| room.fit(wanted.respond(version, &answer)))))
            }
            Route::TagValues { version, name } => {
                let access = access(Right::Query)?;
                let wanted = ValuesRequest::parse(version, &name, &params, &self.settings, self.clock.now())?;
                let query = self.query(request, &access);
                let answer = federate::tag_values(&query.asking, &access, &wanted.question).await;
                Ok(query.priced(answer.map(|answer| room.fit(wanted.respond(version, &answer)))))
            }
            Route::TraceV1 { id } => {
                let (access, wanted) = (access(Right::Query)?, TraceRequest::parse(id, &params)?);
                let query = self.query(request, &access);
                let answer = federate::find_trace(&query.asking, &access, &wanted).await;
                Ok(query.priced(answer.map(|answer| room.fit(trace::respond_v1(&answer, Form::accepted(headers))))))
            }
            Route::TraceV2 { id } => {
                let (access, wanted) = (access(Right::Query)?, TraceRequest::parse(id, &params)?);
                let query = self.query(request, &access);
                let answer = federate::find_trace(&query.asking, &access, &wanted).await;
                Ok(query.priced(answer.map(|answer| trace::respond_v2(&answer, Form::accepted(headers), room))))
            }
            Route::Echo => {
                // Grafana has no other way to find out that a token or a tenant is missing or misspelled.
                access(Right::Query)?;
                Ok(response::ok_text("echo"))
            }
            Route::BuildInfo => {
                // It is about no tenant.
                principal.require(Right::Query)?;
                Ok(response::ok_json(&BuildInfo {
                    version: TEMPO_VERSION,
                    revision: concat!("niente-", env!("CARGO_PKG_VERSION")),
                }))
            }
            Route::Ready => Ok(response::ok_text("ready")),
        }
    }

    /// A query under way, within its time and its budget.
    fn query<'a>(&'a self, request: &Request<Bytes>, access: &'a Access) -> Query<'a> {
        let begun = Instant::now();
        let deadline = request.extensions().get::<Deadline>().map(|deadline| deadline.0);
        let deadline = deadline.or_else(|| self.settings.query_timeout.map(|timeout| begun + timeout));
        let budget = self.settings.budget.min(access.budget);
        Query { asking: self.engine.on(Terms { deadline, budget }), begun, access, settings: &self.settings }
    }
}

/// A query under way.
struct Query<'a> {
    asking: Asking,
    begun: Instant,
    access: &'a Access,
    settings: &'a Settings,
}

impl Query<'_> {
    /// The response, or the error's, with what it has cost.
    fn priced(self, response: Result<Response<Bytes>, Error>) -> Response<Bytes> {
        let own = match self.settings.memory_mib {
            Some(mib) => Spent::invocation(Architecture::of_this_build(), mib, self.begun.elapsed()),
            None => Spent::NOTHING,
        };
        let spent = self.asking.spent() + own;
        let price = Price::new(self.access.tenants.to_vec(), spent, &self.settings.engine.prices);
        price.on(response.unwrap_or_else(|error| error.to_response()))
    }
}

/// When the answer to a request is of no use any more: an extension of requests, set by hosts that know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(pub Instant);

/// The answer of `/api/status/buildinfo`, with those of Tempo's fields that mean something here.
#[derive(Debug, Serialize)]
struct BuildInfo {
    /// A plain semantic version, which clients compare.
    version: &'static str,
    /// What it really is.
    revision: &'static str,
}
