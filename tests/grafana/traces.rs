//! Traces by ID, which Grafana always asks for as protobuf, and whose messages it takes for granted.

use http::Response;
use niente_receive::proto::trace::v1::{Span, TracesData};
use prost::Message;

use super::Grafana;
use crate::harness::{InProcess, demo};

/// What the second version answers.
#[derive(Clone, PartialEq, Message)]
struct TraceByIdResponse {
    #[prost(message, optional, tag = "1")]
    trace: Option<TracesData>,
    #[prost(int32, tag = "3")]
    status: i32,
    #[prost(string, tag = "4")]
    message: String,
}

impl Grafana {
    async fn protobuf(&self, path: &str) -> Response<bytes::Bytes> {
        self.get(path, "application/protobuf").await
    }

    /// The trace that both versions answer alike, as the data source decodes it.
    async fn trace(&self, id: &str) -> TracesData {
        let [v1, v2] = [format!("/api/traces/{id}"), format!("/api/v2/traces/{id}")];
        let (v1, v2) = (self.protobuf(&v1).await, self.protobuf(&v2).await);
        assert_eq!((v1.status().as_u16(), v2.status().as_u16()), (200, 200));
        let v2 = TraceByIdResponse::decode(v2.into_body()).unwrap();
        assert_eq!((v2.status, &*v2.message), (0, ""));
        let trace = v2.trace.expect("Grafana panics without a trace");
        assert_eq!(TracesData::decode(v1.into_body()).unwrap(), trace);
        trace
    }
}

/// All spans, with what Grafana reads unasked.
fn checked(trace: &TracesData) -> Vec<&Span> {
    let mut spans = Vec::new();
    for of_resource in &trace.resource_spans {
        let resource = of_resource.resource.as_ref().expect("Grafana panics without a resource");
        assert!(!resource.attributes.is_empty(), "Grafana drops the spans of a resource without attributes");
        for of_scope in &of_resource.scope_spans {
            assert!(of_scope.scope.is_some(), "Grafana panics without a scope");
            spans.extend(&of_scope.spans);
        }
    }
    for span in &spans {
        assert!(span.status.is_some(), "Grafana panics without a status");
        assert!([0, 8].contains(&span.parent_span_id.len()) && span.parent_span_id != [0; 8]);
        assert!(span.start_time_unix_nano > 0, "Grafana leaves it out");
        assert!(span.end_time_unix_nano >= span.start_time_unix_nano, "Grafana shows centuries");
    }
    let mut ids: Vec<_> = spans.iter().map(|span| &span.span_id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), spans.len(), "Grafana shows twins");
    spans
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_of_the_suite_and_of_the_shop_can_be_drawn() {
    for (grafana, range) in [
        (Grafana::of_suite().await, "start=1793577000&end=1793585400"),
        (Grafana(demo().await), "start=1793578080&end=1793578680"),
    ] {
        let found = grafana.traces(&format!("/api/search?q=%7B%7D&limit=400&{range}")).await;
        assert!(found.len() > 100);
        let mut roots = 0;
        for trace in found {
            let trace = grafana.trace(trace["traceID"].as_str().unwrap()).await;
            roots += checked(&trace).iter().filter(|span| span.parent_span_id.is_empty()).count();
        }
        assert!(roots > 100, "{roots}");
    }
}

/// Nothing is there that needn't be.
#[tokio::test]
async fn a_span_with_nothing_to_it_can_be_drawn() {
    let server = InProcess::in_memory();
    let span = |id: u8, more: &str| {
        let times = r#""startTimeUnixNano":"1793584000000000000","endTimeUnixNano":"1793584000000000000""#;
        format!(r#"{{"traceId":"{:032x}","spanId":"{id:016x}",{times}{more}}}"#, 0xabc)
    };
    let zeros = r#","parentSpanId":"0000000000000000""#;
    let spans = [span(1, ""), span(2, zeros), span(2, zeros)].join(",");
    server.push(format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{spans}]}}]}}]}}"#)).await;
    let grafana = Grafana(server);
    for id in ["abc", "ABC", "0abc", &format!("{:032x}", 0xabc)] {
        let trace = grafana.trace(id).await;
        let spans = checked(&trace);
        assert_eq!(spans.len(), 2);
        assert!(spans.iter().all(|span| span.parent_span_id.is_empty()));
    }
}

/// The second version's 200 saves the question to the first; where that is asked, an empty 200 would make Grafana panic.
#[tokio::test]
async fn a_trace_that_is_not_there() {
    let grafana = Grafana(InProcess::in_memory());
    let v2 = grafana.protobuf("/api/v2/traces/abc").await;
    assert_eq!(v2.status().as_u16(), 200);
    assert_eq!(TraceByIdResponse::decode(v2.into_body()).unwrap().trace, Some(TracesData::default()));
    assert_eq!(grafana.protobuf("/api/traces/abc").await.status().as_u16(), 404);
}
