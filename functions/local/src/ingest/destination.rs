//! Where requests go, and what becomes of each.

use std::{fmt, sync::Arc, time::Duration};

use niente_catalog::{TenantConfig, write_level0};
use niente_model::{Nanos, Tenant};
use niente_receive::{
    Batch, Format, Limits, Request, Warnings,
    proto::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse},
};
use niente_store::Store;
use prost::Message;
use tokio::task::spawn_blocking;

use super::exports::Export;
use crate::{
    Failure, clock,
    http_client::{Answer, Client},
    storage::Place,
};

/// How often a request is sent that the server has no room for, and how long to wait before the next time.
const ATTEMPTS: u32 = 6;
const PAUSE: Duration = Duration::from_secs(1);

/// A server, or a store.
pub(super) struct Destination {
    limits: Limits,
    /// How old spans may be, if that is known: a server knows for itself.
    oldest: Option<Nanos>,
    end: End,
}

enum End {
    Server { client: Client, path: &'static str },
    Store { store: Arc<dyn Store>, tenant: Tenant },
}

/// What became of a request.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) spans: u64,
    /// Spans that were refused, by reason.
    pub(super) refused: Vec<(String, u64)>,
    pub(super) warnings: Warnings,
    /// Objects that were written, where that is known.
    pub(super) objects: u64,
    /// And their bytes.
    pub(super) bytes: u64,
}

/// Something in the files that could not be read or was not taken.
#[derive(Debug)]
pub(super) struct Rejected {
    pub(super) place: String,
    pub(super) reason: String,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

impl Destination {
    /// Into this store; a folder is created if it isn't there.
    ///
    /// Costs a `GET` of the tenant's configuration.
    pub(super) async fn store(place: &Place, tenant: Option<Tenant>, limits: Limits) -> Result<Self, Failure> {
        let (store, tenant) = (place.open().await?, tenant.unwrap_or_else(Tenant::single));
        let config = TenantConfig::read(&*store, &tenant).await;
        let (config, _) = config.map_err(|error| Failure::because(format_args!("the store {place}"), &error))?;
        Ok(Self { limits, oldest: config.retention(), end: End::Store { store, tenant } })
    }

    /// To this server.
    pub(super) fn server(client: Client, limits: Limits) -> Self {
        let path = if client.has_no_path() { "/v1/traces" } else { "" };
        Self { limits, oldest: None, end: End::Server { client, path } }
    }

    /// Sends a request. What is wrong with the request alone is `Rejected`; a failure ends all.
    pub(super) async fn send(&self, export: Export) -> Result<Result<Taken, Rejected>, Failure> {
        let (limits, oldest) = (self.limits, self.oldest);
        // Decoding is long work without a pause.
        let decoded = spawn_blocking(move || (decode(&export, &limits, oldest), export)).await;
        let (decoded, export) = decoded.map_err(|error| Failure::because("decoding a request", &error))?;
        let batch = match decoded {
            Ok(batch) => batch,
            Err(error) => return Ok(Err(Rejected { place: export.place, reason: error.to_string() })),
        };
        match &self.end {
            End::Store { store, tenant } => write(&**store, tenant, batch).await.map(Ok),
            End::Server { client, path } => post(client, path, export, batch).await,
        }
    }
}

fn decode(export: &Export, limits: &Limits, oldest: Option<Nanos>) -> Result<Batch, niente_receive::Error> {
    Request::decode(&export.body, export.format, limits)?.check(limits, clock::now(), oldest)
}

async fn write(store: &dyn Store, tenant: &Tenant, mut batch: Batch) -> Result<Taken, Failure> {
    let spans = std::mem::take(&mut batch.spans);
    let mut taken = Taken { spans: spans.len() as u64, ..Taken::of(&batch) };
    if !spans.is_empty() {
        let written = write_level0(store, tenant, spans).await;
        let written = written.map_err(|error| Failure::because("storing spans", &error))?;
        taken.objects = written.len() as u64;
        taken.bytes = written.iter().map(|object| object.bytes).sum();
    }
    Ok(taken)
}

async fn post(
    client: &Client,
    path: &'static str,
    export: Export,
    batch: Batch,
) -> Result<Result<Taken, Rejected>, Failure> {
    let Export { place, format, body } = export;
    let body = Arc::new(body);
    let mut attempt = 1;
    let answer = loop {
        let (sender, body) = (client.clone(), body.clone());
        let sent = spawn_blocking(move || sender.post(path, format.content_type(), &body)).await;
        let answer = sent.map_err(|error| Failure::because("sending a request", &error))??;
        if !matches!(answer.status, 429 | 503) || attempt == ATTEMPTS {
            break answer;
        }
        attempt += 1;
        tokio::time::sleep(PAUSE).await;
    };
    if answer.status == 200 {
        return Ok(Ok(acknowledged(&batch, &answer, format)));
    }
    let requests_fault = matches!(answer.status, 400 | 413 | 415);
    match answer.into_success(client.base()) {
        Err(Failure::Failed(reason)) if requests_fault => Ok(Err(Rejected { place, reason })),
        Err(failure) => Err(failure),
        Ok(_) => Ok(Ok(Taken::of(&batch))),
    }
}

/// What the server has taken. It need not refuse what we would: then its own words count.
fn acknowledged(batch: &Batch, answer: &Answer, format: Format) -> Taken {
    let all = (batch.spans.len() + batch.refused.total()) as u64;
    let partial = partial_success(&answer.body, format).unwrap_or_default();
    let refused = u64::try_from(partial.rejected_spans).unwrap_or_default().min(all);
    let ours = Taken::of(batch);
    let reasons = match refused {
        0 => Vec::new(),
        _ if refused == batch.refused.total() as u64 => ours.refused,
        _ => vec![(partial.error_message, refused)],
    };
    Taken { spans: all - refused, refused: reasons, warnings: ours.warnings, objects: 0, bytes: 0 }
}

fn partial_success(body: &[u8], format: Format) -> Option<ExportTracePartialSuccess> {
    match format {
        Format::Protobuf => ExportTraceServiceResponse::decode(body).ok()?.partial_success,
        Format::Json => {
            let json: serde_json::Value = serde_json::from_slice(body).ok()?;
            let partial = json.get("partialSuccess")?;
            let rejected = partial.get("rejectedSpans")?;
            Some(ExportTracePartialSuccess {
                rejected_spans: rejected.as_i64().or_else(|| rejected.as_str()?.parse().ok())?,
                error_message: partial.get("errorMessage").and_then(|text| text.as_str()).unwrap_or_default().into(),
            })
        }
    }
}

impl Taken {
    /// What is known before anything is stored.
    fn of(batch: &Batch) -> Self {
        let mut refused: Vec<_> =
            batch.refused.reasons().map(|(reason, spans)| (reason.to_string(), spans as u64)).collect();
        let told: u64 = refused.iter().map(|(_, spans)| spans).sum();
        let others = batch.refused.total() as u64 - told;
        if others > 0 {
            refused.push(("other reasons".to_owned(), others));
        }
        Self { refused, warnings: batch.warnings, ..Self::default() }
    }
}
