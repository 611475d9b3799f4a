//! The threads that async work runs on.

use tokio::runtime::{Builder, Runtime};

use crate::Failure;

/// The runtime that commands with async work in them run on.
pub(crate) fn start() -> Result<Runtime, Failure> {
    Builder::new_multi_thread()
        .enable_all()
        // Files are read and blocks encoded on these. Each thread costs memory for what the allocator keeps for it.
        .max_blocking_threads(64)
        .build()
        .map_err(|error| Failure::because("starting the runtime's threads", &error))
}

/// Runs the work that the process is there for, and leaves behind what still runs when it has ended.
///
/// The work itself runs on the calling thread: it may take long between two awaits, and the runtime's threads stay free
/// for its requests.
pub(crate) fn run<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = start()?;
    let ended = runtime.block_on(work);
    // What a client was still waiting for has had its time, and nothing of it was acknowledged.
    // The runtime ends with the process and not before: a job in the background would only learn that its runtime is
    // gone, and say so on the terminal.
    std::mem::forget(runtime);
    ended
}
