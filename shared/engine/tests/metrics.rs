//! Metrics against a naive evaluation of all spans, however these are stored and whoever measures them.

#![allow(clippy::unwrap_used)]

mod naive;
mod remote;
mod some_days;

use std::{collections::BTreeMap, sync::Arc};

use niente_catalog::Catalog;
use niente_compact::Policy;
use niente_cost::Budget;
use niente_engine::{Engine, Error, Intervals, MetricsAnswer, MetricsQuestion, Settings, Terms};
use niente_model::{Nanos, Span, Tenant, TimeRange};
use niente_store::MemoryStore;
use proptest::prelude::*;

use remote::{Outcome, cut};
use some_days::{DAY, HOUR, START, compact, days, span, write};

fn question(query: &str, range: TimeRange, step: u64) -> MetricsQuestion {
    MetricsQuestion {
        query: niente_traceql::parse_metrics(query).unwrap_or_else(|error| panic!("{query}: {error}")),
        text: query.to_owned(),
        intervals: Intervals::aligned(range, Nanos::from_secs(step)),
        exemplars: 100,
        most_series: None,
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(future)
}

async fn measure(engine: &Engine, question: &MetricsQuestion) -> MetricsAnswer {
    engine.on(Terms::default()).measure(&[Tenant::single()], question).await.unwrap()
}

/// The samples of each series, by its labels as text.
fn by_labels(answer: &MetricsAnswer) -> BTreeMap<String, Vec<Option<f64>>> {
    let series = answer.series.iter().map(|series| {
        let labels: Vec<_> = series.labels.iter().map(|(key, value)| format!("{key}={value:?}")).collect();
        (labels.join(", "), series.samples.clone())
    });
    series.collect()
}

/// Of these many cases the naive evaluation is asked; `NIENTE_TEST_SCALE` multiplies them.
fn cases() -> u32 {
    24 * std::env::var("NIENTE_TEST_SCALE").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn answers_are_those_of_a_naive_evaluation(
        spans in naive::spans(),
        questions in prop::collection::vec(naive::questions(), 12),
        requests in 1_usize..4,
    ) {
        block_on(check(spans, &questions, requests))?;
    }
}

/// As level 0, as blocks, and by workers: the naive answer, and the same bytes.
async fn check(spans: Vec<Span>, questions: &[naive::Question], requests: usize) -> Result<(), TestCaseError> {
    let level0 = Arc::new(MemoryStore::new());
    for part in spans.chunks(spans.len().div_ceil(requests).max(1)) {
        write(&*level0, part.to_vec()).await;
        // Sent again, in other batches.
        write(&*level0, part[..part.len() / 2].to_vec()).await;
    }
    let compacted = Arc::new(MemoryStore::new());
    write(&*compacted, spans.clone()).await;
    compact(&compacted, Policy { block_bytes: 10_000, ..Policy::everything() }).await;
    let whole = |store: &Arc<MemoryStore>| Engine::new(Catalog::new(store.clone()));
    let (remote, _) = cut(&level0, Some(|_| Outcome::Answered));
    let (in_place, _) = cut(&compacted, None);
    let reference = whole(&level0);
    for asked in questions {
        let question = question(&asked.text(), naive::range(), naive::STEP);
        let answer = measure(&reference, &question).await;
        naive::compare(asked, &question.intervals, &spans, &by_labels(&answer))?;
        for (name, engine) in [("compacted", &whole(&compacted)), ("workers", &remote), ("in place", &in_place)] {
            let other = measure(engine, &question).await;
            // (As text: NaN may be a label.)
            let texts = [&other, &answer].map(|answer| format!("{:?}", answer.series));
            prop_assert_eq!(&texts[0], &texts[1], "{}: {}", name, asked.text());
        }
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn half_compacted_is_as_good_as_compacted() {
    let store = Arc::new(MemoryStore::new());
    let asked = "{ } | quantile_over_time(duration, .5) by (span.user.id)";
    let range = TimeRange::lasting(Nanos::from_secs(START), Nanos::from_secs(6 * HOUR));
    let some =
        |from: u64| (0..50).map(|n| span(1 + n % 7, 1 + from + n, (from + n * 419) % (6 * HOUR))).collect::<Vec<_>>();
    write(&*store, some(0)).await;
    compact(&store, Policy::everything()).await;
    write(&*store, some(1_000)).await;
    let question = question(asked, range, 600);
    let half = measure(&Engine::new(Catalog::new(store.clone())), &question).await;
    compact(&store, Policy::everything()).await;
    let compacted = measure(&Engine::new(Catalog::new(store)), &question).await;
    assert!(!half.series.is_empty());
    assert_eq!(half.series, compacted.series);
}

#[tokio::test(start_paused = true)]
async fn thirty_days_by_the_hour() {
    let store = days(30).await;
    compact(&store, Policy::everything()).await;
    let range = TimeRange::lasting(Nanos::from_secs(START), Nanos::from_secs(30 * DAY));
    let (engine, _) = cut(&store, Some(|_| Outcome::Answered));
    let answer = measure(&engine, &question("{ } | count_over_time()", range, HOUR)).await;
    let samples: Vec<f64> = answer.series[0].samples.iter().map(|sample| sample.unwrap()).collect();
    assert_eq!(samples.len(), 30 * 24 + 1);
    // The first span of an hour starts with it, and so belongs to the interval before. Six hours have one more.
    assert_eq!(samples.iter().sum::<f64>(), f64::from(30 * 24 * 10 + 6));
    assert_eq!((samples[0], samples[1], samples[78], samples[720]), (1.0, 10.0, 11.0, 9.0));
}

#[tokio::test(start_paused = true)]
async fn what_is_about_spans_alone_reads_its_own_hours() {
    let store = days(5).await;
    let engine = Engine::new(Catalog::new(store));
    let range = TimeRange::lasting(Nanos::from_secs(START + 2 * DAY), Nanos::from_secs(2 * HOUR));
    for (query, objects) in [
        ("{ } | rate()", 4),
        ("{ nestedSetParent < 0 } | rate()", 4),
        ("{ } | count() > 1 | rate()", 4 + 48),
        ("({ status = error } | rate()) / ({ } | rate())", 4),
    ] {
        let question = question(query, range, HOUR);
        let asking = engine.on(Terms::default());
        let answer = asking.measure(&[Tenant::single()], &question).await.unwrap();
        assert_eq!(answer.inspected.objects, objects, "{query}");
        let explained = engine.on(Terms::default()).explain_metrics(&Tenant::single(), &question).await.unwrap();
        assert_eq!(explained.waves.len(), 1, "{query}");
        assert_eq!(explained.waves[0].objects as u64, objects, "{query}");
        assert_eq!(explained.most.spent.store.gets, asking.spent().store.gets, "{query}");
    }
}

#[tokio::test(start_paused = true)]
async fn budgets_refuse_before_anything_is_read() {
    let store = days(2).await;
    let budget = Budget { bytes: Some(1_000), ..Budget::UNLIMITED };
    let asking = Engine::new(Catalog::new(store)).on(Terms { budget, ..Terms::default() });
    let range = TimeRange::lasting(Nanos::from_secs(START), Nanos::from_secs(DAY));
    let error = asking.measure(&[Tenant::single()], &question("{ } | rate()", range, HOUR)).await.unwrap_err();
    assert!(matches!(error, Error::OverBudget(_)), "{error}");
    assert!(asking.spent().store.bytes_read < 1_000, "{}", asking.spent());
}

#[tokio::test(start_paused = true)]
async fn tenants_are_measured_as_one() {
    let store = days(1).await;
    let engine = Engine::new(Catalog::new(store));
    let range = TimeRange::lasting(Nanos::from_secs(START), Nanos::from_secs(DAY));
    let question = question("{ } | count_over_time()", range, DAY);
    let tenants = [Tenant::single(), Tenant::single()];
    let twice = engine.on(Terms::default()).measure(&tenants, &question).await.unwrap();
    let once = measure(&engine, &question).await;
    let sum = |answer: &MetricsAnswer| answer.series[0].samples.iter().flatten().sum::<f64>();
    assert_eq!(sum(&twice), 2.0 * sum(&once));
}

#[tokio::test(start_paused = true)]
async fn too_many_series_are_cut_after_the_first_and_the_answer_says_so() {
    let store = days(1).await;
    compact(&store, Policy { block_bytes: 10_000, ..Policy::everything() }).await;
    let range = TimeRange::lasting(Nanos::from_secs(START), Nanos::from_secs(DAY));
    let asked = question("{ } | count_over_time() by (span.user.id)", range, HOUR);
    let all = measure(&Engine::new(Catalog::new(store.clone())), &asked).await;
    assert_eq!((all.series.len(), all.left_out.is_none()), (240, true));
    let first = all.series[..10].iter().map(|series| (&series.labels, &series.samples)).collect::<Vec<_>>();

    let settings = Settings { shard_bytes: 20_000, most_samples: 10 * 25, ..Settings::default() };
    let limited = Engine::with(Catalog::new(store.clone()), settings);
    let asked_for = MetricsQuestion { most_series: Some(10), ..asked.clone() };
    for (engine, asked) in [(limited, asked), (Engine::new(Catalog::new(store)), asked_for)] {
        let answer = measure(&engine, &asked).await;
        let found: Vec<_> = answer.series.iter().map(|series| (&series.labels, &series.samples)).collect();
        assert_eq!(found, first);
        assert!(answer.left_out.is_some());
    }
}
