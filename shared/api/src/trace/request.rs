use http::{HeaderMap, header::ACCEPT};
use niente_model::{InvalidId, Nanos, TimeRange, TraceId};

use super::{COMPACT, PROTOBUF};
use crate::{Error, error::quoted, params::Params, search::seconds_range};

/// What a trace is asked for by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TraceRequest {
    /// Which; none for the ID of zeros, which no trace has but anybody may ask for.
    pub(crate) id: Option<TraceId>,
    /// When some of its spans happened: where to look.
    pub(crate) window: TimeRange,
}

impl TraceRequest {
    /// Reads and checks the ID and the parameters.
    pub(crate) fn parse(id: &str, params: &Params<'_>) -> Result<Self, Error> {
        let id = match id.parse() {
            Ok(id) => Some(id),
            Err(InvalidId::Zero { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        check_mode(params)?;
        for name in ["blockStart", "blockEnd"] {
            if let Some(text) = params.get(name)
                && !is_uuid(text)
            {
                return Err(Error::parameter(name, format!("{} is not a UUID", quoted(text))));
            }
        }
        Ok(Self { id, window: window(params)? })
    }
}

/// From `start` to `end`, of which zero says as little as nothing at all.
fn window(params: &Params<'_>) -> Result<TimeRange, Error> {
    let moment = |name| Ok::<_, Error>(params.seconds(name)?.filter(|seconds| *seconds > 0));
    let nanos = |seconds: u32| Nanos::from_secs(seconds.into());
    match (moment("start")?, moment("end")?) {
        (Some(start), Some(end)) => seconds_range(start, end),
        (start, end) => {
            let start = start.map_or(TimeRange::ALL.start(), nanos);
            let end = end.map_or(TimeRange::ALL.end(), nanos);
            Ok(TimeRange::new(start, end).expect("one of them is the first or the last moment there is"))
        }
    }
}

/// Tempo lets one choose between its ingesters and its blocks. All of Niente's spans are in one place.
fn check_mode(params: &Params<'_>) -> Result<(), Error> {
    match params.get("mode") {
        None | Some("all" | "blocks" | "ingesters" | "recent" | "external") => Ok(()),
        Some(other) => {
            let reason = format!("{} is none of all, blocks, ingesters, recent and external", quoted(other));
            Err(Error::parameter("mode", reason))
        }
    }
}

fn is_uuid(text: &str) -> bool {
    let is_dash = |at: usize| matches!(at, 8 | 13 | 18 | 23);
    text.len() == 36
        && text.bytes().enumerate().all(|(at, b)| if is_dash(at) { b == b'-' } else { b.is_ascii_hexdigit() })
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// What Grafana asks for, always.
    Protobuf,
    /// JSON with fewer layers, for language models.
    Compact,
    /// OTLP's JSON as Tempo writes it.
    Json,
}

impl Form {
    /// The form that `Accept` names anywhere in its text; Tempo looks no closer.
    pub(crate) fn accepted(headers: &HeaderMap) -> Self {
        let names = |media_type: &str| {
            let texts = headers.get_all(ACCEPT).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
            texts.into_iter().any(|text| text.contains(media_type))
        };
        match (names(PROTOBUF), names(COMPACT)) {
            (true, _) => Form::Protobuf,
            (_, true) => Form::Compact,
            _ => Form::Json,
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::params::tests::assert_read;

    /// Checks `<id>?<query>` against `<id> <first second>..<last second>`, or against the start of the error.
    fn check(path: &str, expected: Result<&str, &str>) {
        let (id, query) = path.split_once('?').unwrap_or((path, ""));
        let found = TraceRequest::parse(id, &Params::parse(Some(query)));
        let found = found.map(|TraceRequest { id, window }| {
            let id = id.map_or_else(|| "none".to_owned(), |id| id.to_string());
            let end = if window.end() == Nanos::MAX { String::new() } else { window.end().as_secs().to_string() };
            format!("{id} {}..{end}", window.start().as_secs())
        });
        assert_read(path, found, expected);
    }

    #[test]
    fn ids() {
        check("5B2f1c", Ok("000000000000000000000000005b2f1c 0.."));
        check("abc", Ok("00000000000000000000000000000abc 0.."));
        check("F82bab83460a0bab705e83faf65aceec", Ok("f82bab83460a0bab705e83faf65aceec 0.."));
        check("0", Ok("none 0.."));
        check(&"0".repeat(32), Ok("none 0.."));
        for (id, reason) in [
            (&*"0".repeat(33), "trace ID has 33 characters, at most 32"),
            (&"f".repeat(10_000), "trace ID has 10000 characters, at most 32"),
            ("nothex", "trace ID has the character 'n' at position 1"),
            ("12é", "trace ID has the character 'é' at position 3"),
            ("1\n", "trace ID has the character '\\n' at position 2"),
            ("%31", "trace ID has the character '%' at position 1"),
            ("..", "trace ID has the character '.' at position 1"),
            ("-1", "trace ID has the character '-' at position 1"),
            ("0x1", "trace ID has the character 'x' at position 2"),
        ] {
            check(id, Err(reason));
        }
    }

    #[test]
    fn parameters() {
        let none = "00000000000000000000000000000001";
        check("1?start=5", Ok(&format!("{none} 5..")));
        check("1?end=5", Ok(&format!("{none} 0..5")));
        check("1?start=5&end=7", Ok(&format!("{none} 5..7")));
        check("1?start=0&end=0", Ok(&format!("{none} 0..")));
        check("1?start=0&end=7&other=x", Ok(&format!("{none} 0..7")));
        check("1?start=7&end=7", Err("parameter end: 7 is not after start, 7"));
        check("1?start=8&end=7", Err("parameter end: 7 is not after start, 8"));
        check("1?start=x", Err("parameter start: \"x\" is not a Unix time"));
        check("1?end=1.5", Err("parameter end: \"1.5\" is not a Unix time"));
        for mode in ["all", "blocks", "ingesters", "recent", "external", ""] {
            check(&format!("1?mode={mode}"), Ok(&format!("{none} 0..")));
        }
        check("1?mode=ALL", Err("parameter mode: \"ALL\" is none of all, blocks"));
        check(
            "1?blockStart=00000000-0000-0000-0000-000000000000&blockEnd=ffffFFFF-ffff-ffff-ffff-ffffffffffff",
            Ok(&format!("{none} 0..")),
        );
        check("1?blockStart=0", Err("parameter blockStart: \"0\" is not a UUID"));
        check("1?blockEnd=00000000-0000-0000-0000-00000000000g", Err("parameter blockEnd: "));
        check("1?blockEnd=000000000000-0000-0000-0000-00000000", Err("parameter blockEnd: "));
    }

    #[test]
    fn forms() {
        for (accept, form) in [
            (&[][..], Form::Json),
            (&["application/json"], Form::Json),
            (&["*/*"], Form::Json),
            (&["application/x-protobuf"], Form::Json),
            (&["text/html, application/protobuf;q=0.5"], Form::Protobuf),
            (&["application/vnd.grafana.llm"], Form::Compact),
            (&["application/vnd.grafana.llm", "application/protobuf"], Form::Protobuf),
        ] {
            let mut headers = HeaderMap::new();
            accept.iter().for_each(|accept| _ = headers.append(ACCEPT, HeaderValue::from_static(accept)));
            assert_eq!(Form::accepted(&headers), form, "{accept:?}");
        }
    }
}
