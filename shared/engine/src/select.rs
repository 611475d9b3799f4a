//! A search, made ready: which traces it selects of those that are assembled, and what an answer says of them.

use std::collections::BTreeMap;

use niente_block::Projection;
use niente_model::{StatusCode, TimeRange};
use niente_traceql::Query;

use crate::{
    FoundSpanset, FoundTrace, Inspected, ServiceStats,
    assemble::Assembly,
    compile::{Common, Compiler, Stage},
    evaluate::{Evaluator, Spanset, service_name},
    newest::Newest,
    show::Show,
    trace::Trace,
    value::Static,
};

/// A search, ready to be run over traces.
pub(crate) struct Search {
    window: TimeRange,
    spans_per_set: usize,
    projection: Projection,
    common: Common,
    stages: Vec<Stage>,
    show: Show,
}

impl Search {
    pub(crate) fn new(query: &Query, window: TimeRange, spans_per_set: usize) -> Self {
        let mut compiler = Compiler::new();
        let stages = compiler.pipeline(&query.pipeline);
        let show = Show::new(&query.pipeline, &mut compiler);
        let Compiler { projection, common } = compiler;
        Self { window, spans_per_set, projection, common, stages, show }
    }

    /// The columns that it reads.
    pub(crate) fn projection(&self) -> &Projection {
        &self.projection
    }

    /// The newest traces among these that the query selects spans of, and how many were looked at.
    pub(crate) fn evaluate(
        &self,
        assembly: &Assembly,
        limit: usize,
    ) -> Result<(Vec<FoundTrace>, Inspected), niente_block::Error> {
        let mut newest = Newest::new(limit);
        let mut inspected = Inspected { spans: assembly.rows() as u64, ..Inspected::default() };
        let window = self.window;
        for trace in assembly.traces() {
            inspected.traces += 1;
            let overlaps = trace.start() <= window.end() && trace.end() >= window.start();
            if !overlaps || !newest.would_keep(trace.start(), trace.id) {
                continue;
            }
            let evaluator = Evaluator { trace: &trace, common: self.common };
            let spansets = evaluator.pipeline(&self.stages);
            if !spansets.is_empty() {
                newest.push(self.found(&evaluator, spansets)?);
            }
        }
        Ok((newest.into_sorted(), inspected))
    }

    fn found(&self, evaluator: &Evaluator<'_, '_>, spansets: Vec<Spanset>) -> Result<FoundTrace, niente_block::Error> {
        let trace = evaluator.trace;
        let text = |value: Static<'_>| if let Static::Str(text) = value { text.into_owned() } else { String::new() };
        let root = trace.root();
        let spansets = spansets.into_iter().map(|set| {
            let shown = set.spans.iter().take(self.spans_per_set);
            Ok(FoundSpanset {
                matched: set.spans.len(),
                spans: shown.map(|span| self.show.span(evaluator, *span)).collect::<Result<_, _>>()?,
                attributes: set.attributes,
            })
        });
        Ok(FoundTrace {
            trace_id: trace.id,
            start: trace.start(),
            duration: trace.duration(),
            root_service: root.map(|root| text(service_name(&root, self.common.service_name))).unwrap_or_default(),
            root_name: root.map(|root| text(Static::from_stored(root.value(self.common.name)))).unwrap_or_default(),
            services: services(trace, self.common),
            spansets: spansets.collect::<Result<_, _>>()?,
        })
    }
}

fn services(trace: &Trace<'_>, common: Common) -> BTreeMap<String, ServiceStats> {
    let mut services: BTreeMap<String, ServiceStats> = BTreeMap::new();
    for span in trace.spans() {
        let Static::Str(name) = service_name(span, common.service_name) else { continue };
        if !services.contains_key(&*name) {
            services.insert(name.to_string(), ServiceStats::default());
        }
        if let Some(stats) = services.get_mut(&*name) {
            stats.spans += 1;
            stats.errors += u32::from(span.status() == StatusCode::ERROR);
        }
    }
    services
}
