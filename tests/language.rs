//! The examples of `docs/traceql.md`, asked of the demo's shop.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Response;
use serde_json::Value;

use crate::harness::{CLOSES, InProcess, OPENS, demo, text, without_counters};

const PAGE: &str = include_str!("../docs/traceql.md");

/// A block of the page, in fences.
#[derive(Debug)]
struct Block {
    line: usize,
    /// What it is an example of, and what is said of it.
    info: &'static str,
    body: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_does_what_the_page_says() {
    let server = demo().await;
    let mut wrong = Vec::new();
    let mut counts = BTreeMap::from([("", 0), ("empty", 0), ("same", 0), ("refused", 0), ("text", 0)]);
    let mut before = Vec::new();
    for Block { line, info, body } in blocks() {
        let word = info.trim_start_matches("traceql").trim();
        *counts.get_mut(word).unwrap_or_else(|| panic!("line {line}: {info}")) += 1;
        let mut fails = |why: &str| wrong.push(format!("line {line} {why}: {body}"));
        if word == "text" {
            if before != [body.trim()] {
                fails(&format!("is not what was answered, {before:?}"));
            }
            continue;
        }
        let answers = ask(&server, &body).await;
        let status = if word == "refused" { 400 } else { 200 };
        let found = matches!(word, "" | "same");
        if let Some(answer) = answers.iter().find(|answer| answer.status() != status) {
            fails(&format!("was answered with {}, {}", answer.status(), text(answer)));
        } else if !answers.iter().all(|answer| finds_something(answer) == found) {
            fails(if found { "finds nothing" } else { "finds something" });
        }
        let answers: Vec<_> = answers.iter().map(without_counters).collect();
        if word == "same" && answers != before {
            fails("is not the same as the example before it");
        }
        before = answers;
    }
    assert!(wrong.is_empty(), "{} examples are wrong:\n{}", wrong.len(), wrong.join("\n"));
    // None was overlooked.
    assert_eq!(counts.values().sum::<usize>(), PAGE.matches("```").count() / 2);
    assert!(counts.values().all(|count| *count > 0), "{counts:?}");
}

/// The answers to a search, or those to a metrics query: range and instant.
async fn ask(server: &InProcess, query: &str) -> Vec<Response<Bytes>> {
    let (start, end) = (OPENS.to_string(), CLOSES.to_string());
    let times = [("start", &*start), ("end", &*end)];
    let paths: &[&str] = match measures(query) {
        true => &["/api/metrics/query_range", "/api/metrics/query"],
        false => &["/api/search"],
    };
    let mut answers = Vec::new();
    for path in paths {
        answers.push(server.ask(path, &[&[("q", query)], &times[..]].concat()).await);
    }
    answers
}

/// Whether a query is one for metrics, by the look of it: so does Grafana tell.
fn measures(query: &str) -> bool {
    ["rate(", "_over_time(", "compare("].iter().any(|function| query.contains(function))
}

/// Whether there is a trace, or a series of anything but zeros.
fn finds_something(answer: &Response<Bytes>) -> bool {
    let Ok(answer) = serde_json::from_slice::<Value>(answer.body()) else { return false };
    let items = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let is_something = |sample: &Value| sample.get("value").is_some();
    let series = items(&answer["series"]);
    let measured =
        series.iter().any(|series| is_something(series) || items(&series["samples"]).iter().any(is_something));
    measured || !items(&answer["traces"]).is_empty()
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (at, line) in PAGE.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(info), None) => open = Some(Block { line: at + 1, info, body: String::new() }),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => block.body += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{open:?} is not closed");
    blocks
}
