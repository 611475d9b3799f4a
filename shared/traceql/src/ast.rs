use crate::Pattern;

/// A whole query that has passed every check: a pipeline over spansets, maybe a metrics stage, maybe hints.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// What selects, groups and filters spans.
    pub pipeline: Pipeline,
    /// What turns the selected spans into series; none in a search.
    pub metrics: Option<Metrics>,
    /// `with(…)`: of several only the last, as written, unknown names included.
    pub hints: Vec<(String, Literal)>,
}

/// A query for series that has passed every check: one measure of spans, or arithmetic with several.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricsQuery {
    /// What is computed.
    pub series: SeriesExpr,
    /// `with(…)`: of several only the last, as written, unknown names included.
    pub hints: Vec<(String, Literal)>,
}

/// An expression over series.
#[derive(Clone, Debug, PartialEq)]
pub enum SeriesExpr {
    /// `{ … } | rate()`
    Measure(Measure),
    /// A number; a duration has been turned into seconds.
    Number(f64),
    /// `(…) / (…)`
    Arithmetic {
        /// The operator.
        op: Arithmetic,
        /// The left operand.
        lhs: Box<SeriesExpr>,
        /// The right operand.
        rhs: Box<SeriesExpr>,
    },
    /// `(…) / (…) > 0.1 | topk(5)`
    Then {
        /// Whose series.
        of: Box<SeriesExpr>,
        /// Applied in order to them.
        stages: Vec<SeriesStage>,
    },
}

/// What is measured of which spans.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// What selects, groups and filters spans.
    pub pipeline: Pipeline,
    /// What turns them into series.
    pub metrics: Metrics,
}

/// Elements applied from left to right; at least one.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    /// The elements.
    pub elements: Vec<Element>,
}

/// One step of a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub enum Element {
    /// `{ … }`, alone or joined by spanset operators.
    Spanset(SpansetExpr),
    /// `count() > 2`: keeps the spansets for which it holds.
    Scalar(ScalarFilter),
    /// `by(…)`: splits each spanset by the expression's value.
    By(FieldExpr),
    /// `coalesce()`: joins a trace's spansets into one.
    Coalesce,
    /// `select(…)`: shows more fields in the answer, filters nothing.
    Select(Vec<Field>),
}

/// Selects spans of a trace.
#[derive(Clone, Debug, PartialEq)]
pub enum SpansetExpr {
    /// `{ … }`; `{ }` is `{ true }`.
    Filter(FieldExpr),
    /// A parenthesised pipeline of more than a spanset expression, as an operand.
    Pipeline(Pipeline),
    /// `&&` of two or more: all must select something.
    And(Vec<SpansetExpr>),
    /// `||` of two or more: any may select something.
    Or(Vec<SpansetExpr>),
    /// A relation between the spans of both sides.
    Structural {
        /// Which relation, and which side is returned.
        op: StructuralOp,
        /// The left side.
        lhs: Box<SpansetExpr>,
        /// The right side.
        rhs: Box<SpansetExpr>,
    },
}

/// A relation between spans, and whose spans it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StructuralOp {
    /// The relation of a right span to a left one.
    pub relation: Relation,
    /// What is returned.
    pub form: StructuralForm,
}

/// What the right span is to the left one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Relation {
    /// `>`: right is a child of left.
    Child,
    /// `<`: right is the parent of left.
    Parent,
    /// `>>`: right is strictly below left.
    Descendant,
    /// `<<`: right is strictly above left.
    Ancestor,
    /// `~`: both have one parent, and are different spans.
    Sibling,
}

/// Which spans a structural operator returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StructuralForm {
    /// `>`: right spans that stand in the relation to some left span.
    Plain,
    /// `!>`: right spans that stand in the relation to no left span.
    Negated,
    /// `&>`: both spans of every related pair.
    Union,
}

/// `aggregate op literal`: the one form of scalar filter that the language allows.
#[derive(Clone, Debug, PartialEq)]
pub struct ScalarFilter {
    /// What is computed over each spanset.
    pub aggregate: Aggregate,
    /// How it is compared.
    pub op: Comparison,
    /// With what: an int, float or duration, maybe negative.
    pub value: Literal,
}

/// A number computed over a spanset.
#[derive(Clone, Debug, PartialEq)]
pub enum Aggregate {
    /// `count()`: how many spans.
    Count,
    /// `min(…)`.
    Min(FieldExpr),
    /// `max(…)`.
    Max(FieldExpr),
    /// `avg(…)`.
    Avg(FieldExpr),
    /// `sum(…)`.
    Sum(FieldExpr),
}

/// An expression over one span.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldExpr {
    /// A constant; constant sub-expressions have been folded into one.
    Literal(Literal),
    /// An attribute or intrinsic.
    Field(Field),
    /// `a && b && …`: two or more.
    And(Vec<FieldExpr>),
    /// `a || b || …`: two or more.
    Or(Vec<FieldExpr>),
    /// `!a`.
    Not(Box<FieldExpr>),
    /// `-a`.
    Negate(Box<FieldExpr>),
    /// `a < b`.
    Compare {
        /// The operator.
        op: Comparison,
        /// The left operand.
        lhs: Box<FieldExpr>,
        /// The right operand.
        rhs: Box<FieldExpr>,
    },
    /// `a =~ "…"`, or `a !~ "…"`.
    Match {
        /// Whether it is `!~`.
        negated: bool,
        /// The operand.
        operand: Box<FieldExpr>,
        /// The compiled, anchored pattern.
        pattern: Pattern,
    },
    /// `a + b`.
    Arithmetic {
        /// The operator.
        op: Arithmetic,
        /// The left operand.
        lhs: Box<FieldExpr>,
        /// The right operand.
        rhs: Box<FieldExpr>,
    },
    /// `a = nil`, or `a != nil`.
    Nil {
        /// Whether it is `!= nil`.
        negated: bool,
        /// The operand.
        operand: Box<FieldExpr>,
    },
}

