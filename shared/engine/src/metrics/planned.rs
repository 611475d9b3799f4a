//! Metrics, from the planner's side: one wave of shards, whose measurements are put together.

use niente_catalog::Snapshot;
use niente_model::{Tenant, TimeRange};

use super::{Accumulated, Measuring, MetricsAnswer, MetricsQuestion, Series, arithmetic, finish, labels, locality};
use crate::{
    Asking, Error, Explanation, Findings, Inspected, Task, Wave, explain as explained,
    shards::{self, Share},
};

/// What the spans of all these tenants measure.
pub(crate) async fn measure(
    asking: &Asking,
    tenants: &[Tenant],
    question: &MetricsQuestion,
) -> Result<MetricsAnswer, Error> {
    let reach = reach(question);
    let mut accumulated = Accumulated::new(&question.query, question.intervals, asking.settings.most_samples);
    let mut inspected = Inspected::default();
    for tenant in tenants {
        let of_tenant = |snapshot| measure_tenant(asking, tenant, snapshot, question, reach);
        let (measured, looked_at) = asking.over_snapshot(tenant, reach, of_tenant).await?;
        inspected += looked_at;
        for part in measured {
            if !accumulated.merge(part) {
                return Err(Error::mismatch());
            }
        }
    }
    Ok(answer(question, accumulated, inspected))
}

/// What measuring would read and cost.
pub(crate) async fn explain(
    asking: &Asking,
    snapshot: Snapshot,
    question: &MetricsQuestion,
) -> Result<Explanation, Error> {
    let wave = wave(asking, &snapshot, question).await?;
    Ok(explained::of_waves(asking, &snapshot, question.intervals.range(), reach(question), vec![wave]))
}

/// Spans that start in this time are read: those that are measured, and the rest of their traces if that matters.
pub(crate) fn reach(question: &MetricsQuestion) -> TimeRange {
    let range = question.intervals.range();
    if locality::concerns_spans_alone(&question.query) { range } else { range.padded(Asking::TRACE_REACH) }
}

async fn measure_tenant(
    asking: &Asking,
    tenant: &Tenant,
    snapshot: Snapshot,
    question: &MetricsQuestion,
    reach: TimeRange,
) -> Result<(Vec<super::Measured>, Inspected), Error> {
    let wave = wave(asking, &snapshot, question).await?;
    asking.afford(&wave)?;
    let task = Task::Metrics {
        query: question.text.clone(),
        intervals: question.intervals,
        exemplars: question.exemplars > 0,
        most_samples: asking.settings.most_samples,
    };
    let shards = shards::of_wave(tenant, &snapshot, &task, reach, &wave, asking.patience());
    let mut inspected =
        Inspected { objects: wave.objects as u64, object_bytes: wave.object_bytes, ..Default::default() };
    let mut measured = Vec::with_capacity(shards.len());
    for partial in asking.answer(shards).await? {
        inspected += partial.inspected;
        let Findings::Measured(found) = partial.findings else { return Err(Error::mismatch()) };
        measured.push(found);
    }
    Ok((measured, inspected))
}

/// Everything is read at once: no part of it would do.
async fn wave(asking: &Asking, snapshot: &Snapshot, question: &MetricsQuestion) -> Result<Wave, Error> {
    let measuring = Measuring::new(&question.query, question.intervals, question.exemplars > 0);
    let share = Share::of_objects(asking, &snapshot.objects, measuring.projection()).await?;
    Ok(Wave::of_everything(&snapshot.objects, share, shards::cut(asking)))
}

fn answer(question: &MetricsQuestion, accumulated: Accumulated, inspected: Inspected) -> MetricsAnswer {
    let measures = question.query.measures();
    let exemplars = question.exemplars.div_ceil(measures.len());
    let (mut measured, mut any_cut) = (Vec::new(), false);
    for (measure, accumulated) in measures.into_iter().zip(accumulated.into_measures()) {
        let (series, cut) = finish::series(measure, accumulated, question.intervals, exemplars);
        any_cut |= cut;
        measured.push(series);
    }
    let mut series = arithmetic::evaluate(&question.query.series, &mut measured.into_iter());
    series.sort_by(|a, b| labels::order(&a.labels, &b.labels));
    let mut left_out = any_cut.then(|| {
        "there are more series, or values of an attribute, than there is room for: the first in order were measured \
         and the others left out; group by fewer fields, filter, or choose a longer step"
            .to_owned()
    });
    if let Some(most) = question.most_series.filter(|most| series.len() > *most) {
        left_out = Some(format!(
            "the limit of {most} series was exceeded by {}: the first in order are shown, and the others left out",
            series.len() - most,
        ));
        series.truncate(most);
    }
    limit_exemplars(&mut series, question.exemplars);
    MetricsAnswer { series, inspected, left_out }
}

/// Rounds were up, so that every series had some. Of too many the first of each series stay.
fn limit_exemplars(series: &mut [Series], most: usize) {
    let mut left = most;
    let mut round = 0;
    let mut kept = vec![0; series.len()];
    while left > 0 && series.iter().any(|series| series.exemplars.len() > round) {
        for (kept, series) in kept.iter_mut().zip(series.iter()) {
            if series.exemplars.len() > round && left > 0 {
                *kept += 1;
                left -= 1;
            }
        }
        round += 1;
    }
    series.iter_mut().zip(kept).for_each(|(series, kept)| series.exemplars.truncate(kept));
}
