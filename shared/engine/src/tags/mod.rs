//! Tag names and tag values: what attributes there are, and what values they have.
//!
//! A question without a filter is about everything that the objects of its hours hold. Each object answers for itself,
//! mostly from dictionaries, and what it says is kept: objects don't change. A question with a filter is about the
//! spans that satisfy it, within those hours; it goes the way of a search, over whole traces where the filter speaks of
//! them.
//!
//! `question` is what is asked and answered, `source` knows where a field's values come from, `plan` is the planner's
//! side, `list` and `gather` are the two ways to answer a shard.

mod gather;
mod list;
mod plan;
mod question;
mod source;

pub(crate) use list::answer;
pub use question::{TagNames, TagNamesQuestion, TagScope, TagTask, TagValues, TagValuesQuestion, Wanted};
