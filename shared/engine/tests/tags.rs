//! Tag names and values: the same however spans lie and questions are cut, and what they cost.

#![allow(clippy::unwrap_used)]

mod some_days;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use async_trait::async_trait;
use niente_block::{Bounds, Vocabulary};
use niente_catalog::{Catalog, TenantConfig};
use niente_compact::Policy;
use niente_cost::Budget;
use niente_engine::{
    Engine, Error, Partial, Reply, Settings, Shard, TagNamesQuestion, TagScope, TagValuesQuestion, Terms, Workers,
};
use niente_model::{
    Attributes, Event, Key, Link, Nanos, Resource, Scope, Span, SpanId, SpanKind, StatusCode, Tenant, TimeRange,
    TraceId, Value,
};
use niente_store::{Counting, MemoryStore};
use niente_traceql::{Kind, Status};
use proptest::{collection::vec, prelude::*};

use some_days::{HOUR, START, compact, span as plain_span, write};

/// Functions that start cold, reached by bytes.
#[derive(Debug)]
struct Remote(Arc<MemoryStore>);

#[async_trait]
impl Workers for Remote {
    fn parallel(&self) -> usize {
        3
    }

    fn memory_mib(&self) -> u32 {
        1_769
    }

    async fn answer(&self, shard: Arc<Shard>) -> Result<Partial, Error> {
        let shard = Shard::decode(&shard.encode()).unwrap();
        let answered = Engine::new(Catalog::new(self.0.clone())).answer(shard).await;
        Reply::decode(&Reply::of(answered).encode()).unwrap().into_result()
    }
}

const WIDE: Bounds = Bounds { values: usize::MAX, bytes: 1_000_000 };
const SCOPES: [TagScope; 5] =
    [TagScope::Resource, TagScope::Span, TagScope::Event, TagScope::Link, TagScope::Instrumentation];

fn attributes(pairs: Vec<(&str, Option<Value>)>) -> Attributes {
    pairs.into_iter().filter_map(|(key, value)| Some((Key::from(key), value?))).collect()
}

fn value() -> impl Strategy<Value = Option<Value>> {
    prop_oneof![
        Just(None),
        (0..3i64).prop_map(|n| Some(Value::Int(n))),
        (0..3u8).prop_map(|n| Some(Value::Str(format!("v{n}")))),
        (0..2u8).prop_map(|n| Some(Value::Float(f64::from(n) + 0.5))),
        any::<bool>().prop_map(|truth| Some(Value::Bool(truth))),
        Just(Some(Value::Array(vec![Value::from("v1"), Value::from("v7")]))),
    ]
}

/// A span of one of eight traces in one of three hours.
fn span() -> impl Strategy<Value = Span> {
    let ids = (1..9u64, proptest::option::of(1..40u64), 0..3 * HOUR);
    let own = (value(), value(), proptest::option::weighted(0.02, Just(Value::from("x"))));
    let fixed = (0..3i32, 0..6i32, 0..3u8, 0..4u8);
    let nested = (proptest::option::of((0..3u8, value())), proptest::option::of(value()));
    (ids, own, fixed, nested).prop_map(
        |((trace, parent, second), (a, b, rare), (status, kind, name, service), (event, link))| {
            let resource = attributes(vec![
                ("service.name", (service > 0).then(|| Value::Str(format!("s{service}")))),
                ("a", b.clone().filter(|_| service == 1)),
            ]);
            let mut span = plain_span(trace, 1, second);
            span.parent_span_id = parent.map(|id| SpanId::from_slice(&id.to_be_bytes()).unwrap());
            span.name = if name == 0 { String::new() } else { format!("n{name}") };
            (span.status_code, span.kind) = (StatusCode(status), SpanKind(kind));
            span.attributes = attributes(vec![("a", a), ("b", b), ("rare", rare)]);
            span.resource = Arc::new(Resource { attributes: resource, ..Resource::default() });
            let scope = attributes(vec![("a", (kind == 1).then(|| Value::from("lib")))]);
            span.scope = Arc::new(Scope { name: format!("l{kind}"), attributes: scope, ..Scope::default() });
            span.events.extend(event.map(|(number, code)| Event {
                time: span.start,
                name: format!("e{number}"),
                attributes: attributes(vec![("code", code)]),
                dropped_attributes_count: 0,
            }));
            span.links.extend(link.map(|weight| Link {
                trace_id: vec![1; 16],
                span_id: vec![1; 8],
                trace_state: String::new(),
                attributes: attributes(vec![("weight", weight)]),
                dropped_attributes_count: 0,
                flags: 0,
            }));
            span
        },
    )
}

