//! Questions about several tenants: asked one after the other, so that they take no more memory than a question about
//! one, and answered as one.

use std::cmp::Reverse;

use niente_block::Vocabulary;
use niente_engine::{
    Asking, Explanation, Inspected, SearchAnswer, SearchQuestion, TagNames, TagNamesQuestion, TagValues,
    TagValuesQuestion, TraceAnswer,
};

use crate::{Access, Error, explain::Explained, trace::TraceRequest};

/// The newest traces of all the tenants.
///
/// A trace is a tenant's: what two of them have under one ID is two traces.
pub(crate) async fn search(asking: &Asking, access: &Access, question: &SearchQuestion) -> Result<SearchAnswer, Error> {
    let mut merged = SearchAnswer::default();
    for tenant in &access.tenants {
        merge_search(&mut merged, asking.search(tenant, question).await?, question.limit);
    }
    Ok(merged)
}

/// What the question would read and cost, tenant by tenant.
pub(crate) async fn explain(asking: &Asking, access: &Access, question: &Explained) -> Result<Vec<Explanation>, Error> {
    let mut explanations = Vec::with_capacity(access.tenants.len());
    for tenant in &access.tenants {
        explanations.push(match question {
            Explained::Search(question) => asking.explain(tenant, question).await?,
            Explained::Metrics(question) => asking.explain_metrics(tenant, question).await?,
        });
    }
    Ok(explanations)
}

/// The spans that any of the tenants has of a trace.
pub(crate) async fn find_trace(asking: &Asking, access: &Access, request: &TraceRequest) -> Result<TraceAnswer, Error> {
    let mut merged = TraceAnswer::default();
    let Some(id) = request.id else { return Ok(merged) };
    for tenant in &access.tenants {
        merge_trace(&mut merged, asking.find_trace(tenant, id, request.window).await?);
    }
    Ok(merged)
}

/// The names that any of the tenants has.
pub(crate) async fn tag_names(
    asking: &Asking,
    access: &Access,
    question: &TagNamesQuestion,
) -> Result<TagNames, Error> {
    let scopes = question.scopes.iter().map(|scope| (*scope, Vocabulary::new(question.bounds))).collect();
    let mut merged = TagNames { scopes, inspected: Inspected::default() };
    for tenant in &access.tenants {
        merge_names(&mut merged, &asking.tag_names(tenant, question).await?);
    }
    Ok(merged)
}

/// The values that any of the tenants has.
pub(crate) async fn tag_values(
    asking: &Asking,
    access: &Access,
    question: &TagValuesQuestion,
) -> Result<TagValues, Error> {
    let mut merged = TagValues { values: Vocabulary::new(question.bounds), inspected: Inspected::default() };
    for tenant in &access.tenants {
        merge_values(&mut merged, &asking.tag_values(tenant, question).await?);
    }
    Ok(merged)
}

fn merge_names(merged: &mut TagNames, answer: &TagNames) {
    merged.scopes.iter_mut().zip(&answer.scopes).for_each(|((_, merged), (_, names))| merged.merge(names));
    merged.inspected += answer.inspected;
}

fn merge_values(merged: &mut TagValues, answer: &TagValues) {
    merged.values.merge(&answer.values);
    merged.inspected += answer.inspected;
}

/// The newest first, ties by trace ID and then, since the sort is stable, by tenant.
fn merge_search(merged: &mut SearchAnswer, answer: SearchAnswer, limit: usize) {
    merged.inspected += answer.inspected;
    merged.traces.extend(answer.traces);
    merged.traces.sort_by_key(|trace| (Reverse(trace.start), trace.trace_id));
    merged.traces.truncate(limit);
}

/// The canonical order, of records of one span the first: as if one tenant had had all of them.
fn merge_trace(merged: &mut TraceAnswer, answer: TraceAnswer) {
    merged.spans.extend(answer.spans);
    merged.spans.sort_unstable();
    merged.spans.dedup_by(|later, first| first.same_identity(later));
    merged.inspected += answer.inspected;
    // It is one trace, and of its spans those that are answered.
    let (traces, spans) = (u64::from(!merged.spans.is_empty()), merged.spans.len() as u64);
    merged.inspected = Inspected { traces, spans, ..merged.inspected };
}

#[cfg(test)]
mod tests {
    use niente_engine::FoundTrace;
    use niente_model::{Nanos, Span, SpanId, TraceId};

    use super::*;

    /// Traces by `<start> <ID> <root service>`.
    fn found(traces: &[&str]) -> SearchAnswer {
        let trace = |text: &&str| {
            let parts: Vec<_> = text.split(' ').collect();
            FoundTrace {
                trace_id: parts[1].parse().unwrap(),
                start: Nanos::from_secs(parts[0].parse().unwrap()),
                duration: Nanos::ZERO,
                root_service: parts[2].to_owned(),
                root_name: String::new(),
                services: Default::default(),
                spansets: Vec::new(),
            }
        };
        let inspected = Inspected { traces: 1, spans: 2, bytes: 3, objects: 4, object_bytes: 5 };
        SearchAnswer { traces: traces.iter().map(trace).collect(), inspected }
    }

    #[test]
    fn the_newest_traces_of_all_tenants_are_answered() {
        let a = ["9 2 a", "7 1 a", "5 1 a"];
        let b = ["9 1 b", "8 1 b", "7 1 b", "1 1 b"];
        for (limit, expected) in [
            (10, &["9 1 b", "9 2 a", "8 1 b", "7 1 a", "7 1 b", "5 1 a", "1 1 b"][..]),
            (4, &["9 1 b", "9 2 a", "8 1 b", "7 1 a"]),
            (1, &["9 1 b"]),
        ] {
            let mut merged = SearchAnswer::default();
            merge_search(&mut merged, found(&a), limit);
            merge_search(&mut merged, found(&b), limit);
            let inspected = Inspected { traces: 2, spans: 4, bytes: 6, objects: 8, object_bytes: 10 };
            assert_eq!(merged, SearchAnswer { inspected, ..found(expected) });
        }
    }

    #[test]
    fn a_trace_of_several_tenants_is_one_and_copies_collapse() {
        let trace = TraceId::from_slice(&[1; 16]).unwrap();
        let span = |second, name: &str| {
            let id = SpanId::from_slice(&[2; 8]).unwrap();
            Span { name: name.into(), ..Span::new(trace, id, Nanos::from_secs(second)) }
        };
        let answer = |spans: &[Span]| TraceAnswer {
            spans: spans.to_vec(),
            inspected: Inspected { traces: 1, spans: spans.len() as u64, bytes: 5, ..Inspected::default() },
        };
        let (a, b) = (answer(&[span(1, "b"), span(3, "c")]), answer(&[span(1, "a"), span(2, "d")]));
        let spans = vec![span(1, "a"), span(2, "d"), span(3, "c")];
        let inspected = Inspected { traces: 1, spans: 3, bytes: 10, ..Inspected::default() };
        for (first, second) in [(&a, &b), (&b, &a)] {
            let mut merged = TraceAnswer::default();
            merge_trace(&mut merged, first.clone());
            merge_trace(&mut merged, second.clone());
            assert_eq!(merged, TraceAnswer { spans: spans.clone(), inspected });
        }
    }
}
