//! Where the traces lie: a folder or a bucket, as the command line or the environment says.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{ArgMatches, Args, Command, FromArgMatches, error::ErrorKind, parser::ValueSource};
use niente_store::{FolderStore, Hedged, S3Location, S3Options, S3Store, Store};

use crate::Failure;

/// The options that name a store.
///
/// What is typed counts more than what the environment says, and so does what is typed in a store's place: the URL of
/// a server, the path of a file. A command has to have this as the first of its fields: clap takes values away as it
/// reads them, and nothing could be seen of those that came before.
#[derive(Clone, Debug)]
pub(crate) struct StorageArgs {
    place: Option<Place>,
}

/// A store that has a name but isn't open.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Folder(PathBuf),
    Bucket { location: S3Location, options: S3Options },
}

#[derive(Args)]
#[command(next_help_heading = "Storage")]
struct Options {
    /// The folder with the data
    #[arg(long, value_name = "DIR", env = "NIENTE_DATA")]
    data: Option<PathBuf>,
    /// The bucket with the data, instead of a folder: s3://bucket/prefix
    ///
    /// Credentials and region come from where all AWS tools have them: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY,
    /// AWS_PROFILE and the files in ~/.aws, or the role of the container or machine.
    #[arg(long, value_name = "URL", env = "NIENTE_STORE")]
    store: Option<S3Location>,
    /// An S3 other than Amazon's, such as http://127.0.0.1:9000: MinIO, R2, Ceph
    #[arg(long, value_name = "URL", env = "NIENTE_ENDPOINT", value_parser = endpoint)]
    endpoint: Option<String>,
    /// The bucket's region [default: what the environment says]
    #[arg(long, value_name = "NAME")]
    region: Option<String>,
}

/// What may be typed in a store's place, by the options' IDs in clap.
const INSTEAD: [(&str, &str); 2] = [("url", "--url"), ("path", "a path")];

impl StorageArgs {
    /// The store that was named, if any was.
    pub(crate) fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// The store that was named, or else the folder that `niente serve` takes.
    pub(crate) fn place_or_usual(&self) -> Place {
        self.place.clone().unwrap_or_else(|| Place::Folder("./data".into()))
    }

    fn choose(options: Options, source: impl Fn(&str) -> Option<ValueSource>) -> Result<Self, String> {
        let Options { data, store, endpoint, region } = options;
        let typed = |id: &str| source(id) == Some(ValueSource::CommandLine);
        let named = [("data", "--data"), ("store", "--store")].into_iter().chain(INSTEAD);
        let typed_names: Vec<_> = named.filter(|(id, _)| typed(id)).map(|(_, name)| name).collect();
        if let [first, second, ..] = typed_names[..] {
            return Err(format!("{first} and {second} can't be used together: each says where the traces are"));
        }
        let instead = INSTEAD.iter().any(|(id, _)| typed(id));
        let place = match (data, store) {
            _ if instead => None,
            (Some(data), _) if typed("data") => Some(Place::Folder(data)),
            (_, Some(store)) if typed("store") => Some(Place::bucket(store, endpoint, region)),
            (Some(_), Some(_)) => {
                return Err("NIENTE_DATA and NIENTE_STORE are both set: unset one, or use --data or --store".to_owned());
            }
            (Some(data), None) => Some(Place::Folder(data)),
            (None, Some(store)) => Some(Place::bucket(store, endpoint, region)),
            (None, None) => None,
        };
        let of_buckets = [("endpoint", "--endpoint"), ("region", "--region")];
        match (&place, of_buckets.into_iter().find(|(id, _)| typed(id))) {
            (None | Some(Place::Folder(_)), Some((_, option))) => {
                Err(format!("{option} is for buckets: name one with --store s3://bucket/prefix"))
            }
            _ => Ok(Self { place }),
        }
    }
}

impl FromArgMatches for StorageArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        // Not every command knows every ID, and clap wants to be asked for those that it knows.
        let source =
            |id: &str| matches.ids().any(|known| known.as_str() == id).then(|| matches.value_source(id)).flatten();
        Self::choose(Options::from_arg_matches(matches)?, source)
            .map_err(|message| clap::Error::raw(ErrorKind::ArgumentConflict, message + "\n"))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for StorageArgs {
    fn augment_args(command: Command) -> Command {
        Options::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Options::augment_args_for_update(command)
    }
}

