//! Writes all spans of a folder of OTLP protobuf requests as one block, and prints what each column weighs.
//!
//! `cargo run --release -p niente-block --example one_block -- FOLDER [BLOCK.parquet]`

use std::{env, error::Error, fs, time::Instant};

use niente_block::{BlockWriter, Filter, Footer, KeyRange, LayoutBuilder, Opened, Step, canonical_order};
use niente_model::{Nanos, Span};
use niente_receive::{Format, Limits, Request};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().ok_or("usage: one_block FOLDER [BLOCK.parquet]")?;
    let mut files: Vec<_> =
        fs::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_, std::io::Error>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "otlp"));
    files.sort();

    let (mut spans, mut layout): (Vec<Span>, _) = (Vec::new(), LayoutBuilder::default());
    let limits = Limits::default();
    for file in files {
        let request = Request::decode(&fs::read(&file)?, Format::Protobuf, &limits)?;
        spans.extend(request.check(&limits, Nanos::MAX, None)?.spans);
    }
    spans.sort_by_cached_key(|span| span.trace_id.key());
    spans.sort_by(canonical_order);
    spans.iter().for_each(|span| layout.observe(span));

    #[expect(clippy::disallowed_methods, reason = "it measures")]
    let began = Instant::now();
    let mut writer = BlockWriter::new(layout.finish(), Filter::None)?;
    for trace in spans.chunk_by(|a, b| a.trace_id == b.trace_id) {
        writer.write_trace(trace)?;
    }
    let block = writer.finish()?;
    let seconds = began.elapsed().as_secs_f64();

    if let Some(path) = arguments.next() {
        fs::write(path, &block.bytes)?;
    }
    let size = block.bytes.len() as u64;
    let Opened::Footer(footer) = Footer::open(size, block.bytes.slice((size - block.tail) as usize..))? else {
        return Err("the block has no footer".into());
    };

    #[expect(clippy::disallowed_methods, reason = "it measures")]
    let began = Instant::now();
    let (mut scan, mut read) = (footer.scan_spans(KeyRange::ALL)?, 0);
    let object = block.bytes;
    loop {
        match scan.next()? {
            Step::Read(ranges) => {
                let bytes = ranges.iter().map(|range| object.slice(range.start as usize..range.end as usize)).collect();
                scan.feed(ranges, bytes)?;
            }
            Step::Batch(rows) => rows.spans().try_for_each(|span| span.map(|_| read += 1))?,
            Step::Done => break,
        }
    }
    let read_seconds = began.elapsed().as_secs_f64();

    let per_span = |bytes: u64| bytes as f64 / block.rows as f64;
    let mut weights = footer.weights();
    weights.sort_by_key(|weight| std::cmp::Reverse(weight.compressed));
    for weight in weights.iter().filter(|weight| per_span(weight.compressed) >= 0.01) {
        println!("{:8.2}  {:<45} {}", per_span(weight.compressed), weight.name, weight.encodings);
    }
    let columns: u64 = weights.iter().map(|weight| weight.compressed).sum();
    println!("{:8.2}  footer, page index", per_span(size - columns));
    println!("{:8.2}  bytes a span: {size} bytes, {read} spans", per_span(size));
    println!("{seconds:.1} s to write, {read_seconds:.1} s to read");
    println!("{} row groups, {} MiB decompressed in a scan", footer.row_groups(), footer.decoding_bytes() >> 20);
    Ok(())
}
