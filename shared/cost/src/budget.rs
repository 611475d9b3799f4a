use serde::{Deserialize, Serialize};

use crate::{Dollars, bill};

/// What one query may read and cost at most. The default is no limit.
///
/// In JSON its fields are called as in a tenant's or token's configuration: `max_query_bytes`, and `max_query_cost` in
/// dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Budget {
    /// Bytes that may be read from the store.
    #[serde(rename = "max_query_bytes", skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// What it may cost.
    #[serde(rename = "max_query_cost", skip_serializing_if = "Option::is_none")]
    pub dollars: Option<Dollars>,
}

/// A query would take more than it is allowed. Says what, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the query is over its budget: it would {}; narrow its time range, lower its limit, or have the budget raised",
    self.complaint()
)]
pub struct OverBudget {
    /// What was allowed.
    pub budget: Budget,
    /// What it would read, at least.
    pub bytes: u64,
    /// What it would cost, at least.
    pub dollars: Dollars,
}

impl Budget {
    /// No limit.
    pub const UNLIMITED: Self = Self { bytes: None, dollars: None };

    /// The tighter of both, limit by limit: a token's budget and its tenant's hold together.
    pub fn min(self, other: Self) -> Self {
        Self { bytes: tighter(self.bytes, other.bytes), dollars: tighter(self.dollars, other.dollars) }
    }

    /// Whether a query that reads so many bytes and costs so much is allowed. For an estimate before it runs, and for
    /// what it has taken while it runs.
    pub fn check(&self, bytes: u64, dollars: Dollars) -> Result<(), OverBudget> {
        let within = self.bytes.is_none_or(|most| bytes <= most) && self.dollars.is_none_or(|most| dollars <= most);
        if within { Ok(()) } else { Err(OverBudget { budget: *self, bytes, dollars }) }
    }
}

fn tighter<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

impl OverBudget {
    fn complaint(&self) -> String {
        let bytes = self.budget.bytes.filter(|most| self.bytes > *most).map(|most| {
            let (taken, most) = told_apart(self.bytes, most, bill::bytes, |bytes| format!("{bytes} B"));
            format!("read {taken} where {most} are allowed")
        });
        let dollars = self.budget.dollars.filter(|most| self.dollars > *most).map(|most| {
            let exact = |dollars: Dollars| format!("${}", dollars.to_decimal());
            let (taken, most) = told_apart(self.dollars, most, |dollars| dollars.to_string(), exact);
            format!("cost {taken} where {most} is allowed")
        });
        bytes.into_iter().chain(dollars).collect::<Vec<_>>().join(" and ")
    }
}

/// Both in short, or exactly where they would look the same.
fn told_apart<T: Copy>(one: T, other: T, short: fn(T) -> String, exact: fn(T) -> String) -> (String, String) {
    match (short(one), short(other)) {
        (one_short, other_short) if one_short == other_short => (exact(one), exact(other)),
        told => told,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dollars(text: &str) -> Dollars {
        text.parse().unwrap()
    }

    fn budget(bytes: Option<u64>, most: Option<&str>) -> Budget {
        Budget { bytes, dollars: most.map(dollars) }
    }

    #[test]
    fn what_is_over_budget_is_told_with_what_to_do() {
        let both = budget(Some(1_000_000_000), Some("0.01"));
        for (budget, bytes, cost, complaint) in [
            (both, 1_000_000_000, "0.01", None),
            (Budget::UNLIMITED, u64::MAX, "1000000", None),
            (both, 12_345_678_901, "0.001", Some("read 12.3 GB where 1.0 GB are allowed")),
            (both, 1, "0.0123", Some("cost $0.0123 where $0.01 is allowed")),
            (
                both,
                2_000_000_000,
                "1.5",
                Some("read 2.0 GB where 1.0 GB are allowed and cost $1.50 where $0.01 is allowed"),
            ),
            // What looks the same when rounded.
            (both, 1_000_000_001, "0", Some("read 1000000001 B where 1000000000 B are allowed")),
            (both, 0, "0.010001", Some("cost $0.010001 where $0.01 is allowed")),
            (budget(Some(0), None), 1, "9", Some("read 1 B where 0 B are allowed")),
            (budget(None, Some("0")), 9, "0.0000004", Some("cost $0.0000004 where $0 is allowed")),
        ] {
            let checked = budget.check(bytes, dollars(cost)).map_err(|over| over.to_string());
            let told = complaint.map_or(Ok(()), |complaint| {
                Err(format!(
                    "the query is over its budget: it would {complaint}; narrow its time range, lower its limit, or \
                     have the budget raised"
                ))
            });
            assert_eq!(checked, told);
        }
    }

    #[test]
    fn of_two_budgets_the_tighter_limits_hold() {
        let (token, tenant) = (budget(Some(5), None), budget(Some(7), Some("0.1")));
        for min in [token.min(tenant), tenant.min(token)] {
            assert_eq!(min, budget(Some(5), Some("0.1")));
        }
        assert_eq!(Budget::UNLIMITED.min(Budget::UNLIMITED), Budget::UNLIMITED);
    }

    #[test]
    fn it_is_written_as_in_a_configuration() {
        let json = r#"{"max_query_bytes":1000,"max_query_cost":0.05}"#;
        let read: Budget = serde_json::from_str(json).unwrap();
        assert_eq!(read, budget(Some(1_000), Some("0.05")));
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
        assert_eq!(serde_json::from_str::<Budget>("{}").unwrap(), Budget::UNLIMITED);
        assert!(serde_json::from_str::<Budget>(r#"{"max_query_cost": -1}"#).is_err());
    }
}
