//! A process: started, stopped, continued, killed, measured.

use std::{
    fmt, io,
    os::unix::process::ExitStatusExt,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{process::Command, sync::watch};

use crate::log::Log;

/// A handle on a process, which does nothing before it has started and after it has ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Process(Arc<Mutex<Option<Pid>>>);

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exit(ExitStatus);

impl Process {
    /// Starts it. The receiver tells when, and how, it has ended.
    ///
    /// It gets a process group of its own: what it starts shares its fate, and should this process die, the kernel
    /// hangs up on groups that are stopped and have nobody left to continue them.
    pub(crate) fn start(&self, command: &mut Command, log: &Log) -> io::Result<watch::Receiver<Option<Exit>>> {
        command.process_group(0).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // (Held over the start: whoever hears from the process finds its ID here.)
        let mut pid = self.lock();
        let mut child = command.spawn()?;
        let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        *pid = Some(id.expect("a process that was just started has an ID"));
        drop(pid);

        log.follow(child.stdout.take().expect("it is piped"));
        log.follow(child.stderr.take().expect("it is piped"));
        let (ended, receiver) = watch::channel(None);
        let process = self.clone();
        tokio::spawn(async move {
            let status = child.wait().await.unwrap_or_default();
            *process.lock() = None;
            ended.send_replace(Some(Exit(status)));
        });
        Ok(receiver)
    }

    /// It stops, wherever it is.
    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// It goes on.
    pub(crate) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// It ends, stopped or not, without a chance to do anything more.
    pub(crate) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = *self.lock() {
            // One that has ended in this moment needs no signal.
            let _ = kill_process_group(pid, signal);
        }
    }

    /// Its ID, while it lives.
    pub(crate) fn id(&self) -> Option<u32> {
        self.lock().map(|pid| pid.as_raw_nonzero().get().unsigned_abs())
    }

    /// The largest resident set that it ever had, in bytes, while it lives and where the system tells.
    pub(crate) fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kilobytes << 10)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Pid>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Exit {
    /// As Lambda words it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.code(), self.0.signal()) {
            (Some(0), _) => f.write_str("Runtime exited without providing a reason"),
            (Some(code), _) => write!(f, "Runtime exited with error: exit status {code}"),
            (None, Some(6)) => f.write_str("Runtime exited with error: signal: aborted"),
            (None, Some(9)) => f.write_str("Runtime exited with error: signal: killed"),
            (None, Some(11)) => f.write_str("Runtime exited with error: signal: segmentation fault"),
            (None, Some(15)) => f.write_str("Runtime exited with error: signal: terminated"),
            (None, signal) => write!(f, "Runtime exited with error: signal: {}", signal.unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_told_as_lambda_tells_them() {
        for (raw, expected) in [
            (0, "Runtime exited without providing a reason"),
            (101 << 8, "Runtime exited with error: exit status 101"),
            (9, "Runtime exited with error: signal: killed"),
            (6, "Runtime exited with error: signal: aborted"),
            (13, "Runtime exited with error: signal: 13"),
        ] {
            assert_eq!(Exit(ExitStatus::from_raw(raw)).to_string(), expected);
        }
    }
}
