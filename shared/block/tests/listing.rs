//! The distinct values of columns: what dictionaries say is what the spans have.

#![allow(clippy::unwrap_used)]

mod blocks;

use std::collections::BTreeSet;

use bytes::Bytes;
use niente_block::{AttributeScope, Column, Footer, Listing, Step};
use niente_model::{Attributes, Key, Nanos, Span, SpanId, TraceId, Value};
use proptest::{collection::vec, prelude::*};

use blocks::{open, pieces, span, write};

/// The distinct scalar values of a listing, and how many bytes were read for them.
fn list(footer: &Footer, block: &Bytes, listing: &Listing, left_out: &[TraceId]) -> (BTreeSet<Value>, u64) {
    let mut scan = footer.list(listing, left_out).unwrap();
    let (mut found, mut bytes) = (BTreeSet::new(), 0);
    loop {
        match scan.next().unwrap() {
            Step::Read(ranges) => {
                bytes += ranges.iter().map(|range| range.end - range.start).sum::<u64>();
                let read = pieces(block, &ranges);
                scan.feed(ranges, read).unwrap();
            }
            Step::Batch(values) => values.iter().for_each(|value| add(value, &mut found)),
            Step::Done => return (found, bytes),
        }
    }
}

fn add(value: &Value, found: &mut BTreeSet<Value>) {
    match value {
        Value::Array(elements) => {
            let scalars = elements.iter().filter(|element| !matches!(element, Value::Array(_)));
            scalars.for_each(|element| add(element, found));
        }
        Value::Str(_) | Value::Int(_) | Value::Float(_) | Value::Bool(_) => _ = found.insert(value.clone()),
        Value::Empty | Value::Bytes(_) | Value::Map(_) => {}
    }
}

/// What a span has of a column.
fn values(span: &Span, column: &Column) -> Vec<Value> {
    let of = |scope: &AttributeScope| match scope {
        AttributeScope::Resource => &span.resource.attributes,
        AttributeScope::Scope => &span.scope.attributes,
        AttributeScope::Span => &span.attributes,
    };
    let keys = |attributes: &Attributes| attributes.iter().map(|(key, _)| Value::from(&**key)).collect::<Vec<_>>();
    let events = || span.events.iter().map(|event| &event.attributes);
    let links = || span.links.iter().map(|link| &link.attributes);
    match column {
        Column::Name => vec![Value::from(span.name.as_str())],
        Column::StatusMessage => vec![Value::from(span.status_message.as_str())],
        Column::ScopeName => vec![Value::from(span.scope.name.as_str())],
        Column::ScopeVersion => vec![Value::from(span.scope.version.as_str())],
        Column::EventName => span.events.iter().map(|event| Value::from(event.name.as_str())).collect(),
        Column::Attribute(scope, key) => of(scope).get(key).into_iter().cloned().collect(),
        Column::EventAttribute(key) => events().filter_map(|of| of.get(key).cloned()).collect(),
        Column::LinkAttribute(key) => links().filter_map(|of| of.get(key).cloned()).collect(),
        Column::Keys(scope) => keys(of(scope)),
        Column::EventKeys => events().flat_map(keys).collect(),
        Column::LinkKeys => links().flat_map(keys).collect(),
        Column::Attributes(_) | Column::EventTime | Column::LinkTraceId | Column::LinkSpanId => {
            unreachable!("not asked for")
        }
    }
}

