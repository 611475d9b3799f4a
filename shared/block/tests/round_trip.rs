//! Whatever is written comes back: whole spans, projections, ranges of keys.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use niente_block::{
    AttributeScope, BlockWriter, Column, Footer, KeyRange, Layout, LayoutBuilder, Opened, Projection, SpanBatch, Step,
    ValueRef, canonical_order,
};
use niente_model::{
    Attributes, Event, Key, Link, Nanos, Resource, Scope, Span, SpanId, SpanKind, StatusCode, TraceId, Value,
};
use proptest::{collection::vec, prelude::*};

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Empty),
        ".{0,6}".prop_map(Value::Str),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_map(Value::Float),
        vec(any::<u8>(), 0..4).prop_map(Value::Bytes),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![vec(inner.clone(), 0..3).prop_map(Value::Array), vec((".{0,3}", inner), 0..3).prop_map(Value::Map),]
    })
}

fn attributes() -> impl Strategy<Value = Attributes> {
    // Few keys, so that some get a column and the same key has several types.
    let key = prop_oneof![Just("a"), Just("service.name"), Just("Case"), Just("case"), Just("ключ")];
    vec((key.prop_map(Key::from), value()), 0..5).prop_map(Attributes::from_iter)
}

fn nanos() -> impl Strategy<Value = Nanos> {
    prop_oneof![(0..10_000u64), (0..=i64::MAX as u64)].prop_map(|nanos| Nanos::new(nanos).unwrap())
}

fn span() -> impl Strategy<Value = Span> {
    let resource =
        (attributes(), any::<u32>(), ".{0,4}").prop_map(|(attributes, dropped_attributes_count, schema_url)| {
            Arc::new(Resource { attributes, dropped_attributes_count, schema_url })
        });
    let scope = (".{0,4}", ".{0,4}", attributes(), any::<u32>(), ".{0,4}").prop_map(
        |(name, version, attributes, dropped_attributes_count, schema_url)| {
            Arc::new(Scope { name, version, attributes, dropped_attributes_count, schema_url })
        },
    );
    let event = (nanos(), ".{0,4}", attributes(), any::<u32>()).prop_map(
        |(time, name, attributes, dropped_attributes_count)| Event { time, name, attributes, dropped_attributes_count },
    );
    let link = (vec(any::<u8>(), 0..17), vec(any::<u8>(), 0..9), ".{0,4}", attributes(), any::<u32>(), any::<u32>())
        .prop_map(|(trace_id, span_id, trace_state, attributes, dropped_attributes_count, flags)| Link {
            trace_id,
            span_id,
            trace_state,
            attributes,
            dropped_attributes_count,
            flags,
        });
    let ids = (1..6u8, 1..9u8, proptest::option::of(1..9u8));
    let fixed = (nanos(), nanos(), -1..7i32, -1..4i32, ".{0,6}", ".{0,6}", ".{0,6}");
    let counts = (any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>());
    (ids, fixed, counts, attributes(), vec(event, 0..3), vec(link, 0..3), scope, resource).prop_map(
        |(ids, fixed, counts, attributes, events, links, scope, resource)| Span {
            trace_id: TraceId::from_slice(&[ids.0; 16]).unwrap(),
            start: fixed.0,
            span_id: SpanId::from_slice(&[ids.1; 8]).unwrap(),
            kind: SpanKind(fixed.2),
            parent_span_id: ids.2.map(|id| SpanId::from_slice(&[id; 8]).unwrap()),
            duration: fixed.1,
            name: fixed.4,
            status_code: StatusCode(fixed.3),
            status_message: fixed.5,
            trace_state: fixed.6,
            flags: counts.0,
            attributes,
            dropped_attributes_count: counts.1,
            events,
            dropped_events_count: counts.2,
            links,
            dropped_links_count: counts.3,
            scope,
            resource,
        },
    )
}

/// Writes the spans as one block, columns chosen by themselves or as in level 0.
fn write(mut spans: Vec<Span>, columns: bool) -> (Vec<Span>, bytes::Bytes) {
    spans.sort_by(canonical_order);
    let layout = if columns {
        let mut layout = LayoutBuilder::default();
        spans.iter().for_each(|span| layout.observe(span));
        layout.finish()
    } else {
        Layout::level0()
    };
    let mut writer = BlockWriter::new(layout).unwrap();
    for trace in spans.chunk_by(|a, b| a.trace_id == b.trace_id) {
        writer.write_trace(trace).unwrap();
    }
    let written = writer.finish().unwrap();
    assert_eq!(written.rows, spans.len() as u64);
    (spans, written.bytes)
}

/// Opens a block as a reader would: by a short end first, then by what is asked for.
fn open(block: &bytes::Bytes, first_read: usize) -> Footer {
    let size = block.len() as u64;
    let mut tail = block.slice(block.len().saturating_sub(first_read)..);
    loop {
        match Footer::open(size, tail).unwrap() {
            Opened::Footer(footer) => return footer,
            Opened::Needs(range) => tail = block.slice(range.start as usize..range.end as usize),
        }
    }
}

fn read_spans(block: &bytes::Bytes, keys: KeyRange) -> Vec<Span> {
    let mut scan = open(block, 8).scan_spans(keys).unwrap();
    let mut spans = Vec::new();
    loop {
        match scan.next().unwrap() {
            Step::Read(ranges) => {
                let bytes = ranges.iter().map(|r| block.slice(r.start as usize..r.end as usize)).collect();
                scan.feed(ranges, bytes).unwrap();
            }
            Step::Batch(batch) => spans.extend(batch),
            Step::Done => return spans,
        }
    }
}

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
    fn spans_come_back_as_they_were(spans in vec(span(), 0..40), columns in any::<bool>()) {
        let (spans, block) = write(spans, columns);
        prop_assert_eq!(&read_spans(&block, KeyRange::ALL), &spans);
        for trace in spans.chunk_by(|a, b| a.trace_id == b.trace_id) {
            prop_assert_eq!(&read_spans(&block, KeyRange::only(trace[0].trace_id.key())), trace);
        }
    }

    #[test]
    fn projected_columns_hold_what_the_spans_hold(spans in vec(span(), 1..40), columns in any::<bool>()) {
        let (spans, block) = write(spans, columns);
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
        let mut damaged = block.to_vec();
        let at = at.index(damaged.len());
        damaged[at] = to;
        let damaged = bytes::Bytes::from(damaged);
        if let Ok(Opened::Footer(footer)) = Footer::open(damaged.len() as u64, damaged)
            && let Ok(mut scan) = footer.scan_spans(KeyRange::ALL)
        {
            while let Ok(Step::Batch(_)) = scan.next() {}
        }
    }
}
