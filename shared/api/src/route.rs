use http::Method;

use crate::{Error, error::quoted, metrics::Kind, tags::Version};

/// What there is, for people who asked for what isn't.
const PATHS: [(Methods, &str); 14] = [
    (Methods::Post, "/v1/traces"),
    (Methods::Get, "/api/search"),
    (Methods::Get, "/api/search/tags"),
    (Methods::Get, "/api/v2/search/tags"),
    (Methods::Get, "/api/search/tag/{name}/values"),
    (Methods::Get, "/api/v2/search/tag/{name}/values"),
    (Methods::Get, "/api/traces/{id}"),
    (Methods::Get, "/api/v2/traces/{id}"),
    (Methods::Get, "/api/metrics/query_range"),
    (Methods::Get, "/api/metrics/query"),
    (Methods::Get, "/api/explain"),
    (Methods::Get, "/api/echo"),
    (Methods::Get, "/api/status/buildinfo"),
    (Methods::Get, "/ready"),
];

/// What a path asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    /// Spans to store.
    Export,
    /// A search.
    Search,
    /// Series over time, or one value a series.
    Metrics(Kind),
    /// What a search would read and cost.
    Explain,
    /// The names of attributes.
    TagNames(Version),
    /// The values of a tag.
    TagValues {
        /// Of which form the answer is.
        version: Version,
        /// The tag as it was written: it may have slashes.
        name: String,
    },
    /// A trace, in the older form of answer.
    TraceV1 {
        /// Its ID as it was written.
        id: &'a str,
    },
    /// A trace, in the newer form of answer.
    TraceV2 {
        /// Its ID as it was written.
        id: &'a str,
    },
    /// Whether credentials are good: what Grafana's *Save & test* asks.
    Echo,
    /// Which version this is.
    BuildInfo,
    /// Whether requests are taken.
    Ready,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Methods {
    Get,
    Post,
}

impl<'a> Route<'a> {
    /// The route of a path, with or without the prefix.
    ///
    /// Slashes at the end or in a row don't count: Grafana up to 13.1 appends `/api/…` to whatever URL it was given.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownPath`], and [`Error::Method`] if the path exists for other methods.
    pub(crate) fn find(method: &Method, path: &'a str, prefix: &str) -> Result<Self, Error> {
        let whole: Vec<&str> = segments(path).collect();
        let prefix: Vec<&str> = segments(prefix).collect();
        let skipped = if whole.starts_with(&prefix) { prefix.len() } else { 0 };
        let route = Self::at(&whole[skipped..]).or_else(|| Self::at(&whole));
        let route = route.ok_or_else(|| Error::UnknownPath { path: quoted(path) })?;
        let methods = match route {
            Route::Export => Methods::Post,
            _ => Methods::Get,
        };
        if methods.contain(method) { Ok(route) } else { Err(Error::Method { allow: methods.allow() }) }
    }

    fn at(segments: &[&'a str]) -> Option<Self> {
        Some(match *segments {
            ["v1", "traces"] => Route::Export,
            ["api", "search"] => Route::Search,
            ["api", "metrics", "query_range"] => Route::Metrics(Kind::Range),
            ["api", "metrics", "query"] => Route::Metrics(Kind::Instant),
            ["api", "search", "tags"] => Route::TagNames(Version::V1),
            ["api", "v2", "search", "tags"] => Route::TagNames(Version::V2),
            ["api", "search", "tag", ref name @ .., "values"] => {
                Route::TagValues { version: Version::V1, name: name.join("/") }
            }
            ["api", "v2", "search", "tag", ref name @ .., "values"] => {
                Route::TagValues { version: Version::V2, name: name.join("/") }
            }
            ["api", "explain"] => Route::Explain,
            ["api", "traces", id] => Route::TraceV1 { id },
            ["api", "v2", "traces", id] => Route::TraceV2 { id },
            ["api", "echo"] => Route::Echo,
            ["api", "status", "buildinfo"] => Route::BuildInfo,
            ["ready"] => Route::Ready,
            _ => return None,
        })
    }
}

impl Methods {
    fn contain(self, method: &Method) -> bool {
        match self {
            Methods::Get => method == Method::GET || method == Method::HEAD,
            Methods::Post => method == Method::POST,
        }
    }

