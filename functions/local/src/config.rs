//! `niente config`: shows or sets what a tenant has been given.

use niente_catalog::TenantConfig;
use niente_model::{Nanos, Tenant};

use crate::{Failure, logs, runtime, storage::StorageArgs, terminal, units};

/// Show or set a tenant's configuration
///
/// The retention says how many days a day's traces are kept beyond its end; without one they are kept for ever. What
/// has outlived it is removed by `niente gc`, and by every `niente serve` that compacts. Spans that are older already
/// when they come are refused.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  niente config                                what tenant single-tenant of ./data has
  niente config --retention 30d
  niente config --tenant team-a --retention none --store s3://bucket/traces")]
pub(crate) struct Args {
    // First: see `StorageArgs`.
    #[command(flatten)]
    storage: StorageArgs,
    /// Whose configuration
    #[arg(long, value_name = "NAME", env = "NIENTE_TENANT", value_parser = Tenant::new, default_value_t = Tenant::single())]
    tenant: Tenant,
    /// Keep traces for so many whole days, such as 30d, or for ever: none
    #[arg(long, value_name = "TIME", value_parser = retention)]
    retention: Option<Retention>,
}

/// What `--retention` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Retention {
    Days(u32),
    Forever,
}

pub(crate) fn run(args: Args) -> Result<(), Failure> {
    logs::warnings();
    let tenant = args.tenant.clone();
    let config = runtime::run(config(args))?;
    terminal::print(&text(&tenant, &config))
}

async fn config(Args { tenant, retention, storage }: Args) -> Result<TenantConfig, Failure> {
    let place = storage.place_or_usual();
    let config = match retention {
        None => TenantConfig::read(&*place.open_existing().await?, &tenant).await.map(|(config, _)| config),
        // It may be set before the first span comes.
        Some(retention) => {
            let set = |config: &mut TenantConfig| {
                config.retention_days = match retention {
                    Retention::Days(days) => Some(days),
                    Retention::Forever => None,
                }
            };
            TenantConfig::update(&*place.open().await?, &tenant, set).await
        }
    };
    config.map_err(|error| Failure::because(format_args!("the configuration of {tenant} in {place}"), &error))
}

fn text(tenant: &Tenant, config: &TenantConfig) -> String {
    let retention = match config.retention_days {
        Some(days) => format!("{} beyond the day on which a span starts", units::counted(days.into(), "day")),
        None => "none: traces are kept for ever".to_owned(),
    };
    let mut text =
        format!("tenant        {tenant}\nretention     {retention}\nredactions    {}\n", config.redactions.len());
    if !config.redactions.is_empty() {
        let rows = config.redactions.iter().map(|(id, redaction)| {
            let at = Nanos::new(redaction.at).map(units::second).unwrap_or_default();
            [id.to_string(), redaction.number.to_string(), at]
        });
        text = format!("{text}\n{}", terminal::table(["REDACTED TRACE", "NUMBER>", "ASKED FOR (UTC)"], rows));
    }
    text
}

fn retention(text: &str) -> Result<Retention, String> {
    match text {
        "none" => Ok(Retention::Forever),
        _ => units::whole_days(text).map(Retention::Days).map_err(|error| format!("{error}, or none")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retention_is_whole_days() {
        for (text, read) in [
            ("30d", Retention::Days(30)),
            ("48h", Retention::Days(2)),
            ("2w", Retention::Days(14)),
            ("none", Retention::Forever),
        ] {
            assert_eq!(retention(text), Ok(read));
        }
        for wrong in ["36h", "0d", "90m", "1d 1s", "30", "", "forever", "1month"] {
            assert!(retention(wrong).is_err(), "{wrong}");
        }
    }
}
