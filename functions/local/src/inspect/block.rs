//! One block: what it holds, and its columns by weight.

use std::{cmp::Reverse, fmt::Display, path::Path};

use niente_block::{ColumnWeight, KeyRange, Projection, Step};
use niente_model::Nanos;

use super::open::BlockFile;
use crate::{Failure, terminal, units};

/// What can only be told by looking at each span.
struct Contents {
    traces: u64,
    start: Nanos,
    end: Nanos,
}

/// Tells people about the block in a file.
pub(super) fn describe(path: &Path) -> Result<String, Failure> {
    let mut block = BlockFile::open(path)?;
    let contents = contents(&mut block).map_err(|error| Failure::because(path.display(), &*error))?;
    let footer = &block.footer;
    let (spans, size) = (footer.rows(), footer.size());

    let mut text = String::new();
    let mut line = |name: &str, value: &dyn Display| text.push_str(&format!("{name:<12}{value}\n"));
    line("spans", &units::count(spans));
    line("traces", &units::count(contents.traces));
    line("from", &units::moment(contents.start));
    line("to", &format_args!("{} (UTC)", units::moment(contents.end)));
    line("size", &format_args!("{}, {:.1} bytes a span", units::bytes(size), per_span(size, spans)));
    let writer = footer.written_by().unwrap_or("nobody that says so");
    line("format", &format_args!("version {}, written by {writer}", footer.version()));
    line("row groups", &footer.row_groups());
    line("attributes", &format_args!("{} with a column of their own", footer.attribute_columns().len()));
    Ok(format!("{text}\n{}", columns(footer.weights(), size, spans)))
}

fn contents(block: &mut BlockFile) -> Result<Contents, Box<dyn std::error::Error>> {
    let mut contents = Contents { traces: 0, start: Nanos::MAX, end: Nanos::ZERO };
    let mut last = Vec::new();
    let mut scan = block.footer.scan(&Projection::default(), KeyRange::ALL)?;
    loop {
        match scan.next()? {
            Step::Read(ranges) => {
                let bytes = block.read(&ranges)?;
                scan.feed(ranges, bytes)?;
            }
            Step::Batch(spans) => {
                for row in 0..spans.rows() {
                    // The spans of a trace are adjacent.
                    if spans.trace_id_bytes(row) != last {
                        last = spans.trace_id_bytes(row).to_vec();
                        contents.traces += 1;
                    }
                    contents.start = contents.start.min(spans.start(row));
                    contents.end = contents.end.max(spans.start(row).saturating_add(spans.duration(row)));
                }
            }
            Step::Done => break,
        }
    }
    contents.start = contents.start.min(contents.end);
    Ok(contents)
}

fn per_span(bytes: u64, spans: u64) -> f64 {
    bytes as f64 / spans.max(1) as f64
}

/// The columns, the heaviest first, and what is none.
fn columns(mut weights: Vec<ColumnWeight>, size: u64, spans: u64) -> String {
    weights.sort_by_key(|column| Reverse(column.compressed));
    let row = |name: &str, bytes: u64, uncompressed: String, encodings: &str| {
        [
            name.to_owned(),
            units::count(bytes),
            format!("{:.1} %", 100.0 * bytes as f64 / size.max(1) as f64),
            format!("{:.2}", per_span(bytes, spans)),
            uncompressed,
            encodings.to_owned(),
        ]
    };
    let in_columns: u64 = weights.iter().map(|column| column.compressed).sum();
    let mut rows: Vec<_> = weights
        .iter()
        .map(|column| row(&column.name, column.compressed, units::count(column.uncompressed), &column.encodings))
        .collect();
    rows.push(row("(footer, page index)", size.saturating_sub(in_columns), String::new(), ""));
    rows.push(row("(all)", size, String::new(), ""));
    terminal::table(["COLUMN", "BYTES>", "SHARE>", "A SPAN>", "UNCOMPRESSED>", "ENCODINGS"], rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_told_by_weight() {
        let weight = |name: &str, compressed, encodings: &str| ColumnWeight {
            name: name.to_owned(),
            compressed,
            uncompressed: 2 * compressed,
            encodings: encodings.to_owned(),
        };
        let weights = vec![weight("light", 100, "PLAIN"), weight("heavy", 1_500, "RLE, PLAIN")];
        let expected = "\
COLUMN                BYTES    SHARE  A SPAN  UNCOMPRESSED  ENCODINGS
heavy                 1,500   75.0 %   15.00         3,000  RLE, PLAIN
light                   100    5.0 %    1.00           200  PLAIN
(footer, page index)    400   20.0 %    4.00
(all)                 2,000  100.0 %   20.00
";
        assert_eq!(columns(weights, 2_000, 100), expected);
    }
}
