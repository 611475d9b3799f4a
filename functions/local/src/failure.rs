//! What ends a command early, in words for the person at the terminal.

use std::{error::Error, fmt::Display, process::ExitCode};

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It could not be done: exit code 1.
    Failed(String),
    /// It was asked for wrongly: exit code 2.
    Usage(String),
    /// Nobody reads standard output any more, as after `| head`: no failure, and nobody to tell.
    NobodyReads,
}

impl Failure {
    /// `doing` what failed, for this reason and those below it.
    pub(crate) fn because(doing: impl Display, error: &dyn Error) -> Self {
        let mut message = format!("{doing}: {error}");
        let mut source = error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            // Many errors repeat their cause in their own words.
            if !message.contains(&text) {
                message.push_str(": ");
                message.push_str(&text);
            }
            source = cause.source();
        }
        // Some explain themselves over several lines.
        let lines: Vec<_> = message.lines().map(str::trim).collect();
        Failure::Failed(lines.join(" "))
    }

    /// Tells standard error, and chooses the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        match self {
            Failure::Failed(message) => {
                eprintln!("niente: {message}");
                ExitCode::from(1)
            }
            Failure::Usage(message) => {
                eprintln!("niente: {message}");
                ExitCode::from(2)
            }
            Failure::NobodyReads => ExitCode::SUCCESS,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn causes_are_told_once() {
        #[derive(Debug)]
        struct Outer(&'static str, io::Error);
        impl Display for Outer {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.0)
            }
        }
        impl Error for Outer {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&self.1)
            }
        }
        for (outer, message) in [("no answer", "asking: no answer: gone"), ("gone away", "asking: gone away")] {
            let failure = Failure::because("asking", &Outer(outer, io::Error::other("gone")));
            assert!(matches!(failure, Failure::Failed(found) if found == message));
        }
    }
}