fn columns() -> Vec<Column> {
    let scopes = AttributeScope::ALL;
    let keys = ["a", "service.name", "Case", "case", "ключ", "none"];
    let texts = [Column::Name, Column::StatusMessage, Column::ScopeName, Column::ScopeVersion, Column::EventName];
    let attributes = scopes.iter().flat_map(|scope| keys.map(|key| Column::Attribute(*scope, key.to_owned())));
    let nested =
        ["a", "none"].map(str::to_owned).map(|key| [Column::EventAttribute(key.clone()), Column::LinkAttribute(key)]);
    let keys = scopes.map(Column::Keys).into_iter().chain([Column::EventKeys, Column::LinkKeys]);
    texts.into_iter().chain(attributes).chain(nested.into_iter().flatten()).chain(keys).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_listed_is_what_the_spans_have(
        spans in vec(span(), 1..12),
        typed in any::<bool>(),
        read_whole in any::<bool>(),
        redacted in vec(1..7u8, 0..2),
    ) {
        let (spans, written) = write(spans, typed);
        let footer = open(&written.bytes, if read_whole { 1 << 20 } else { 8 });
        let left_out: Vec<TraceId> = redacted.iter().map(|id| TraceId::from_slice(&[*id; 16]).unwrap()).collect();
        for column in columns() {
            for roots in [false, true] {
                let counting = spans.iter().filter(|span| {
                    !left_out.contains(&span.trace_id) && (!roots || span.parent_span_id.is_none())
                });
                let mut expected = BTreeSet::new();
                counting.flat_map(|span| values(span, &column)).for_each(|value| add(&value, &mut expected));
                let listing = Listing { column: column.clone(), roots };
                let (found, bytes) = list(&footer, &written.bytes, &listing, &left_out);
                prop_assert_eq!(found, expected, "{:?}", listing);
                prop_assert!(!read_whole || bytes == 0);
            }
        }
    }
}

/// Five thousand spans: a route of ten, an ID of its own for each, and one in a thousand with a flag.
fn many() -> Vec<Span> {
    let span = |n: u64| {
        let id = SpanId::from_slice(&(n + 1).to_be_bytes()).unwrap();
        let trace = TraceId::from_slice(&(n / 10 + 1).to_be_bytes()).unwrap();
        let text = format!("{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let pairs = [
            ("route", Value::from(format!("/r{}", n % 10).as_str())),
            ("id", Value::from(text.as_str())),
            ("ok", Value::Bool(true)),
        ];
        let rare = n.is_multiple_of(1_000).then_some(("rare", Value::Int(n as i64)));
        let attributes = pairs.into_iter().chain(rare).map(|(key, value)| (Key::from(key), value)).collect();
        Span { attributes, name: format!("n{}", n % 7), ..Span::new(trace, id, Nanos::from_secs(n)) }
    };
    (0..5_000).map(span).collect()
}

#[test]
fn dictionaries_and_bounds_cost_next_to_nothing() {
    let (_, written) = write(many(), true);
    let block = &written.bytes;
    let footer = open(block, written.tail as usize);
    let of_spans = |key: &str| Column::Attribute(AttributeScope::Span, key.to_owned());
    for (column, count, most) in [
        (Column::Name, 7, 200),
        (of_spans("route"), 10, 300),
        (Column::Keys(AttributeScope::Span), 4, 200),
        (of_spans("ok"), 1, 200),
        (of_spans("none"), 0, 200),
        (Column::EventName, 0, 0),
    ] {
        let listing = Listing { column, roots: false };
        let (values, bytes) = list(&footer, block, &listing, &[]);
        assert_eq!(values.len(), count, "{listing:?}");
        assert!(bytes <= most, "{listing:?}: {bytes} bytes");
        assert_eq!(footer.listing_bytes(&listing), bytes, "{listing:?}");
    }
    // What hardly repeats has no dictionary, and what is rare no column.
    for (key, count) in [("id", 5_000), ("rare", 5)] {
        let listing = Listing { column: of_spans(key), roots: false };
        let (values, bytes) = list(&footer, block, &listing, &[]);
        assert_eq!(values.len(), count, "{key}");
        assert!(bytes > 1_000, "{key}: {bytes} bytes");
    }
}

#[test]
fn damaged_dictionaries_are_errors() {
    let (_, written) = write(many(), true);
    let footer = open(&written.bytes, written.tail as usize);
    let mut scan = footer.list(&Listing { column: Column::Name, roots: false }, &[]).unwrap();
    let Step::Read(ranges) = scan.next().unwrap() else { panic!("the dictionary lies among the pages") };
    let garbage = ranges.iter().map(|range| vec![0xff; (range.end - range.start) as usize].into()).collect();
    scan.feed(ranges, garbage).unwrap();
    assert!(scan.next().is_err());
}
