use serde::Serialize;

use crate::{Dollars, Workload, month::DAYS};

/// What another system asks for the same month, by its list prices.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Alternative {
    /// Its name.
    pub name: &'static str,
    /// At least this much.
    pub from: Dollars,
    /// At most this much; none where nobody has estimated so large a one.
    pub to: Option<Dollars>,
    /// What the amount is made of, and what it leaves out.
    pub note: &'static str,
}

impl Workload {
    /// The alternatives, each computed from its unit prices as of autumn 2026, or, where it has none because one runs
    /// it oneself, looked up between estimates for three sizes. Nothing is interpolated: between two of these sizes the
    /// answer is both.
    pub fn alternatives(&self) -> Vec<Alternative> {
        let gb = self.gb_per_day * DAYS;
        let millions_of_spans = self.spans() / 1e6;
        let millions_of_traces = millions_of_spans / self.spans_per_trace;
        let more_months = ((self.retention_days - 30.0) / 30.0).ceil().max(0.0);
        let tiers =
            0.35 * gb.min(10_000.0) + 0.20 * (gb - 10_000.0).clamp(0.0, 20_000.0) + 0.15 * (gb - 30_000.0).max(0.0);
        vec![
            computed(
                "Grafana Cloud Traces",
                0.05 * gb + 0.40 * (gb - 50.0).max(0.0) + 0.10 * gb * more_months,
                "$0.05/GB processed, $0.40/GB written beyond 50 GB, 30 days; $0.10/GB for each 30 more",
            ),
            computed(
                "CloudWatch Transaction Search",
                tiers,
                "$0.35/GB, $0.20 beyond 10 TB, $0.15 beyond 30 TB, 1 % indexed; without storage and scans",
            ),
            computed(
                "AWS X-Ray",
                5.0 * (millions_of_traces - 0.1).max(0.0),
                "$5.00 a million traces beyond 100,000, every trace recorded, 30 days; without retrieval",
            ),
            computed("Datadog, ingested", 0.10 * gb, "$0.10/GB, overage only; nothing indexed"),
            computed(
                "Datadog, all indexed",
                0.10 * gb + 1.70 * millions_of_spans,
                "and $1.70 a million indexed spans, overage only",
            ),
            estimated(
                "Tempo, one process",
                self.gb_per_day,
                [65, 155, 900],
                "estimated at 10, 100 and 1,000 GB a day, 30 days; no second copy; without the people who run it",
            ),
            estimated(
                "Tempo, microservices",
                self.gb_per_day,
                [1_050, 1_200, 6_000],
                "estimated at 10, 100 and 1,000 GB a day, 30 days, on EKS with Kafka; without the people who run it",
            ),
        ]
    }
}

fn computed(name: &'static str, dollars: f64, note: &'static str) -> Alternative {
    let dollars = Dollars::from_f64(dollars).expect("a workload's amounts are not negative");
    Alternative { name, from: dollars, to: Some(dollars), note }
}

/// The estimate of this size, or those on both sides of it. The smallest size is also what less costs.
fn estimated(name: &'static str, gb_per_day: f64, dollars: [u64; 3], note: &'static str) -> Alternative {
    let dollar = Dollars::from_picodollars(1_000_000_000_000);
    let sizes = [10.0, 100.0, 1_000.0].into_iter().zip(dollars.map(|dollars| dollar * dollars));
    let below = sizes.clone().rfind(|(size, _)| *size <= gb_per_day);
    let above = sizes.clone().find(|(size, _)| *size >= gb_per_day);
    let smallest = dollar * dollars[0];
    let from = below.map_or(smallest, |(_, dollars)| dollars);
    Alternative { name, from, to: above.map(|(_, dollars)| dollars), note }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(gb_per_day: f64, retention_days: f64) -> Vec<(f64, Option<f64>)> {
        let workload = Workload { gb_per_day, retention_days, ..Workload::default() };
        let told = workload.alternatives();
        told.iter().map(|found| (found.from.as_f64(), found.to.map(Dollars::as_f64))).collect()
    }

    #[test]
    fn unit_prices_come_to_the_published_months() {
        let exact = |dollars: [f64; 7]| dollars.map(|dollars| (dollars, Some(dollars))).to_vec();
        assert_eq!(told(10.0, 30.0), exact([115.0, 105.0, 149.5, 30.0, 1_050.0, 65.0, 1_050.0]));
        assert_eq!(told(100.0, 30.0), exact([1_330.0, 1_050.0, 1_499.5, 300.0, 10_500.0, 155.0, 1_200.0]));
        assert_eq!(told(1_000.0, 30.0), exact([13_480.0, 7_500.0, 14_999.5, 3_000.0, 105_000.0, 900.0, 6_000.0]));
        // Beyond 30 days, Grafana Cloud alone has a price: two more months here.
        assert_eq!(told(10.0, 61.0), exact([175.0, 105.0, 149.5, 30.0, 1_050.0, 65.0, 1_050.0]));
    }

    #[test]
    fn estimates_are_not_interpolated() {
        for (gb_per_day, one_process) in
            [(1.0, (65.0, Some(65.0))), (50.0, (65.0, Some(155.0))), (2_000.0, (900.0, None))]
        {
            assert_eq!(told(gb_per_day, 30.0)[5], one_process, "{gb_per_day}");
        }
    }
}
