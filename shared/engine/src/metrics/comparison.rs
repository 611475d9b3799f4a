//! `compare`: everything that spans have, counted on two sides.

use std::collections::{BTreeMap, HashMap};

use niente_block::{AttributeScope as Stored, Column, Error};
use niente_model::Key;
use niente_traceql::{AttributeScope, Field, FieldExpr, Intrinsic, MetricsFunction};
use serde::{Deserialize, Serialize};

use super::{
    cells::Cells,
    labels,
    table::{self, Row, Table},
};
use crate::{
    compile::{Access, Compiler, Expr},
    evaluate::Evaluator,
    value::{Number, Static},
};

/// Beside attributes these are compared. IDs and times are left out: they are as good as never the same twice.
const INTRINSICS: [Intrinsic; 9] = [
    Intrinsic::Name,
    Intrinsic::Status,
    Intrinsic::StatusMessage,
    Intrinsic::Kind,
    Intrinsic::ChildCount,
    Intrinsic::RootName,
    Intrinsic::RootServiceName,
    Intrinsic::InstrumentationName,
    Intrinsic::InstrumentationVersion,
];

/// The attributes of these are compared. Events and links are left out, of which a span has several.
const SCOPES: [(Stored, AttributeScope); 3] = [
    (Stored::Resource, AttributeScope::Resource),
    (Stored::Scope, AttributeScope::Instrumentation),
    (Stored::Span, AttributeScope::Span),
];

/// So many values of an attribute are told apart, if there is room.
const MOST_VALUES: usize = 10_000;
/// What there is room for is divided by about so many attributes on two sides.
const ATTRIBUTES: usize = 64;

/// A comparison, made ready to be run over traces.
pub(crate) struct Comparison {
    selection: Expr,
    /// The selection is of spans that start in `(start, end]`.
    window: Option<(i64, i64)>,
    intrinsics: [Access; INTRINSICS.len()],
    /// Columns of all attributes of each of the scopes.
    attributes: [usize; SCOPES.len()],
}

/// Which of the two sides a span is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Side {
    /// The rest.
    Baseline,
    /// What was selected.
    Selection,
}

/// What was counted of one attribute on one side.
#[derive(Debug)]
struct Counted {
    /// Spans that have it, by interval.
    total: Vec<u64>,
    /// Spans by its value.
    values: Table,
}

/// What has been counted so far.
#[derive(Debug)]
pub(crate) struct Tally {
    intervals: usize,
    most_values: usize,
    /// Where each of the [`INTRINSICS`] is counted, and each key of the [`SCOPES`], once one was met: names are spelled once.
    intrinsics: [Option<usize>; INTRINSICS.len()],
    attributes: [HashMap<Key, usize>; SCOPES.len()],
    names: BTreeMap<String, usize>,
    /// The baseline and the selection of each attribute.
    counted: Vec<(String, [Counted; 2])>,
}

/// What has been counted of an attribute, by side: spans that have it, its values, and whether there were more.
pub(crate) type Sides = [(Vec<u64>, Vec<Row>, bool); 2];

/// A tally that travels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tallied(pub(crate) Vec<(String, Sides)>);

impl Side {
    pub(crate) const BOTH: [Side; 2] = [Side::Baseline, Side::Selection];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Side::Baseline => "baseline",
            Side::Selection => "selection",
        }
    }

    pub(crate) fn name_of_total(self) -> &'static str {
        match self {
            Side::Baseline => "baseline_total",
            Side::Selection => "selection_total",
        }
    }
}

impl Comparison {
    pub(crate) fn new(selection: &FieldExpr, window: Option<(i64, i64)>, compiler: &mut Compiler) -> Self {
        Self {
            selection: compiler.condition(selection),
            window,
            intrinsics: INTRINSICS.map(|intrinsic| compiler.access(&Field::Intrinsic(intrinsic))),
            attributes: SCOPES.map(|(scope, _)| compiler.projection.add(Column::Attributes(scope))),
        }
    }