fn endpoint(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match host {
        Some(host) if !host.is_empty() => Ok(text.to_owned()),
        _ => Err("write a URL, such as http://127.0.0.1:9000".to_owned()),
    }
}

impl Place {
    fn bucket(location: S3Location, endpoint: Option<String>, region: Option<String>) -> Self {
        Place::Bucket { location, options: S3Options { endpoint, region, ..S3Options::default() } }
    }

    /// Opens the store; a folder that isn't there is created.
    pub(crate) async fn open(&self) -> Result<Arc<dyn Store>, Failure> {
        match self {
            Place::Folder(path) => folder(path),
            Place::Bucket { location, options } => {
                let store = S3Store::connect(location.clone(), options.clone()).await;
                let store = store.map_err(|error| Failure::because("the bucket", &error))?;
                Ok(Arc::new(Hedged::new(Arc::new(store))))
            }
        }
    }

    /// Opens the store if there is one: a question must not create what it asks about.
    pub(crate) async fn open_existing(&self) -> Result<Arc<dyn Store>, Failure> {
        match self {
            Place::Folder(path) if !path.is_dir() => Err(Failure::Failed(format!(
                "there is no folder {}: --data takes what `niente serve --data` or `niente ingest --data` wrote to",
                path.display()
            ))),
            _ => self.open().await,
        }
    }

    /// Opens the store, and makes a request that fails if bucket, credentials or permissions are wrong.
    ///
    /// Costs a listing.
    pub(crate) async fn open_checked(&self) -> Result<Arc<dyn Store>, Failure> {
        let store = self.open().await?;
        store
            .list_folders("", None)
            .await
            .map_err(|error| Failure::because(format_args!("the store {self}"), &error))?;
        Ok(store)
    }
}

/// Opens the folder, or creates it.
pub(crate) fn folder(path: &Path) -> Result<Arc<dyn Store>, Failure> {
    let store = FolderStore::open(path).map_err(|error| Failure::because("the data folder", &error))?;
    Ok(Arc::new(store))
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Folder(path) => path.display().fmt(f),
            Place::Bucket { location, .. } => location.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is chosen when these were typed and these stand in the environment.
    fn choose(typed: &[&str], environment: &[&str]) -> Result<String, String> {
        let source = |id: &str| match id {
            _ if typed.contains(&id) => Some(ValueSource::CommandLine),
            _ if environment.contains(&id) => Some(ValueSource::EnvVariable),
            _ => None,
        };
        let known = |id| source(id).is_some();
        let options = Options {
            data: known("data").then(|| "folder".into()),
            store: known("store").then(|| "s3://bucket/x".parse().unwrap()),
            endpoint: known("endpoint").then(|| "http://127.0.0.1:9000".to_owned()),
            region: known("region").then(|| "eu-central-1".to_owned()),
        };
        StorageArgs::choose(options, source).map(|args| args.place().map(Place::to_string).unwrap_or_default())
    }

    #[test]
    fn what_is_typed_counts_more_than_the_environment() {
        for (typed, environment, chosen) in [
            (&[][..], &[][..], ""),
            (&["data"], &[], "folder"),
            (&["store", "endpoint", "region"], &[], "s3://bucket/x"),
            (&[], &["data"], "folder"),
            (&[], &["store", "endpoint"], "s3://bucket/x"),
            (&["data"], &["store", "endpoint"], "folder"),
            (&["store"], &["data"], "s3://bucket/x"),
            (&["url"], &["data", "store"], ""),
            (&["path"], &["store"], ""),
        ] {
            assert_eq!(choose(typed, environment).as_deref(), Ok(chosen), "{typed:?} {environment:?}");
        }
    }

    #[test]
    fn contradictions_are_told() {
        for (typed, environment, about) in [
            (&["data", "store"][..], &[][..], "--data and --store can't be used together"),
            (&["store", "url"], &[], "--store and --url can't"),
            (&["data", "path"], &[], "--data and a path can't"),
            (&[], &["data", "store"], "NIENTE_DATA and NIENTE_STORE are both set"),
            (&["data", "endpoint"], &[], "--endpoint is for buckets"),
            (&["region"], &[], "--region is for buckets"),
        ] {
            let message = choose(typed, environment).unwrap_err();
            assert!(message.starts_with(about), "{message}");
        }
    }
}
