//! Which spans are taken.

use niente_model::Nanos;
use niente_receive::{
    Format, Limits, Request,
    proto::trace::v1::{Span, span::Event},
};
use prost::Message;

use crate::vocabulary::{NOW, SECOND, good_span, request};

const HOUR: u64 = 3_600 * SECOND;
const DAY: Nanos = Nanos::from_secs(86_400);

/// Changes a good span, and expects it to be taken, or refused for a reason.
fn check(retention: Option<Nanos>, change: impl FnOnce(&mut Span), expected: Result<(), &str>) {
    let mut span = good_span();
    change(&mut span);
    let limits = Limits::default();
    let body = request(vec![good_span(), span.clone(), good_span()]).encode_to_vec();
    let batch = Request::decode(&body, Format::Protobuf, &limits).unwrap().check(&limits, NOW, retention).unwrap();
    match expected {
        Ok(()) => assert!(batch.refused.is_empty() && batch.spans.len() == 3, "{}: {span:?}", batch.refused),
        Err(reason) => {
            assert_eq!(batch.refused.to_string(), format!("1 span refused: {reason} (1)"), "{span:?}");
            assert_eq!(batch.spans.len(), 2, "the others are taken");
        }
    }
}

#[test]
fn ids_of_wrong_lengths_or_zeros_are_refused() {
    check(None, |span| span.trace_id = vec![1; 8], Ok(()));
    for (bytes, reason) in [
        (vec![], "trace ID has 0 bytes, it must have 16 (or 8 for a 64-bit ID)"),
        (vec![1; 15], "trace ID has 15 bytes, it must have 16 (or 8 for a 64-bit ID)"),
        (vec![1; 17], "trace ID has 17 bytes, it must have 16 (or 8 for a 64-bit ID)"),
        (vec![0; 16], "trace ID is all zeros"),
        (vec![0; 8], "trace ID is all zeros"),
    ] {
        check(None, |span| span.trace_id = bytes, Err(reason));
    }
    for (bytes, reason) in [
        (vec![], "span ID has 0 bytes, it must have 8"),
        (vec![1; 16], "span ID has 16 bytes, it must have 8"),
        (vec![0; 8], "span ID is all zeros"),
    ] {
        check(None, |span| span.span_id = bytes, Err(reason));
    }
    check(None, |span| span.parent_span_id = vec![1; 8], Ok(()));
    check(None, |span| span.parent_span_id = vec![0; 8], Ok(()));
    check(None, |span| span.parent_span_id = vec![1; 3], Err("parent span ID has 3 bytes, it must have 8"));
}

#[test]
fn times_that_cannot_be_are_refused() {
    let now = NOW.get();
    let at = |nanos| move |span: &mut Span| (span.start_time_unix_nano, span.end_time_unix_nano) = (nanos, nanos);
    check(None, at(0), Err("start time is missing or 0"));
    check(None, at(1), Ok(()));
    check(None, at(365 * 24 * HOUR), Ok(()));
    check(None, at(now + 2 * HOUR), Ok(()));
    check(None, at(now + 2 * HOUR + 1), Err("start time is more than 2 h in the future"));
    check(None, at(230 * 365 * 24 * HOUR), Err("start time is more than 2 h in the future"));
    check(None, at(i64::MAX as u64), Err("start time is more than 2 h in the future"));
    check(None, at(1 << 63), Err("start time is beyond the year 2262"));
    check(None, at(u64::MAX), Err("start time is beyond the year 2262"));

    check(None, |span| span.end_time_unix_nano = now + 2 * HOUR, Ok(()));
    check(None, |span| span.end_time_unix_nano = now + 3 * HOUR, Err("end time is more than 2 h in the future"));
    check(None, |span| span.end_time_unix_nano = u64::MAX, Err("end time is beyond the year 2262"));
    let event = Event { time_unix_nano: u64::MAX, ..Event::default() };
    check(None, |span| span.events.push(event), Err("event time is beyond the year 2262"));
}

#[test]
fn spans_older_than_the_retention_are_refused() {
    let oldest = NOW.get() - DAY.get();
    let from = |nanos| move |span: &mut Span| span.start_time_unix_nano = nanos;
    check(Some(DAY), from(oldest), Ok(()));
    check(Some(DAY), from(oldest - 1), Err("start time is older than the retention of 1 d"));
    check(Some(Nanos::MAX), from(1), Ok(()));
    check(None, from(oldest - 1), Ok(()));
}

#[test]
fn an_end_before_the_start_leaves_no_duration_and_a_warning() {
    let mut span = good_span();
    span.end_time_unix_nano = span.start_time_unix_nano - 1;
    let batch = Request::from(request(vec![good_span(), span])).check(&Limits::default(), NOW, None).unwrap();
    assert_eq!(batch.spans[0].duration, Nanos::from_secs(1));
    assert_eq!(batch.spans[1].duration, Nanos::ZERO);
    assert_eq!(batch.warnings.negative_durations, 1);
    assert!(batch.refused.is_empty());
}
