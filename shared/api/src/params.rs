use std::{borrow::Cow, ops::RangeInclusive};

use niente_model::Nanos;
use niente_traceql::parse_duration;

use crate::{Error, error::quoted};

/// The parameters of a query string, decoded, in the order in which they came.
///
/// An empty parameter is an absent one, and of several of one name the first counts.
#[derive(Debug)]
pub(crate) struct Params<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Params<'a> {
    pub(crate) fn parse(query: Option<&'a str>) -> Self {
        Self(form_urlencoded::parse(query.unwrap_or_default().as_bytes()).collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(given, _)| given == name)?;
        (!value.is_empty()).then_some(value.as_ref())
    }

    /// The names, each once.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let first = |at: usize, name: &str| self.0[..at].iter().all(|(earlier, _)| earlier != name);
        self.0.iter().enumerate().filter(move |(at, (name, _))| first(*at, name)).map(|(_, (name, _))| name.as_ref())
    }

    /// A whole number.
    pub(crate) fn number(&self, name: &'static str, allowed: RangeInclusive<u32>) -> Result<Option<u32>, Error> {
        let Some(text) = self.get(name) else { return Ok(None) };
        match text.parse() {
            Ok(number) if allowed.contains(&number) => Ok(Some(number)),
            _ => {
                let (least, most) = allowed.into_inner();
                let reason = format!("{} is not a whole number from {least} to {most}", quoted(text));
                Err(Error::parameter(name, reason))
            }
        }
    }

    /// A moment, in whole seconds since the Unix epoch.
    pub(crate) fn seconds(&self, name: &'static str) -> Result<Option<u32>, Error> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let reason = || format!("{} is not a Unix time in whole seconds", quoted(text));
        text.parse().map(Some).map_err(|_| Error::parameter(name, reason()))
    }

    /// A moment: Unix seconds in up to ten characters or with a fraction, nanoseconds in more, or RFC 3339.
    pub(crate) fn moment(&self, name: &'static str) -> Result<Option<Nanos>, Error> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let nanos = if text.bytes().all(|byte| byte.is_ascii_digit()) {
            let number = text.parse::<u64>().ok();
            if text.len() <= 10 { number.map(|seconds| Nanos::from_secs(seconds).get()) } else { number }
        } else if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            // Milliseconds are as fine as doubles tell seconds of today.
            text.parse::<f64>()
                .ok()
                .map(|seconds| (seconds * 1e3).round() as u64)
                .and_then(|ms| ms.checked_mul(1_000_000))
        } else {
            let moment = text.parse::<jiff::Timestamp>().ok();
            moment.and_then(|moment| u64::try_from(moment.as_nanosecond()).ok())
        };
        match nanos.and_then(|nanos| Nanos::new(nanos).ok()) {
            Some(moment) => Ok(Some(moment)),
            None => {
                let reason = format!("{} is no time: write Unix seconds or nanoseconds, or RFC 3339", quoted(text));
                Err(Error::parameter(name, reason))
            }
        }
    }

    /// A length of time. Go's spelling and Prometheus' are both understood wherever Tempo takes one of them.
    pub(crate) fn duration(&self, name: &'static str) -> Result<Option<Nanos>, Error> {
        let Some(text) = self.get(name) else { return Ok(None) };
        // Go needs no unit for zero.
        let nanos = if text == "0" { Some(0) } else { parse_duration(text) };
        match nanos.and_then(|nanos| u64::try_from(nanos).ok()).and_then(|nanos| Nanos::new(nanos).ok()) {
            Some(duration) => Ok(Some(duration)),
            None => Err(Error::parameter(name, format!("{} is not a duration such as 1h30m or 250ms", quoted(text)))),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Compares what was read of a request with what it is to be read as, or its error with the start of that.
    #[track_caller]
    pub(crate) fn assert_read(request: &str, found: Result<String, Error>, expected: Result<&str, &str>) {
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{request}"),
            (Err(error), Err(expected)) => {
                assert_eq!(error.status().as_u16(), 400, "{request}");
                assert!(error.to_string().starts_with(expected), "{request}: {error}");
            }
            (found, expected) => panic!("{request}: {found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn the_first_of_a_name_counts_and_an_empty_one_is_absent() {
        let params = Params::parse(Some("q=%7B+.a%3D%22%26%22%7D&q=2&e=&e=1&lone&&=x&%FF=1"));
        assert_eq!(params.get("q"), Some("{ .a=\"&\"}"));
        assert_eq!(params.get("e"), None);
        assert_eq!(params.get("lone"), None);
        assert_eq!(params.get("none"), None);
        assert_eq!(params.names().collect::<Vec<_>>(), ["q", "e", "lone", "", "\u{fffd}"]);
        assert_eq!(Params::parse(None).names().count(), 0);
    }
}
