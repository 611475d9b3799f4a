//! `niente serve`: Tempo's API and OTLP over a folder or a bucket.
//!
//! [`options`] is the command line, [`listen`] opens ports, [`gate`] says who is let in, [`http`] and [`grpc`] answer.
//! Both pass every request through [`admission`], which bounds the memory of all of them together, and read bodies with
//! [`body`]. [`upkeep`] compacts and deletes beside all that.

mod admission;
mod body;
mod gate;
mod grpc;
mod http;
mod listen;
mod options;
mod shutdown;
mod upkeep;

use std::sync::Arc;

use niente_api::{Api, Gate};
use niente_receive::Limits;
use niente_store::Store;

pub(crate) use gate::GateArgs;
pub(crate) use listen::Addresses;
pub(crate) use options::ServerArgs;
pub(crate) use upkeep::Arrivals;

use crate::{Failure, clock, logs::LogArgs, runtime, storage::StorageArgs, terminal};

use self::{admission::Admission, listen::Listeners, upkeep::UpkeepArgs};

/// Serve Tempo's API and receive OpenTelemetry traces, over a folder or a bucket
///
/// Opens three ports on this machine: Tempo's HTTP API for Grafana, curl and `niente query`, and OTLP over HTTP and
/// over gRPC for SDKs and collectors. All data lies as plain Parquet files in a folder, ./data unless told otherwise, or
/// in a bucket. Other Niente processes may read and write it at the same time. An export is answered once its spans are
/// stored, and the next query sees them.
///
/// On this machine everybody is let in. A server that others reach, on an address such as 0.0.0.0, asks for tokens.
///
/// In the background it merges small objects and deletes what was replaced or has expired, as `niente compact` and
/// `niente gc` do.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  niente serve
  niente serve --data /var/lib/niente --http 0.0.0.0:3200 --tokens tokens.json
  niente serve --store s3://bucket/traces --region eu-central-1
  niente serve --store s3://traces --endpoint http://127.0.0.1:9000
  niente serve --http 127.0.0.1:0              a free port, printed at the start

In Grafana, add a data source of the type Tempo with the URL http://127.0.0.1:3200.
Ctrl-C finishes what is being answered, then ends.")]
pub(crate) struct Args {
    // First: see `StorageArgs`.
    #[command(flatten)]
    storage: StorageArgs,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    gate: GateArgs,
    #[command(flatten)]
    upkeep: UpkeepArgs,
    #[command(flatten)]
    logs: LogArgs,
}

pub(crate) fn run(args: Args) -> Result<(), Failure> {
    args.logs.install()?;
    runtime::run(async {
        let server = Server::bind(args.server, &args.gate).await?;
        let place = args.storage.place_or_usual();
        let store = place.open_checked().await?;
        let data = format!("data: {place}\n");
        terminal::announce(&(server.addresses().announcement() + &data))?;
        let arrivals = args.upkeep.start(store.clone())?;
        server.run(store, arrivals).await
    })
}

/// What requests are answered with, on whichever port they come.
#[derive(Debug)]
struct App {
    api: Api,
    admission: Admission,
    arrivals: Arrivals,
    limits: Limits,
}

/// A server whose ports are open, but which doesn't answer yet.
#[derive(Debug)]
pub(crate) struct Server {
    listeners: Listeners,
    options: ServerArgs,
    gate: Gate,
}

impl Server {
    /// Opens all ports, or none.
    pub(crate) async fn bind(options: ServerArgs, gate: &GateArgs) -> Result<Self, Failure> {
        let listeners = Listeners::bind(&options).await?;
        let gate = gate.gate(&listeners.addresses)?;
        Ok(Self { listeners, options, gate })
    }

    pub(crate) fn addresses(&self) -> &Addresses {
        &self.listeners.addresses
    }

    /// Answers requests over this store until the process is told to end.
    pub(crate) async fn run(self, store: Arc<dyn Store>, arrivals: Arrivals) -> Result<(), Failure> {
        let settings = self.options.settings();
        let app = Arc::new(App {
            limits: settings.limits,
            admission: self.options.admission(),
            arrivals,
            api: Api::new(store, settings, self.gate, clock::system()),
        });
        self.listeners.serve(app, self.options.shutdown_timeout()).await
    }
}
