use niente_block::Bounds;
use niente_engine::{TagNamesQuestion, TagScope, TagValuesQuestion};
use niente_model::{Nanos, TimeRange};
use niente_traceql::{AttributeScope, Field, Intrinsic, parse_field, salvage_filter};
use percent_encoding::percent_decode_str;

use crate::{Error, Settings, error::quoted, params::Params, search};

/// Whether a request may say `q`: the older paths know no filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    V2,
}

/// A question about tag names, as its parameters say it.
#[derive(Debug)]
pub(crate) struct NamesRequest {
    pub(crate) question: TagNamesQuestion,
    /// Whether built-in fields are asked for: by themselves, or with everything.
    pub(crate) intrinsics: Intrinsics,
}

/// Whether built-in fields are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intrinsics {
    No,
    WithEverything,
    Alone,
}

/// A question about values, as its path and parameters say it.
#[derive(Debug)]
pub(crate) struct ValuesRequest {
    pub(crate) question: TagValuesQuestion,
}

/// All scopes, in the order of answers.
const SCOPES: [(&str, TagScope); 5] = [
    ("resource", TagScope::Resource),
    ("span", TagScope::Span),
    ("event", TagScope::Event),
    ("link", TagScope::Link),
    ("instrumentation", TagScope::Instrumentation),
];

impl NamesRequest {
    pub(crate) fn parse(version: Version, params: &Params<'_>, settings: &Settings, now: Nanos) -> Result<Self, Error> {
        let (scopes, intrinsics) = match params.get("scope") {
            None | Some("none") => (SCOPES.map(|(_, scope)| scope).to_vec(), Intrinsics::WithEverything),
            Some("intrinsic") => (Vec::new(), Intrinsics::Alone),
            // Traces have no attributes.
            Some("trace") => (Vec::new(), Intrinsics::No),
            Some(name) => {
                let known = SCOPES.iter().find(|(known, _)| *known == name);
                let (_, scope) = known.ok_or_else(|| unknown_scope(name))?;
                (vec![*scope], Intrinsics::No)
            }
        };
        let (window, bounds) = (window(params, now)?, bounds(params, settings));
        let question = TagNamesQuestion { scopes, filter: filter(version, params), window, bounds };
        Ok(Self { question, intrinsics })
    }
}

impl ValuesRequest {
    /// Of the tag with this name, as the path has it.
    pub(crate) fn parse(
        version: Version,
        name: &str,
        params: &Params<'_>,
        settings: &Settings,
        now: Nanos,
    ) -> Result<Self, Error> {
        let name = decoded(name);
        let field = match version {
            Version::V1 => bare(&name),
            Version::V2 => identifier(&name)?,
        };
        let (window, bounds) = (window(params, now)?, bounds(params, settings));
        Ok(Self { question: TagValuesQuestion { field, filter: filter(version, params), window, bounds } })
    }
}

fn unknown_scope(name: &str) -> Error {
    let known: Vec<&str> = SCOPES.iter().map(|(known, _)| *known).collect();
    let reason = format!("{} is none of {}, intrinsic, trace, none", quoted(name), known.join(", "));
    Error::parameter("scope", reason)
}

/// The time that is meant, as of a search. Of a range of less than a second both ends are the same.
fn window(params: &Params<'_>, now: Nanos) -> Result<TimeRange, Error> {
    if params.get("since").is_none()
        && let (Some(start), Some(end)) = (params.seconds("start")?, params.seconds("end")?)
        && start == end
        && start != 0
    {
        return Ok(TimeRange::lasting(Nanos::from_secs(start.into()), Nanos::from_secs(1)));
    }
    search::window(params, now)
}

/// A limit that is no number is none, as in Tempo.
fn bounds(params: &Params<'_>, settings: &Settings) -> Bounds {
    let limit = params.get("limit").and_then(|text| text.parse::<u32>().ok()).filter(|limit| *limit > 0);
    Bounds { values: limit.map_or(usize::MAX, |limit| limit as usize), bytes: settings.max_tag_bytes }
}

fn filter(version: Version, params: &Params<'_>) -> Option<String> {
    match version {
        Version::V1 => None,
        Version::V2 => params.get("q").and_then(salvage_filter),
    }
}

/// A tag's name as people know it. Grafana up to 12.3 encodes it up to three times.
fn decoded(name: &str) -> String {
    let mut name = name.to_owned();
    for _ in 0..3 {
        match percent_decode_str(&name).decode_utf8() {
            Ok(decoded) if decoded != name => name = decoded.into_owned(),
            _ => break,
        }
    }
    name
}

/// What the older path calls by a name without a scope.
fn bare(name: &str) -> Field {
    match name {
        "name" => Field::Intrinsic(Intrinsic::Name),
        "rootName" | "root.name" => Field::Intrinsic(Intrinsic::RootName),
        "rootServiceName" | "root.service.name" => Field::Intrinsic(Intrinsic::RootServiceName),
        // So legacy search calls the status.
        "status.code" => Field::Intrinsic(Intrinsic::Status),
        "service.name" => attribute(AttributeScope::Resource, name),
        name => attribute(AttributeScope::Unscoped, name),
    }
}

/// An identifier of the language. Where an attribute's name would need quotes it may do without them: forms put names
/// together as they are.
fn identifier(text: &str) -> Result<Field, Error> {
    const PREFIXES: [(&str, AttributeScope); 6] = [
        ("span.", AttributeScope::Span),
        ("resource.", AttributeScope::Resource),
        ("event.", AttributeScope::Event),
        ("link.", AttributeScope::Link),
        ("instrumentation.", AttributeScope::Instrumentation),
        (".", AttributeScope::Unscoped),
    ];
    parse_field(text).or_else(|error| {
        let named = PREFIXES.iter().find_map(|(prefix, scope)| Some((*scope, text.strip_prefix(prefix)?)));
        match named {
            Some((scope, name)) if !name.is_empty() && !name.contains('"') => Ok(attribute(scope, name)),
            _ => Err(error.into()),
        }
    })
}

