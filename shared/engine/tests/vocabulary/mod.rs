//! A few words to say traces with.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use niente_catalog::{Catalog, write_level0};
use niente_engine::{Engine, FoundTrace, SearchQuestion};
use niente_model::{Event, Key, Nanos, Resource, Span, SpanId, StatusCode, Tenant, TimeRange, TraceId, Value};
use niente_store::MemoryStore;

/// One trace, with the ID `ab`, in a store in memory.
pub(crate) struct Shop {
    engine: Engine,
}

/// A span to be.
#[derive(Clone)]
pub(crate) struct Words(Span);

/// A span whose ID is the letter's code: `A` is 41 in hexadecimal. Spans begin a millisecond apart, as they are listed.
pub(crate) fn span(letter: &str) -> Words {
    Words(Span {
        duration: Nanos::new(1_000_000).unwrap(),
        resource: resource([attr("service.name", "shop")]),
        ..Span::new("ab".parse().unwrap(), id(letter), Nanos::from_secs(1_793_577_600))
    })
}

/// An attribute.
pub(crate) fn attr(key: &str, value: impl IntoValue) -> (Key, Value) {
    (key.into(), value.into_value())
}

/// What can be an attribute's value here.
pub(crate) trait IntoValue {
    fn into_value(self) -> Value;
}

impl IntoValue for i64 {
    fn into_value(self) -> Value {
        Value::Int(self)
    }
}

impl IntoValue for f64 {
    fn into_value(self) -> Value {
        Value::Float(self)
    }
}

impl IntoValue for &str {
    fn into_value(self) -> Value {
        Value::from(self)
    }
}

impl<const N: usize> IntoValue for [&str; N] {
    fn into_value(self) -> Value {
        Value::Array(self.iter().map(|text| Value::from(*text)).collect())
    }
}

fn id(letter: &str) -> SpanId {
    let code = letter.bytes().next().unwrap();
    let code = if letter.len() == 1 { u64::from(code) } else { 0xffff };
    SpanId::from_slice(&code.to_be_bytes()).unwrap()
}

fn resource(attributes: impl IntoIterator<Item = (Key, Value)>) -> Arc<Resource> {
    Arc::new(Resource { attributes: attributes.into_iter().collect(), ..Resource::default() })
}

impl Words {
    pub(crate) fn name(mut self, name: &str) -> Self {
        self.0.name = name.into();
        self
    }

    pub(crate) fn parent(mut self, letter: &str) -> Self {
        self.0.parent_span_id = Some(id(letter));
        self
    }

    pub(crate) fn service(mut self, name: &str) -> Self {
        self.0.resource = resource([attr("service.name", name)]);
        self
    }

    pub(crate) fn resource_attr(mut self, key: &str, value: impl IntoValue) -> Self {
        let known = self.0.resource.attributes.clone();
        self.0.resource = resource(known.into_iter().chain([attr(key, value)]));
        self
    }

    pub(crate) fn attr(mut self, key: &str, value: impl IntoValue) -> Self {
        self.0.attributes = self.0.attributes.into_iter().chain([attr(key, value)]).collect();
        self
    }

    pub(crate) fn event(mut self, name: &str, attributes: &[(Key, Value)]) -> Self {
        let attributes = attributes.iter().cloned().collect();
        self.0.events.push(Event { time: self.0.start, name: name.into(), attributes, dropped_attributes_count: 0 });
        self
    }

    pub(crate) fn ms(mut self, ms: u64) -> Self {
        self.0.duration = Nanos::new(ms * 1_000_000).unwrap();
        self
    }

    pub(crate) fn error(mut self) -> Self {
        self.0.status_code = StatusCode::ERROR;
        self
    }
}

impl Shop {
    pub(crate) fn new(words: &[Words]) -> Self {
        let spans = words.iter().enumerate().map(|(at, Words(span))| {
            let later = Nanos::new(at as u64 * 1_000_000).unwrap();
            let mut span = span.clone();
            span.start = span.start.saturating_add(later);
            span.events.iter_mut().for_each(|event| event.time = event.time.saturating_add(later));
            span
        });
        let store = Arc::new(MemoryStore::new());
        block_on(write_level0(&*store, &Tenant::single(), spans.collect())).unwrap();
        Self { engine: Engine::new(Catalog::new(store)) }
    }

    fn search(&self, query: &str) -> Option<FoundTrace> {
        let query = niente_traceql::parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        let text = query.to_string();
        let question = SearchQuestion { query, text, window: TimeRange::ALL, limit: 1, spans_per_set: 100 };
        block_on(self.engine.search(&Tenant::single(), &question)).unwrap().traces.pop()
    }

    /// The letters of the selected spans, spansets apart by `/`.
    pub(crate) fn select(&self, query: &str) -> String {
        self.said(query, |span| letter(span.span_id))
    }

    /// The letters of the selected spans, with what the answer says of them.
    pub(crate) fn show(&self, query: &str) -> String {
        self.said(query, |span| {
            let name = span.name.as_ref().map(|name| format!("[{name}]")).unwrap_or_default();
            let attributes: Vec<_> = span.attributes.iter().map(|(key, value)| format!("{key}={value:?}")).collect();
            format!("{}{name}{{{}}}", letter(span.span_id), attributes.join(" "))
        })
    }

    fn said(&self, query: &str, say: impl Fn(&niente_engine::FoundSpan) -> String) -> String {
        let Some(trace) = self.search(query) else { return "-".into() };
        assert_eq!(trace.trace_id, TraceId::from_slice(&[0, 0, 0, 0, 0, 0, 0, 0xab]).unwrap());
        let sets = trace.spansets.iter().map(|set| set.spans.iter().map(&say).collect::<Vec<_>>().join(" "));
        sets.collect::<Vec<_>>().join(" / ")
    }
}

fn letter(id: SpanId) -> String {
    char::from(id.as_bytes()[7]).to_string()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}
