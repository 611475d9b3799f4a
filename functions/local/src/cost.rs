//! `niente cost`: what a month would cost on AWS, and what others ask for it.

use std::path::PathBuf;

use niente_cost::{Alternative, Architecture, Assumed, Bill, Line, Measured, Prices, Workload};
use serde_json::json;

use crate::{Failure, terminal, units};

/// Compute a month's bill, beside the list prices of the alternatives
///
/// The bill is what AWS asks for a month of 30 days in us-east-1, by its list prices and without free tiers. It is
/// computed from what Niente was measured to take, and from assumptions about Lambda: docs/cost.md has the formulas,
/// and says what is left out. Nothing is read or sent.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  niente cost --gb-per-day 100
  niente cost --gb-per-day 5 --retention 90d --queries-per-day 200
  niente cost --gb-per-day 100 --prices frankfurt.json --json

What moves the bill most is the number of spans in a request: each request is at least one PUT. A
collector's batch processor sets it (send_batch_size).

--prices takes a JSON object with the prices that differ, each by the unit in its name:
  { \"s3_put_per_1000\": 0.0054, \"s3_storage_per_gb_month\": 0.0245 }
A wrong name is answered with all there are.")]
pub(crate) struct Args {
    /// GB (10⁹ bytes) of OTLP that are sent in a day, before compression
    #[arg(long, value_name = "GB", value_parser = amount, allow_negative_numbers = true)]
    gb_per_day: f64,
    /// Bytes of a span in it
    #[arg(long, value_name = "BYTES", value_parser = positive, default_value_t = Workload::default().bytes_per_span)]
    bytes_per_span: f64,
    /// Spans in a request to ingest
    #[arg(long, value_name = "N", value_parser = positive, default_value_t = Workload::default().spans_per_request)]
    spans_per_request: f64,
    /// Spans in a trace
    #[arg(long, value_name = "N", value_parser = positive, default_value_t = Workload::default().spans_per_trace)]
    spans_per_trace: f64,
    /// How long traces are kept, in whole days
    #[arg(long, value_name = "TIME", value_parser = units::whole_days, default_value = "30d")]
    retention: u32,
    /// Searches in a day
    #[arg(long, value_name = "N", value_parser = amount, default_value_t = Workload::default().queries_per_day)]
    queries_per_day: f64,
    /// GB of columns that a search reads
    #[arg(long, value_name = "GB", value_parser = amount, default_value_t = Workload::default().bytes_per_query / GB)]
    gb_per_query: f64,
    /// What the functions run on: arm64 or x86_64
    #[arg(long, value_name = "NAME", default_value_t = Workload::default().architecture)]
    arch: Architecture,
    /// A file with other prices than AWS's list
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

const GB: f64 = 1e9;

pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let prices = prices(&args)?;
    let workload = workload(&args);
    let (measured, assumed) = (Measured::default(), Assumed::default());
    let bill = workload.month(&prices, &measured, &assumed);
    let alternatives = workload.alternatives();
    let busy = workload.busy_with_queries(&measured, &assumed);
    if args.json {
        let json = json!({
            "workload": workload,
            "prices": prices,
            "bill": bill,
            "busy_with_queries": busy,
            "alternatives": alternatives,
        });
        return terminal::print(&format!("{json:#}\n"));
    }
    let text = [told(&workload), month(&bill), instead(&alternatives), advice(busy)];
    terminal::print(&text.join("\n"))
}

fn prices(args: &Args) -> Result<Prices, Failure> {
    let Some(file) = &args.prices else { return Ok(Prices::default()) };
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::because(format_args!("reading {}", file.display()), &error))?;
    Prices::from_json(&text).map_err(|error| Failure::Failed(format!("{}: {error}", file.display())))
}

fn workload(args: &Args) -> Workload {
    Workload {
        gb_per_day: args.gb_per_day,
        bytes_per_span: args.bytes_per_span,
        spans_per_trace: args.spans_per_trace,
        spans_per_request: args.spans_per_request,
        retention_days: args.retention.into(),
        queries_per_day: args.queries_per_day,
        bytes_per_query: args.gb_per_query * GB,
        architecture: args.arch,
    }
}

fn told(workload: &Workload) -> String {
    format!(
        "{} GB a day in spans of {} bytes, {} a request, kept for {} days;\n{} searches a day that read {} GB each; \
         {}\n",
        workload.gb_per_day,
        workload.bytes_per_span,
        workload.spans_per_request,
        workload.retention_days,
        workload.queries_per_day,
        workload.bytes_per_query / GB,
        workload.architecture,
    )
}

fn month(bill: &Bill) -> String {
    let mut parts = Vec::new();
    for Line { part, .. } in &bill.lines {
        if !parts.contains(part) {
            parts.push(*part);
        }
    }
    let rows = parts.into_iter().flat_map(|part| {
        let lines: Vec<_> = bill.lines.iter().filter(|line| line.part == part).collect();
        let sum = (lines.len() > 1)
            .then(|| [part.to_owned(), "together".to_owned(), String::new(), bill.part(part).to_string()]);
        let line =
            |line: &&Line| [part.to_owned(), line.what.to_owned(), line.quantity.to_string(), line.dollars.to_string()];
        lines.iter().map(line).chain(sum).collect::<Vec<_>>()
    });
    let total = ["Niente".to_owned(), String::new(), String::new(), bill.total().to_string()];
    terminal::table(["PART", "WHAT", "QUANTITY>", "A MONTH>"], rows.chain([total]))
}

fn instead(alternatives: &[Alternative]) -> String {
    let rows = alternatives.iter().map(|Alternative { name, from, to, note }| {
        let dollars = match to {
            Some(to) if to == from => from.to_string(),
            Some(to) => format!("{from} to {to}"),
            None => format!("over {from}"),
        };
        [(*name).to_owned(), dollars, (*note).to_owned()]
    });
    terminal::table(["INSTEAD", "A MONTH>", "BY LIST PRICE"], rows)
}

fn advice(busy: f64) -> String {
    let busy = if busy < 0.005 { "hardly one".to_owned() } else { format!("{busy:.2}") };
    format!(
        "Niente is the wrong choice for dashboards that ask all day: a processor on Lambda costs 2.5 to 5.9 times\n\
         what it costs as an instance, so instances are cheaper where queries keep them busy for more than a fifth to\n\
         two fifths of the time; here queries keep {busy} of Lambda's processors busy on average.\n"
    )
}

fn amount(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0);
    number.ok_or_else(|| "write a number from 0 on".to_owned())
}

fn positive(text: &str) -> Result<f64, String> {
    amount(text).ok().filter(|number| *number > 0.0).ok_or_else(|| "write a number above 0".to_owned())
}
