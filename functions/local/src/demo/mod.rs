//! `niente demo`: a server with a small shop in it.
//!
//! [`shop`] makes traces out of a seed and the time, [`feed`] stores them through the same handler that receives
//! everybody else's, [`guide`] tells a newcomer what to do.

mod feed;
mod guide;
mod shop;

use std::{path::PathBuf, sync::Arc};

use niente_api::{Api, Gate, Settings};
use niente_store::Store;

use crate::{
    Failure, clock,
    logs::LogArgs,
    runtime,
    serve::{Arrivals, GateArgs, Server, ServerArgs},
    storage, terminal,
};

use self::{feed::Feed, shop::Shop};

/// Try it: serve a small shop's traces, and tell what to open and to type
///
/// Serves like `niente serve`, with the traces of the past hour of a shop that sells telescopes, and new ones every few
/// seconds: 14 services, errors with their exceptions, orders that are packed long after they were answered, and a
/// trouble or two at the same minutes of each hour. The data lies in a temporary folder, which is gone when it ends.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  niente demo
  niente demo --data ./shop                    keep the traces")]
pub(crate) struct Args {
    // Not from NIENTE_DATA as with `serve`: where that is set, real traces are.
    /// The folder to keep the traces in [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Another number makes another shop
    #[arg(long, value_name = "N", default_value_t = 1, hide = true)]
    seed: u64,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    gate: GateArgs,
    #[command(flatten)]
    logs: LogArgs,
}

pub(crate) fn run(args: Args) -> Result<(), Failure> {
    args.logs.install()?;
    // Before the folder: a port that is taken ends it all.
    runtime::run(async {
        let require_tenant = args.server.require_tenant;
        let server = Server::bind(args.server, &args.gate).await?;
        let addresses = *server.addresses();
        terminal::announce(&addresses.announcement())?;

        let home = Home::open(args.data)?;
        let feed = Feed::new(Shop::new(args.seed), api(home.store.clone()));
        let past = feed.fill(clock::now()).await?;
        terminal::announce(&guide::text(&past, &addresses, require_tenant, &home.description))?;
        tokio::select! {
            served = server.run(home.store.clone(), Arrivals::default()) => served,
            never = past.feed.run() => match never {},
        }
        // Here a temporary folder is deleted.
    })
}

fn api(store: Arc<dyn Store>) -> Api {
    Api::new(store, Settings::default(), Gate::Open, clock::system())
}

/// Where the traces lie.
struct Home {
    store: Arc<dyn Store>,
    description: String,
    /// Deleted when it is dropped.
    _temporary: Option<tempfile::TempDir>,
}

impl Home {
    fn open(data: Option<PathBuf>) -> Result<Self, Failure> {
        match data {
            Some(path) => {
                Ok(Self { store: storage::folder(&path)?, description: path.display().to_string(), _temporary: None })
            }
            None => {
                let temporary = tempfile::Builder::new().prefix("niente-demo-").tempdir();
                let temporary = temporary.map_err(|error| Failure::because("creating a temporary folder", &error))?;
                Ok(Self {
                    store: storage::folder(temporary.path())?,
                    description: format!("{} (deleted at the end)", temporary.path().display()),
                    _temporary: Some(temporary),
                })
            }
        }
    }
}
