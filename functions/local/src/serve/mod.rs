//! `niente serve`: Tempo's API and OTLP over a folder.
//!
//! [`options`] is the command line, [`listen`] opens ports, [`http`] and [`grpc`] answer on them. Both pass every
//! request through [`admission`], which bounds the memory of all of them together, and read bodies with [`body`].

mod admission;
mod body;
mod grpc;
mod http;
mod listen;
mod options;
mod shutdown;

use std::{path::PathBuf, sync::Arc};

use niente_api::Api;
use niente_receive::Limits;
use niente_store::Store;

pub(crate) use listen::Addresses;
pub(crate) use options::ServerArgs;

use crate::{Failure, clock, folder, logs::LogArgs, terminal};

use self::{admission::Admission, listen::Listeners};

/// Serve Tempo's API and receive OpenTelemetry traces, over a folder
///
/// Opens three ports on this machine: Tempo's HTTP API for Grafana, curl and `niente query`, and OTLP over HTTP and
/// over gRPC for SDKs and collectors. All data lies as plain Parquet files in the data folder, which other Niente
/// processes may read and write at the same time. An export is answered once its spans are on disk, and the next
/// query sees them.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  niente serve
  niente serve --data /var/lib/niente --http 0.0.0.0:3200
  niente serve --http 127.0.0.1:0              a free port, printed at the start

In Grafana, add a data source of the type Tempo with the URL http://127.0.0.1:3200.
Ctrl-C finishes what is being answered, then ends.")]
pub(crate) struct Args {
    /// The folder with the data; it is created if it isn't there
    #[arg(long, value_name = "DIR", env = "NIENTE_DATA", default_value = "./data")]
    data: PathBuf,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    logs: LogArgs,
}

pub(crate) fn run(args: Args) -> Result<(), Failure> {
    args.logs.install()?;
    run_to_end(async {
        let server = Server::bind(args.server).await?;
        let store = folder::open(&args.data)?;
        let data = format!("data: {}\n", args.data.display());
        terminal::announce(&(server.addresses().announcement() + &data))?;
        server.run(store).await
    })
}

/// Runs a server on a runtime of its own, and leaves behind what still runs when it has ended.
pub(crate) fn run_to_end(server: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = runtime()?;
    let ended = runtime.block_on(server);
    // What a client was still waiting for has had its time, and nothing of it was acknowledged.
    runtime.shutdown_background();
    ended
}

/// The runtime that commands with async work in them run on.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // Files are read and blocks encoded on these. Each thread costs memory for what the allocator keeps for it.
        .max_blocking_threads(64)
        .build()
        .map_err(|error| Failure::because("starting the runtime's threads", &error))
}

/// What requests are answered with, on whichever port they come.
#[derive(Debug)]
struct App {
    api: Api,
    admission: Admission,
    limits: Limits,
}

/// A server whose ports are open, but which doesn't answer yet.
#[derive(Debug)]
pub(crate) struct Server {
    listeners: Listeners,
    options: ServerArgs,
}

impl Server {
    /// Opens all ports, or none.
    pub(crate) async fn bind(options: ServerArgs) -> Result<Self, Failure> {
        let listeners = Listeners::bind(&options).await?;
        Ok(Self { listeners, options })
    }

    pub(crate) fn addresses(&self) -> &Addresses {
        &self.listeners.addresses
    }

    /// Answers requests over this store until the process is told to end.
    pub(crate) async fn run(self, store: Arc<dyn Store>) -> Result<(), Failure> {
        let settings = self.options.settings();
        let app = Arc::new(App {
            limits: settings.limits,
            admission: self.options.admission(),
            api: Api::new(store, settings, clock::system()),
        });
        self.listeners.serve(app, self.options.shutdown_timeout()).await
    }
}
