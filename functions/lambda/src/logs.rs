//! Log lines, as CloudWatch takes them: to standard output, one JSON object a line.

use std::io;

use tracing_subscriber::EnvFilter;

/// Writes what `NIENTE_LOG` says, warnings and errors unless told otherwise. Bodies and headers are never logged.
pub fn install() {
    let filter = std::env::var("NIENTE_LOG").ok().and_then(|text| EnvFilter::try_new(text).ok());
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter.unwrap_or_else(|| EnvFilter::new("warn")))
        .with_writer(io::stdout)
        // CloudWatch has the time of each line.
        .without_time()
        .finish();
    // One that is installed already can only be a test's.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
