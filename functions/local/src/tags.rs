//! `niente tags`: which attributes there are, and what values they have.

use niente_traceql::{AttributeScope, Field};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use crate::{Failure, complaint, logs, question::AskedArgs, terminal, units};

/// List attributes, or the values of one
///
/// Prints the attributes that spans, their resources, scopes, events and links have, as a query would name them; and
/// with the name of one, its values.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  niente tags
  niente tags span.http.route --since 7d
  niente tags resource.service.name --filter '{ status = error }'
  niente tags name --data ./data | wc -l

Without --filter, whatever lies in the objects of these hours is listed, which may be a little more.")]
pub(crate) struct Args {
    // First: see `StorageArgs`.
    #[command(flatten)]
    asked: AskedArgs,
    /// The attribute, or built-in field, of which to list the values
    #[arg(value_name = "TAG")]
    tag: Option<String>,
    /// Only of spans that satisfy this filter, in quotes so that the shell leaves it alone
    #[arg(long, value_name = "TRACEQL")]
    filter: Option<String>,
}

pub(crate) fn run(args: Args) -> Result<(), Failure> {
    logs::warnings();
    if let Some(filter) = &args.filter {
        niente_traceql::parse(filter).map_err(|error| complaint::about(filter, &error))?;
    }
    let path = match &args.tag {
        None => "/api/v2/search/tags".to_owned(),
        Some(tag) => {
            let field = niente_traceql::parse_field(tag).map_err(|error| complaint::about(tag, &error))?.to_string();
            let encoded = utf8_percent_encode(&field, NON_ALPHANUMERIC);
            format!("/api/v2/search/tag/{encoded}/values")
        }
    };
    let body = args.asked.ask(&path, args.filter.as_deref(), None)?;
    if args.asked.json {
        return terminal::print(&(String::from_utf8_lossy(&body).trim_end().to_owned() + "\n"));
    }
    let listed: Listed = serde_json::from_slice(&body)
        .map_err(|error| Failure::because("the answer is not one of Tempo's API; is the URL right?", &error))?;
    let lines: Vec<String> = match &args.tag {
        None => listed.scopes.iter().flat_map(Scope::fields).collect(),
        Some(_) => listed.tag_values.into_iter().map(|value| value.value).collect(),
    };
    if !lines.is_empty() {
        terminal::print(&(lines.join("\n") + "\n"))?;
    }
    let what = if args.tag.is_some() { "value" } else { "attribute" };
    let since = humantime::format_duration(args.asked.since);
    eprintln!("{} of the last {since}", units::counted(lines.len() as u64, what));
    Ok(())
}

/// The answer of `/api/v2/search/tags`, or of a tag's `values`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Listed {
    scopes: Vec<Scope>,
    tag_values: Vec<TagValue>,
}

#[derive(Debug, Deserialize)]
struct Scope {
    name: String,
    tags: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct TagValue {
    #[serde(default)]
    value: String,
}

impl Scope {
    /// The tags as a query names them, without the built-in fields, which are always the same.
    fn fields(&self) -> Vec<String> {
        let scope = match self.name.as_str() {
            "resource" => AttributeScope::Resource,
            "span" => AttributeScope::Span,
            "event" => AttributeScope::Event,
            "link" => AttributeScope::Link,
            "instrumentation" => AttributeScope::Instrumentation,
            _ => return Vec::new(),
        };
        let field = |name: &String| Field::Attribute { scope, name: name.clone() }.to_string();
        self.tags.iter().map(field).collect()
    }
}
