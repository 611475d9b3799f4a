use niente_block::{Bounds, Vocabulary};
use niente_model::TimeRange;
use niente_traceql::Field;
use serde::{Deserialize, Serialize};

use crate::Inspected;

/// What has attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TagScope {
    /// The resource.
    Resource,
    /// The span itself.
    Span,
    /// One of its events.
    Event,
    /// One of its links.
    Link,
    /// The instrumentation scope.
    Instrumentation,
}

/// Which attributes there are.
#[derive(Clone, Debug)]
pub struct TagNamesQuestion {
    /// Of what; answered in this order.
    pub scopes: Vec<TagScope>,
    /// A query of one filter: only spans that satisfy it count. None for all.
    pub filter: Option<String>,
    /// Spans that start in the hours of this time count. Without a filter, so does whatever lies in an object with
    /// them.
    pub window: TimeRange,
    /// How many names of each scope to answer.
    pub bounds: Bounds,
}

/// Which values a field has.
#[derive(Clone, Debug)]
pub struct TagValuesQuestion {
    /// The field.
    pub field: Field,
    /// As in [`TagNamesQuestion::filter`].
    pub filter: Option<String>,
    /// As in [`TagNamesQuestion::window`].
    pub window: TimeRange,
    /// How many values to answer.
    pub bounds: Bounds,
}

/// The names of attributes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TagNames {
    /// By scope, in the order in which they were asked for.
    pub scopes: Vec<(TagScope, Vocabulary)>,
    /// What was looked at to find them.
    pub inspected: Inspected,
}

/// The values of a field.
#[derive(Clone, Debug, PartialEq)]
pub struct TagValues {
    /// Texts, numbers and booleans; statuses and kinds by their names.
    pub values: Vocabulary,
    /// What was looked at to find them.
    pub inspected: Inspected,
}

/// What a shard is asked about tags.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TagTask {
    /// What to list.
    pub wanted: Vec<Wanted>,
    /// A query of one filter.
    pub filter: Option<String>,
    /// With a filter: when the spans start that count.
    pub hours: TimeRange,
    /// How much of each.
    pub bounds: Bounds,
}

/// One list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wanted {
    /// The names of attributes.
    Names(TagScope),
    /// The values of a field, as the language writes it.
    Values(String),
}
