use std::time::Duration;

use niente_store::Counts;
use serde::Serialize;

use crate::{Architecture, Assumed, Bill, Measured, MemoryTime, Prices, Spent};

/// What a team sends and asks: what a month's bill is computed from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Workload {
    /// GB (10⁹ bytes) of OTLP a day, uncompressed.
    pub gb_per_day: f64,
    /// Bytes of a span on the wire.
    pub bytes_per_span: f64,
    /// Spans of a trace.
    pub spans_per_trace: f64,
    /// Spans of a request to ingest: what the collector batches.
    pub spans_per_request: f64,
    /// Days for which spans are kept.
    pub retention_days: f64,
    /// Searches a day.
    pub queries_per_day: f64,
    /// Bytes of columns that a search reads.
    pub bytes_per_query: f64,
    /// What the functions run on.
    pub architecture: Architecture,
}

impl Default for Workload {
    /// 100 GB a day in requests of a megabyte, kept for 30 days, and a thousand searches a day of a GB each.
    fn default() -> Self {
        Self {
            gb_per_day: 100.0,
            bytes_per_span: 500.0,
            spans_per_trace: 20.0,
            spans_per_request: 2_000.0,
            retention_days: 30.0,
            queries_per_day: 1_000.0,
            bytes_per_query: 1e9,
            architecture: Architecture::Arm64,
        }
    }
}

/// Days of the month that is billed.
pub(crate) const DAYS: f64 = 30.0;
const MILLION: f64 = 1e6;

impl Workload {
    /// The bill of a month of 30 days, once as many days are stored as are kept.
    pub fn month(&self, prices: &Prices, measured: &Measured, assumed: &Assumed) -> Bill {
        let parts = [
            ("ingest", self.ingest(measured, assumed)),
            ("compaction", self.compaction(measured, assumed)),
            ("queries", self.queries(measured, assumed)),
        ];
        let invocations = parts.iter().map(|(_, spent)| spent.invocations as f64).sum::<f64>();
        let logged_bytes = whole(invocations * assumed.logged_bytes_per_invocation);
        let logs = ("logs", Spent { logged_bytes, ..Spent::NOTHING });
        let mut bill: Bill =
            parts.iter().chain([&logs]).flat_map(|(part, spent)| prices.bill(part, spent).lines).collect();
        bill.lines.push(prices.storage("storage", whole(self.stored_bytes(measured, assumed))));
        bill
    }

    /// How many processors the month's queries keep busy, on average.
    pub fn busy_with_queries(&self, measured: &Measured, assumed: &Assumed) -> f64 {
        let month = MemoryTime::of(assumed.mebibytes, Duration::from_secs(30 * 24 * 3_600));
        self.queries(measured, assumed).memory_time().gb_seconds() / month.gb_seconds()
    }

    /// Spans of a month.
    pub fn spans(&self) -> f64 {
        self.gb_per_day * 1e9 / self.bytes_per_span * DAYS
    }

    fn requests(&self) -> f64 {
        self.spans() / self.spans_per_request
    }

    fn ingest(&self, measured: &Measured, assumed: &Assumed) -> Spent {
        let cpu = measured.ingest_cpu_seconds_per_million_spans * self.spans_per_request / MILLION;
        let puts = whole(self.requests() * measured.objects_per_request);
        self.invocations(self.requests(), cpu + assumed.put_wait_seconds, assumed)
            + Spent::from(Counts { puts, ..Counts::default() })
    }

    fn compaction(&self, measured: &Measured, assumed: &Assumed) -> Spent {
        let millions = self.spans() / MILLION;
        let sweeps = assumed.sweeps_per_day * DAYS;
        let repeated = assumed.merges / measured.compaction_merges;
        let cpu = millions * measured.compaction_cpu_seconds_per_million_spans * repeated;
        // Read as level 0 once and as blocks after that, written as blocks each time.
        let bytes_per_span =
            measured.level_0_bytes_per_span + measured.stored_bytes_per_span * (2.0 * assumed.merges - 1.0);
        let transfer = self.spans() * bytes_per_span / assumed.bytes_per_second;
        let seconds = (cpu + transfer) / sweeps + assumed.sweep_seconds;
        let objects = self.requests() * measured.objects_per_request;
        let counts = Counts {
            gets: whole(objects * measured.compaction_gets_per_object),
            puts: whole(
                millions * measured.compaction_puts_per_million_spans * repeated + sweeps * assumed.puts_per_sweep,
            ),
            lists: whole(sweeps * measured.lists_per_sweep),
            ..Counts::default()
        };
        Spent { schedules: whole(sweeps), ..self.invocations(sweeps, seconds, assumed) + Spent::from(counts) }
    }

