//! What merging blocks needs: lazy rows, facts for the catalog, filters, slices, keys, traces in parts.

#![allow(clippy::unwrap_used)]

mod blocks;

use std::{collections::BTreeSet, sync::Arc};

use arrow_array::{Array, cast::AsArray, types::UInt32Type};
use bytes::Bytes;
use niente_block::{
    AttributeScope, BlockWriter, Error, Filter, Footer, KeyRange, Layout, LayoutBuilder, Opened, Step, TraceSummary,
    Written, canonical_order,
};
use niente_model::{Attributes, Nanos, Resource, Span, SpanId, TimeRange, TraceId, TraceKey, Value};
use parquet::{
    arrow::arrow_reader::ParquetRecordBatchReaderBuilder,
    column::page::Page,
    file::reader::{FileReader, SerializedFileReader},
};
use proptest::{collection::vec, prelude::*};

use blocks::{open, pieces, read_rows, read_spans, span, write};

fn bare(trace: u64, span: u64) -> Span {
    let id = TraceId::from_slice(&[[0; 8], (trace + 1).to_be_bytes()].concat()).unwrap();
    Span::new(id, SpanId::from_slice(&(span + 1).to_be_bytes()).unwrap(), Nanos::new(span).unwrap())
}

/// Some traces of one span each, and some of as many as are named.
fn many(short: u64, long: &[u64]) -> Vec<Span> {
    let short = (0..short).map(|trace| bare(trace, trace));
    let long = long.iter().zip(1 << 32..).flat_map(|(spans, trace)| (0..*spans).map(move |span| bare(trace, span)));
    let mut spans: Vec<_> = short.chain(long).collect();
    spans.sort_by(canonical_order);
    spans
}

