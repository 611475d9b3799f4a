use http::{
    HeaderMap,
    header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName},
};
use niente_catalog::write_level0;
use niente_model::{Nanos, Tenant};
use niente_receive::{Encoding, Format, Request, decompress, proto};
use proto::collector::trace::v1::ExportTraceServiceResponse;

use crate::{Api, Error, settings::Retention};

/// How long a tenant's configuration is believed: a changed retention counts for new spans after this.
const CONFIG_AGE: Nanos = Nanos::from_secs(60);

impl Api {
    /// Checks the spans of a decoded OTLP request and stores the valid ones: what every way of sending spans comes to.
    ///
    /// Once this returns, the spans are durable and every query sees them. The response says which spans were refused.
    ///
    /// # Errors
    ///
    /// [`Error::Receive`] if there are too many spans, [`Error::Catalog`] if the tenant's retention could not be read, and
    /// [`Error::Write`] if they could not be stored. It is safe to send them again in any case.
    pub async fn ingest(&self, tenant: &Tenant, request: Request) -> Result<ExportTraceServiceResponse, Error> {
        let now = self.clock.now();
        let retention = match self.settings.retention {
            Retention::Configured => self.catalog.recent_config(tenant, now, CONFIG_AGE).await?.retention(),
            Retention::Fixed(retention) => retention,
        };
        let mut batch = request.check(&self.settings.limits, now, retention)?;
        let spans = std::mem::take(&mut batch.spans);
        if !spans.is_empty() {
            write_level0(&*self.store, tenant, spans).await?;
        }
        Ok(batch.response())
    }

    /// The body of an OTLP request over HTTP, decoded, and the format that its answer has to have.
    pub(crate) fn decode(&self, headers: &HeaderMap, body: &[u8]) -> Result<(Request, Format), Error> {
        let limits = &self.settings.limits;
        let format: Format = header(headers, CONTENT_TYPE).parse()?;
        let encoding: Encoding = header(headers, CONTENT_ENCODING).parse()?;
        let body = decompress(body, encoding, limits.body_bytes)?;
        Ok((Request::decode(&body, format, limits)?, format))
    }
}

/// A header's value, or nothing.
fn header(headers: &HeaderMap, name: HeaderName) -> std::borrow::Cow<'_, str> {
    headers.get(name).map_or_else(Default::default, |value| String::from_utf8_lossy(value.as_bytes()))
}
