use niente_engine::SearchQuestion;
use niente_model::{Nanos, TimeRange};
use niente_traceql::Query;

use super::{Detail, logfmt, tags};
use crate::{Error, Settings, params::Params};

/// The most traces that may be asked for.
const MAX_LIMIT: u32 = 262_144;

/// The most spans of each spanset that may be asked for.
const MAX_SPANS_PER_SPANSET: u32 = 100;

/// How far back a search goes that doesn't say from when: 15 minutes.
const DEFAULT_RANGE: Nanos = Nanos::from_secs(15 * 60);

/// All parameters that mean something of their own. Any other may be a tag.
const PARAMETERS: [&str; 10] =
    ["q", "tags", "minDuration", "maxDuration", "limit", "start", "end", "since", "spss", "skip_ast_transformations"];

/// A search, as its parameters say it.
#[derive(Debug)]
pub(crate) struct SearchRequest {
    pub(crate) question: SearchQuestion,
    pub(crate) detail: Detail,
}

impl SearchRequest {
    /// Reads and checks the parameters of a search that arrives `now`.
    pub(crate) fn parse(params: &Params<'_>, settings: &Settings, now: Nanos) -> Result<Self, Error> {
        let limit = params.number("limit", 1..=MAX_LIMIT)?.unwrap_or(settings.default_limit);
        let spans_per_set = match params.number("spss", 0..=MAX_SPANS_PER_SPANSET)? {
            None | Some(0) => settings.default_spans_per_spanset,
            Some(spans) => spans,
        };
        let window = window(params, now)?;
        if let Some(limit) = settings.max_range {
            let range = window.end().saturating_sub(window.start());
            if range > limit {
                return Err(Error::RangeTooLong { range, limit });
            }
        }
        let legacy = legacy_query(params)?;
        let (query, text, detail) = match (params.get("q"), params.get("tags")) {
            (Some(_), Some(_)) => return Err(Error::parameter("tags", "can't be combined with q")),
            (Some(text), None) => (niente_traceql::parse(text)?, text.to_owned(), Detail::Spansets),
            // Tags are few enough for their print to be read again.
            (None, _) => {
                let text = legacy.to_string();
                (legacy, text, Detail::Trace)
            }
        };
        let spans_per_set = match detail {
            Detail::Spansets => spans_per_set as usize,
            Detail::Trace => 0,
        };
        Ok(Self { question: SearchQuestion { query, text, window, limit: limit as usize, spans_per_set }, detail })
    }
}

/// The time to search: the last `since`, or else from `start` to `end`, or else the last minutes.
///
/// It ends now at the latest only where nobody says otherwise: what is stored is visible, and clocks differ.
pub(crate) fn window(params: &Params<'_>, now: Nanos) -> Result<TimeRange, Error> {
    let last = |length| TimeRange::new(now.saturating_sub(length), now).expect("what was before now isn't after it");
    if let Some(since) = params.duration("since")? {
        return if since > Nanos::ZERO { Ok(last(since)) } else { Err(Error::parameter("since", "is no time at all")) };
    }
    match (params.seconds("start")?, params.seconds("end")?) {
        (None, None) | (Some(0), Some(0)) => Ok(last(DEFAULT_RANGE)),
        (Some(start), Some(end)) => seconds_range(start, end),
        (Some(_), None) => Err(Error::parameter("end", "is missing: start and end go together")),
        (None, Some(_)) => Err(Error::parameter("start", "is missing: start and end go together")),
    }
}

/// From one second to a later one, each its first nanosecond, both included.
pub(crate) fn seconds_range(start: u32, end: u32) -> Result<TimeRange, Error> {
    match TimeRange::new(Nanos::from_secs(start.into()), Nanos::from_secs(end.into())) {
        Ok(range) if start < end => Ok(range),
        _ => Err(Error::parameter("end", format!("{end} is not after start, {start}"))),
    }
}

/// Each is looked up in spans and in resources: two of the fields that a query may mention.
const MAX_TAGS: usize = niente_traceql::MAX_FIELDS / 2;

