use niente_engine::{Intervals, MetricsQuestion};
use niente_model::{Nanos, TimeRange};
use niente_traceql::{Literal, MetricsFunction, MetricsQuery, format_duration};

use super::step::{MOST_STEPS, default_step, shortest_step};
use crate::{Error, Settings, error::quoted, params::Params};

/// How far back a query goes that doesn't say from when.
const DEFAULT_RANGE: Nanos = Nanos::from_secs(3_600);

/// Which of the two kinds of answer is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Samples over time.
    Range,
    /// One value a series.
    Instant,
}

/// Reads and checks the parameters of a metrics query that arrives `now`.
pub(crate) fn parse(
    params: &Params<'_>,
    kind: Kind,
    settings: &Settings,
    now: Nanos,
) -> Result<MetricsQuestion, Error> {
    let text = params.get("q").or_else(|| params.get("query")).unwrap_or_default();
    let query = niente_traceql::parse_metrics(text).map_err(Error::MetricsQuery)?;
    let range = range(params, now)?;
    let length = range.end().saturating_sub(range.start());
    if let Some(limit) = settings.max_metrics_range
        && length > limit
    {
        return Err(Error::MetricsRangeTooLong { range: length, limit });
    }
    let (intervals, exemplars) = match kind {
        Kind::Instant => (Intervals::one(range), 0),
        Kind::Range => {
            let intervals = Intervals::aligned(range, step(params, length)?);
            (without_unfinished(intervals, &query, now), exemplars(params, &query, settings))
        }
    };
    // What is no number says nothing, as in Tempo.
    let asked: Option<usize> = params.get("maxSeries").and_then(|text| text.parse().ok());
    let most_series = [asked, settings.max_series].into_iter().flatten().filter(|most| *most > 0).min();
    Ok(MetricsQuestion { query, text: text.to_owned(), intervals, exemplars, most_series })
}

/// From `start` to `end`, which is now unless it is said; or the last `since`.
fn range(params: &Params<'_>, now: Nanos) -> Result<TimeRange, Error> {
    let since = params.duration("since")?.unwrap_or(DEFAULT_RANGE);
    let (start, end) = (params.moment("start")?, params.moment("end")?);
    let end = end.unwrap_or(now);
    let start = start.unwrap_or_else(|| end.min(now).saturating_sub(since));
    TimeRange::new(start, end).map_err(|_| {
        let [start, end] = [start, end].map(|moment| moment.get() as f64 / 1e9);
        Error::parameter("end", format!("{end} is before start, {start}"))
    })
}

fn step(params: &Params<'_>, length: Nanos) -> Result<Nanos, Error> {
    let Some(text) = params.get("step") else { return Ok(default_step(length)) };
    let wrong = |why: &str| Err(Error::parameter("step", format!("{} {why}", quoted(text))));
    let step = match text.parse::<f64>() {
        Ok(seconds) => Nanos::new((seconds * 1e9).clamp(0.0, 9e18) as u64).unwrap_or_default(),
        Err(_) => params.duration("step")?.unwrap_or_default(),
    };
    if step == Nanos::ZERO {
        return wrong("is no step: ask for seconds, as in 30, or a duration, as in 1m");
    }
    let shortest = shortest_step(length);
    if step < shortest {
        let shortest = format_duration(shortest.as_i64());
        return wrong(&format!("makes more than {MOST_STEPS} steps of this range: ask for {shortest} at least"));
    }
    Ok(step)
}

/// The last interval may still be filling, and would look like a fall: it is left out, as in Tempo, unless it is so long
/// that what it has would be missed, or a comparison's, which is about sums.
fn without_unfinished(intervals: Intervals, query: &MetricsQuery, now: Nanos) -> Intervals {
    const FEW: usize = 10;

    let compares = |function: &MetricsFunction| matches!(function, MetricsFunction::Compare { .. });
    if intervals.count() < FEW || query.measures().iter().any(|measure| compares(&measure.metrics.function)) {
        intervals
    } else {
        intervals.ended(now)
    }
}

