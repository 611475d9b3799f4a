//! Spans to OTLP and back.

use std::sync::Arc;

use niente_model::{Resource, Scope, Span};
use niente_receive::{
    Limits, Request,
    proto::{collector::trace::v1::ExportTraceServiceRequest, trace::v1::ResourceSpans},
    to_resource_spans,
};
use proptest::prelude::*;

use crate::{
    spans,
    vocabulary::{NOW, good_span, receive, receive_json, request},
};

fn sorted(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort();
    spans
}

proptest! {
    #[test]
    fn spans_come_back_from_protobuf_as_they_were(spans in spans::batches()) {
        let message = ExportTraceServiceRequest { resource_spans: to_resource_spans(&spans) };
        let batch = receive(&message, &Limits::default()).unwrap();
        prop_assert!(batch.refused.is_empty() && batch.warnings.is_empty());
        prop_assert_eq!(sorted(batch.spans), sorted(spans));
    }

    #[test]
    fn spans_come_back_from_json_as_they_were(spans in spans::batches()) {
        let batch = receive_json(&spans::to_json(&spans)).unwrap();
        prop_assert!(batch.refused.is_empty() && batch.warnings.is_empty());
        prop_assert_eq!(batch.spans, spans);
    }

    #[test]
    fn the_same_spans_give_the_same_messages(spans in spans::batches()) {
        let once = to_resource_spans(&spans);
        let unshared: Vec<_> = spans.iter().map(|span| Span {
            resource: Arc::new(Resource::clone(&span.resource)),
            scope: Arc::new(Scope::clone(&span.scope)),
            ..span.clone()
        }).collect();
        // Compared as text: NaN is not equal to itself.
        prop_assert_eq!(format!("{once:?}"), format!("{:?}", to_resource_spans(&unshared)));
    }
}

/// A span under a resource and scope that only these words tell apart.
fn span(name: &str, resource: &str, scope: &str) -> Span {
    let mut batch = Request::from(request(vec![good_span()])).check(&Limits::default(), NOW, None).unwrap();
    Span {
        name: name.to_owned(),
        resource: Arc::new(Resource { schema_url: resource.to_owned(), ..Resource::default() }),
        scope: Arc::new(Scope { name: scope.to_owned(), ..Scope::default() }),
        ..batch.spans.remove(0)
    }
}

#[test]
fn groups_stand_in_the_order_of_their_first_span() {
    let spans = [
        span("1", "late", "b"),
        span("2", "early", "b"),
        span("3", "late", "a"),
        span("4", "late", "b"),
        span("5", "early", "b"),
    ];
    let outline: Vec<_> = to_resource_spans(&spans)
        .iter()
        .flat_map(|ResourceSpans { scope_spans, schema_url, .. }| {
            scope_spans.iter().map(move |scope| {
                let names: Vec<_> = scope.spans.iter().map(|span| span.name.as_str()).collect();
                format!("{schema_url}/{}: {}", scope.scope.as_ref().unwrap().name, names.join(" "))
            })
        })
        .collect();
    assert_eq!(outline, ["late/b: 1 4", "late/a: 3", "early/b: 2 5"]);
    assert_eq!(to_resource_spans(&[]), []);
}

#[test]
fn what_grafana_looks_at_is_always_there() {
    let messages = to_resource_spans(&[span("1", "", "")]);
    let scope = &messages[0].scope_spans[0];
    assert!(messages[0].resource.is_some() && scope.scope.is_some() && scope.spans[0].status.is_some());
    assert!(scope.spans[0].parent_span_id.is_empty());
}
