//! Legacy search by tags, in the words of TraceQL.

use niente_model::Nanos;
use niente_traceql::{
    AttributeScope, Comparison, Element, Field, FieldExpr, Intrinsic, InvalidPattern, Literal, Pattern, Pipeline,
    Query, SpansetExpr, Status,
};

const MILLISECOND: i64 = 1_000_000;

/// A query for the traces that have all these tags, each on any span, and a duration within the bounds.
///
/// Tempo compares durations in whole milliseconds, as its answers show them: both bounds are inclusive.
pub(crate) fn to_query(
    tags: &[(String, String)],
    shortest: Option<Nanos>,
    longest: Option<Nanos>,
) -> Result<Query, InvalidPattern> {
    let milliseconds = |duration: Nanos| duration.as_i64() / MILLISECOND;
    let at_least = shortest.map(|shortest| duration(Comparison::Ge, milliseconds(shortest)));
    let at_most = longest.map(|longest| duration(Comparison::Lt, milliseconds(longest) + 1));

    let tags = tags.iter().map(|(key, value)| tag(key, value)).collect::<Result<Vec<_>, _>>()?;
    let mut conditions = tags.into_iter().chain(at_least).chain(at_most).map(SpansetExpr::Filter);
    let first = conditions.next().unwrap_or(SpansetExpr::Filter(FieldExpr::Literal(Literal::Bool(true))));
    let others: Vec<_> = conditions.collect();
    let spanset =
        if others.is_empty() { first } else { SpansetExpr::And(std::iter::once(first).chain(others).collect()) };
    let pipeline = Pipeline { elements: vec![Element::Spanset(spanset)] };
    Ok(Query { pipeline, metrics: None, hints: Vec::new() })
}

/// What a span must be like for its trace to have the tag.
fn tag(key: &str, value: &str) -> Result<FieldExpr, InvalidPattern> {
    Ok(match key {
        "name" => contains(Field::Intrinsic(Intrinsic::Name), value)?,
        "root.name" => contains(Field::Intrinsic(Intrinsic::RootName), value)?,
        "root.service.name" => contains(Field::Intrinsic(Intrinsic::RootServiceName), value)?,
        "service.name" => contains(attribute(AttributeScope::Resource, key), value)?,
        "status.code" => {
            let known = [Status::Unset, Status::Ok, Status::Error].into_iter().find(|s| s.spelling() == value);
            match known {
                Some(status) => equals(Field::Intrinsic(Intrinsic::Status), Literal::Status(status)),
                None => FieldExpr::Literal(Literal::Bool(false)),
            }
        }
        key => FieldExpr::Or(
            [AttributeScope::Span, AttributeScope::Resource]
                .map(|scope| equals(attribute(scope, key), Literal::Str(value.to_owned())))
                .into(),
        ),
    })
}

fn attribute(scope: AttributeScope, name: &str) -> Field {
    Field::Attribute { scope, name: name.to_owned() }
}

fn equals(field: Field, value: Literal) -> FieldExpr {
    compare(field, Comparison::Eq, value)
}

fn duration(op: Comparison, milliseconds: i64) -> FieldExpr {
    let nanos = milliseconds.saturating_mul(MILLISECOND);
    compare(Field::Intrinsic(Intrinsic::TraceDuration), op, Literal::Duration(nanos))
}

fn compare(field: Field, op: Comparison, value: Literal) -> FieldExpr {
    FieldExpr::Compare { op, lhs: Box::new(FieldExpr::Field(field)), rhs: Box::new(FieldExpr::Literal(value)) }
}

fn contains(field: Field, part: &str) -> Result<FieldExpr, InvalidPattern> {
    let mut pattern = ".*".to_owned();
    for c in part.chars() {
        if c.is_ascii_punctuation() {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push_str(".*");
    let pattern = Pattern::new(&pattern)?;
    Ok(FieldExpr::Match { negated: false, operand: Box::new(FieldExpr::Field(field)), pattern })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The query, as TraceQL prints it, for tags and bounds in nanoseconds.
    fn check(tags: &[(&str, &str)], shortest: Option<u64>, longest: Option<u64>, expected: &str) {
        let tags: Vec<_> = tags.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        let nanos = |bound: Option<u64>| bound.map(|nanos| Nanos::new(nanos).unwrap());
        let query = to_query(&tags, nanos(shortest), nanos(longest)).unwrap();
        assert_eq!(query.to_string(), expected);
        let parsed = niente_traceql::parse(&query.to_string()).unwrap();
        assert_eq!(parsed.to_string(), expected, "prints as something else");
    }

    #[test]
    fn tags_become_filters_of_their_own() {
        check(&[], None, None, "{ true }");
        check(&[("k", "v")], None, None, "{ (span.k = `v`) || (resource.k = `v`) }");
        check(&[("error", "true")], None, None, "{ (span.error = `true`) || (resource.error = `true`) }");
        check(&[("resource.x", "")], None, None, "{ (span.resource.x = ``) || (resource.resource.x = ``) }");
        check(
            &[("service.name", "ca.rt"), ("a b", "1")],
            None,
            None,
            r#"{ resource.service.name =~ `.*ca\.rt.*` } && { (span."a b" = `1`) || (resource."a b" = `1`) }"#,
        );
        check(&[("name", "GET (é)*")], None, None, r"{ name =~ `.*GET \(é\)\*.*` }");
        check(&[("root.name", "")], None, None, "{ rootName =~ `.*.*` }");
        check(&[("root.service.name", "a")], None, None, "{ rootServiceName =~ `.*a.*` }");
        check(&[("status.code", "error")], None, None, "{ status = error }");
        check(&[("status.code", "ERROR")], None, None, "{ false }");
    }

    #[test]
    fn durations_are_compared_in_whole_milliseconds() {
        check(&[], Some(1_999_999), None, "{ traceDuration >= 1ms }");
        check(&[], None, Some(1_999_999), "{ traceDuration < 2ms }");
        check(&[], None, Some(0), "{ traceDuration < 1ms }");
        let both = "{ traceDuration >= 2s } && { traceDuration < 3.001s }";
        check(&[], Some(2_000_000_000), Some(3_000_000_000), both);
        let never = format!("{{ traceDuration < {} }}", niente_traceql::format_duration(i64::MAX));
        let query = to_query(&[], None, Some(Nanos::MAX)).unwrap();
        assert_eq!(query.to_string(), never);
    }

    #[test]
    fn whatever_is_looked_for_is_a_substring_and_no_pattern() {
        for text in ["", "a.b", r"\E", "^$", "(?i)x", "[", "{2}", "a\nb", "\\", "é|☃", "\u{0}", "-&~#/`\""] {
            let Ok(FieldExpr::Match { pattern, .. }) = contains(Field::Intrinsic(Intrinsic::Name), text) else {
                panic!("{text:?} makes no pattern")
            };
            assert!(pattern.is_match(&format!("before\n{text}after")), "{text:?}");
            assert_eq!(pattern.is_match("other"), text.is_empty(), "{text:?}");
        }
    }
}
