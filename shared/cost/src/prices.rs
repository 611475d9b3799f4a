use serde::{Deserialize, Serialize};

use crate::{Architecture, Bill, Dollars, Line, MemoryTime, Quantity, Spent};

/// What AWS asks for what it bills: one table, each price by the unit that its name says.
///
/// The default is AWS's list for us-east-1, autumn 2026, without free tiers and discounts. Other regions and contracts
/// are written as JSON ([`Prices::from_json`]), the prices that differ alone. A GB of bytes is 10⁹ of them; where AWS
/// counts 2³⁰ for one, its bill is 7 % lower. A GB of Lambda's memory is 1,024 MiB.
///
/// ```
/// use niente_cost::Prices;
///
/// let frankfurt = Prices::from_json(r#"{ "s3_put_per_1000": 0.0054, "s3_storage_per_gb_month": 0.0245 }"#).unwrap();
/// assert_eq!(frankfurt.s3_put_per_1000.to_string(), "$0.0054");
/// assert_eq!(frankfurt.s3_get_per_1000, Prices::default().s3_get_per_1000);
/// assert!(Prices::from_json(r#"{ "s3_put": 0.0054 }"#).is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Prices {
    /// S3 Standard, `GET` and `HEAD`: $0.0004 for 1,000 (S3 pricing page, read in September 2026).
    pub s3_get_per_1000: Dollars,
    /// S3 Standard, `PUT`: $0.005 for 1,000 (S3 pricing page, read in September 2026).
    pub s3_put_per_1000: Dollars,
    /// S3 Standard, `LIST`: $0.005 for 1,000 (S3 pricing page, read in September 2026).
    pub s3_list_per_1000: Dollars,
    /// S3 Standard, the first 50 TB: $0.023 (S3 pricing page, read in September 2026).
    pub s3_storage_per_gb_month: Dollars,
    /// Lambda on arm64: $0.0000133334 (Lambda's price list; the pricing page was not read again).
    pub lambda_arm64_per_gb_second: Dollars,
    /// Lambda on x86_64: $0.0000166667 (Lambda's price list; the pricing page was not read again).
    pub lambda_x86_64_per_gb_second: Dollars,
    /// Lambda, each invocation: $0.20 a million (Lambda's price list; the pricing page was not read again).
    pub lambda_per_million_requests: Dollars,
    /// Lambda, what streams beyond an answer's first 6 MB: $0.008 (Lambda developer guide, second-hand).
    pub lambda_streaming_per_gb_beyond_6_mb: Dollars,
    /// CloudWatch Logs, ingestion: $0.50 (second-hand). What keeping them costs is left out.
    pub logs_per_gb: Dollars,
    /// EventBridge Scheduler: $1.00 a million beyond the free 14 (second-hand).
    pub scheduler_per_million_invocations: Dollars,
    /// SQS, standard queues: $0.40 a million (list value, not re-checked).
    pub sqs_per_million_requests: Dollars,
    /// API Gateway, HTTP API: $1.00 a million (list value, not re-checked). A function URL costs nothing.
    pub http_api_per_million_requests: Dollars,
}