fn attribute(scope: AttributeScope, name: &str) -> Field {
    Field::Attribute { scope, name: name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_793_584_000;

    fn values(version: Version, name: &str, query: &str) -> Result<TagValuesQuestion, Error> {
        let (settings, now) = (Settings::default(), Nanos::from_secs(NOW));
        ValuesRequest::parse(version, name, &Params::parse(Some(query)), &settings, now).map(|it| it.question)
    }

    fn names(query: &str) -> Result<NamesRequest, Error> {
        let (settings, now) = (Settings::default(), Nanos::from_secs(NOW));
        NamesRequest::parse(Version::V2, &Params::parse(Some(query)), &settings, now)
    }

    #[test]
    fn identifiers_come_in_every_encoding() {
        for (name, expected) in [
            ("span.http.route", "span.http.route"),
            (".env", ".env"),
            ("instrumentation%3Aname", "instrumentation:name"),
            ("span:status", "status"),
            ("span.a%20b", r#"span."a b""#),
            ("span.a%2520b", r#"span."a b""#),
            ("span.a%252520b", r#"span."a b""#),
            ("span.%22a%20b%22", r#"span."a b""#),
            ("resource.a/b", "resource.a/b"),
            ("span.50%25", "span.50%"),
            ("span.undefined", "span.undefined"),
            ("parent.span.x", "parent.span.x"),
        ] {
            assert_eq!(values(Version::V2, name, "").unwrap().field.to_string(), expected, "{name}");
        }
        for name in ["", "env", "span.", "span:nope", "%22x%22", "span.%22a"] {
            let error = values(Version::V2, name, "").unwrap_err();
            assert_eq!(error.status().as_u16(), 400, "{name}");
            assert!(error.to_string().starts_with("invalid TraceQL query: "), "{name}: {error}");
        }
    }

    #[test]
    fn bare_names_are_attributes_but_for_some() {
        for (name, expected) in [
            ("http.route", ".http.route"),
            ("a%20b", r#"."a b""#),
            ("status", ".status"),
            ("kind", ".kind"),
            ("duration", ".duration"),
            ("span.x", ".span.x"),
            ("name", "name"),
            ("root.name", "rootName"),
            ("rootServiceName", "rootServiceName"),
            ("status.code", "status"),
            ("service.name", "resource.service.name"),
        ] {
            assert_eq!(values(Version::V1, name, "q={").unwrap().field.to_string(), expected, "{name}");
        }
    }

    #[test]
    fn filters_are_taken_as_far_as_they_have_come() {
        let filter = |version, q: &str| values(version, ".x", &format!("tag=.x&q={q}")).unwrap().filter;
        assert_eq!(filter(Version::V2, "{.a=1%26%26.b=").as_deref(), Some("{ .a=1 }"));
        assert_eq!(filter(Version::V2, "{.a="), None);
        assert_eq!(filter(Version::V2, "nonsense"), None);
        assert_eq!(filter(Version::V1, "{.a=1}"), None);
        assert_eq!(names("q={.a=1}").unwrap().question.filter.as_deref(), Some("{ .a=1 }"));
    }

    #[test]
    fn limits_that_are_none_are_none() {
        let limit = |text: &str| values(Version::V2, ".x", &format!("limit={text}&maxStaleValues=x")).unwrap().bounds;
        assert_eq!(limit("5000"), Bounds { values: 5_000, bytes: 1_000_000 });
        for none in ["", "0", "x", "-1", "1.5"] {
            assert_eq!(limit(none).values, usize::MAX, "{none}");
        }
    }

    #[test]
    fn scopes() {
        let count = |query: &str| {
            let request = names(query).unwrap();
            (request.question.scopes.len(), request.intrinsics)
        };
        assert_eq!(count(""), (5, Intrinsics::WithEverything));
        assert_eq!(count("scope="), (5, Intrinsics::WithEverything));
        assert_eq!(count("scope=none"), (5, Intrinsics::WithEverything));
        assert_eq!(count("scope=trace"), (0, Intrinsics::No));
        assert_eq!(count("scope=intrinsic"), (0, Intrinsics::Alone));
        assert_eq!(names("scope=event").unwrap().question.scopes, [TagScope::Event]);
        let error = names("scope=spam").unwrap_err();
        assert_eq!(error.status().as_u16(), 400);
        assert!(error.to_string().starts_with("parameter scope: \"spam\" is none of resource, span, "), "{error}");
    }

    #[test]
    fn times() {
        let window = |query: &str| names(query).map(|request| request.question.window);
        let seconds = |from: u64, to: u64| TimeRange::new(Nanos::from_secs(from), Nanos::from_secs(to)).unwrap();
        assert_eq!(window("").unwrap(), seconds(NOW - 900, NOW));
        assert_eq!(window("since=1h").unwrap(), seconds(NOW - 3_600, NOW));
        assert_eq!(window("start=5&end=9").unwrap(), seconds(5, 9));
        assert_eq!(window("start=5&end=5").unwrap(), seconds(5, 6));
        for wrong in ["start=x&end=9", "start=9&end=5", "since=x"] {
            assert_eq!(window(wrong).unwrap_err().status().as_u16(), 400, "{wrong}");
        }
    }
}
