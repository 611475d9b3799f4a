use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use niente_model::{Nanos, Span, SpanKind, StatusCode, Value};
use niente_receive::{Limits, Request};

use super::*;

/// The first second of an hour, in which all troubles come up.
const HOUR: u64 = 1_793_577_600;

/// An hour of the shop as the store sees it.
fn hour(seed: u64) -> Vec<Span> {
    let shop = Shop::new(seed);
    let now = Nanos::from_secs(HOUR + 3_700);
    let spans: Vec<_> = (HOUR..HOUR + 3_600).flat_map(|second| shop.second(second)).collect();
    let batch = Request::from(shop.request(spans)).check(&Limits::default(), now, None).unwrap();
    assert!(batch.refused.is_empty(), "{}", batch.refused);
    assert!(batch.warnings.is_empty(), "{}", batch.warnings);
    batch.spans
}

fn service(span: &Span) -> &str {
    match span.resource.attributes.get("service.name") {
        Some(Value::Str(name)) => name,
        other => panic!("a resource with the name {other:?}"),
    }
}

#[test]
fn an_hour_is_lively_and_not_too_large() {
    let spans = hour(1);
    let traces: HashSet<_> = spans.iter().map(|span| span.trace_id).collect();
    let services: BTreeSet<_> = spans.iter().map(service).collect();
    let errors = spans.iter().filter(|span| span.status_code == StatusCode::ERROR).count();
    assert!((2_500..5_000).contains(&traces.len()), "{} traces", traces.len());
    assert!((30_000..60_000).contains(&spans.len()), "{} spans", spans.len());
    assert_eq!(services.len(), Shop::services());
    assert!((100..3_000).contains(&errors), "{errors} errors");
    let kinds: BTreeSet<_> = spans.iter().map(|span| span.kind).collect();
    assert_eq!(kinds.len(), 5, "all kinds: {kinds:?}");
    assert!(spans.iter().all(|span| span.duration.get() > 0));
}

#[test]
fn the_same_seed_and_time_make_the_same_shop() {
    let shop = |seed| Shop::new(seed).request(Shop::new(seed).second(HOUR + 720));
    assert_eq!(shop(1), shop(1));
    assert_ne!(shop(1), shop(2));
    assert_ne!(Shop::new(1).second(HOUR), Shop::new(1).second(HOUR + 3_600));
}

#[test]
fn every_parent_and_every_link_exists() {
    let spans = hour(2);
    let by_id: HashMap<_, _> = spans.iter().map(|span| ((span.trace_id, span.span_id), span)).collect();
    assert_eq!(by_id.len(), spans.len(), "span IDs are unique");
    let known: HashSet<(&[u8], &[u8])> =
        spans.iter().map(|span| (&span.trace_id.as_bytes()[..], &span.span_id.as_bytes()[..])).collect();
    let mut roots: BTreeMap<_, u32> = BTreeMap::new();
    for span in &spans {
        match span.parent_span_id {
            None => *roots.entry(span.trace_id).or_default() += 1,
            Some(parent) => {
                let parent = by_id[&(span.trace_id, parent)];
                assert!(parent.start <= span.start, "{} before {}", span.name, parent.name);
                let waits = span.kind != SpanKind::CONSUMER;
                assert!(!waits || span.end() <= parent.end(), "{} outlasts {}", span.name, parent.name);
            }
        }
        for link in &span.links {
            assert!(known.contains(&(&*link.trace_id, &*link.span_id)));
        }
    }
    assert!(roots.values().all(|roots| *roots == 1));
    let links = spans.iter().map(|span| span.links.len()).sum::<usize>();
    assert!(links > 300, "{links} links");
}

#[test]
fn what_failed_tells_of_its_exception() {
    let spans = hour(1);
    let exceptions = |span: &Span| span.events.iter().filter(|event| event.name == "exception").count();
    let telling: HashSet<_> = spans.iter().filter(|span| exceptions(span) > 0).map(|span| span.trace_id).collect();
    for span in &spans {
        assert!(exceptions(span) <= 1, "{}", span.name);
        // Who called what failed has an error but not its exception.
        assert!(span.status_code != StatusCode::ERROR || telling.contains(&span.trace_id), "{}", span.name);
    }
    let types: BTreeSet<_> =
        spans.iter().flat_map(|span| &span.events).filter_map(|event| event.attributes.get("exception.type")).collect();
    assert!(types.len() >= 6, "{types:?}");
}

#[test]
fn troubles_show_in_their_minutes() {
    let spans = hour(1);
    let minute = |span: &Span| (span.start.as_secs() - HOUR) / 60;
    let share = |minutes: std::ops::RangeInclusive<u64>, pick: &dyn Fn(&Span) -> bool, bad: &dyn Fn(&Span) -> bool| {
        let (there, elsewhere): (Vec<_>, Vec<_>) =
            spans.iter().filter(|span| pick(span)).partition(|span| minutes.contains(&minute(span)));
        let share = |spans: &[&Span]| spans.iter().filter(|span| bad(span)).count() as f64 / spans.len() as f64;
        (share(&there), share(&elsewhere))
    };
    let (down, otherwise) =
        share(12..=16, &|span| span.name == "shop.PaymentService/Charge" && span.kind == SpanKind::SERVER, &|span| {
            span.status_code == StatusCode::ERROR
        });
    assert!(down > 0.5 && otherwise < 0.2, "{down} {otherwise}");
    let (slow, otherwise) =
        share(38..=43, &|span| span.name == "SELECT products", &|span| span.duration.get() > 100_000_000);
    assert!(slow > 0.8 && otherwise < 0.01, "{slow} {otherwise}");
}
