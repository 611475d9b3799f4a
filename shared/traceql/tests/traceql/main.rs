//! What a user of the crate sees: which queries parse, to what, and what the others are told.
//!
//! A case is a query with its canonical print, or with the place and words of its refusal.

mod clients;
mod conditions;
mod fields;
mod folding;
mod lexing;
mod limits;
mod metrics;
mod patterns;
mod pipelines;
mod refusals;
mod round_trip;
mod salvage;
mod trees;

use niente_traceql::{ErrorKind, parse};

/// Each query parses and prints as expected; and the print parses to the same tree.
#[track_caller]
fn check(cases: &[(&str, &str)]) {
    for (query, canonical) in cases {
        let tree = parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        assert_eq!(tree.to_string(), *canonical, "{query}");
        assert_eq!(parse(canonical).as_ref(), Ok(&tree), "{canonical}");
    }
}

/// Like [`check`], for conditions: what stands between the braces.
#[track_caller]
fn check_conditions(cases: &[(&str, &str)]) {
    for (condition, canonical) in cases {
        check(&[(&format!("{{ {condition} }}"), &format!("{{ {canonical} }}"))]);
    }
}

/// Queries mean the same if they have one tree.
#[track_caller]
fn check_same(cases: &[(&str, &str)]) {
    for (query, other) in cases {
        assert_eq!(parse(query).as_ref(), Ok(&parse(other).expect(other)), "{query}");
    }
}

/// Each query is refused at a place, in words among which are those given.
#[track_caller]
fn refuse(kind: ErrorKind, cases: &[(&str, (usize, usize), &str)]) {
    for (query, (line, column), words) in cases {
        let error = parse(query).expect_err(query);
        assert_eq!(error.kind, kind, "{query}: {error}");
        let position = error.position.unwrap_or_else(|| panic!("{query}: {error}"));
        assert_eq!((position.line, position.column), (*line, *column), "{query}: {error}");
        assert!(error.to_string().contains(words), "{query}: {error}\n  has not: {words}");
    }
}