    fn queries(&self, measured: &Measured, assumed: &Assumed) -> Spent {
        let queries = self.queries_per_day * DAYS;
        let shards = (self.bytes_per_query / assumed.bytes_per_shard).ceil().max(1.0);
        let scan_seconds = self.bytes_per_query / shards / assumed.bytes_per_second;
        // The function that was asked waits for the others, or is the only one.
        let asked = self.invocations(queries, assumed.query_wait_seconds + scan_seconds, assumed);
        let scans = if shards > 1.0 { queries * shards } else { 0.0 };
        let gets = measured.catalog_gets_per_query + (self.bytes_per_query / assumed.bytes_per_get).ceil();
        let counts = Counts {
            gets: whole(queries * gets),
            lists: whole(queries * measured.lists_per_query),
            ..Counts::default()
        };
        asked + self.invocations(scans, scan_seconds, assumed) + Spent::from(counts)
    }

    fn stored_bytes(&self, measured: &Measured, assumed: &Assumed) -> f64 {
        let index = measured.index_bytes_per_trace / self.spans_per_trace;
        let days = self.retention_days * (measured.stored_bytes_per_span + index)
            + assumed.grace_days * measured.level_0_bytes_per_span;
        self.spans() / DAYS * days
    }

    /// So many of one function, of so many seconds each.
    fn invocations(&self, times: f64, seconds: f64, assumed: &Assumed) -> Spent {
        let each = MemoryTime::of(assumed.mebibytes, Duration::from_secs_f64(seconds));
        let times = whole(times);
        let held = MemoryTime::from_mebibyte_milliseconds(each.mebibyte_milliseconds().saturating_mul(times));
        Spent { invocations: times, ..Spent::compute(self.architecture, held) }
    }
}

/// Begun ones count. (The cast ends at the largest number.)
fn whole(amount: f64) -> u64 {
    amount.ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(workload: Workload) -> Bill {
        workload.month(&Prices::default(), &Measured::default(), &Assumed::default())
    }

    /// By hand, with 6 billion spans in 3 million requests.
    #[test]
    fn a_month_of_a_hundred_gigabytes_a_day() {
        let bill = month(Workload::default());
        let dollars = |part, what: &str| {
            let line = bill.lines.iter().find(|line| line.part == part && line.what == what).unwrap();
            line.dollars.as_f64()
        };
        let gb = 1_769.0 / 1_024.0 * 1.333_34e-5;
        for (part, what, by_hand) in [
            // 39.8 ms and 70 ms, of which begun ones count.
            ("ingest", "Lambda arm64", 3e6 * 0.110 * gb),
            ("ingest", "Lambda", 0.6),
            ("ingest", "S3 PUT", 3e6 * 253.0 / 251.0 * 5e-6),
            ("compaction", "Lambda arm64", (6_000.0 * 45.8 + 6e9 * 373.3 / (75.0 * 1_048_576.0) + 1_728.0) * gb),
            ("compaction", "S3 PUT", (96_000.0 + 17_280.0) * 5e-6),
            ("compaction", "S3 LIST", 17_280.0 * 5e-6),
            // Ten shards of 1.27 s, and a function that waits for them.
            ("queries", "Lambda arm64", 30_000.0 * (10.0 * 1.272 + 1.572) * gb),
            ("queries", "S3 GET", 30_000.0 * (4.0 + 120.0) * 4e-7),
            ("logs", "CloudWatch Logs", (3e6 + 8_640.0 + 330_000.0) * 1_000.0 * 0.5e-9),
            ("storage", "S3 storage", (30.0 * 45.4 + 58.3) * 200e6 * 0.023e-9),
        ] {
            let found = dollars(part, what);
            assert!((found / by_hand - 1.0).abs() < 1e-4, "{part}, {what}: {found} is not {by_hand}");
        }
    }

    #[test]
    fn idle_costs_the_sweeps_alone() {
        let idle = month(Workload { gb_per_day: 0.0, queries_per_day: 0.0, ..Workload::default() });
        assert_eq!(idle.total(), idle.part("compaction") + idle.part("logs"));
        assert!(idle.total() < "0.3".parse().unwrap(), "{idle}");
    }

    #[test]
    fn a_small_question_is_answered_in_place() {
        let workload = Workload { bytes_per_query: 1e6, queries_per_day: 1.0, ..Workload::default() };
        assert_eq!(workload.queries(&Measured::default(), &Assumed::default()).invocations, 30);
    }
}
