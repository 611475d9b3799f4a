//! Reads all spans of a block and writes them as another, as a compaction does, and prints what a span costs.
//!
//! `cargo run --release -p niente-block --example rewrite -- BLOCK.parquet [OUT.parquet]`

use std::{env, error::Error, fs};

use bytes::Bytes;
use niente_block::{BlockWriter, Filter, Footer, KeyRange, LayoutBuilder, Opened, SpanRows, Step};
use niente_model::Span;

/// The layout is found in so many spans.
const SAMPLE: usize = 1 << 16;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let block = Bytes::from(fs::read(arguments.next().ok_or("usage: rewrite BLOCK.parquet [OUT.parquet]")?)?);
    let Opened::Footer(footer) = Footer::open(block.len() as u64, block.clone())? else {
        return Err("the block has no footer".into());
    };
    let rows = footer.rows();
    let slices = footer.slices(16 << 20);
    println!("{rows} spans, {} slices, {} MiB to decode a slice", slices.len(), footer.decoding_bytes() >> 20);

    let began = cpu_micros()?;
    let (mut batches, mut read) = (0, 0);
    for keys in &slices {
        each_batch(&footer, &block, *keys, |_| {
            batches += 1;
            Ok(())
        })?;
    }
    let decoded = cpu_micros()?;
    for keys in &slices {
        each_batch(&footer, &block, *keys, |rows| rows.spans().try_for_each(|span| span.map(|_| read += 1)))?;
    }
    let materialised = cpu_micros()?;
    println!("{:6.2} µs a span to columns, {batches} batches", (decoded - began) / rows as f64);
    println!("{:6.2} µs a span to columns and spans, {read} spans", (materialised - decoded) / rows as f64);

    let mut sample: Vec<Span> = Vec::new();
    for keys in &slices {
        if sample.len() < SAMPLE {
            each_batch(&footer, &block, *keys, |rows| {
                rows.spans().try_for_each(|span| span.map(|span| sample.push(span)))
            })?;
        }
    }
    sample.truncate(SAMPLE);
    let began = cpu_micros()?;
    let mut layout = LayoutBuilder::default();
    sample.iter().for_each(|span| layout.observe(span));
    let layout = layout.finish_for(rows);
    println!(
        "{:6.2} µs a span to observe, {} columns",
        (cpu_micros()? - began) / sample.len() as f64,
        layout.columns().len()
    );
    drop(sample);

    let began = cpu_micros()?;
    let mut writer = BlockWriter::new(layout, Filter::None)?;
    let (mut trace, mut memory, mut size): (Vec<Span>, _, _) = (Vec::new(), 0, 0);
    for keys in &slices {
        each_batch(&footer, &block, *keys, |rows| {
            for span in rows.spans() {
                let span = span?;
                if trace.last().is_some_and(|last| last.trace_id != span.trace_id) {
                    writer.write_trace(&trace)?;
                    trace.clear();
                }
                trace.push(span);
            }
            (memory, size) = (writer.memory().max(memory), writer.size());
            Ok(())
        })?;
    }
    writer.write_trace(&trace)?;
    let written = writer.finish()?;
    println!("{:6.2} µs a span to rewrite", (cpu_micros()? - began) / rows as f64);
    println!("{} MiB at most in the writer, {size} bytes expected at last", memory >> 20);
    println!(
        "{} bytes, {:.2} a span, {} at the end",
        written.bytes.len(),
        written.bytes.len() as f64 / rows as f64,
        written.tail
    );
    if let Some(path) = arguments.next() {
        fs::write(path, &written.bytes)?;
    }
    Ok(())
}

fn each_batch(
    footer: &Footer,
    block: &Bytes,
    keys: KeyRange,
    mut take: impl FnMut(SpanRows) -> Result<(), niente_block::Error>,
) -> Result<(), niente_block::Error> {
    let mut scan = footer.scan_spans(keys)?;
    loop {
        match scan.next()? {
            Step::Read(ranges) => {
                let bytes = ranges.iter().map(|range| block.slice(range.start as usize..range.end as usize)).collect();
                scan.feed(ranges, bytes)?;
            }
            Step::Batch(rows) => take(rows)?,
            Step::Done => return Ok(()),
        }
    }
}

/// The time that this process has computed so far.
fn cpu_micros() -> Result<f64, Box<dyn Error>> {
    let stat = fs::read_to_string("/proc/self/schedstat")?;
    Ok(stat.split_whitespace().next().ok_or("no CPU time")?.parse::<f64>()? / 1e3)
}
