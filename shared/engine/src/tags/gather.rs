//! Names and values of the spans that satisfy a filter, by the evaluator of searches.

use std::{borrow::Cow, ops::Range};

use niente_block::{Column, DistinctValues, Projection, ValueRef, Vocabulary};
use niente_model::TimeRange;
use niente_traceql::{AttributeScope, Field};

use super::{TagScope, TagTask, Wanted, list::parsed_field, source};
use crate::{
    Error, Inspected,
    assemble::Assembly,
    compile::{Access, Child, ChildForm, Common, Compiler, Stage},
    evaluate::Evaluator,
    question::{kind_word, status_word},
    trace::SpanAt,
    value::Static,
};

/// A question about tags, ready to be put to traces.
pub(super) struct Gathering {
    projection: Projection,
    common: Common,
    /// The filter.
    stages: Vec<Stage>,
    readers: Vec<Reader>,
    hours: TimeRange,
}

/// How one list is read from a span.
enum Reader {
    /// A column of keys, of the span's own or of its events or links.
    Keys { column: usize, child: Option<Child> },
    /// Fields, mostly one.
    Fields(Vec<Access>),
}

impl Gathering {
    pub(super) fn new(task: &TagTask) -> Result<Self, Error> {
        let mut compiler = Compiler::new();
        let (_, filter) = task.parsed()?;
        let stages = filter.map(|filter| compiler.pipeline(&filter.pipeline)).unwrap_or_default();
        let reader = |wanted: &Wanted| Reader::new(wanted, &mut compiler);
        let readers = task.wanted.iter().map(reader).collect::<Result<_, Error>>()?;
        let Compiler { projection, common } = compiler;
        Ok(Self { projection, common, stages, readers, hours: task.hours })
    }

    /// The columns that it reads.
    pub(super) fn projection(&self) -> &Projection {
        &self.projection
    }

    /// The lists, and what was looked at for them.
    pub(super) fn gather(&self, assembly: &Assembly, task: &TagTask) -> (Vec<Vocabulary>, Inspected) {
        let mut found: Vec<DistinctValues<'_>> = self.readers.iter().map(|_| DistinctValues::default()).collect();
        let mut inspected = Inspected { spans: assembly.rows() as u64, ..Inspected::default() };
        for trace in assembly.traces() {
            inspected.traces += 1;
            let evaluator = Evaluator { trace: &trace, common: self.common };
            for span in evaluator.pipeline(&self.stages).into_iter().flat_map(|set| set.spans) {
                let at = trace.spans()[span];
                if self.hours.contains(at.start()) {
                    for (reader, found) in self.readers.iter().zip(&mut found) {
                        reader.read(&evaluator, at, span, found);
                    }
                }
            }
        }
        let mut lists = task.empty();
        for (list, found) in lists.iter_mut().zip(found) {
            found.into_values().for_each(|value| list.add(&value));
        }
        (lists, inspected)
    }
}

impl Reader {
    fn new(wanted: &Wanted, compiler: &mut Compiler) -> Result<Self, Error> {
        let field = match wanted {
            Wanted::Names(scope) => {
                let child = match scope {
                    TagScope::Event => Some(Child::Event),
                    TagScope::Link => Some(Child::Link),
                    TagScope::Resource | TagScope::Span | TagScope::Instrumentation => None,
                };
                return Ok(Reader::Keys { column: compiler.projection.add(source::keys(*scope)), child });
            }
            Wanted::Values(field) => parsed_field(field)?,
        };
        // Attributes as they are stored: `resource.service.name` reads as empty elsewhere where it is absent.
        let accesses = match &field {
            Field::Attribute {
                scope:
                    scope @ (AttributeScope::Unscoped
                    | AttributeScope::Span
                    | AttributeScope::Resource
                    | AttributeScope::Instrumentation),
                name,
            } => source::attribute(*scope, name).map(|column| column_access(compiler, column)).collect(),
            field => vec![compiler.access(field)],
        };
        Ok(Reader::Fields(accesses))
    }

    fn read<'a>(&self, evaluator: &Evaluator<'_, 'a>, at: SpanAt<'a>, span: usize, found: &mut DistinctValues<'a>) {
        match self {
            Reader::Keys { column, child } => {
                let keys = indices(at, *child).flat_map(|index| at.batch.keys(*column, index));
                keys.for_each(|key| found.add(ValueRef::Str(key)));
            }
            Reader::Fields(accesses) => accesses.iter().for_each(|access| match access {
                Access::Column(column) => found.add(at.value(*column)),
                Access::Of { child, column, form: ChildForm::AsStored } => {
                    indices(at, Some(*child)).for_each(|index| found.add(at.batch.value(*column, index)));
                }
                Access::Of { .. } => evaluator.child_values(access, span).for_each(|value| add(value, found)),
                access => add(evaluator.field_value(access, span), found),
            }),
        }
    }
}

/// Where a column has what is the span's own, or its events' or links'.
fn indices(at: SpanAt<'_>, child: Option<Child>) -> Range<usize> {
    match child {
        None => at.row..at.row + 1,
        Some(Child::Event) => at.batch.events(at.row),
        Some(Child::Link) => at.batch.links(at.row),
    }
}

fn column_access(compiler: &mut Compiler, column: Column) -> Access {
    Access::Column(compiler.projection.add(column))
}

fn add<'a>(value: Static<'a>, found: &mut DistinctValues<'a>) {
    match value {
        Static::Str(Cow::Borrowed(text)) => found.add(ValueRef::Str(text)),
        Static::Int(number) | Static::Duration(number) => found.add(ValueRef::Int(number)),
        Static::Float(number) => found.add(ValueRef::Float(number)),
        Static::Bool(truth) => found.add(ValueRef::Bool(truth)),
        Static::Status(status) => status_word(status).into_iter().for_each(|name| found.add(ValueRef::Str(name))),
        Static::Kind(kind) => kind_word(kind).into_iter().for_each(|name| found.add(ValueRef::Str(name))),
        Static::Array(elements) => elements.iter().for_each(|element| add(Static::of_element(element), found)),
        // No field's value is a text of its own; IDs are not listed.
        Static::Str(Cow::Owned(_)) | Static::Id(_) | Static::Nil | Static::Opaque => {}
    }
}
