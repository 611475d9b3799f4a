//! Metrics as one would reckon them with all spans at hand: slow, obvious, and apart from the engine.

use std::collections::{BTreeMap, BTreeSet};

use niente_engine::Intervals;
use niente_model::{Attributes, Key, Nanos, Resource, Span, SpanId, SpanKind, StatusCode, TimeRange, TraceId, Value};
use proptest::{collection::vec, option, prelude::*, sample::select};

pub(crate) const STEP: u64 = 60;
const START: u64 = 1_793_577_600;

/// Ten minutes; spans start up to a minute before and after.
pub(crate) fn range() -> TimeRange {
    TimeRange::lasting(Nanos::from_secs(START), Nanos::from_secs(600))
}

/// Which spans a question is about.
#[derive(Clone, Copy, Debug)]
enum Filter {
    All,
    Errors,
    Positive,
    Roots,
    BelowServers,
    Crowded,
}

/// What it asks of them.
#[derive(Clone, Debug)]
enum Function {
    Count,
    Rate,
    Min(Argument),
    Max(Argument),
    Avg(Argument),
    Sum(Argument),
    Quantile(Argument, f64),
    Histogram(Argument),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Argument {
    Duration,
    N,
    F,
}

/// A metrics question whose answer is known here.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    filter: Filter,
    function: Function,
    by: Vec<&'static str>,
}

impl Question {
    pub(crate) fn text(&self) -> String {
        let filter = match self.filter {
            Filter::All => "{ }",
            Filter::Errors => "{ status = error }",
            Filter::Positive => "{ span.n > 0 && name != `c` }",
            Filter::Roots => "{ nestedSetParent < 0 }",
            Filter::BelowServers => "{ kind = server } >> { true }",
            Filter::Crowded => "{ } | count() > 2",
        };
        let argument = |argument: &Argument| match argument {
            Argument::Duration => "duration",
            Argument::N => "span.n",
            Argument::F => "span.f",
        };
        let function = match &self.function {
            Function::Count => "count_over_time()".to_owned(),
            Function::Rate => "rate()".to_owned(),
            Function::Min(of) => format!("min_over_time({})", argument(of)),
            Function::Max(of) => format!("max_over_time({})", argument(of)),
            Function::Avg(of) => format!("avg_over_time({})", argument(of)),
            Function::Sum(of) => format!("sum_over_time({})", argument(of)),
            Function::Quantile(of, quantile) => format!("quantile_over_time({}, {quantile})", argument(of)),
            Function::Histogram(of) => format!("histogram_over_time({})", argument(of)),
        };
        let by = if self.by.is_empty() { String::new() } else { format!(" by ({})", self.by.join(", ")) };
        format!("{filter} | {function}{by}")
    }
}

pub(crate) fn questions() -> impl Strategy<Value = Question> {
    let filter =
        select(&[Filter::All, Filter::Errors, Filter::Positive, Filter::Roots, Filter::BelowServers, Filter::Crowded]);
    let argument = || select(&[Argument::Duration, Argument::N, Argument::F]);
    let function = prop_oneof![
        Just(Function::Count),
        Just(Function::Rate),
        argument().prop_map(Function::Min),
        argument().prop_map(Function::Max),
        argument().prop_map(Function::Avg),
        argument().prop_map(Function::Sum),
        (argument(), 0.0..=1.0).prop_map(|(of, quantile)| Function::Quantile(of, quantile)),
        argument().prop_map(Function::Histogram),
    ];
    let keys = &["resource.service.name", "name", "status", "kind", "span.n", "span.f", "span.t"];
    let by = prop::sample::subsequence(&keys[..], 0..=2);
    (filter, function, by).prop_map(|(filter, function, by)| Question { filter, function, by })
}