/// `= != < <= > >=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `=`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

/// `+ - * / % ^`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Mod,
    /// `^`
    Pow,
}

/// A typed constant.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// A 64-bit integer.
    Int(i64),
    /// A double.
    Float(f64),
    /// A string.
    Str(String),
    /// `true` or `false`.
    Bool(bool),
    /// Nanoseconds.
    Duration(i64),
    /// `ok`, `error`, `unset`.
    Status(Status),
    /// `server`, `client`, …
    Kind(Kind),
}

/// A span's status, as the language names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// `unset`
    Unset,
    /// `ok`
    Ok,
    /// `error`
    Error,
}

/// A span's kind, as the language names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `unspecified`
    Unspecified,
    /// `internal`
    Internal,
    /// `server`
    Server,
    /// `client`
    Client,
    /// `producer`
    Producer,
    /// `consumer`
    Consumer,
}

/// Something that a span may have: an attribute or a built-in field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// A custom attribute.
    Attribute {
        /// Where it is looked up.
        scope: AttributeScope,
        /// Its key, byte for byte.
        name: String,
    },
    /// A built-in field. Both of its spellings are the same field.
    Intrinsic(Intrinsic),
}

/// Where an attribute is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttributeScope {
    /// `.x`: the span's attribute, or else the resource's.
    Unscoped,
    /// `span.x`
    Span,
    /// `resource.x`
    Resource,
    /// `event.x`
    Event,
    /// `link.x`
    Link,
    /// `instrumentation.x`: an attribute of the instrumentation scope.
    Instrumentation,
    /// `parent.x`: `.x` of the parent span. Beyond Tempo, which parses it and refuses.
    Parent,
    /// `parent.span.x`
    ParentSpan,
    /// `parent.resource.x`
    ParentResource,
}

/// A built-in field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Intrinsic {
    /// `name`, `span:name`
    Name,
    /// `duration`, `span:duration`
    Duration,
    /// `status`, `span:status`
    Status,
    /// `statusMessage`, `span:statusMessage`
    StatusMessage,
    /// `kind`, `span:kind`
    Kind,
    /// `span:id`
    SpanId,
    /// `span:parentID`
    ParentId,
    /// `span:childCount`
    ChildCount,
    /// `traceDuration`, `trace:duration`
    TraceDuration,
    /// `rootName`, `trace:rootName`
    RootName,
    /// `rootServiceName`, `trace:rootService`
    RootServiceName,
    /// `trace:id`
    TraceId,
    /// `event:name`
    EventName,
    /// `event:timeSinceStart`
    EventTimeSinceStart,
    /// `link:traceID`
    LinkTraceId,
    /// `link:spanID`
    LinkSpanId,
    /// `instrumentation:name`
    InstrumentationName,
    /// `instrumentation:version`
    InstrumentationVersion,
    /// `nestedSetLeft`
    NestedSetLeft,
    /// `nestedSetRight`
    NestedSetRight,
    /// `nestedSetParent`
    NestedSetParent,
}

/// The metrics stage: one function, its grouping, and what is done with its series.
#[derive(Clone, Debug, PartialEq)]
pub struct Metrics {
    /// The function.
    pub function: MetricsFunction,
    /// `by (…)`; at most 5 fields, 4 for functions that add a label of their own.
    pub by: Vec<Field>,
    /// Applied in order to the series.
    pub then: Vec<SeriesStage>,
}

/// What is computed for each series and interval.
#[derive(Clone, Debug, PartialEq)]
pub enum MetricsFunction {
    /// `rate()`
    Rate,
    /// `count_over_time()`
    CountOverTime,
    /// `min_over_time(a)`
    MinOverTime(Field),
    /// `max_over_time(a)`
    MaxOverTime(Field),
    /// `avg_over_time(a)`
    AvgOverTime(Field),
    /// `sum_over_time(a)`
    SumOverTime(Field),
    /// `quantile_over_time(a, q, …)`: at least one quantile, each in 0..=1.
    QuantileOverTime(Field, Vec<f64>),
    /// `histogram_over_time(a)`
    HistogramOverTime(Field),
    /// `compare({…}, top, start, end)`
    Compare {
        /// Which spans are the selection; the others are the baseline.
        selection: FieldExpr,
        /// How many values an attribute may show, 10 unless said.
        top: u32,
        /// `(start, end]` in nanoseconds: the selection ends there, if said.
        window: Option<(i64, i64)>,
    },
}

/// A step over finished series.
#[derive(Clone, Debug, PartialEq)]
pub enum SeriesStage {
    /// `topk(n)`, n > 0
    TopK(u64),
    /// `bottomk(n)`, n > 0
    BottomK(u64),
    /// `> 10`: a duration has been turned into seconds.
    Filter {
        /// The operator.
        op: Comparison,
        /// What samples are compared with.
        value: f64,
    },
}
