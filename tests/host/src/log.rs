//! What a function's processes print.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// The newest part of what all processes of a function have printed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    text: Arc<Mutex<String>>,
    /// Printed on as well.
    prefix: Option<String>,
}

impl Log {
    /// What is kept of it.
    const KEPT: usize = 4 << 20;

    /// A log that also goes to this process's standard error.
    pub(crate) fn echoed(name: &str) -> Self {
        Self { prefix: Some(format!("[{name}] ")), ..Self::default() }
    }

    pub(crate) fn text(&self) -> String {
        self.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn push(&self, line: &str) {
        if let Some(prefix) = &self.prefix {
            eprintln!("{prefix}{line}");
        }
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        text.push_str(line);
        text.push('\n');
        if text.len() > Self::KEPT {
            let start = (text.len() / 2..).find(|at| text.is_char_boundary(*at)).expect("the end is a boundary");
            text.replace_range(..start, "");
        }
    }

    /// Keeps what comes, line by line, until the process ends.
    pub(crate) fn follow(&self, output: impl AsyncRead + Unpin + Send + 'static) {
        let log = self.clone();
        tokio::spawn(async move {
            let mut output = BufReader::new(output);
            let mut line = Vec::new();
            while let Ok(1..) = output.read_until(b'\n', &mut line).await {
                log.push(String::from_utf8_lossy(&line).trim_end_matches('\n'));
                line.clear();
            }
        });
    }
}