/// Some spans, each with an ID of its own.
fn spans() -> impl Strategy<Value = Vec<Span>> {
    vec(span(), 1..40).prop_map(|mut spans| {
        for (id, span) in spans.iter_mut().enumerate() {
            span.span_id = SpanId::from_slice(&(id as u64 + 1).to_be_bytes()).unwrap();
        }
        spans
    })
}

/// A filter, and what it means.
type Filter = (Option<&'static str>, fn(&Span) -> bool);

const FILTERS: [Filter; 4] = [
    (None, |_| true),
    (Some("{ span.a = 1 }"), |span| span.attributes.get("a") == Some(&Value::Int(1))),
    (Some("{ resource.service.name = `s1` && kind = server }"), |span| {
        span.resource.attributes.get("service.name") == Some(&Value::from("s1")) && span.kind == SpanKind::SERVER
    }),
    (Some("{ status = error || event:name = `e1` }"), |span| {
        span.status_code == StatusCode::ERROR || span.events.iter().any(|event| event.name == "e1")
    }),
];

/// Which values a field has of a span.
fn values_of(span: &Span, field: &str) -> Vec<Value> {
    let of = |attributes: &Attributes, key: &str| attributes.get(key).cloned();
    let (own, resource, scope) = (&span.attributes, &span.resource.attributes, &span.scope.attributes);
    let found = match field {
        "span.a" => vec![of(own, "a")],
        "span.rare" => vec![of(own, "rare")],
        "resource.service.name" => vec![of(resource, "service.name")],
        ".a" => vec![of(own, "a"), of(resource, "a"), of(scope, "a")],
        "instrumentation.a" => vec![of(scope, "a")],
        "instrumentation:name" => vec![Some(Value::from(span.scope.name.as_str()))],
        "name" => vec![(!span.name.is_empty()).then(|| Value::from(span.name.as_str()))],
        "event:name" => span.events.iter().map(|event| Some(Value::from(event.name.as_str()))).collect(),
        "event.code" => span.events.iter().map(|event| of(&event.attributes, "code")).collect(),
        "link.weight" => span.links.iter().map(|link| of(&link.attributes, "weight")).collect(),
        "status" => {
            let names = [Status::Unset, Status::Ok, Status::Error];
            vec![Some(Value::from(names[span.status_code.0 as usize].spelling()))]
        }
        "kind" => {
            let names = [Kind::Unspecified, Kind::Internal, Kind::Server, Kind::Client, Kind::Producer, Kind::Consumer];
            vec![Some(Value::from(names[span.kind.0 as usize].spelling()))]
        }
        _ => unreachable!("{field}"),
    };
    let flat = |value: Value| if let Value::Array(elements) = value { elements } else { vec![value] };
    found.into_iter().flatten().flat_map(flat).collect()
}

const FIELDS: [&str; 12] = [
    "span.a",
    "span.rare",
    "resource.service.name",
    ".a",
    "instrumentation.a",
    "instrumentation:name",
    "name",
    "event:name",
    "event.code",
    "link.weight",
    "status",
    "kind",
];
/// Those that are computed of whole traces: compared with themselves.
const OF_TRACES: [&str; 4] = ["rootName", "nestedSetLeft", "span:childCount", "parent.span.a"];

fn names_of(span: &Span, scope: TagScope) -> Vec<Value> {
    let keys = |attributes: &Attributes| attributes.iter().map(|(key, _)| Value::from(&**key)).collect::<Vec<_>>();
    match scope {
        TagScope::Resource => keys(&span.resource.attributes),
        TagScope::Span => keys(&span.attributes),
        TagScope::Instrumentation => keys(&span.scope.attributes),
        TagScope::Event => span.events.iter().flat_map(|event| keys(&event.attributes)).collect(),
        TagScope::Link => span.links.iter().flat_map(|link| keys(&link.attributes)).collect(),
    }
}

fn listed(vocabulary: &Vocabulary) -> BTreeSet<Value> {
    vocabulary.values().cloned().collect()
}

/// All lists by what they are of.
type Lists = BTreeMap<String, BTreeSet<Value>>;

async fn ask(engine: &Engine, window: TimeRange, filter: Option<&str>, fields: &[&str]) -> Lists {
    let (tenant, filter) = (Tenant::single(), filter.map(str::to_owned));
    let names = TagNamesQuestion { scopes: SCOPES.to_vec(), filter: filter.clone(), window, bounds: WIDE };
    let names = engine.on(Terms::default()).tag_names(&tenant, &names).await.unwrap();
    let mut lists: Lists = names.scopes.iter().map(|(scope, names)| (format!("{scope:?}"), listed(names))).collect();
    for field in fields {
        let parsed = niente_traceql::parse_field(field).unwrap();
        let question = TagValuesQuestion { field: parsed, filter: filter.clone(), window, bounds: WIDE };
        let values = engine.on(Terms::default()).tag_values(&tenant, &question).await.unwrap();
        lists.insert((*field).to_owned(), listed(&values.values));
    }
    lists
}

fn naive(spans: &[Span], filter: Filter) -> Lists {
    let matching: Vec<&Span> = spans.iter().filter(|span| filter.1(span)).collect();
    let names =
        SCOPES.map(|scope| (format!("{scope:?}"), matching.iter().flat_map(|span| names_of(span, scope)).collect()));
    let values = FIELDS.map(|field| {
        let all: BTreeSet<Value> = match (field, filter.0) {
            ("status", None) => ["error", "ok", "unset"].map(Value::from).into(),
            ("kind", None) => {
                ["client", "consumer", "internal", "producer", "server", "unspecified"].map(Value::from).into()
            }
            _ => matching.iter().flat_map(|span| values_of(span, field)).collect(),
        };
        (field.to_owned(), all)
    });
    names.into_iter().chain(values).collect()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future)
}