/// As many as the query says, or else the parameter, or else the most.
fn exemplars(params: &Params<'_>, query: &MetricsQuery, settings: &Settings) -> usize {
    let most = settings.max_exemplars as usize;
    let asked = params.get("exemplars").and_then(|text| text.parse().ok()).filter(|asked| *asked > 0);
    let wanted = match query.hint("exemplars") {
        Some(Literal::Bool(false)) => 0,
        Some(Literal::Int(number)) if *number > 0 => usize::try_from(*number).unwrap_or(most),
        _ => asked.unwrap_or(most),
    };
    wanted.min(most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::tests::assert_read;

    const NOW: u64 = 1_793_584_000;

    /// Checks a query string against `<first end>..<last end> by <step> | <exemplars> | <most series>`, times in seconds
    /// relative to now, or against the start of the error.
    #[track_caller]
    fn check_with(kind: Kind, settings: &Settings, query: &str, expected: Result<&str, &str>) {
        let query = if query.contains("q=") || query.contains("query=") {
            query.to_owned()
        } else {
            format!("q=%7B%7D|rate()&{query}")
        };
        let found = parse(&Params::parse(Some(&query)), kind, settings, Nanos::from_secs(NOW)).map(|question| {
            let ends: Vec<_> = question.intervals.ends().map(|ms| ms as f64 / 1e3 - NOW as f64).collect();
            let most = question.most_series.map_or("any".to_owned(), |most| most.to_string());
            let (first, last) = (ends[0], ends[ends.len() - 1]);
            format!("{first}..{last} by {} | {} | {most}", question.intervals.seconds(), question.exemplars)
        });
        assert_read(&query, found, expected);
    }

    #[track_caller]
    fn check(query: &str, expected: Result<&str, &str>) {
        check_with(Kind::Range, &Settings::default(), query, expected);
    }

    #[test]
    fn times_and_steps() {
        // (Now is 40 seconds after a multiple of 300.)
        check("", Ok("-3610..-10 by 15 | 100 | any"));
        check("since=1h&step=60", Ok("-3640..-40 by 60 | 100 | any"));
        check("start=1793577000&end=1793580600&step=300s", Ok("-7000..-3400 by 300 | 100 | any"));
        check("start=1793577000&end=1793580600", Ok("-7000..-3400 by 15 | 100 | any"));
        check("start=1793577000000000000&end=1793577060.5&step=0.5", Ok("-7000..-6939.5 by 0.5 | 100 | any"));
        check("start=2026-11-01T22:56:40Z&end=2026-11-01T23:06:40.5%2B00:00", Ok("-10200..-9598 by 2 | 100 | any"));
        check("start=1793583000&end=1793583000&step=60", Ok("-1000..-1000 by 60 | 100 | any"));
        check("end=1793583000&step=5m", Ok("-4600..-1000 by 300 | 100 | any"));
        // Few and long intervals stay although the last one isn't over.
        check("since=30m&step=1800s", Ok("-2800..800 by 1800 | 100 | any"));
        check("start=1793570000&end=1793589000&step=300s", Ok("-14200..-100 by 300 | 100 | any"));
        for (wrong, reason) in [
            ("start=10&end=5", "parameter end: 5 is before start, 10"),
            ("start=x", "parameter start: \"x\" is no time"),
            ("end=-5", "parameter end: \"-5\" is no time"),
            ("start=NaN", "parameter start: \"NaN\" is no time"),
            ("step=x", "parameter step: \"x\" is not a duration"),
            ("step=0s", "parameter step: \"0s\" is no step"),
            ("step=0", "parameter step: \"0\" is no step"),
            ("step=-5", "parameter step: \"-5\" is no step"),
            ("step=-5s", "parameter step: \"-5s\" is not a duration"),
            ("step=NaN", "parameter step: \"NaN\" is no step"),
            (
                "since=1h&step=100ms",
                "parameter step: \"100ms\" makes more than 10000 steps of this range: ask for 360ms",
            ),
            ("since=x", "parameter since: \"x\" is not a duration"),
        ] {
            check(wrong, Err(reason));
        }
    }

    #[test]
    fn instants() {
        let check = |query, expected| check_with(Kind::Instant, &Settings::default(), query, Ok(expected));
        check("", "0..0 by 3600 | 0 | any");
        check("start=1793577000&end=1793585400&step=7", "1400..1400 by 8400 | 0 | any");
    }

    #[test]
    fn queries() {
        check("query=%7B%7D|rate()", Ok("-3610..-10 by 15 | 100 | any"));
        check("q=%7B%7D|rate()&query=x", Ok("-3610..-10 by 15 | 100 | any"));
        check("q=%7B%7D", Err("not a metrics query"));
        check("q=%7B", Err("parse error at line 1, col 2: "));
        check("q=", Err("parse error at line 1, col 1: "));
        check("q=%7Bstatus=1%7D|rate()", Err("compiling query: "));
        check("q=%7B%7D|rate()by(.a,.b,.c,.d,.e,.f)", Err("compiling query: grouping"));
    }

    #[test]
    fn exemplars_and_series() {
        let numbers = |query: &str, expected: &str| check(query, Ok(&format!("-3610..-10 by 15 | {expected}")));
        numbers("exemplars=7&maxSeries=9", "7 | 9");
        numbers("exemplars=0&maxSeries=0", "100 | any");
        numbers("exemplars=x&maxSeries=x", "100 | any");
        numbers("exemplars=1000", "100 | any");
        numbers("q=%7B%7D|rate()with(exemplars=false)&exemplars=7", "0 | any");
        numbers("q=%7B%7D|rate()with(exemplars=3)&exemplars=7", "3 | any");
        numbers("q=%7B%7D|rate()with(exemplars=true,sample=0.1)&exemplars=7", "7 | any");
    }

    #[test]
    fn operators_may_limit_all_of_it() {
        let settings = Settings {
            max_metrics_range: Some(Nanos::from_secs(3_600)),
            max_series: Some(5),
            max_exemplars: 2,
            ..Settings::default()
        };
        check_with(Kind::Range, &settings, "since=1h&maxSeries=9&exemplars=9", Ok("-3610..-10 by 15 | 2 | 5"));
        let reason = "metrics query time range exceeds the maximum allowed duration of 1h0m0s";
        check_with(Kind::Range, &settings, "since=61m", Err(reason));
        check_with(Kind::Instant, &settings, "since=61m", Err(reason));
    }
}