/// Why a text is no table of prices.
#[derive(Debug, thiserror::Error)]
#[error("the prices can't be read: {0}")]
pub struct InvalidPrices(#[from] serde_json::Error);

const MILLION: u64 = 1_000_000;
const GB: u64 = 1_000_000_000;

impl Default for Prices {
    fn default() -> Self {
        const fn listed(price: &str) -> Dollars {
            Dollars::parse(price).expect("list prices are decimal numbers")
        }
        Self {
            s3_get_per_1000: const { listed("0.0004") },
            s3_put_per_1000: const { listed("0.005") },
            s3_list_per_1000: const { listed("0.005") },
            s3_storage_per_gb_month: const { listed("0.023") },
            lambda_arm64_per_gb_second: const { listed("0.0000133334") },
            lambda_x86_64_per_gb_second: const { listed("0.0000166667") },
            lambda_per_million_requests: const { listed("0.20") },
            lambda_streaming_per_gb_beyond_6_mb: const { listed("0.008") },
            logs_per_gb: const { listed("0.50") },
            scheduler_per_million_invocations: const { listed("1.00") },
            sqs_per_million_requests: const { listed("0.40") },
            http_api_per_million_requests: const { listed("1.00") },
        }
    }
}

impl Prices {
    /// The default with the prices that a JSON object names. Unknown names, negative prices and whatever is no number
    /// are refused.
    pub fn from_json(text: &str) -> Result<Self, InvalidPrices> {
        Ok(serde_json::from_str(text)?)
    }

    /// What it costs.
    ///
    /// Each line is rounded up to a picodollar, so that parts priced one by one come to at most as many picodollars
    /// more than their sum as they have lines.
    pub fn of(&self, spent: &Spent) -> Dollars {
        self.lines("", spent).map(|line| line.dollars).sum()
    }

    /// What it costs, line by line; `part` says who needed it.
    pub fn bill(&self, part: &'static str, spent: &Spent) -> Bill {
        self.lines(part, spent).collect()
    }

    /// A GB-second on this processor.
    pub fn lambda_per_gb_second(&self, architecture: Architecture) -> Dollars {
        match architecture {
            Architecture::Arm64 => self.lambda_arm64_per_gb_second,
            Architecture::X86_64 => self.lambda_x86_64_per_gb_second,
        }
    }

    /// Objects of so many bytes, kept for a month.
    pub fn storage(&self, part: &'static str, bytes: u64) -> Line {
        let quantity = Quantity { amount: bytes as f64 / GB as f64, unit: "GB-months" };
        let dollars = self.s3_storage_per_gb_month.for_each(GB, bytes);
        Line { part, what: "S3 storage", quantity, dollars }
    }

    fn lines(&self, part: &'static str, spent: &Spent) -> impl Iterator<Item = Line> {
        let requests = |what, times: u64, price: Dollars, unit| {
            let quantity = Quantity { amount: times as f64, unit: "requests" };
            Line { part, what, quantity, dollars: price.for_each(unit, times) }
        };
        let held = |what, held: MemoryTime, price: Dollars| {
            let quantity = Quantity { amount: held.gb_seconds(), unit: "GB-s" };
            let dollars = price.for_each(MemoryTime::GB_SECOND, held.mebibyte_milliseconds());
            Line { part, what, quantity, dollars }
        };
        let bytes = |what, bytes: u64, price: Dollars| {
            let quantity = Quantity { amount: bytes as f64 / GB as f64, unit: "GB" };
            Line { part, what, quantity, dollars: price.for_each(GB, bytes) }
        };
        let store = &spent.store;
        [
            held("Lambda arm64", spent.arm64, self.lambda_arm64_per_gb_second),
            held("Lambda x86_64", spent.x86_64, self.lambda_x86_64_per_gb_second),
            requests("Lambda", spent.invocations, self.lambda_per_million_requests, MILLION),
            requests("S3 GET", store.gets.saturating_add(store.heads), self.s3_get_per_1000, 1_000),
            requests("S3 PUT", store.puts, self.s3_put_per_1000, 1_000),
            requests("S3 LIST", store.lists, self.s3_list_per_1000, 1_000),
            bytes("Lambda streaming", spent.streamed_bytes, self.lambda_streaming_per_gb_beyond_6_mb),
            bytes("CloudWatch Logs", spent.logged_bytes, self.logs_per_gb),
            requests("HTTP API", spent.http_api_requests, self.http_api_per_million_requests, MILLION),
            requests("SQS", spent.queue_requests, self.sqs_per_million_requests, MILLION),
            requests("Scheduler", spent.schedules, self.scheduler_per_million_invocations, MILLION),
        ]
        .into_iter()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use niente_store::Counts;
    use proptest::prelude::*;

    use super::*;

    fn dollars(text: &str) -> Dollars {
        text.parse().unwrap()
    }

    #[test]
    fn each_thing_has_its_price() {
        let counts = Counts::default();
        let second = Duration::from_secs(1);
        for (spent, cost) in [
            (Spent::from(Counts { gets: 1, bytes_read: 1 << 40, ..counts }), "0.0000004"),
            (Spent::from(Counts { heads: 1, ..counts }), "0.0000004"),
            (Spent::from(Counts { puts: 1, bytes_written: 1 << 40, ..counts }), "0.000005"),
            (Spent::from(Counts { lists: 1, ..counts }), "0.000005"),
            (Spent::from(Counts { deletes: 1_000, time: second, ..counts }), "0"),
            (Spent::invocation(Architecture::Arm64, 1_024, second), "0.0000135334"),
            (Spent::invocation(Architecture::X86_64, 1_024, second), "0.0000168667"),
            (Spent::streamed(1_006_000_000), "0.008"),
            (Spent { logged_bytes: GB, ..Spent::NOTHING }, "0.5"),
            (Spent { http_api_requests: 1, ..Spent::NOTHING }, "0.000001"),
            (Spent { queue_requests: 1, ..Spent::NOTHING }, "0.0000004"),
            (Spent { schedules: 1, ..Spent::NOTHING }, "0.000001"),
            (Spent::NOTHING, "0"),
        ] {
            assert_eq!(Prices::default().of(&spent), dollars(cost), "{spent}");
        }
        assert_eq!(Prices::default().storage("", 10 * GB).dollars, dollars("0.23"));
    }

    #[test]
    fn a_bill_says_what_and_how_much() {
        let spent = Spent::from(Counts { gets: 12_800, lists: 1, ..Counts::default() })
            + Spent::compute(Architecture::Arm64, MemoryTime::from_mebibyte_milliseconds(309_575));
        let bill = Prices::default().bill("query", &spent);
        assert_eq!(
            bill.to_string(),
            "query: Lambda arm64, 0.302 GB-s: $0.00000403\nquery: S3 GET, 12,800 requests: $0.00512\n\
             query: S3 LIST, 1 requests: $0.000005\ntotal: $0.00513"
        );
        assert_eq!((bill.total(), bill.part("query")), (Prices::default().of(&spent), bill.total()));
        assert_eq!(bill.part("ingest"), Dollars::ZERO);
        let json = serde_json::to_value(&bill).unwrap();
        assert_eq!(json["lines"][1]["quantity"]["unit"], "requests");
        assert_eq!(json["dollars"], bill.total().as_f64());
    }

    #[test]
    fn a_table_in_json_changes_what_it_names() {
        let read = |json: &str| Prices::from_json(json).map_err(|error| error.to_string());
        assert_eq!(read("{}"), Ok(Prices::default()));
        let changed = read(r#"{"s3_get_per_1000": 0, "logs_per_gb": 0.57}"#).unwrap();
        assert_eq!((changed.s3_get_per_1000, changed.logs_per_gb), (Dollars::ZERO, dollars("0.57")));
        assert_eq!(changed.s3_put_per_1000, dollars("0.005"));
        assert_eq!(read(&serde_json::to_string(&changed).unwrap()), Ok(changed));
        for (wrong, told) in [
            (r#"{"s3_gets_per_1000": 1}"#, "unknown field `s3_gets_per_1000`, expected one of `s3_get_per_1000`"),
            (r#"{"s3_get_per_1000": -0.1}"#, "-0.1 is no amount of dollars"),
            (r#"{"s3_get_per_1000": NaN}"#, "expected value"),
            (r#"{"s3_get_per_1000": 1e999}"#, "number out of range"),
            (r#"{"s3_get_per_1000": "free"}"#, "invalid type"),
            (r#"{"s3_get_per_1000": null}"#, "invalid type"),
            ("", "EOF"),
        ] {
            let error = read(wrong).unwrap_err();
            assert!(error.starts_with("the prices can't be read: ") && error.contains(told), "{error}");
        }
    }

    fn some_spent() -> impl Strategy<Value = Spent> {
        let time = (0..900_000u64).prop_map(Duration::from_millis);
        let store = (0..10_000u64, 0..10_000u64, 0..1_000u64);
        (store, 128..=10_240u32, time, any::<bool>(), 0..20_000_000u64).prop_map(
            |((gets, puts, lists), mebibytes, time, arm64, streamed)| {
                let architecture = if arm64 { Architecture::Arm64 } else { Architecture::X86_64 };
                Spent::from(Counts { gets, puts, lists, ..Counts::default() })
                    + Spent::invocation(architecture, mebibytes, time)
                    + Spent::streamed(streamed)
            },
        )
    }

    proptest! {
        #[test]
        fn the_order_of_shards_and_pricing_them_apart_changes_nothing(
            shards in prop::collection::vec(some_spent(), 0..20).prop_shuffle(),
        ) {
            let prices = Prices::default();
            let whole = prices.of(&shards.iter().copied().sum());
            prop_assert_eq!(prices.of(&shards.iter().rev().copied().sum()), whole);
            let apart: Dollars = shards.iter().map(|shard| prices.of(shard)).sum();
            let lines: usize = shards.iter().map(|shard| prices.bill("", shard).lines.len()).sum();
            prop_assert!(whole <= apart);
            prop_assert!(apart.picodollars() <= whole.picodollars() + lines as u128);
        }
    }
}
