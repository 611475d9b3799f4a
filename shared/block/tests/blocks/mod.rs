//! Random spans, and blocks of them as a writer makes and a reader reads them.

#![allow(dead_code, reason = "each test file uses some of it")]

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use niente_block::{
    BlockWriter, Filter, Footer, KeyRange, Layout, LayoutBuilder, Opened, SpanRows, Step, Written, canonical_order,
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

/// A span of one of five traces.
pub(crate) fn span() -> impl Strategy<Value = Span> {
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
pub(crate) fn write(mut spans: Vec<Span>, columns: bool) -> (Vec<Span>, Written) {
    spans.sort_by(canonical_order);
    let layout = if columns {
        let mut layout = LayoutBuilder::default();
        spans.iter().for_each(|span| layout.observe(span));
        layout.finish()
    } else {
        Layout::level0()
    };
    let traces = spans.chunk_by(|a, b| a.trace_id == b.trace_id);
    let mut writer = BlockWriter::new(layout, Filter::TraceKeys { distinct: traces.clone().count() as u64 }).unwrap();
    for trace in traces {
        writer.write_trace(trace).unwrap();
    }
    (spans, writer.finish().unwrap())
}

/// Opens a block as a reader would: by a short end first, then by what is asked for.
pub(crate) fn open(block: &Bytes, first_read: usize) -> Footer {
    let size = block.len() as u64;
    let mut tail = block.slice(block.len().saturating_sub(first_read)..);
    loop {
        match Footer::open(size, tail).unwrap() {
            Opened::Footer(footer) => return footer,
            Opened::Needs(range) => tail = block.slice(range.start as usize..range.end as usize),
        }
    }
}

/// The spans of the traces in `keys`.
pub(crate) fn read_spans(block: &Bytes, keys: KeyRange) -> Vec<Span> {
    let batches = read_rows(&open(block, 8), block, keys);
    batches.into_iter().flat_map(|rows| rows.into_spans().unwrap()).collect()
}

/// The spans of the traces in `keys`, by batches.
pub(crate) fn read_rows(footer: &Footer, block: &Bytes, keys: KeyRange) -> Vec<SpanRows> {
    let mut scan = footer.scan_spans(keys).unwrap();
    let mut batches = Vec::new();
    loop {
        match scan.next().unwrap() {
            Step::Read(ranges) => {
                let bytes = pieces(block, &ranges);
                scan.feed(ranges, bytes).unwrap();
            }
            Step::Batch(rows) => batches.push(rows),
            Step::Done => return batches,
        }
    }
}

/// What a store would answer.
pub(crate) fn pieces(block: &Bytes, ranges: &[Range<u64>]) -> Vec<Bytes> {
    ranges.iter().map(|range| block.slice(range.start as usize..range.end as usize)).collect()
}