/// Three hours.
fn everything() -> TimeRange {
    TimeRange::lasting(Nanos::from_secs(START), Nanos::from_secs(3 * HOUR - 1))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn answers_are_those_of_a_naive_look_at_all_spans(spans in spans(), requests in 1..4usize) {
        let all_fields: Vec<&str> = FIELDS.iter().chain(&OF_TRACES).copied().collect();
        block_on(async {
            let store = Arc::new(MemoryStore::new());
            for request in spans.chunks(spans.len().div_ceil(requests)) {
                write(&*store, request.to_vec()).await;
            }
            let mut first: Vec<Lists> = Vec::new();
            for stage in ["level 0", "compacted"] {
                let settings = |workers| Settings { shard_bytes: 20_000, workers, ..Settings::default() };
                let remote: Arc<dyn Workers> = Arc::new(Remote(store.clone()));
                for (name, settings) in
                    [("whole", Settings::default()), ("cut", settings(None)), ("by workers", settings(Some(remote)))]
                {
                    let engine = Engine::with(Catalog::new(store.clone()), settings);
                    for (at, filter) in FILTERS.into_iter().enumerate() {
                        // Twice: what is kept is what was read.
                        for round in 0..if name == "whole" { 2 } else { 1 } {
                            let found = ask(&engine, everything(), filter.0, &all_fields).await;
                            for (of, expected) in naive(&spans, filter) {
                                assert_eq!(found[&of], expected, "{of} {:?} {stage} {name} {round}", filter.0);
                            }
                            match first.get(at) {
                                Some(first) => assert_eq!(found, *first, "{:?} {stage} {name}", filter.0),
                                None => first.push(found),
                            }
                        }
                    }
                }
                compact(&store, Policy::everything()).await;
            }
        });
    }

    #[test]
    fn with_a_filter_the_hours_count_however_far_compaction_has_come(spans in spans()) {
        block_on(async {
            let store = Arc::new(MemoryStore::new());
            write(&*store, spans.clone()).await;
            let hour = TimeRange::lasting(Nanos::from_secs(START + HOUR + 5), Nanos::from_secs(60));
            let within: Vec<Span> =
                spans.iter().filter(|span| span.start.hour() == hour.start().hour()).cloned().collect();
            for stage in ["level 0", "compacted"] {
                let engine = Engine::new(Catalog::new(store.clone()));
                for filter in &FILTERS[if stage == "level 0" { 0 } else { 1 }..] {
                    let found = ask(&engine, hour, filter.0, &FIELDS).await;
                    for (of, expected) in naive(&within, *filter) {
                        assert_eq!(found[&of], expected, "{of} {:?} {stage}", filter.0);
                    }
                }
                compact(&store, Policy::everything()).await;
            }
        });
    }

    #[test]
    fn redacted_traces_are_not_listed(spans in spans(), redacted in 1..9u64, typed in any::<bool>()) {
        block_on(async {
            let store = Arc::new(MemoryStore::new());
            write(&*store, spans.clone()).await;
            if typed {
                compact(&store, Policy::everything()).await;
            }
            let engine = Engine::new(Catalog::new(store.clone()));
            // Before, so that something is kept.
            ask(&engine, everything(), None, &FIELDS).await;
            let id = some_days::trace(redacted);
            redact(&store, id).await;
            let rest: Vec<Span> = spans.iter().filter(|span| span.trace_id != id).cloned().collect();
            for filter in FILTERS {
                let found = ask(&engine, everything(), filter.0, &FIELDS).await;
                for (of, expected) in naive(&rest, filter) {
                    assert_eq!(found[&of], expected, "{of} {:?}", filter.0);
                }
            }
        });
    }
}