prop_compose! {
    fn one_span()(
        trace in 1_u8..6,
        id in 1_u8..30,
        parent in option::of(1_u8..30),
        at in 0_u64..720_000,
        duration in prop_oneof![Just(0), 0_u64..10, 0_u64..10_000_000_000],
        kind in 0_i32..4,
        status in 0_i32..3,
        name in select(&["a", "b", "c"][..]),
        service in option::of(select(&["x", "y"][..])),
        n in option::of(-3_i64..300),
        f in option::of(prop_oneof![Just(0.0), -2.0..2.0, Just(0.1), Just(1e300), Just(f64::NAN), Just(f64::INFINITY)]),
        t in option::of(select(&["", "u", "v"][..])),
    ) -> Span {
        let attributes = [
            n.map(|n| (Key::from("n"), Value::Int(n))),
            f.map(|f| (Key::from("f"), Value::Float(f))),
            t.map(|t| (Key::from("t"), Value::from(t))),
        ];
        let service = service.map(|name| (Key::from("service.name"), Value::from(name)));
        // On whole seconds, so that some start with an interval.
        let at = if at % 3 == 0 { at / 1_000 * 1_000 } else { at };
        let start = Nanos::new((START - 60) * 1_000_000_000 + at * 1_000_000).unwrap();
        Span {
            parent_span_id: parent.filter(|parent| *parent != id).map(span_id),
            duration: Nanos::new(duration).unwrap(),
            kind: SpanKind(kind),
            status_code: StatusCode(status),
            name: name.to_owned(),
            attributes: Attributes::from_iter(attributes.into_iter().flatten()),
            resource: Resource { attributes: service.into_iter().collect(), ..Resource::default() }.into(),
            ..Span::new(TraceId::from_slice(&[trace; 16]).unwrap(), span_id(id), start)
        }
    }
}

fn span_id(id: u8) -> SpanId {
    SpanId::from_slice(&[id; 8]).unwrap()
}

/// Some traces' spans, each ID once in its trace.
pub(crate) fn spans() -> impl Strategy<Value = Vec<Span>> {
    vec(one_span(), 0..60).prop_map(|spans| {
        let mut seen = BTreeSet::new();
        spans.into_iter().filter(|span| seen.insert((span.trace_id, span.span_id))).collect()
    })
}

/// Compares an answer with what the spans come to.
pub(crate) fn compare(
    question: &Question,
    intervals: &Intervals,
    spans: &[Span],
    found: &BTreeMap<String, Vec<Option<f64>>>,
) -> Result<(), TestCaseError> {
    let text = question.text();
    let mut groups: BTreeMap<String, Vec<Vec<f64>>> = BTreeMap::new();
    let count = intervals.count();
    if question.by.is_empty() && matches!(question.function, Function::Count | Function::Rate) {
        groups.insert(labels(question, None, &[]), vec![Vec::new(); count]);
    }
    for span in spans.iter().filter(|span| selected(question.filter, span, spans)) {
        let Some(interval) = interval(span) else { continue };
        let values: Vec<String> = question.by.iter().map(|key| value(key, span)).collect();
        let (number, bucket) = match &question.function {
            Function::Count | Function::Rate => (Some(1.0), None),
            Function::Histogram(of) => match number(*of, span).map(|n| magnitude(*of, n)) {
                Some(Some(bucket)) => (Some(1.0), Some(bucket)),
                _ => (None, None),
            },
            Function::Min(of)
            | Function::Max(of)
            | Function::Avg(of)
            | Function::Sum(of)
            | Function::Quantile(of, _) => (number(*of, span), None),
        };
        if let Some(number) = number {
            let cells = groups.entry(labels(question, bucket, &values)).or_insert_with(|| vec![Vec::new(); count]);
            cells[interval].push(number);
        }
    }
    let keys = [found.keys().collect::<Vec<_>>(), groups.keys().collect()];
    prop_assert_eq!(&keys[0], &keys[1], "{}", text);
    for (group, cells) in &groups {
        for (interval, numbers) in cells.iter().enumerate() {
            let (expected, found) = (expected(&question.function, numbers), found[group][interval]);
            let slack = if let Function::Quantile(..) = question.function { 0.01 } else { 1e-12 };
            let same = match (expected, found) {
                (Some(a), Some(b)) => a == b || (a - b).abs() <= slack * a.abs(),
                (a, b) => a == b,
            };
            prop_assert!(same, "{text} {group} at {interval}: {found:?} instead of {expected:?} of {numbers:?}");
        }
    }
    Ok(())
}

/// By the definition: intervals are left-open, and the first ends where the range starts.
fn interval(span: &Span) -> Option<usize> {
    let (start, first) = (i128::from(span.start.get()), i128::from(START - STEP) * 1_000_000_000);
    let step = i128::from(STEP) * 1_000_000_000;
    (0..11).find(|n| first + n * step < start && start <= first + (n + 1) * step).map(|n| n as usize)
}

