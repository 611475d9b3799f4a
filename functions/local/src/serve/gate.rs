//! Who is let in.

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use niente_api::Gate;

use super::Addresses;
use crate::{Failure, token::FileTokens};

/// Whom a server answers.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Access")]
pub(crate) struct GateArgs {
    /// The document that lists the tokens of those who are let in: see `niente token new`
    ///
    /// It is read again every minute, and when a token comes that it didn't list: changes need no restart.
    #[arg(long, value_name = "FILE", env = "NIENTE_TOKENS", conflicts_with = "let_everybody_in")]
    tokens: Option<PathBuf>,
    /// Ask for no tokens, though others than this machine reach the ports
    #[arg(long)]
    let_everybody_in: bool,
}

impl GateArgs {
    /// The gate of a server on these addresses.
    ///
    /// Without a word about it everybody is let in who is on this machine, and a server that others could reach doesn't
    /// start.
    pub(crate) fn gate(&self, addresses: &Addresses) -> Result<Gate, Failure> {
        if let Some(path) = &self.tokens {
            return Ok(Gate::guarded(Arc::new(FileTokens::open(path)?)));
        }
        match addresses.beyond_loopback() {
            Some(address) if !self.let_everybody_in => Err(Failure::Usage(format!(
                "others than this machine reach {address}: add --tokens FILE for those who may (`niente token new` \
                 makes the file), or --let-everybody-in if you mean it"
            ))),
            _ => Ok(Gate::Open),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_this_machine_one_has_to_say_who_is_let_in() {
        let addresses = |http: &str| {
            let loopback = "127.0.0.1:1".parse().unwrap();
            Addresses { http: http.parse().unwrap(), otlp_http: loopback, otlp_grpc: loopback }
        };
        let gate = |let_everybody_in, http| GateArgs { tokens: None, let_everybody_in }.gate(&addresses(http));
        assert!(matches!(gate(false, "127.0.0.1:1"), Ok(Gate::Open)));
        assert!(matches!(gate(false, "0.0.0.0:1"), Err(Failure::Usage(_))));
        assert!(matches!(gate(true, "0.0.0.0:1"), Ok(Gate::Open)));

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        std::fs::write(&path, r#"{"niente": 1, "tokens": []}"#).unwrap();
        for http in ["127.0.0.1:1", "0.0.0.0:1"] {
            let args = GateArgs { tokens: Some(path.clone()), let_everybody_in: false };
            assert!(matches!(args.gate(&addresses(http)), Ok(Gate::Guarded(_))));
        }
    }
}