fn with_resource(span: Span, attributes: impl IntoIterator<Item = (&'static str, Value)>) -> Span {
    let attributes = attributes.into_iter().map(|(key, value)| (key.into(), value)).collect();
    Span { resource: Arc::new(Resource { attributes, ..Resource::default() }), ..span }
}

fn one_span_traces(spans: impl IntoIterator<Item = Span>) -> Written {
    let mut spans: Vec<_> = spans.into_iter().collect();
    spans.sort_by(canonical_order);
    write(spans, false).1
}

/// Bytes that don't compress, as text.
fn noise(seed: u64, length: usize) -> String {
    let mut state = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b' ' + (state >> 58) as u8)
    })
    .take(length)
    .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn rows_are_the_spans_in_whatever_order_they_are_asked_for(
        spans in vec(span(), 1..40), columns in any::<bool>(), few in any::<bool>()
    ) {
        // Few resources, or a new one with nearly each span.
        let resource = spans[0].resource.clone();
        let spans = spans.into_iter().map(|span| Span { resource: if few { resource.clone() } else { span.resource.clone() }, ..span });
        let (spans, block) = write(spans.collect(), columns);
        let mut rest = &spans[..];
        for rows in read_rows(&open(&block.bytes, 8), &block.bytes, KeyRange::ALL) {
            let made: Vec<Span> = (0..rows.len()).rev().map(|row| rows.span(row).unwrap()).collect();
            for (row, (made, span)) in made.iter().rev().zip(rest).enumerate() {
                prop_assert_eq!(made, span);
                prop_assert_eq!(rows.trace_id(row).unwrap(), span.trace_id);
                prop_assert_eq!(rows.trace_key(row), span.trace_id.key());
            }
            for a in &made {
                for b in &made {
                    prop_assert_eq!(Arc::ptr_eq(&a.resource, &b.resource), a.resource == b.resource);
                    prop_assert_eq!(Arc::ptr_eq(&a.scope, &b.scope), a.scope == b.scope);
                }
            }
            rest = &rest[rows.len()..];
        }
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn what_is_told_of_a_block_is_true(spans in vec(span(), 1..40), columns in any::<bool>()) {
        let (spans, block) = write(spans, columns);
        let end = block.bytes.slice(block.bytes.len() - block.tail as usize..);
        let Opened::Footer(footer) = Footer::open(block.bytes.len() as u64, end).unwrap() else {
            panic!("{} bytes don't open it", block.tail);
        };
        prop_assert_eq!((block.rows, footer.rows()), (spans.len() as u64, spans.len() as u64));
        let keys = || spans.iter().map(|span| span.trace_id.key());
        prop_assert_eq!((block.keys.from, block.keys.to), (keys().min().unwrap(), keys().max().unwrap()));
        let times = TimeRange::new(
            spans.iter().map(|span| span.start).min().unwrap(),
            spans.iter().map(Span::end).max().unwrap(),
        );
        prop_assert_eq!(block.times, times.unwrap());
        let services = spans.iter().filter_map(|span| match span.resource.attributes.get("service.name") {
            Some(Value::Str(name)) => Some(name.clone()),
            _ => None,
        });
        prop_assert_eq!(block.services, Some(services.collect::<BTreeSet<_>>()));
        let keys = |scope, attributes: &Attributes| -> Vec<_> {
            attributes.iter().map(|(key, _)| (scope, key.to_string())).collect()
        };
        let attributes = spans.iter().flat_map(|span| {
            [
                keys(AttributeScope::Span, &span.attributes),
                keys(AttributeScope::Resource, &span.resource.attributes),
                keys(AttributeScope::Scope, &span.scope.attributes),
            ].concat()
        });
        prop_assert_eq!(block.attributes, Some(attributes.collect::<BTreeSet<_>>()));
        for span in &spans {
            prop_assert!(footer.may_hold(span.trace_id.key()));
        }
    }

    #[test]
    fn parts_of_traces_are_written_like_whole_ones(spans in vec(span(), 1..40), cut in 1..9usize) {
        let (spans, whole) = write(spans, false);
        let mut writer = BlockWriter::new(Layout::level0(), Filter::None).unwrap();
        for trace in spans.chunk_by(|a, b| a.trace_id == b.trace_id) {
            let mut summary = TraceSummary::default();
            trace.iter().for_each(|span| summary.add(span));
            for part in trace.chunks(cut) {
                writer.write_part(&summary, part).unwrap();
            }
        }
        let parts = writer.finish().unwrap();
        prop_assert_eq!(&read_spans(&parts.bytes, KeyRange::ALL), &spans);
        let columns = |block: Bytes| {
            let mut batches = ParquetRecordBatchReaderBuilder::try_new(block).unwrap().with_batch_size(64).build().unwrap();
            batches.next().unwrap().unwrap()
        };
        let (whole, parts) = (columns(whole.bytes), columns(parts.bytes));
        for name in ["trace_start", "trace_duration", "root_service", "root_name", "trace_span_count", "trace_error_count"] {
            prop_assert_eq!(whole.column_by_name(name), parts.column_by_name(name));
        }
        prop_assert_eq!(whole["child_count"].null_count(), 0);
        prop_assert_eq!(parts["child_count"].null_count(), spans.len());
        prop_assert_eq!(parts["parent_distance"].null_count(), spans.len());
        let children = whole["child_count"].as_primitive::<UInt32Type>().values().iter().sum::<u32>() as usize;
        prop_assert_eq!(children, spans.len() - whole["parent_distance"].null_count());
    }

    #[test]
    fn a_scan_holds_no_more_than_was_estimated(spans in vec(span(), 1..40), columns in any::<bool>()) {
        let (_, block) = write(spans, columns);
        prop_assert!(open(&block.bytes, 8).decoding_bytes() >= largest_pages(&block.bytes));
    }
}

/// Of each column the largest page and the dictionary, decompressed.
fn largest_pages(block: &Bytes) -> u64 {
    let reader = SerializedFileReader::new(block.clone()).unwrap();
    let group = |at| {
        let group = reader.get_row_group(at).unwrap();
        let column = |at| {
            let (mut data, mut dictionary) = (0, 0);
            for page in group.get_column_page_reader(at).unwrap() {
                let page = page.unwrap();
                let size = page.buffer().len() as u64;
                if let Page::DictionaryPage { .. } = page { dictionary = size } else { data = size.max(data) }
            }
            data + dictionary
        };
        (0..group.num_columns()).map(column).sum::<u64>()
    };
    (0..reader.num_row_groups()).map(group).max().unwrap()
}

