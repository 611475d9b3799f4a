//! Metrics as log lines: CloudWatch's embedded metric format makes metrics of them, without a request.

use niente_api::Price;
use niente_model::{Nanos, Tenant};
use serde_json::{Map, Value, json};

const NAMESPACE: &str = "Niente";

/// A line of metrics: `values` by name and unit, all of them for each of `dimensions` and for all together.
///
/// The format is `docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html`.
pub fn line(now: Nanos, dimensions: &[(&str, &str)], values: &[(&str, &str, f64)]) -> String {
    let names: Vec<&str> = dimensions.iter().map(|(name, _)| *name).collect();
    let sets = if names.is_empty() { vec![names] } else { vec![names, Vec::new()] };
    let metrics: Vec<Value> = values.iter().map(|(name, unit, _)| json!({"Name": name, "Unit": unit})).collect();
    let mut line = Map::new();
    line.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": now.get() / 1_000_000,
            "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": sets, "Metrics": metrics}],
        }),
    );
    line.extend(dimensions.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))));
    line.extend(values.iter().map(|(name, _, value)| ((*name).to_owned(), Value::from(*value))));
    Value::Object(line).to_string()
}

/// The line that says what a query has cost, and whose data it asked for.
pub fn of_query(now: Nanos, price: &Price) -> String {
    let Price { tenants, spent, dollars } = price;
    let tenants: Vec<&str> = tenants.iter().map(Tenant::as_str).collect();
    line(
        now,
        &[("Tenant", &tenants.join("|"))],
        &[
            ("Queries", "Count", 1.0),
            ("QueryRequests", "Count", spent.store.requests() as f64),
            ("QueryBytesRead", "Bytes", spent.store.bytes_read as f64),
            ("QueryInvocations", "Count", spent.invocations as f64),
            ("QueryGBSeconds", "None", spent.memory_time().gb_seconds()),
            ("QueryCostUSD", "None", dollars.as_f64()),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_what_it_has() {
        let line: Value =
            serde_json::from_str(&line(Nanos::from_secs(2), &[("Tenant", "a")], &[("N", "Count", 3.0)])).unwrap();
        assert_eq!(line["_aws"]["Timestamp"], 2_000);
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["Tenant"], []]));
        assert_eq!((&line["Tenant"], &line["N"]), (&json!("a"), &json!(3.0)));
    }
}
