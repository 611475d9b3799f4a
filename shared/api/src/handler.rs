use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, header::CONTENT_LENGTH};
use niente_catalog::Catalog;
use niente_engine::Engine;
use niente_model::Tenant;
use niente_receive::encode_response;
use niente_store::Store;
use serde::Serialize;

use crate::{
    Clock, Error, Settings,
    params::Params,
    response,
    route::Route,
    search::{self, SearchRequest},
    tenant,
    trace::{self, Form, TraceRequest},
};

/// The level of Tempo's API that is offered, for clients that ask before they use a feature.
const TEMPO_VERSION: &str = "3.0.3";

/// Tempo's HTTP API over a store.
///
/// Cheap to share behind an [`Arc`]; it keeps nothing between requests. [`Api::handle`] and [`Api::ingest`] have to be
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
    engine: Engine,
}

impl Api {
    /// The API over the tenants of this store.
    pub fn new(store: Arc<dyn Store>, settings: Settings, clock: Clock) -> Self {
        let catalog = Catalog::new(Arc::clone(&store));
        let engine = Engine::new(catalog.clone());
        Self { store, settings, clock, catalog, engine }
    }

    /// Answers a request.
    ///
    /// Whatever goes wrong becomes a response too: one line of plain text, with the status of [`Error::status`].
    pub async fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        let mut response = self.answer(&request).await.unwrap_or_else(|error| error.to_response());
        if request.method() == Method::HEAD {
            let body = std::mem::take(response.body_mut());
            response.headers_mut().insert(CONTENT_LENGTH, body.len().into());
        }
        response
    }

    /// Whose data a request with these headers is about: `X-Scope-OrgID`, or the tenant `single-tenant`.
    ///
    /// # Errors
    ///
    /// [`Error::Tenant`] and [`Error::SeveralTenants`]; [`Error::NoTenant`] if [`Settings::require_tenant`] is set.
    pub fn tenant(&self, headers: &HeaderMap) -> Result<Tenant, Error> {
        tenant::of(headers, self.settings.require_tenant)
    }

    async fn answer(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, Error> {
        let params = Params::parse(request.uri().query());
        let headers = request.headers();
        match Route::find(request.method(), request.uri().path(), &self.settings.path_prefix)? {
            Route::Export => {
                let tenant = self.tenant(headers)?;
                let (export, format) = self.decode(headers, request.body())?;
                let answer = self.ingest(&tenant, export).await?;
                Ok(response::ok(format.content_type(), encode_response(&answer, format)))
            }
            Route::Search => {
                let tenant = self.tenant(headers)?;
                let SearchRequest { question, detail } =
                    SearchRequest::parse(&params, &self.settings, self.clock.now())?;
                let answer = self.engine.search(&tenant, &question).await?;
                Ok(search::respond(&answer, detail, headers))
            }
            Route::TraceV1 { id } => {
                let tenant = self.tenant(headers)?;
                let answer = self.find_trace(&tenant, &TraceRequest::parse(id, &params)?).await?;
                Ok(trace::respond_v1(&answer, Form::accepted(headers)))
            }
            Route::TraceV2 { id } => {
                let tenant = self.tenant(headers)?;
                let answer = self.find_trace(&tenant, &TraceRequest::parse(id, &params)?).await?;
                Ok(trace::respond_v2(&answer, Form::accepted(headers)))
            }
            Route::Echo => {
                // Grafana has no other way to find out that a tenant is missing or misspelled.
                self.tenant(headers)?;
                Ok(response::ok_text("echo"))
            }
            Route::BuildInfo => Ok(response::ok_json(&BuildInfo {
                version: TEMPO_VERSION,
                revision: concat!("niente-", env!("CARGO_PKG_VERSION")),
            })),
            Route::Ready => Ok(response::ok_text("ready")),
        }
    }

    async fn find_trace(&self, tenant: &Tenant, request: &TraceRequest) -> Result<niente_engine::TraceAnswer, Error> {
        match request.id {
            Some(id) => Ok(self.engine.find_trace(tenant, id, request.window).await?),
            None => Ok(niente_engine::TraceAnswer::default()),
        }
    }
}

/// The answer of `/api/status/buildinfo`, with those of Tempo's fields that mean something here.
#[derive(Debug, Serialize)]
struct BuildInfo {
    /// A plain semantic version, which clients compare.
    version: &'static str,
    /// What it really is.
    revision: &'static str,
}