#[test]
fn slices_hold_each_span_once_and_are_about_as_large_as_asked() {
    let spans = many(60_000, &[5_000, 40_000, 3]);
    let (spans, block) = write(spans, true);
    let footer = open(&block.bytes, 1 << 16);
    assert!(footer.decoding_bytes() >= largest_pages(&block.bytes));
    let all = block.bytes.len() as u64;
    for (max_bytes, slices) in [(1, 4..=6), (all / 3, 2..=5), (u64::MAX, 1..=1)] {
        let ranges = footer.slices(max_bytes);
        assert!(slices.contains(&ranges.len()), "{max_bytes}: {ranges:?}");
        assert_eq!((ranges[0].from, ranges[ranges.len() - 1].to), (TraceKey(0), TraceKey(u64::MAX)));
        assert!(ranges.windows(2).all(|pair| pair[0].to.0 + 1 == pair[1].from.0), "{ranges:?}");
        let read: Vec<Span> = ranges.iter().flat_map(|keys| read_spans(&block.bytes, *keys)).collect();
        assert!(read == spans, "{max_bytes}: {} of {} spans", read.len(), spans.len());
    }
}

#[test]
fn keys_are_read_alone() {
    let (spans, block) = write(many(30_000, &[20_000]), false);
    let footer = open(&block.bytes, 8);
    let third = KeyRange::shard(1, 3);
    for keys in [KeyRange::ALL, third, KeyRange::only(spans[777].trace_id.key())] {
        let mut scan = footer.scan_keys(keys).unwrap();
        let (mut read, mut bytes) = (Vec::new(), 0);
        loop {
            match scan.next().unwrap() {
                Step::Read(ranges) => {
                    bytes += ranges.iter().map(|range| range.end - range.start).sum::<u64>();
                    let pieces = pieces(&block.bytes, &ranges);
                    scan.feed(ranges, pieces).unwrap();
                }
                Step::Batch(rows) => read.extend((0..rows.len()).map(|row| (rows.key(row), rows.start(row)))),
                Step::Done => break,
            }
        }
        let expected =
            spans.iter().map(|span| (span.trace_id.key(), span.start)).filter(|(key, _)| keys.contains(*key));
        assert!(read == expected.collect::<Vec<_>>(), "{keys:?}");
        assert!(bytes < 50_000 * 17, "{bytes} bytes for keys and starts");
    }
}

#[test]
fn filters_are_small_and_pass_about_one_key_in_a_hundred() {
    for traces in [1, 300, 20_000] {
        let with = one_span_traces((0..traces).map(|trace| bare(trace, 1)));
        let mut without = BlockWriter::new(Layout::level0(), Filter::None).unwrap();
        let spans = read_spans(&with.bytes, KeyRange::ALL);
        spans.iter().for_each(|span| without.write_trace(std::slice::from_ref(span)).unwrap());
        let without = without.finish().unwrap();
        let overhead = (with.bytes.len() - without.bytes.len()) as u64;
        assert!(overhead < 200 + traces * 5 / 2, "{overhead} bytes for {traces} traces");
        assert_eq!(overhead, with.tail - without.tail);

        let footer = open(&with.bytes, with.tail as usize);
        // Keys that no page's bounds exclude.
        let probes = (0..10_000).map(|id| bare(1 << 40 | id, 1).trace_id.key()).filter(|key| with.keys.contains(*key));
        let probes: Vec<_> = probes.collect();
        let passed = probes.iter().filter(|key| footer.may_hold(**key)).count();
        assert!(passed * 50 <= probes.len(), "{passed} of {} pass, of {traces} traces", probes.len());
        let footer = open(&without.bytes, without.tail as usize);
        let passed = probes.iter().filter(|key| footer.may_hold(**key)).count();
        assert!(passed * 100 >= probes.len() * 99, "bounds exclude {passed} of {}", probes.len());
    }
}

