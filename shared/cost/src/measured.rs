/// What Niente itself takes, as measured: the constants of a month's bill.
///
/// All of them come from the workload of `docs/performance.md`, 1,000,036 spans in 251 requests, on x86_64 with two
/// cores. They change when that document does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Bytes of a span in a compacted block (`niente inspect` after `niente compact --all`).
    pub stored_bytes_per_span: f64,
    /// Bytes of a span in level 0 (`niente inspect` after `niente ingest`).
    pub level_0_bytes_per_span: f64,
    /// CPU seconds for decoding and writing a million spans (`/usr/bin/time -v niente ingest`).
    pub ingest_cpu_seconds_per_million_spans: f64,
    /// Objects that a request becomes: those of two hours are two (253 of 251 requests).
    pub objects_per_request: f64,
    /// CPU seconds for compacting a million spans (`/usr/bin/time -v niente compact --all`).
    pub compaction_cpu_seconds_per_million_spans: f64,
    /// How often each span was merged in these seconds.
    pub compaction_merges: f64,
    /// `GET`s for each level-0 object (275 for 253; the same command).
    pub compaction_gets_per_object: f64,
    /// `PUT`s for a million spans (the same command).
    pub compaction_puts_per_million_spans: f64,
    /// `LIST`s of a sweep that finds nothing (`shared/compact/tests/requests.rs`).
    pub lists_per_sweep: f64,
    /// `LIST`s of a search over a day (decision 7, `shared/engine/tests/compacted.rs`).
    pub lists_per_query: f64,
    /// Its `GET`s before those of data: three catalogs and the configuration.
    pub catalog_gets_per_query: f64,
    /// Bytes of the trace index for each trace (decision 8).
    pub index_bytes_per_trace: f64,
}

/// What nobody has measured on Lambda yet: the other constants of a month's bill.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Assumed {
    /// Memory of each function in MiB: what comes with one whole processor, taken for as fast as the measuring one.
    pub mebibytes: u32,
    /// Seconds that ingest waits for its `PUT`s, which run at once: S3's median for 500 KB.
    pub put_wait_seconds: f64,
    /// Bytes a second that a function reads or writes for long, and that it scans: what a Lambda's network gives.
    pub bytes_per_second: f64,
    /// How often a span is merged in its life: into the open hour, within it, the closed hour, the day.
    pub merges: f64,
    /// Sweeps of compaction in a day: one every five minutes.
    pub sweeps_per_day: f64,
    /// Seconds that a sweep takes besides its merges.
    pub sweep_seconds: f64,
    /// `PUT`s of a sweep besides those of its size: a block and a commit.
    pub puts_per_sweep: f64,
    /// Days for which replaced level-0 objects wait for their deletion.
    pub grace_days: f64,
    /// Seconds that a query waits for listing, catalogs and footers.
    pub query_wait_seconds: f64,
    /// Bytes of one `GET` of data.
    pub bytes_per_get: f64,
    /// Bytes that one scan function reads; a query of no more is answered in place.
    pub bytes_per_shard: f64,
    /// Bytes that an invocation logs, Lambda's own lines included.
    pub logged_bytes_per_invocation: f64,
}

impl Default for Measured {
    fn default() -> Self {
        Self {
            stored_bytes_per_span: 45.0,
            level_0_bytes_per_span: 58.3,
            ingest_cpu_seconds_per_million_spans: 19.9,
            objects_per_request: 253.0 / 251.0,
            compaction_cpu_seconds_per_million_spans: 22.9,
            compaction_merges: 2.0,
            compaction_gets_per_object: 275.0 / 253.0,
            compaction_puts_per_million_spans: 8.0,
            lists_per_sweep: 2.0,
            lists_per_query: 1.0,
            catalog_gets_per_query: 4.0,
            index_bytes_per_trace: 8.0,
        }
    }
}

impl Default for Assumed {
    fn default() -> Self {
        const MIB: f64 = (1 << 20) as f64;
        Self {
            mebibytes: 1_769,
            put_wait_seconds: 0.070,
            bytes_per_second: 75.0 * MIB,
            merges: 4.0,
            sweeps_per_day: 288.0,
            sweep_seconds: 0.2,
            puts_per_sweep: 2.0,
            grace_days: 1.0,
            query_wait_seconds: 0.3,
            bytes_per_get: 8.0 * MIB,
            bytes_per_shard: 100.0 * MIB,
            logged_bytes_per_invocation: 1_000.0,
        }
    }
}
