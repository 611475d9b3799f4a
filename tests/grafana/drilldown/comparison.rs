//! What is special about some of the spans.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{RANGE, filters};
use crate::{
    grafana::{Grafana, attribute, keys, range, total},
    harness::{CLOSES, demo},
};

const SIDES: [(&str, &str); 2] = [("baseline", "baseline_total"), ("selection", "selection_total")];

#[tokio::test(flavor = "multi_thread")]
async fn comparison() {
    let grafana = Grafana(demo().await);
    // What somebody drew on the heat map, in values and in time.
    let [from, to] = [CLOSES - 400, CLOSES - 100].map(|second| second * 1_000_000_000);
    let drawn = format!("{{duration >= 100ms && duration <= 2s}}, 10, {from}, {to}");
    let mut seen = [0.0; 2];
    for f in filters() {
        let spans = total(&grafana.range(&range(&format!("{{{f}}} | count_over_time()"), "1800s", RANGE)).await[0]);
        for selection in ["{status = error}, 10", "{duration >= 268ms}, 10", &drawn, "{}"] {
            let query = format!("{{{f}}} | compare({selection})");
            // The step is the whole range.
            let series = grafana.range(&range(&query, "1800s", RANGE)).await;
            let sides = sides(&series, &query);
            check_counts(&sides, &query);
            let of_side = SIDES.map(|(_, total)| sides.get(&("name", total)).map_or(0.0, |counts| counts[0]));
            assert_eq!(of_side.iter().sum::<f64>(), spans, "{query}: every span has a name");
            seen = [seen[0] + of_side[0], seen[1] + of_side[1]];
        }
    }
    assert!(seen.iter().all(|spans| *spans > 1_000.0), "{seen:?}");
}

/// The counts of each attribute and side. Every series has two labels: its side, and the attribute with its value.
fn sides<'a>(series: &'a [Value], query: &str) -> BTreeMap<(&'a str, &'a str), Vec<f64>> {
    let mut sides: BTreeMap<_, Vec<f64>> = BTreeMap::new();
    for series in series {
        let ["__meta_type", name] = keys(&series["labels"])[..] else { panic!("{query}: {series}") };
        let side = attribute(&series["labels"], "__meta_type").as_str().unwrap();
        let is_total = SIDES.iter().any(|(_, total)| *total == side);
        assert!(is_total || SIDES.iter().any(|(values, _)| *values == side), "{query}: {side}");
        if is_total {
            assert_eq!(series["labels"][1]["value"], json!({"stringValue": "nil"}), "{query}");
        }
        sides.entry((name, side)).or_default().push(total(series));
    }
    sides
}

fn check_counts(sides: &BTreeMap<(&str, &str), Vec<f64>>, query: &str) {
    const SCOPES: [&str; 4] = ["span.", "resource.", "instrumentation.", "instrumentation:"];
    const INTRINSICS: [&str; 7] =
        ["name", "status", "statusMessage", "kind", "rootName", "rootServiceName", "span:childCount"];

    for ((name, side), counts) in sides {
        let is_scoped = SCOPES.iter().any(|scope| name.starts_with(scope)) || INTRINSICS.contains(name);
        assert!(is_scoped, "{query}: {name}");
        match SIDES.iter().find(|(values, _)| values == side) {
            None => assert_eq!(counts.len(), 1, "{query}: {name} has several totals"),
            Some((_, total)) => {
                let (sum, all) = (counts.iter().sum::<f64>(), sides[&(*name, *total)][0]);
                assert!(counts.len() <= 10, "{query}: {} values of {name}", counts.len());
                assert!(sum == all || (counts.len() == 10 && sum < all), "{query}: {name} has {sum} of {all}");
            }
        }
    }
}
