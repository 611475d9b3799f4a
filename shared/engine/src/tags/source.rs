//! Where the values of a field come from.

use niente_block::{AttributeScope as Stored, Column, Listing};
use niente_traceql::{AttributeScope, Field, Intrinsic, Kind, Status};

use super::TagScope;

/// Where the values of a field come from, as long as there is no filter.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Source {
    /// They are always these.
    Fixed(Vec<&'static str>),
    /// Objects have them in columns.
    Listed(Vec<Listing>),
    /// They are computed of whole traces.
    Evaluated,
}

impl Source {
    /// Without a filter.
    pub(super) fn of(field: &Field) -> Self {
        match field {
            Field::Attribute { scope, name } => Source::Listed(attribute(*scope, name).map(all).collect()),
            Field::Intrinsic(intrinsic) => Self::of_intrinsic(*intrinsic),
        }
    }

    fn of_intrinsic(intrinsic: Intrinsic) -> Self {
        let one = |column| Source::Listed(vec![all(column)]);
        let of_roots = |column| Source::Listed(vec![Listing { column, roots: true }]);
        match intrinsic {
            Intrinsic::Status => Source::Fixed([Status::Error, Status::Ok, Status::Unset].map(Status::spelling).into()),
            Intrinsic::Kind => Source::Fixed(KINDS.map(Kind::spelling).into()),
            // Nobody picks one of millions, and each would be listed.
            Intrinsic::Duration
            | Intrinsic::TraceDuration
            | Intrinsic::TraceId
            | Intrinsic::SpanId
            | Intrinsic::ParentId
            | Intrinsic::LinkTraceId
            | Intrinsic::LinkSpanId => Source::Fixed(Vec::new()),
            Intrinsic::Name => one(Column::Name),
            Intrinsic::StatusMessage => one(Column::StatusMessage),
            Intrinsic::InstrumentationName => one(Column::ScopeName),
            Intrinsic::InstrumentationVersion => one(Column::ScopeVersion),
            Intrinsic::EventName => one(Column::EventName),
            Intrinsic::RootName => of_roots(Column::Name),
            Intrinsic::RootServiceName => of_roots(Column::Attribute(Stored::Resource, "service.name".to_owned())),
            Intrinsic::EventTimeSinceStart
            | Intrinsic::ChildCount
            | Intrinsic::NestedSetLeft
            | Intrinsic::NestedSetRight
            | Intrinsic::NestedSetParent => Source::Evaluated,
        }
    }
}

/// All kinds.
const KINDS: [Kind; 6] =
    [Kind::Client, Kind::Consumer, Kind::Internal, Kind::Producer, Kind::Server, Kind::Unspecified];

/// The columns of an attribute. What is asked of parents is listed of all spans: each of them may be one.
pub(super) fn attribute(scope: AttributeScope, name: &str) -> impl Iterator<Item = Column> {
    let stored: &[Stored] = match scope {
        AttributeScope::Span | AttributeScope::ParentSpan => &[Stored::Span],
        AttributeScope::Resource | AttributeScope::ParentResource => &[Stored::Resource],
        AttributeScope::Instrumentation => &[Stored::Scope],
        AttributeScope::Unscoped => &[Stored::Span, Stored::Resource, Stored::Scope],
        AttributeScope::Parent => &[Stored::Span, Stored::Resource],
        AttributeScope::Event | AttributeScope::Link => &[],
    };
    let child = match scope {
        AttributeScope::Event => Some(Column::EventAttribute(name.to_owned())),
        AttributeScope::Link => Some(Column::LinkAttribute(name.to_owned())),
        _ => None,
    };
    stored.iter().map(move |stored| Column::Attribute(*stored, name.to_owned())).chain(child)
}

/// The column of a scope's attribute names.
pub(super) fn keys(scope: TagScope) -> Column {
    match scope {
        TagScope::Resource => Column::Keys(Stored::Resource),
        TagScope::Span => Column::Keys(Stored::Span),
        TagScope::Instrumentation => Column::Keys(Stored::Scope),
        TagScope::Event => Column::EventKeys,
        TagScope::Link => Column::LinkKeys,
    }
}

pub(super) fn all(column: Column) -> Listing {
    Listing { column, roots: false }
}

/// Whether a field is a text that every span, scope or event has, and that is empty where there is none.
pub(super) fn may_be_empty(field: &Field) -> bool {
    matches!(
        field,
        Field::Intrinsic(
            Intrinsic::Name
                | Intrinsic::StatusMessage
                | Intrinsic::InstrumentationName
                | Intrinsic::InstrumentationVersion
                | Intrinsic::EventName
        )
    )
}

/// Whether a field is of a trace's root, and empty where there is none.
pub(super) fn is_of_roots(field: &Field) -> bool {
    matches!(field, Field::Intrinsic(Intrinsic::RootName | Intrinsic::RootServiceName))
}