fn selected(filter: Filter, span: &Span, spans: &[Span]) -> bool {
    let trace = || spans.iter().filter(|other| other.trace_id == span.trace_id);
    match filter {
        Filter::All => true,
        Filter::Errors => span.status_code == StatusCode::ERROR,
        Filter::Positive => matches!(span.attributes.get("n"), Some(Value::Int(n)) if *n > 0) && span.name != "c",
        Filter::Roots => span.parent_span_id.is_none(),
        Filter::Crowded => trace().count() > 2,
        Filter::BelowServers => {
            let mut above = span.parent_span_id;
            let mut seen = BTreeSet::new();
            while let Some(id) = above.filter(|id| seen.insert(*id)) {
                let Some(parent) = trace().find(|other| other.span_id == id) else { return false };
                if parent.kind == SpanKind::SERVER && parent.span_id != span.span_id {
                    return true;
                }
                above = parent.parent_span_id;
            }
            false
        }
    }
}

/// In the unit of answers; none of what is no finite number.
fn number(argument: Argument, span: &Span) -> Option<f64> {
    match argument {
        Argument::Duration => Some(span.duration.get() as f64 / 1e9),
        Argument::N => match span.attributes.get("n") {
            Some(Value::Int(n)) => Some(*n as f64),
            _ => None,
        },
        Argument::F => match span.attributes.get("f") {
            Some(Value::Float(f)) if f.is_finite() => Some(*f),
            _ => None,
        },
    }
}

fn magnitude(argument: Argument, number: f64) -> Option<f64> {
    let (unit, least) = match argument {
        Argument::Duration => (1e9, 2.0),
        Argument::N => (1.0, 2.0),
        Argument::F => (1.0, f64::MIN_POSITIVE),
    };
    let number = (number * unit * 1e3).round() / 1e3;
    let number = if argument == Argument::F { number } else { number.round() };
    if number < least {
        return None;
    }
    let mut bound = 2_f64.powi(-1022);
    while bound < number {
        bound *= 2.0;
    }
    Some(bound / unit)
}

fn expected(function: &Function, numbers: &[f64]) -> Option<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let sum = || sorted.iter().sum::<f64>();
    match function {
        Function::Count | Function::Histogram(_) => Some(numbers.len() as f64),
        Function::Rate => Some(numbers.len() as f64 / STEP as f64),
        Function::Min(_) => sorted.first().copied(),
        Function::Max(_) => sorted.last().copied(),
        Function::Sum(_) => (!numbers.is_empty()).then(sum),
        Function::Avg(_) => (!numbers.is_empty()).then(|| sum() / numbers.len() as f64),
        Function::Quantile(_, quantile) => {
            let rank = ((quantile * sorted.len() as f64).ceil() as usize).max(1);
            Some(sorted.get(rank - 1).copied().unwrap_or_default())
        }
    }
}

/// A label's value as the debug form of answers has it.
fn value(key: &str, span: &Span) -> String {
    let attribute = |key: &str| match span.attributes.get(key) {
        Some(Value::Int(n)) => format!("Int({n})"),
        Some(Value::Float(f)) => format!("Float({f:?})"),
        Some(Value::Str(text)) => format!("Str({text:?})"),
        _ => "Nil".to_owned(),
    };
    match key {
        "resource.service.name" => match span.resource.attributes.get("service.name") {
            Some(Value::Str(text)) => format!("Str({text:?})"),
            _ => "Str(\"\")".to_owned(),
        },
        "name" => format!("Str({:?})", span.name),
        "status" => format!("Status({:?})", span.status_code),
        "kind" => format!("Kind({:?})", span.kind),
        key => attribute(key.trim_start_matches("span.")),
    }
}

fn labels(question: &Question, bucket: Option<f64>, values: &[String]) -> String {
    let mut labels: Vec<String> = Vec::new();
    let pairs = || question.by.iter().zip(values);
    labels.extend(pairs().filter(|(_, value)| *value != "Nil").map(|(key, value)| format!("{key}={value}")));
    match &question.function {
        Function::Histogram(_) => labels.extend(bucket.map(|bound| format!("__bucket=Float({bound:?})"))),
        Function::Quantile(_, quantile) => labels.push(format!("p=Float({quantile:?})")),
        function if question.by.is_empty() => {
            let name = match function {
                Function::Count => "count_over_time",
                Function::Rate => "rate",
                Function::Min(_) => "min_over_time",
                Function::Max(_) => "max_over_time",
                Function::Avg(_) => "avg_over_time",
                _ => "sum_over_time",
            };
            labels.push(format!("__name__=Str({name:?})"));
        }
        _ if labels.is_empty() => labels.extend(question.by.first().map(|key| format!("{key}=Nil"))),
        _ => {}
    }
    labels.join(", ")
}