    /// Counts a span.
    pub(crate) fn count(
        &self,
        evaluator: &Evaluator<'_, '_>,
        span: usize,
        interval: usize,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        let at = evaluator.trace.spans()[span];
        let start = at.start().as_i64();
        let in_window = self.window.is_none_or(|(from, to)| from < start && start <= to);
        let selected = in_window && evaluator.holds(&self.selection, span);
        let side = if selected { Side::Selection } else { Side::Baseline };
        for (intrinsic, access) in self.intrinsics.iter().enumerate() {
            tally.count_intrinsic(intrinsic, side, interval, &evaluator.field_value(access, span));
        }
        for (scope, column) in self.attributes.into_iter().enumerate() {
            for (key, value) in at.batch.attributes(column, at.row)? {
                // What is no scalar has no label.
                if labels::is_scalar(&value) {
                    tally.count_attribute(scope, &key, side, interval, &Static::of_element(&value));
                }
            }
        }
        Ok(())
    }
}

impl Tally {
    /// Nothing yet, with room for so many series in all.
    pub(crate) fn new(intervals: usize, most_series: usize) -> Self {
        let most_values = (most_series / ATTRIBUTES).clamp(1, MOST_VALUES);
        Self {
            intervals,
            most_values,
            intrinsics: Default::default(),
            attributes: Default::default(),
            names: BTreeMap::new(),
            counted: Vec::new(),
        }
    }

    fn count_intrinsic(&mut self, intrinsic: usize, side: Side, interval: usize, value: &Static<'_>) {
        let position = match self.intrinsics[intrinsic] {
            Some(position) => position,
            None => {
                let position = self.position(Field::Intrinsic(INTRINSICS[intrinsic]).to_string());
                *self.intrinsics[intrinsic].insert(position)
            }
        };
        self.count(position, side, interval, value);
    }

    fn count_attribute(&mut self, scope: usize, key: &Key, side: Side, interval: usize, value: &Static<'_>) {
        let position = match self.attributes[scope].get(key) {
            Some(position) => *position,
            None => {
                let field = Field::Attribute { scope: SCOPES[scope].1, name: key.to_string() };
                let position = self.position(field.to_string());
                self.attributes[scope].insert(key.clone(), position);
                position
            }
        };
        self.count(position, side, interval, value);
    }

    fn count(&mut self, position: usize, side: Side, interval: usize, value: &Static<'_>) {
        let counted = &mut self.counted[position].1[side as usize];
        counted.total[interval] += 1;
        table::encode(std::slice::from_ref(value), &mut counted.values.bytes);
        counted.values.row(|| vec![value.shown()]).cells.add(interval, Number::Int(1));
    }

    /// Where the attribute with this name is counted.
    fn position(&mut self, name: String) -> usize {
        if let Some(position) = self.names.get(&name) {
            return *position;
        }
        let counted = || Counted {
            total: vec![0; self.intervals],
            values: Table::new(&MetricsFunction::CountOverTime, vec![name.clone()], self.intervals, self.most_values),
        };
        self.counted.push((name.clone(), [counted(), counted()]));
        self.names.insert(name, self.counted.len() - 1);
        self.counted.len() - 1
    }

    /// Takes in another's counts; says whether they are of as many intervals.
    pub(crate) fn merge(&mut self, Tallied(attributes): Tallied) -> bool {
        let mut are_alike = true;
        for (name, sides) in attributes {
            let position = self.position(name);
            for (own, (total, rows, cut)) in self.counted[position].1.iter_mut().zip(sides) {
                are_alike &= own.total.len() == total.len();
                own.total.iter_mut().zip(total).for_each(|(own, other)| *own += other);
                are_alike &= own.values.merge(rows, cut);
            }
        }
        are_alike
    }

    /// The counts, by attribute.
    pub(crate) fn into_tallied(self) -> Tallied {
        let mut attributes: Vec<(String, Sides)> = self
            .counted
            .into_iter()
            .map(|(name, sides)| {
                let side = |Counted { total, values }| {
                    let (rows, cut) = values.into_rows();
                    (total, rows, cut)
                };
                (name, sides.map(side))
            })
            .collect();
        attributes.sort_by(|(a, _), (b, _)| a.cmp(b));
        Tallied(attributes)
    }
}

/// The counts of a row of values.
pub(crate) fn counts(cells: &Cells) -> &[u64] {
    match cells {
        Cells::Counts(counts) => counts,
        _ => unreachable!("values are counted"),
    }
}
