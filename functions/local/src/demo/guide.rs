//! What a newcomer is told.

use niente_model::TraceId;

use super::{
    feed::{self, Past},
    shop::Shop,
};
use crate::{serve::Addresses, units};

/// Queries that find something in the shop, whenever they are asked, and what for.
const QUERIES: [(&str, &str); 3] = [
    ("payments that failed, with their exceptions", r#"{ resource.service.name = "payment" && status = error }"#),
    ("checkouts of more than half a second", r#"{ name = "POST /api/checkout" && duration > 500ms }"#),
    (
        "checkouts that waited for a slow statement below them",
        r#"{ resource.service.name = "checkout" } >> { span.db.system.name = "postgresql" && duration > 100ms }"#,
    ),
];

/// The text below the lines that name the ports.
pub(super) fn text(past: &Past, addresses: &Addresses, require_tenant: bool, data: &str) -> String {
    let Addresses { http, otlp_http, otlp_grpc } = addresses;
    let (spans, traces) = (units::count(past.spans as u64), units::count(past.traces as u64));
    let services = Shop::services();
    let interval = feed::INTERVAL.as_secs();
    // The shop is the tenant of those who name none.
    let (header, tenant, grafana) = match require_tenant {
        true => (
            " -H 'X-Scope-OrgID: single-tenant'",
            " --tenant single-tenant",
            "\n    Header: X-Scope-OrgID, value single-tenant",
        ),
        false => ("", "", ""),
    };
    let url = format!("http://{http}");
    let own = if *http.to_string() == *"127.0.0.1:3200" { String::new() } else { format!(" --url {url}") };
    let searches: String = QUERIES
        .iter()
        .map(|(what, query)| {
            format!(
                "    # {what}\n    \
                 curl -sG {url}/api/search{header} -d since=1h -d limit=5 --data-urlencode 'q={query}'\n"
            )
        })
        .collect();
    let trace = past.order.map(|id| trace(&url, header, id)).unwrap_or_default();
    format!(
        r#"data: {data}

The shop is open: {spans} spans in {traces} traces of {services} services in the past hour, and more every {interval} seconds.

Ask on the command line:
    niente query '{{ status = error }}'{own}{tenant}
    niente query '{{ event.exception.type = "PaymentDeclined" }}'{own}{tenant}
    niente query '{{ kind = producer }} >> {{ resource.service.name = "shipping" }}' --since 10m{own}{tenant}

Ask over HTTP:
{searches}{trace}
Look at it in Grafana: Connections, Add new connection, Tempo
    URL: {url}{grafana}

Send traces of your own:
    OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf OTEL_EXPORTER_OTLP_ENDPOINT=http://{otlp_http} your-program
    OTEL_EXPORTER_OTLP_PROTOCOL=grpc          OTEL_EXPORTER_OTLP_ENDPOINT=http://{otlp_grpc} your-program
    niente ingest exported.jsonl{ingest}{tenant}

Ctrl-C ends it.
"#,
        ingest = if *otlp_http.to_string() == *"127.0.0.1:4318" {
            String::new()
        } else {
            format!(" --url http://{otlp_http}")
        },
    )
}

fn trace(url: &str, header: &str, id: TraceId) -> String {
    format!("    # one of them, whole\n    curl -s {url}/api/v2/traces/{id}{header}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queries_can_be_pasted() {
        for (_, query) in QUERIES {
            assert!(niente_traceql::parse(query).is_ok(), "{query}");
            assert!(!query.contains('\''), "{query}");
        }
    }
}
