//! `niente token`: makes tokens.
//!
//! [`new`] makes one and tells it once, [`mod@file`] is the document in which it is listed, as a file: for those who add
//! to it, and for the server that looks tokens up in it.

mod file;
mod new;

use clap::Subcommand;

pub(crate) use file::FileTokens;

use crate::Failure;

/// Make the tokens by which a server or a function knows who asks
///
/// Clients send a token with every request, as `Authorization: Bearer TOKEN` or as the password of basic auth. A
/// document lists what each token is good for, and only a hash of it: `niente serve --tokens` takes it as a file,
/// functions take it as a secret.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  niente token new --name grafana --tenant team-a --right query --file tokens.json
  niente token new --help                      what else a token may have

To revoke a token, remove its entry from the document: a minute later it is good for nothing.")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(new::Args),
}

pub(crate) fn run(args: Args) -> Result<(), Failure> {
    match args.command {
        Command::New(args) => new::run(args),
    }
}