async fn redact(store: &Arc<MemoryStore>, id: TraceId) {
    TenantConfig::update(&**store, &Tenant::single(), |config| config.redact(id, Nanos::from_secs(START)))
        .await
        .unwrap();
}

/// So many requests of a thousand spans, all of one hour.
async fn busy_hour(requests: u64) -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::new());
    for request in 0..requests {
        let span = |n| {
            let span = plain_span(request * 100 + n / 10 + 1, request * 1_000 + n + 1, n);
            Span { name: if n % 8 == 0 { String::new() } else { format!("n{}", n % 8) }, ..span }
        };
        write(&*store, (0..1_000).map(span).collect()).await;
    }
    store
}

/// What a snapshot of a window within one day reads beside the listing: the day and the configuration.
const SNAPSHOT: u64 = 2;

async fn gets(engine: &Engine, counting: &Counting, field: &str) -> (u64, u64, usize) {
    let question = TagValuesQuestion {
        field: niente_traceql::parse_field(field).unwrap(),
        filter: None,
        window: TimeRange::lasting(Nanos::from_secs(START), Nanos::from_secs(60)),
        bounds: WIDE,
    };
    let before = counting.counts();
    let answer = engine.on(Terms::default()).tag_values(&Tenant::single(), &question).await.unwrap();
    let spent = counting.counts() - before;
    assert!(spent.lists <= 1);
    (spent.gets, spent.bytes_read, answer.values.values().len())
}

#[tokio::test]
async fn an_object_is_read_once_and_remembered() {
    let store = busy_hour(10).await;
    let counting = Counting::new(store.clone());
    let engine = Engine::new(Catalog::new(Arc::new(counting.clone())));
    // Small objects whole, in one request each.
    let (requests, _, values) = gets(&engine, &counting, "span.user.id").await;
    assert_eq!((requests, values), (SNAPSHOT + 10, 10_000));
    let (requests, _, values) = gets(&engine, &counting, "span.user.id").await;
    assert_eq!((requests, values), (SNAPSHOT, 10_000));
    // What needs no reading needs not even a snapshot.
    for field in ["status", "kind", "duration", "trace:id"] {
        assert_eq!(gets(&engine, &counting, field).await.0, 0, "{field}");
    }
}

