//! What the messages of `tempopb` may have that Grafana 12.1 to 13.1 was built with.
//!
//! Its JSON parser takes a field that is none of these for an error of the whole answer, and so a number with a fraction
//! where an integer belongs, or the name of an enumeration's value that there isn't.

use serde_json::Value;

/// What a field may be.
#[derive(Debug)]
pub(super) enum Form {
    Text,
    Bool,
    /// 32 bits, bare.
    Small,
    /// 64 bits, in quotes: JavaScript would round them.
    Unsigned,
    Signed,
    /// A number, or one of three words.
    Double,
    /// One of these names.
    Enum(&'static [&'static str]),
    List(&'static Form),
    /// By any key.
    Map(&'static Form),
    /// The fields that there must be, and those that there may be.
    Message {
        must: &'static [(&'static str, Form)],
        may: &'static [(&'static str, Form)],
    },
    /// A message with one of these.
    OneOf(&'static [(&'static str, Form)]),
}

use Form::{Bool, Double, Enum, List, Map, Message, OneOf, Signed, Small, Text, Unsigned};

/// `/api/search`
pub(super) const SEARCH: Form = Message { must: &[("traces", List(&TRACE)), ("metrics", METRICS)], may: &[] };

/// `/api/metrics/query_range`, which is read leniently, and shall not need it.
pub(super) const RANGE: Form = Message { must: &[("series", List(&RANGE_SERIES)), ("metrics", METRICS)], may: PARTIAL };

/// `/api/metrics/query`
pub(super) const INSTANT: Form =
    Message { must: &[("series", List(&INSTANT_SERIES)), ("metrics", METRICS)], may: PARTIAL };

const PARTIAL: &[(&str, Form)] = &[("status", Enum(&["COMPLETE", "PARTIAL"])), ("message", Text)];

const METRICS: Form = Message {
    must: &[],
    may: &[
        ("inspectedTraces", Small),
        ("inspectedBytes", Unsigned),
        ("totalBlocks", Small),
        ("completedJobs", Small),
        ("totalJobs", Small),
        ("totalBlockBytes", Unsigned),
        ("inspectedSpans", Unsigned),
    ],
};

const TRACE: Form = Message {
    must: &[("traceID", Text), ("rootServiceName", Text), ("startTimeUnixNano", Unsigned)],
    may: &[
        ("rootTraceName", Text),
        ("durationMs", Small),
        ("spanSet", SPAN_SET),
        ("spanSets", List(&SPAN_SET)),
        ("serviceStats", Map(&Message { must: &[], may: &[("spanCount", Small), ("errorCount", Small)] })),
    ],
};

const SPAN_SET: Form =
    Message { must: &[("spans", List(&SPAN))], may: &[("matched", Small), ("attributes", List(&ATTRIBUTE))] };

const SPAN: Form = Message {
    must: &[("spanID", Text), ("startTimeUnixNano", Unsigned)],
    may: &[("name", Text), ("durationNanos", Unsigned), ("attributes", List(&ATTRIBUTE))],
};

/// Of a span or a set of spans. There is no form for arrays, at which the data source panics.
const ATTRIBUTE: Form = Message { must: &[("key", Text), ("value", OneOf(SCALARS))], may: &[] };

const SCALARS: &[(&str, Form)] =
    &[("stringValue", Text), ("intValue", Signed), ("doubleValue", Double), ("boolValue", Bool)];

const RANGE_SERIES: Form = Message {
    must: &[("labels", List(&ATTRIBUTE)), ("samples", List(&SAMPLE))],
    may: &[("exemplars", List(&EXEMPLAR))],
};

const SAMPLE: Form = Message { must: &[("timestampMs", Signed)], may: &[("value", Double)] };

const EXEMPLAR: Form =
    Message { must: &[("labels", List(&ATTRIBUTE)), ("timestampMs", Signed)], may: &[("value", Double)] };

const INSTANT_SERIES: Form = Message { must: &[("labels", List(&ATTRIBUTE))], may: &[("value", Double)] };

impl Form {
    /// Panics if an answer is not of this form, and says where.
    pub(super) fn check(&self, found: &Value, what: &str) {
        if let Err(why) = self.explore(found) {
            panic!("{what}: the answer{why}");
        }
    }

