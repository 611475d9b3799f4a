//! Whatever is written comes back: whole spans, projections, ranges of keys.

#![allow(clippy::unwrap_used)]

mod blocks;

use niente_block::{AttributeScope, Column, Footer, KeyRange, Opened, Projection, SpanBatch, Step, ValueRef};
use niente_model::Value;
use proptest::{collection::vec, prelude::*};

use blocks::{open, read_spans, span, write};

fn read_columns(block: &bytes::Bytes, projection: &Projection) -> Vec<SpanBatch> {
    let mut scan = open(block, 1 << 20).scan(projection, KeyRange::ALL).unwrap();
    let mut batches = Vec::new();
    loop {
        match scan.next().unwrap() {
            Step::Read(ranges) => panic!("the whole object was read already, yet {ranges:?} are wanted"),
            Step::Batch(batch) => batches.push(batch),
            Step::Done => return batches,
        }
    }
}

fn owned(value: ValueRef<'_>) -> Option<Value> {
    match value {
        ValueRef::Absent => None,
        ValueRef::Str(text) => Some(text.into()),
        ValueRef::Int(number) => Some(number.into()),
        ValueRef::Float(number) => Some(number.into()),
        ValueRef::Bool(truth) => Some(truth.into()),
        ValueRef::Bytes(bytes) => Some(Value::Bytes(bytes.to_vec())),
        ValueRef::Other(value) => Some(value.clone()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn spans_come_back_as_they_were(spans in vec(span(), 1..40), columns in any::<bool>()) {
        let (spans, block) = write(spans, columns);
        let block = block.bytes;
        prop_assert_eq!(&read_spans(&block, KeyRange::ALL), &spans);
        for trace in spans.chunk_by(|a, b| a.trace_id == b.trace_id) {
            prop_assert_eq!(&read_spans(&block, KeyRange::only(trace[0].trace_id.key())), trace);
        }
    }

    #[test]
    fn projected_columns_hold_what_the_spans_hold(spans in vec(span(), 1..40), columns in any::<bool>()) {
        let (spans, block) = write(spans, columns);
        let block = block.bytes;
        let mut projection = Projection::default();
        let name = projection.add(Column::Name);
        let version = projection.add(Column::ScopeVersion);
        let of_span = projection.add(Column::Attribute(AttributeScope::Span, "a".into()));
        let of_resource = projection.add(Column::Attribute(AttributeScope::Resource, "service.name".into()));
        let of_scope = projection.add(Column::Attribute(AttributeScope::Scope, "ключ".into()));
        let event_name = projection.add(Column::EventName);
        let event_time = projection.add(Column::EventTime);
        let of_event = projection.add(Column::EventAttribute("Case".into()));
        let link_span = projection.add(Column::LinkSpanId);
        let of_link = projection.add(Column::LinkAttribute("a".into()));
        let mut rest = spans.iter();
        for batch in read_columns(&block, &projection) {
            for (row, span) in (0..batch.rows()).zip(rest.by_ref()) {
                prop_assert_eq!(batch.trace_id(row).unwrap(), span.trace_id);
                prop_assert_eq!(batch.span_id(row).unwrap(), span.span_id);
                prop_assert_eq!(batch.parent_span_id(row), span.parent_span_id.as_ref().map(|id| &id.as_bytes()[..]));
                prop_assert_eq!((batch.start(row), batch.duration(row)), (span.start, span.duration));
                prop_assert_eq!((batch.kind(row), batch.status(row)), (span.kind, span.status_code));
                let at = |column| owned(batch.value(column, row));
                prop_assert_eq!(at(name), Some(Value::Str(span.name.clone())));
                prop_assert_eq!(at(version), Some(Value::Str(span.scope.version.clone())));
                prop_assert_eq!(at(of_span), span.attributes.get("a").cloned());
                prop_assert_eq!(at(of_resource), span.resource.attributes.get("service.name").cloned());
                prop_assert_eq!(at(of_scope), span.scope.attributes.get("ключ").cloned());
                prop_assert_eq!(batch.events(row).len(), span.events.len());
                for (at, event) in batch.events(row).zip(&span.events) {
                    prop_assert_eq!(owned(batch.value(event_name, at)), Some(Value::Str(event.name.clone())));
                    prop_assert_eq!(owned(batch.value(event_time, at)), Some(Value::Int(event.time.as_i64())));
                    prop_assert_eq!(owned(batch.value(of_event, at)), event.attributes.get("Case").cloned());
                }
                prop_assert_eq!(batch.links(row).len(), span.links.len());
                for (at, link) in batch.links(row).zip(&span.links) {
                    prop_assert_eq!(owned(batch.value(link_span, at)), Some(Value::Bytes(link.span_id.clone())));
                    prop_assert_eq!(owned(batch.value(of_link, at)), link.attributes.get("a").cloned());
                }
            }
        }
        prop_assert!(rest.next().is_none());
    }

    #[test]
    fn damaged_blocks_are_errors_and_no_panics(spans in vec(span(), 1..8), at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let (_, block) = write(spans, true);
        let mut damaged = block.bytes.to_vec();
        let at = at.index(damaged.len());
        damaged[at] = to;
        let damaged = bytes::Bytes::from(damaged);
        if let Ok(Opened::Footer(footer)) = Footer::open(damaged.len() as u64, damaged)
            && let Ok(mut scan) = footer.scan_spans(KeyRange::ALL)
        {
            while let Ok(Step::Batch(rows)) = scan.next() {
                let _ = rows.into_spans();
            }
        }
    }
}