#[test]
fn without_the_filter_at_hand_the_bounds_answer() {
    let block = one_span_traces((0..300).map(|trace| bare(trace, 1)));
    let footer = open(&block.bytes, 8);
    assert!(!footer.may_hold(TraceKey(block.keys.from.0 - 1)));
    assert!(!footer.may_hold(TraceKey(block.keys.to.0 + 1)));
    assert!(footer.may_hold(TraceKey(block.keys.from.0 + 1)));
    let whole = open(&block.bytes, block.tail as usize);
    assert!(!whole.may_hold(TraceKey(block.keys.from.0 + 1)), "the filter was not asked");
}

#[test]
fn too_many_services_and_attributes_are_not_listed() {
    let names: Vec<&'static str> = (0..2_001).map(|at| &*format!("key {at}").leak()).collect();
    let block = |services: usize, keys: usize| {
        let services = (0..services).map(|at| with_resource(bare(at as u64, 1), [("service.name", names[at].into())]));
        let keyed = (0..keys).map(|at| with_resource(bare(9_999 + at as u64, 1), [(names[at], Value::Empty)]));
        one_span_traces(services.chain(keyed))
    };
    for (services, keys) in [(200, 1_999), (201, 1_999), (200, 2_000)] {
        let written = block(services, keys);
        let listed = (written.services.map(|names| names.len()), written.attributes.map(|keys| keys.len()));
        // `service.name` is a key too.
        assert_eq!(listed, ((services <= 200).then_some(services), (keys < 2_000).then_some(keys + 1)));
    }
}

#[test]
fn heavy_spans_come_in_small_batches_and_row_groups() {
    let mut writer = BlockWriter::new(Layout::level0(), Filter::None).unwrap();
    let mut spans: Vec<_> = (0..100)
        .map(|at| Span {
            attributes: [("text".into(), Value::Str(noise(at, 1 << 20)))].into_iter().collect(),
            ..bare(at, at)
        })
        .collect();
    spans.sort_by(canonical_order);
    let mut last = 0;
    for span in &spans {
        writer.write_trace(std::slice::from_ref(span)).unwrap();
        assert!(writer.memory() >= writer.size() / 2);
        last = writer.size();
    }
    let block = writer.finish().unwrap();
    let size = block.bytes.len() as u64;
    assert!(last * 3 / 4 < size && size < last * 4 / 3, "{last} bytes were expected, {size} came");
    let footer = open(&block.bytes, 8);
    assert_eq!(footer.row_groups(), 2, "{size} bytes");
    assert!(footer.decoding_bytes() >= largest_pages(&block.bytes));
    let batches = read_rows(&footer, &block.bytes, KeyRange::ALL);
    assert!(
        batches.iter().all(|rows| rows.len() <= 8),
        "{:?}",
        batches.iter().map(|rows| rows.len()).collect::<Vec<_>>()
    );
    assert!(batches.iter().flat_map(|rows| rows.spans()).map(Result::unwrap).eq(spans));
}

#[test]
fn a_block_without_spans_is_refused() {
    let mut writer = BlockWriter::new(Layout::level0(), Filter::None).unwrap();
    writer.write_trace(&[]).unwrap();
    assert!(matches!(writer.finish(), Err(Error::Empty)));
}

#[test]
fn a_sample_finds_the_layout_of_the_whole() {
    // In the sample nearly each user is new; in the whole each comes eight times. Each session comes once.
    let span = |at: u64| {
        let pairs = [
            ("user", Value::from(&*format!("user {}", bare(at, at).trace_id.key().0 % 12_500))),
            ("session", Value::from(&*format!("session {at}"))),
        ];
        let attributes = pairs.into_iter().map(|(key, value)| (key.into(), value)).collect();
        Span { attributes, ..bare(at, at) }
    };
    let layout = |observed: u64, rows| {
        let mut layout = LayoutBuilder::default();
        (0..observed).map(span).for_each(|span| layout.observe(&span));
        layout.finish_for(rows)
    };
    assert_eq!(layout(5_000, 100_000), layout(100_000, 100_000));
    assert_ne!(layout(5_000, 5_000), layout(100_000, 100_000));
}