#[tokio::test]
async fn of_a_large_block_the_end_and_a_dictionary_are_read() {
    let store = busy_hour(100).await;
    compact(&store, Policy::everything()).await;
    let counting = Counting::new(store.clone());
    let engine = Engine::new(Catalog::new(Arc::new(counting.clone())));
    let snapshot = engine.catalog().snapshot(&Tenant::single(), TimeRange::ALL).await.unwrap();
    let block = &snapshot.objects[0];
    assert!(snapshot.objects.len() == 1 && block.size > 1 << 20, "{}", block.size);
    let (requests, bytes, values) = gets(&engine, &counting, "name").await;
    assert_eq!((requests, values), (SNAPSHOT + 2, 7));
    assert!(bytes < block.tail.unwrap() + 10_000, "{bytes} of {}", block.size);
    let (requests, _, values) = gets(&engine, &counting, "statusMessage").await;
    assert_eq!((requests, values), (SNAPSHOT + 1, 0), "the end is known by now");
    // The metadata tells that there is none, and what there is of names is kept.
    assert_eq!(gets(&engine, &counting, "resource.service.name").await.0, SNAPSHOT);
    assert_eq!(gets(&engine, &counting, "name").await.0, SNAPSHOT);
}

#[tokio::test]
async fn a_budget_is_checked_before_anything_is_read() {
    let store = busy_hour(10).await;
    let counting = Counting::new(store.clone());
    let engine = Engine::new(Catalog::new(Arc::new(counting.clone())));
    let window = TimeRange::lasting(Nanos::from_secs(START), Nanos::from_secs(60));
    for filter in [None, Some("{ span.a = 1 }".to_owned())] {
        let question = TagNamesQuestion { scopes: SCOPES.to_vec(), filter, window, bounds: WIDE };
        let budget = Budget { bytes: Some(10_000), ..Budget::UNLIMITED };
        let before = counting.counts();
        let asking = engine.on(Terms { budget, ..Terms::default() });
        let error = asking.tag_names(&Tenant::single(), &question).await.unwrap_err();
        assert!(matches!(error, Error::OverBudget(_)), "{error}");
        assert_eq!((counting.counts() - before).gets, SNAPSHOT);
    }
}

#[tokio::test]
async fn limits_keep_the_first_in_order() {
    let store = busy_hour(3).await;
    let engine = Engine::new(Catalog::new(store.clone()));
    let ask_of = |field: &str, bounds| {
        let (engine, field) = (engine.clone(), niente_traceql::parse_field(field).unwrap());
        async move {
            let window = TimeRange::lasting(Nanos::from_secs(START), Nanos::from_secs(60));
            let question = TagValuesQuestion { field, filter: None, window, bounds };
            let answer = engine.on(Terms::default()).tag_values(&Tenant::single(), &question).await.unwrap();
            (answer.values.values().cloned().collect::<Vec<_>>(), answer.values.is_cut())
        }
    };
    let ask = |bounds| ask_of("span.user.id", bounds);
    let (all, cut) = ask(WIDE).await;
    assert!(all.len() == 3_000 && !cut);
    let (some, cut) = ask(Bounds { values: 7, bytes: 1_000_000 }).await;
    assert!(some == all[..7] && cut);
    let (few, cut) = ask(Bounds { values: usize::MAX, bytes: 100 }).await;
    assert!(!few.is_empty() && few.len() < 9 && few == all[..few.len()] && cut);
    // A name that is none takes no place.
    let named = Span { name: "a".to_owned(), ..plain_span(1, 99_999, 5) };
    write(&*store, vec![named]).await;
    assert_eq!(ask_of("name", Bounds { values: 1, bytes: 100 }).await, (vec![Value::from("a")], true));
    // What was kept for a narrow answer doesn't narrow a wide one.
    assert_eq!(ask(WIDE).await.0.len(), 3_000);
}
