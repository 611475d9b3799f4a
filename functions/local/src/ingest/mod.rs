//! `niente ingest`: files of OTLP requests to a server or into a store.
//!
//! A thread reads: [`files`] finds the files, [`exports`] cuts them into requests. A few workers send each to the
//! [`destination`], and [`summary`] adds up what became of them. Between the two is a short queue, so that memory holds
//! a handful of requests however large the files are.

mod destination;
mod exports;
mod files;
mod summary;

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use futures::{StreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};
use niente_model::Tenant;
use niente_receive::Limits;
use tokio::{sync::mpsc, task::spawn_blocking};

use self::{
    destination::{Destination, Rejected},
    exports::{Export, Exports},
    summary::Summary,
};
use crate::{
    Failure,
    clock::Stopwatch,
    http_client::{Client, TokenArgs},
    logs, runtime,
    storage::StorageArgs,
    terminal,
};

/// Send files of OpenTelemetry traces
///
/// Takes OTLP export requests as protobuf or JSON, one a file or, as the file exporter of the OpenTelemetry collector
/// writes them, many: JSON with one request a line, protobuf with its length before each. Files may be compressed with
/// gzip or zstd. What a file is, its content tells and not its name.
///
/// Spans go to a server that runs on this machine unless --url names another one, or --data a folder or --store a
/// bucket, which need no server. To send a file twice is harmless: each span is stored once.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  niente ingest traces.jsonl
  niente ingest request.pb more.json.gz exported/
  niente ingest exported/ --data ./data
  niente ingest exported/ --store s3://bucket/traces --tenant team-a
  niente ingest traces.jsonl --url http://127.0.0.1:4318/v1/traces --tenant team-a

The exit code is 1 if a file or a request could not be read or was not taken. Single
spans that break OTLP's rules are counted and told with the reason: they are no failure.")]
pub(crate) struct Args {
    // First: see `StorageArgs`.
    #[command(flatten)]
    storage: StorageArgs,
    /// Files, and folders of files
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The server to send to, as OTLP over HTTP; without a path it is /v1/traces
    #[arg(long, value_name = "URL", env = "NIENTE_OTLP_HTTP", default_value = "http://127.0.0.1:4318")]
    url: String,
    /// Whose traces: the header X-Scope-OrgID
    #[arg(long, value_name = "NAME", env = "NIENTE_TENANT", value_parser = Tenant::new)]
    tenant: Option<Tenant>,
    #[command(flatten)]
    token: TokenArgs,
}

pub(crate) fn run(args: Args) -> Result<(), Failure> {
    logs::warnings();
    let files = files::expand(&args.files)?;
    let limits = Limits::default();
    let runtime = runtime::start()?;
    let destination = match args.storage.place() {
        Some(place) => runtime.block_on(Destination::store(place, args.tenant, limits))?,
        None => Destination::server(Client::new(&args.url, args.tenant.as_slice(), &args.token)?, limits),
    };
    let watch = Stopwatch::start();
    let bar = progress_bar(&files);
    let summary = runtime.block_on(send_all(files, Arc::new(destination), limits, bar.clone(), watch));
    bar.finish_and_clear();
    runtime.shutdown_background();
    let summary = summary?;
    terminal::print(&summary.text(watch.elapsed()))?;
    match summary.rejected {
        0 => Ok(()),
        rejected => Err(Failure::Failed(format!("{rejected} of the files or requests were not taken, see above"))),
    }
}

/// What the reader hands to the workers.
type Read = Result<Export, Rejected>;

async fn send_all(
    files: Vec<files::Found>,
    destination: Arc<Destination>,
    limits: Limits,
    bar: ProgressBar,
    watch: Stopwatch,
) -> Result<Summary, Failure> {
    let workers = thread::available_parallelism().map_or(2, usize::from);
    let (sender, receiver) = mpsc::channel(1);
    let reader_bar = bar.clone();
    let reader = spawn_blocking(move || {
        for file in files {
            // The workers end before the reader only when all is given up.
            if read(&file.path, &limits, &reader_bar, &sender).is_err() {
                break;
            }
        }
    });
    let outcomes = stream::unfold(receiver, |mut queue| async move { Some((queue.recv().await?, queue)) })
        .map(|read: Read| {
            let destination = destination.clone();
            async move {
                match read {
                    Ok(export) => destination.send(export).await,
                    Err(rejected) => Ok(Err(rejected)),
                }
            }
        })
        .buffer_unordered(workers);
    let mut outcomes = std::pin::pin!(outcomes);
    let mut summary = Summary::default();
    while let Some(outcome) = outcomes.next().await {
        match outcome? {
            Ok(taken) => summary.add(&taken),
            Err(rejected) => {
                summary.rejected += 1;
                bar.suspend(|| eprintln!("niente: {rejected}"));
            }
        }
        bar.set_message(summary.rate(watch.elapsed()));
    }
    reader.await.map_err(|error| Failure::because("reading the files", &error))?;
    Ok(summary)
}

/// Nobody takes requests any more.
struct Hangup;

fn read(path: &Path, limits: &Limits, bar: &ProgressBar, queue: &mpsc::Sender<Read>) -> Result<(), Hangup> {
    let put = |read: Read| queue.blocking_send(read).map_err(|_| Hangup);
    let name = path.display().to_string();
    let opened = File::open(path).and_then(|file| Exports::open(bar.wrap_read(file), limits.body_bytes));
    match opened {
        Err(error) => put(Err(Rejected { place: name, reason: error.to_string() })),
        Ok(exports) => exports.into_iter().try_for_each(|export| {
            put(export
                .map(|export| Export { place: format!("{name}{}", export.place), ..export })
                .map_err(|rejected| Rejected { place: format!("{name}{}", rejected.place), ..rejected }))
        }),
    }
}

/// Hidden where nobody can see it.
fn progress_bar(files: &[files::Found]) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:32} {bytes} of {total_bytes}  {msg}  {eta} left")
        .expect("the template names only what there is");
    let bar = ProgressBar::new(files.iter().map(|file| file.bytes).sum()).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
