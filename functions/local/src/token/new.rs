//! `niente token new`.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use niente_api::{Right, TenantScope, Token, TokenDocument, TokenEntry};
use niente_cost::{Budget, Dollars};
use niente_model::{Nanos, Tenant};

use super::file;
use crate::{
    Failure, clock, random, terminal,
    units::{self, ByteSize},
};

/// Make a token, list it, and print it: this once
///
/// The token alone goes to standard output, what to do with it to standard error. With --file it is added to that
/// document, which is created if it isn't there and which only its owner may read. Without --file the document is
/// printed below the rest, to be put wherever secrets are kept.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  niente token new --name grafana --tenant team-a --right query --file tokens.json
  niente token new --name collector --tenant team-a --right ingest --file tokens.json
  niente token new --name on-call --tenant '*' --right query --expires 90d --file tokens.json
  niente token new --name report --tenant team-a --right query \\
      --max-query-cost 0.05 --max-query-bytes 10GB --file tokens.json
  TOKEN=$(niente token new --name ci --tenant ci --right admin --file tokens.json)")]
pub(crate) struct Args {
    /// What it is for: what people see where tokens are listed
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Whose data it is good for; again for each, or '*' for every tenant
    #[arg(long = "tenant", value_name = "NAME", required = true, value_parser = tenant)]
    tenants: Vec<Named>,
    /// What it is good for; again for each, admin is both
    #[arg(long = "right", value_name = "RIGHT", required = true, value_parser = right())]
    rights: Vec<Right>,
    /// After how long it is good for nothing, such as 90d [default: never]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    expires: Option<Duration>,
    /// What a query with it may cost, in US dollars, such as 0.05
    #[arg(long, value_name = "DOLLARS")]
    max_query_cost: Option<Dollars>,
    /// How much a query with it may read, such as 10GB
    #[arg(long, value_name = "BYTES")]
    max_query_bytes: Option<ByteSize>,
    /// The document that it is added to
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// What `--tenant` takes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Named {
    Every,
    One(Tenant),
}

pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let token = Token::from_random(random::bytes());
    let entry = entry(&args, &token, clock::now());
    let mut told = told(&entry);
    match &args.file {
        Some(path) => {
            file::add(path, &entry)?;
            told += &format!("It is listed in {}, by its hash. A server looks it up there:\n", path.display());
            told += &format!("    niente serve --tokens {}\n", path.display());
        }
        None => {
            let mut document = TokenDocument::default();
            document.add(entry).map_err(|error| Failure::Usage(error.to_string()))?;
            told += "It is listed nowhere yet. A document with this token, and nothing but its hash:\n\n";
            told += &String::from_utf8_lossy(&document.encode());
        }
    }
    // It counts from now on, and is told nowhere else.
    terminal::print(&format!("{}\n", token.reveal()))?;
    eprint!("{told}");
    Ok(())
}

fn entry(args: &Args, token: &Token, now: Nanos) -> TokenEntry {
    let named = args.tenants.iter().map(|named| match named {
        Named::Every => None,
        Named::One(tenant) => Some(tenant.clone()),
    });
    let tenants = named.collect::<Option<BTreeSet<_>>>().map_or(TenantScope::Every, TenantScope::Only);
    // Whole seconds are what people like to read in the document.
    let expires = args.expires.map(|length| Nanos::from_secs(now.saturating_add(units::nanos(length)).as_secs()));
    let bytes = args.max_query_bytes.map(|size| size.0 as u64);
    TokenEntry {
        id: token.id(),
        name: args.name.clone(),
        hash: token.hash(),
        tenants,
        rights: args.rights.iter().copied().collect(),
        expires,
        budget: Budget { dollars: args.max_query_cost, bytes },
    }
}

/// What to do with the token.
fn told(entry: &TokenEntry) -> String {
    let until = entry.expires.map(|moment| format!(", until {} UTC", units::second(moment))).unwrap_or_default();
    let mut told = format!("Token {} ({}){until}. This is the only time that it is shown.\n", entry.id, entry.name);
    told += "Clients send it as `Authorization: Bearer TOKEN`, or as the password of basic auth.\n";
    if entry.rights.allow(Right::Query) {
        told += "In Grafana: data source, Authentication, Basic authentication; any user, the token as password.\n";
    }
    if entry.rights.allow(Right::Ingest) {
        told += "For OpenTelemetry SDKs: OTEL_EXPORTER_OTLP_HEADERS='Authorization=Bearer%20TOKEN'\n";
    }
    told += "For `niente query` and `niente ingest`: the environment's NIENTE_TOKEN.\n";
    told
}

fn tenant(text: &str) -> Result<Named, String> {
    match text {
        "*" => Ok(Named::Every),
        name => Tenant::new(name).map(Named::One).map_err(|error| error.to_string()),
    }
}

fn right() -> impl TypedValueParser<Value = Right> {
    PossibleValuesParser::new(Right::ALL.map(Right::as_str)).map(|name| {
        let right = Right::ALL.into_iter().find(|right| right.as_str() == name);
        right.expect("clap lets no other value through")
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn check(line: &[&str]) -> TokenEntry {
        let line = ["new", "--name", "x"].iter().chain(line);
        let token = Token::from_random([1; Token::RANDOM_BYTES]);
        entry(&Line::parse_from(line).args, &token, Nanos::new(1_800_000_000_123_456_789).unwrap())
    }

    #[test]
    fn the_entry_says_what_the_command_line_said() {
        let entry = check(&["--tenant", "b", "--tenant", "a", "--right", "query", "--right", "ingest"]);
        let names = ["a", "b"].map(|name| Tenant::new(name).unwrap());
        assert_eq!(entry.tenants, TenantScope::Only(names.into()));
        assert_eq!(entry.rights.iter().collect::<Vec<_>>(), [Right::Ingest, Right::Query]);
        assert_eq!((entry.expires, entry.budget), (None, Budget::UNLIMITED));

        let limits = ["--max-query-cost", "0.05", "--max-query-bytes", "10GB", "--expires", "1d"];
        let entry = check(&[&["--tenant", "*", "--tenant", "a", "--right", "admin"][..], &limits].concat());
        assert_eq!(entry.tenants, TenantScope::Every);
        assert_eq!(entry.expires, Some(Nanos::from_secs(1_800_086_400)));
        assert_eq!(entry.budget, Budget { dollars: "0.05".parse().ok(), bytes: Some(10_000_000_000) });
    }
}