    fn allow(self) -> &'static str {
        match self {
            Methods::Get => "GET, HEAD",
            Methods::Post => "POST",
        }
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

/// All paths in a line, with their methods.
pub(crate) fn listing() -> String {
    let paths = PATHS.map(|(methods, path)| match methods {
        Methods::Get => format!("GET {path}"),
        Methods::Post => format!("POST {path}"),
    });
    paths.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The route that `GET` finds, or the status.
    fn check(prefix: &str, path: &str, expected: Result<Route<'_>, u16>) {
        let found = Route::find(&Method::GET, path, prefix).map_err(|error| error.status().as_u16());
        assert_eq!(found, expected, "{path} with the prefix {prefix:?}");
    }

    #[test]
    fn every_listed_path_is_served_with_its_methods_alone() {
        for (methods, path) in PATHS {
            for method in [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
                match Route::find(&method, path, "") {
                    Ok(_) => assert!(methods.contain(&method), "{method} {path}"),
                    Err(Error::Method { allow }) => {
                        assert!(!methods.contain(&method), "{method} {path}");
                        assert_eq!(allow, methods.allow());
                    }
                    Err(error) => panic!("{method} {path}: {error}"),
                }
            }
        }
    }

    #[test]
    fn slashes_collapse() {
        for path in ["/api/search", "//api/search", "/api//search", "/api/search/", "api/search"] {
            check("", path, Ok(Route::Search));
        }
        check("", "//api///v2/traces//1a", Ok(Route::TraceV2 { id: "1a" }));
    }

    #[test]
    fn tags_have_slashes_as_they_are() {
        let route = |version, name: &str| Ok(Route::TagValues { version, name: name.to_owned() });
        check("", "/api/v2/search/tags", Ok(Route::TagNames(Version::V2)));
        check("", "//api//search//tags/", Ok(Route::TagNames(Version::V1)));
        check("", "/api/search/tag/service.name/values", route(Version::V1, "service.name"));
        check("", "//api/v2/search/tag/span.a/b/values", route(Version::V2, "span.a/b"));
        check("", "/api/v2/search/tag/span.values/values/values/", route(Version::V2, "span.values/values"));
        check("", "/api/v2/search/tag/span.a%252Fb%20c/values", route(Version::V2, "span.a%252Fb%20c"));
        check("", "/api/v2/search/tag/values", route(Version::V2, ""));
        check("/tempo", "/tempo/api/v2/search/tag/.x/values", route(Version::V2, ".x"));
    }

    #[test]
    fn paths_may_begin_with_the_prefix() {
        for prefix in ["/tempo/eu", "tempo/eu/", "//tempo//eu"] {
            check(prefix, "/tempo/eu/api/echo", Ok(Route::Echo));
            check(prefix, "/tempo//eu//ready", Ok(Route::Ready));
            check(prefix, "/ready", Ok(Route::Ready));
            check(prefix, "/tempo/api/echo", Err(404));
            check(prefix, "/tempo/eux/api/echo", Err(404));
            check(prefix, "/tempo/eu/tempo/eu/api/echo", Err(404));
        }
        check("/api", "/api/api/search", Ok(Route::Search));
        check("/api", "/api/search", Ok(Route::Search));
    }

    #[test]
    fn other_paths_are_unknown() {
        for path in [
            "/",
            "",
            "*",
            "/api",
            "/API/search",
            "/api/traces",
            "/api/traces/",
            "/api/traces/1/2",
            "/api/v2/traces/",
            "/api/v3/traces/1",
            "/api/search/tag/x",
            "/api/v3/search/tags",
            "/api/../ready",
            "/api%2Fsearch",
            "/v1/traces/1",
            "/v1/metrics",
        ] {
            check("", path, Err(404));
        }
    }
}