    fn explore(&self, found: &Value) -> Result<(), String> {
        let fits = match self {
            Text => found.is_string(),
            Bool => found.is_boolean(),
            Small => found.as_u64().is_some_and(|number| number <= u32::MAX.into()),
            Unsigned => found.as_str().is_some_and(|text| text.parse::<u64>().is_ok()),
            Signed => found.as_str().is_some_and(|text| text.parse::<i64>().is_ok()),
            // (NaN would be read, but is no sample.)
            Double => found.is_number() || found == "Infinity" || found == "-Infinity",
            Enum(names) => found.as_str().is_some_and(|name| names.contains(&name)),
            List(item) => {
                let items = found.as_array().ok_or_else(|| format!(" is no list: {found}"))?;
                return items.iter().enumerate().try_for_each(|(at, found)| item.explore_in(&format!("[{at}]"), found));
            }
            Map(item) => {
                let items = found.as_object().ok_or_else(|| format!(" is no message: {found}"))?;
                return items.iter().try_for_each(|(key, found)| item.explore_in(&format!("[{key:?}]"), found));
            }
            Message { must, may } => {
                let fields = found.as_object().ok_or_else(|| format!(" is no message: {found}"))?;
                if let Some((missing, _)) = must.iter().find(|(name, _)| !fields.contains_key(*name)) {
                    return Err(format!(" has no {missing}: {found}"));
                }
                return fields.iter().try_for_each(|(name, found)| {
                    let known = must.iter().chain(*may).find(|(known, _)| known == name);
                    let (_, form) = known.ok_or_else(|| format!(" has the field {name}, which is unknown"))?;
                    form.explore_in(&format!(".{name}"), found)
                });
            }
            OneOf(forms) => {
                let fields = found.as_object().filter(|fields| fields.len() == 1);
                let (name, found) = fields.and_then(|fields| fields.iter().next()).ok_or(format!(" is {found}"))?;
                let known = forms.iter().find(|(known, _)| known == name);
                let (_, form) = known.ok_or_else(|| format!(" has the kind {name}"))?;
                return form.explore_in(&format!(".{name}"), found);
            }
        };
        if fits { Ok(()) } else { Err(format!(" is {found}, which is no {self:?}")) }
    }

    fn explore_in(&self, place: &str, found: &Value) -> Result<(), String> {
        self.explore(found).map_err(|why| format!("{place}{why}"))
    }
}

#[test]
fn what_grafana_would_refuse_is_refused() {
    let trace = |more: &str| format!(r#"{{"traceID":"1","rootServiceName":"","startTimeUnixNano":"1"{more}}}"#);
    let answer = |trace: &str| format!(r#"{{"traces":[{trace}],"metrics":{{}}}}"#);
    for (more, why) in [
        ("", ""),
        (r#","durationMs":5"#, ""),
        (r#","durationMs":5.5"#, "the answer.traces[0].durationMs is 5.5"),
        (r#","durationMs":-5"#, "the answer.traces[0].durationMs is -5"),
        (r#","durationMs":null"#, "the answer.traces[0].durationMs is null"),
        (r#","cursor":"""#, "the answer.traces[0] has the field cursor"),
        (r#","spanSets":[{}]"#, "the answer.traces[0].spanSets[0] has no spans"),
        (r#","serviceStats":{"a":{"spans":1}}"#, r#"the answer.traces[0].serviceStats["a"] has the field spans"#),
        (
            r#","spanSets":[{"spans":[],"attributes":[{"key":"a","value":{"arrayValue":{}}}]}]"#,
            "the answer.traces[0].spanSets[0].attributes[0].value has the kind arrayValue",
        ),
        (
            r#","spanSets":[{"spans":[],"attributes":[{"key":"a","value":{}}]}]"#,
            "the answer.traces[0].spanSets[0].attributes[0].value is {}",
        ),
    ] {
        let found = SEARCH.explore(&serde_json::from_str(&answer(&trace(more))).unwrap());
        let found = found.err().map(|found| format!("the answer{found}")).unwrap_or_default();
        assert!(if why.is_empty() { found.is_empty() } else { found.starts_with(why) }, "{more}: {found}");
    }
}