/// The search that was there before TraceQL. Its durations have to be right even beside a query, where they mean
/// nothing.
fn legacy_query(params: &Params<'_>) -> Result<Query, Error> {
    let (shortest, longest) = (params.duration("minDuration")?, params.duration("maxDuration")?);
    if let (Some(shortest), Some(longest)) = (shortest, longest)
        && longest < shortest
    {
        return Err(Error::parameter("maxDuration", "is less than minDuration"));
    }
    let tags = match params.get("tags") {
        Some(text) => logfmt::parse(text).map_err(|reason| Error::parameter("tags", reason))?,
        None => lone_tags(params),
    };
    if tags.len() > MAX_TAGS {
        return Err(Error::parameter("tags", format!("are {}, at most {MAX_TAGS} are allowed", tags.len())));
    }
    tags::to_query(&tags, shortest, longest).map_err(|reason| Error::parameter("tags", reason.to_string()))
}

/// Tags as parameters of their own, the oldest form. Beside the newer parameters, unknown ones mean nothing.
fn lone_tags(params: &Params<'_>) -> Vec<(String, String)> {
    if ["q", "tags", "start", "end"].into_iter().any(|name| params.get(name).is_some()) {
        return Vec::new();
    }
    let others = params.names().filter(|name| !PARAMETERS.contains(name));
    others.filter_map(|name| Some((name.to_owned(), params.get(name)?.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::tests::assert_read;

    const NOW: u64 = 1_793_584_000;

    /// Checks a query string against `<TraceQL> | <start>..<end> | <limit> | <spans per spanset>`, times in seconds
    /// relative to now, or against the start of the error.
    fn check_with(settings: &Settings, query: &str, expected: Result<&str, &str>) {
        let found = SearchRequest::parse(&Params::parse(Some(query)), settings, Nanos::from_secs(NOW));
        let found = found.map(|SearchRequest { question, detail }| {
            let (start, end) = (question.window.start(), question.window.end());
            let seconds = |moment: Nanos| (i128::from(moment.get()) - i128::from(NOW) * 1_000_000_000) / 1_000_000_000;
            assert_eq!(detail == Detail::Trace, question.spans_per_set == 0);
            let (start, end) = (seconds(start), seconds(end));
            format!("{} | {start}..{end} | {} | {}", question.query, question.limit, question.spans_per_set)
        });
        assert_read(query, found, expected);
    }

    fn check(query: &str, expected: Result<&str, &str>) {
        check_with(&Settings::default(), query, expected);
    }

    #[test]
    fn queries() {
        check("q={}", Ok("{ true } | -900..0 | 20 | 3"));
        check("q=%7B+.a+%3D+1+%7D", Ok("{ .a = 1 } | -900..0 | 20 | 3"));
        check("q={}&q={", Ok("{ true } | -900..0 | 20 | 3"));
        check("q={", Err("invalid TraceQL query: parse error at line 1, col 2: "));
        check("q={status=1}", Err("invalid TraceQL query: "));
        check(&format!("q={{{}}}", " ".repeat(140_000)), Err("invalid TraceQL query: "));
        check("q={}&unknown=1&query={", Ok("{ true } | -900..0 | 20 | 3"));
        check("q={}&skip_ast_transformations=all", Ok("{ true } | -900..0 | 20 | 3"));
    }

    #[test]
    fn limits() {
        check("q={}&limit=5000&spss=100", Ok("{ true } | -900..0 | 5000 | 100"));
        check("q={}&limit=262144&spss=0", Ok("{ true } | -900..0 | 262144 | 3"));
        check("q={}&limit=&spss=", Ok("{ true } | -900..0 | 20 | 3"));
        for wrong in ["0", "-1", "262145", "4294967296", "1.5", "x", "%201", "1e3"] {
            check(&format!("q={{}}&limit={wrong}"), Err("parameter limit: \""));
        }
        for wrong in ["101", "-1", "NaN", "x"] {
            check(&format!("q={{}}&spss={wrong}"), Err("parameter spss: \""));
        }
    }

    #[test]
    fn times() {
        check("q={}&start=1793577000&end=1793585400", Ok("{ true } | -7000..1400 | 20 | 3"));
        check("q={}&start=0&end=4294967295", Ok("{ true } | -1793584000..2501383295 | 20 | 3"));
        check("q={}&start=0&end=0", Ok("{ true } | -900..0 | 20 | 3"));
        check("q={}&start=&end=", Ok("{ true } | -900..0 | 20 | 3"));
        check("q={}&since=1h", Ok("{ true } | -3600..0 | 20 | 3"));
        check("q={}&since=1d12h", Ok("{ true } | -129600..0 | 20 | 3"));
        check("q={}&since=200y", Ok("{ true } | -1793584000..0 | 20 | 3"));
        check("q={}&since=1h&start=5&end=x", Ok("{ true } | -3600..0 | 20 | 3"));
        for (wrong, reason) in [
            ("start=5", "parameter end: is missing"),
            ("end=5", "parameter start: is missing"),
            ("start=5&end=", "parameter end: is missing"),
            ("start=5&end=5", "parameter end: 5 is not after start, 5"),
            ("start=10&end=5", "parameter end: 5 is not after start, 10"),
            ("start=x", "parameter start: \"x\" is not a Unix time in whole seconds"),
            ("start=1&end=1793577000000000000", "parameter end: \"1793577000000000000\" is not"),
            ("start=2026-11-01T00:00:00Z&end=9", "parameter start: \"2026-11-01T00:00:00Z\" is not"),
            ("start=-5&end=9", "parameter start: \"-5\" is not"),
            ("start=1.5&end=9", "parameter start: \"1.5\" is not"),
            ("since=x", "parameter since: \"x\" is not a duration"),
            ("since=-1h", "parameter since: \"-1h\" is not a duration"),
            ("since=0s", "parameter since: is no time at all"),
            ("since=300y", "parameter since: \"300y\" is not a duration"),
        ] {
            check(&format!("q={{}}&{wrong}"), Err(reason));
        }
    }

    #[test]
    fn moments_are_the_first_nanosecond_of_their_second_and_included() {
        let range = seconds_range(1_793_577_000, 1_793_585_400).unwrap();
        assert_eq!(range.start().get(), 1_793_577_000_000_000_000);
        assert_eq!(range.end().get(), 1_793_585_400_000_000_000);
    }

    #[test]
    fn a_range_may_be_limited() {
        let settings = Settings { max_range: Some(Nanos::from_secs(3_600)), ..Settings::default() };
        check_with(&settings, "q={}&since=1h", Ok("{ true } | -3600..0 | 20 | 3"));
        check_with(&settings, "q={}&start=1&end=3601", Ok("{ true } | -1793583999..-1793580399 | 20 | 3"));
        let reason = "range specified by start and end (1h0m1s) exceeds 1h0m0s";
        check_with(&settings, "q={}&start=1&end=3602", Err(reason));
        check_with(&settings, "q={}&since=3601s", Err(reason));
    }

    #[test]
    fn defaults_may_be_chosen() {
        let settings = Settings { default_limit: 7, default_spans_per_spanset: 9, ..Settings::default() };
        check_with(&settings, "q={}&spss=0", Ok("{ true } | -900..0 | 7 | 9"));
    }

    #[test]
    fn legacy_tags() {
        check("", Ok("{ true } | -900..0 | 20 | 0"));
        check("tags=&q=", Ok("{ true } | -900..0 | 20 | 0"));
        check("tags=status.code%3Dok&spss=5&limit=9", Ok("{ status = ok } | -900..0 | 9 | 0"));
        check("tags=a%3D1&q={}", Err("parameter tags: can't be combined with q"));
        check("tags==", Err("parameter tags: unexpected '=' at position 1"));
        check("tags=a+a", Err("parameter tags: the key \"a\" is there twice"));
        check("minDuration=100ms", Ok("{ traceDuration >= 100ms } | -900..0 | 20 | 0"));
        check("minDuration=0&tags=status.code", Ok("{ false } && { traceDuration >= 0s } | -900..0 | 20 | 0"));
        check("q={}&minDuration=1s&maxDuration=2s", Ok("{ true } | -900..0 | 20 | 3"));
        check("q={}&minDuration=x", Err("parameter minDuration: \"x\" is not a duration"));
        check("tags=a&maxDuration=1", Err("parameter maxDuration: \"1\" is not a duration"));
        check("minDuration=2s&maxDuration=1s", Err("parameter maxDuration: is less than minDuration"));
    }

    #[test]
    fn unknown_parameters_are_tags_only_beside_no_newer_one() {
        let tag = "{ (span.k = `v`) || (resource.k = `v`) } | -900..0 | 20 | 0";
        check("k=v", Ok(tag));
        check("k=v&k=w&empty=&limit=20&spss=3&since=15m&skip_ast_transformations=1", Ok(tag));
        let nothing = "{ true } | -900..0 | 20 | 0";
        check("k=v&start=0&end=0", Ok(nothing));
        check("k=v&tags=status.code%3Dok", Ok("{ status = ok } | -900..0 | 20 | 0"));
    }
}
