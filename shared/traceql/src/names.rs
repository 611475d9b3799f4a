//! How intrinsics, scopes, statuses and kinds are spelled.

use crate::ast::{AttributeScope, Intrinsic, Kind, Status};

/// Every intrinsic with its bare and its scoped spelling.
const SPELLINGS: &[(Intrinsic, Option<&str>, Option<&str>)] = &[
    (Intrinsic::Name, Some("name"), Some("span:name")),
    (Intrinsic::Duration, Some("duration"), Some("span:duration")),
    (Intrinsic::Status, Some("status"), Some("span:status")),
    (Intrinsic::StatusMessage, Some("statusMessage"), Some("span:statusMessage")),
    (Intrinsic::Kind, Some("kind"), Some("span:kind")),
    (Intrinsic::SpanId, None, Some("span:id")),
    (Intrinsic::ParentId, None, Some("span:parentID")),
    (Intrinsic::ChildCount, None, Some("span:childCount")),
    (Intrinsic::TraceDuration, Some("traceDuration"), Some("trace:duration")),
    (Intrinsic::RootName, Some("rootName"), Some("trace:rootName")),
    (Intrinsic::RootServiceName, Some("rootServiceName"), Some("trace:rootService")),
    (Intrinsic::TraceId, None, Some("trace:id")),
    (Intrinsic::EventName, None, Some("event:name")),
    (Intrinsic::EventTimeSinceStart, None, Some("event:timeSinceStart")),
    (Intrinsic::LinkTraceId, None, Some("link:traceID")),
    (Intrinsic::LinkSpanId, None, Some("link:spanID")),
    (Intrinsic::InstrumentationName, None, Some("instrumentation:name")),
    (Intrinsic::InstrumentationVersion, None, Some("instrumentation:version")),
    (Intrinsic::NestedSetLeft, Some("nestedSetLeft"), None),
    (Intrinsic::NestedSetRight, Some("nestedSetRight"), None),
    (Intrinsic::NestedSetParent, Some("nestedSetParent"), None),
];

impl Intrinsic {
    /// The intrinsic with this spelling, bare or scoped.
    pub(crate) fn from_spelling(text: &str) -> Option<Self> {
        SPELLINGS
            .iter()
            .find(|(_, bare, scoped)| *bare == Some(text) || *scoped == Some(text))
            .map(|(intrinsic, _, _)| *intrinsic)
    }

    /// The canonical spelling, which is also the key in answers: the bare one where there is one.
    pub fn spelling(self) -> &'static str {
        SPELLINGS
            .iter()
            .find(|(intrinsic, _, _)| *intrinsic == self)
            .and_then(|(_, bare, scoped)| bare.or(*scoped))
            .expect("every intrinsic is in the table with a spelling")
    }
}

impl AttributeScope {
    /// What stands before an attribute's name: `.`, `span.`, `parent.resource.`, …
    pub fn prefix(self) -> &'static str {
        match self {
            AttributeScope::Unscoped => ".",
            AttributeScope::Span => "span.",
            AttributeScope::Resource => "resource.",
            AttributeScope::Event => "event.",
            AttributeScope::Link => "link.",
            AttributeScope::Instrumentation => "instrumentation.",
            AttributeScope::Parent => "parent.",
            AttributeScope::ParentSpan => "parent.span.",
            AttributeScope::ParentResource => "parent.resource.",
        }
    }
}

impl Status {
    const ALL: [Status; 3] = [Status::Unset, Status::Ok, Status::Error];

    pub(crate) fn from_spelling(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.spelling() == text)
    }

    /// The keyword: `ok`, `error`, `unset`.
    pub fn spelling(self) -> &'static str {
        match self {
            Status::Unset => "unset",
            Status::Ok => "ok",
            Status::Error => "error",
        }
    }
}

impl Kind {
    const ALL: [Kind; 6] =
        [Kind::Unspecified, Kind::Internal, Kind::Server, Kind::Client, Kind::Producer, Kind::Consumer];

    pub(crate) fn from_spelling(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.spelling() == text)
    }

    /// The keyword: `server`, `client`, …
    pub fn spelling(self) -> &'static str {
        match self {
            Kind::Unspecified => "unspecified",
            Kind::Internal => "internal",
            Kind::Server => "server",
            Kind::Client => "client",
            Kind::Producer => "producer",
            Kind::Consumer => "consumer",
        }
    }
}

/// Whether a character ends an attribute's name, unless it is in quotes.
pub(crate) fn ends_name(c: char) -> bool {
    c.is_whitespace() || matches!(c, '{' | '}' | '(' | ')' | '=' | '~' | '!' | '<' | '>' | '&' | '|' | '^' | ',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_read_back() {
        for (intrinsic, bare, scoped) in SPELLINGS {
            for spelling in [*bare, *scoped].into_iter().flatten() {
                assert_eq!(Intrinsic::from_spelling(spelling), Some(*intrinsic), "{spelling}");
            }
            assert_eq!(Intrinsic::from_spelling(intrinsic.spelling()), Some(*intrinsic));
        }
    }
}
