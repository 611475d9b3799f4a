//! Where log lines go and which are written.

use std::io::{self, IsTerminal};

use clap::Args;
use tracing_subscriber::EnvFilter;

use crate::Failure;

/// Options of the commands that serve.
#[derive(Args, Debug)]
#[command(next_help_heading = "Logs")]
pub(crate) struct LogArgs {
    /// Which log lines go to standard error: error, warn, info, debug or trace, also by module
    ///
    /// Bodies and headers are never logged.
    #[arg(long, value_name = "FILTER", env = "NIENTE_LOG", default_value = "info")]
    log: String,
}

impl LogArgs {
    /// Writes these log lines from now on.
    pub(crate) fn install(&self) -> Result<(), Failure> {
        let filter = EnvFilter::try_new(&self.log)
            .map_err(|error| Failure::Usage(format!("--log {}: {error}; write a level, such as debug", self.log)))?;
        install(filter);
        Ok(())
    }
}

/// Warnings only: for commands that do one thing and end.
pub(crate) fn warnings() {
    install(EnvFilter::new("warn"));
}

fn install(filter: EnvFilter) {
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .finish();
    // One that is installed already can only be a test's.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
