//! What a function is told by its environment. Everything is read once, at the start; nothing is asked of anybody.

use std::{
    fmt::{self, Display},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use aws_config::SdkConfig;
use niente_model::Nanos;
use niente_store::{Error as StoreError, Hedged, S3Location, S3Options, S3Store, Store};

use crate::Results;

/// A function's environment variables: `NIENTE_STORE` and the like, as `template.yaml` sets them.
#[derive(Clone, Debug)]
pub struct Environment(fn(&str) -> Option<String>);

/// Why a function can't start. Its debug form is what people read, since that is how `main` prints an error.
#[derive(thiserror::Error)]
pub enum InvalidEnvironment {
    /// A variable that it needs is not there.
    #[error("the environment variable {0} is not set: template.yaml says what it must be")]
    Missing(&'static str),
    /// A variable that makes no sense.
    #[error("the environment variable {name} is {value:?}: {reason}")]
    Invalid {
        /// Which.
        name: &'static str,
        /// What it says.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The store can't be reached as it is configured.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl fmt::Debug for InvalidEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Environment {
    /// The process's own.
    pub fn of_process() -> Self {
        Self(|name| std::env::var(name).ok())
    }

    /// A variable's text; an empty one is as good as none.
    pub fn text(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|text| !text.is_empty())
    }

    /// A variable's text, which there has to be.
    ///
    /// # Errors
    /// [`InvalidEnvironment::Missing`].
    pub fn required(&self, name: &'static str) -> Result<String, InvalidEnvironment> {
        self.text(name).ok_or(InvalidEnvironment::Missing(name))
    }

    /// A variable's value.
    ///
    /// # Errors
    /// [`InvalidEnvironment::Invalid`].
    pub fn value<T: FromStr<Err: Display>>(&self, name: &'static str) -> Result<Option<T>, InvalidEnvironment> {
        let parse = |value: String| {
            value.parse().map_err(|error: T::Err| InvalidEnvironment::Invalid {
                name,
                value,
                reason: error.to_string(),
            })
        };
        self.text(name).map(parse).transpose()
    }

    /// Whether a variable says `true`.
    ///
    /// # Errors
    /// [`InvalidEnvironment::Invalid`].
    pub fn flag(&self, name: &'static str) -> Result<bool, InvalidEnvironment> {
        Ok(self.value(name)?.unwrap_or(false))
    }

    /// A number of days.
    ///
    /// # Errors
    /// [`InvalidEnvironment::Invalid`].
    pub fn days(&self, name: &'static str) -> Result<Option<u32>, InvalidEnvironment> {
        self.value(name)
    }

    /// A length of time, such as `7d` or `36h`.
    ///
    /// # Errors
    /// [`InvalidEnvironment::Invalid`].
    pub fn duration(&self, name: &'static str) -> Result<Option<Nanos>, InvalidEnvironment> {
        let length: Option<humantime::Duration> = self.value(name)?;
        Ok(length.map(|length| Nanos::from_secs(length.as_secs())))
    }

    /// The function's memory in MiB, as Lambda tells it.
    ///
    /// # Errors
    /// [`InvalidEnvironment::Invalid`].
    pub fn memory_mib(&self) -> Result<Option<u32>, InvalidEnvironment> {
        self.value("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
    }

    /// What all clients of AWS share: region, credentials and their cache.
    pub async fn aws(&self) -> SdkConfig {
        aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await
    }

    /// The store that a variable names, such as `s3://bucket/traces`. Nothing is asked of it yet.
    ///
    /// # Errors
    /// All of [`InvalidEnvironment`].
    pub fn store(&self, name: &'static str, aws: &SdkConfig) -> Result<Arc<dyn Store>, InvalidEnvironment> {
        Ok(open(aws, self.location(name)?)?)
    }

    /// Results in the store that a variable names. It is opened when the first of them is too large for an invocation.
    ///
    /// # Errors
    /// [`InvalidEnvironment::Missing`] and [`InvalidEnvironment::Invalid`].
    pub fn results(&self, name: &'static str, aws: &SdkConfig) -> Result<Results, InvalidEnvironment> {
        let (location, aws) = (self.location(name)?, aws.clone());
        Ok(Results::opened_by(move || open(&aws, location.clone())))
    }

    fn location(&self, name: &'static str) -> Result<S3Location, InvalidEnvironment> {
        self.value(name)?.ok_or(InvalidEnvironment::Missing(name))
    }
}

/// A function pays for its waiting.
const FIRST_WAIT: Duration = Duration::from_millis(50);

fn open(aws: &SdkConfig, location: S3Location) -> Result<Arc<dyn Store>, StoreError> {
    let store = S3Store::of(aws, location, S3Options { first_wait: FIRST_WAIT, ..S3Options::default() })?;
    Ok(Arc::new(Hedged::new(Arc::new(store))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: Environment = Environment(|name| match name {
        "FLAG" => Some("true".into()),
        "DAYS" => Some("30".into()),
        "LENGTH" => Some("7d".into()),
        "ODD" => Some("3O".into()),
        "EMPTY" => Some(String::new()),
        _ => None,
    });

    #[test]
    fn variables_are_read_and_checked() {
        assert!(SAID.flag("FLAG").unwrap() && !SAID.flag("EMPTY").unwrap());
        assert_eq!(SAID.days("DAYS").unwrap(), Some(30));
        assert_eq!(SAID.days("EMPTY").unwrap(), None);
        assert_eq!(SAID.duration("LENGTH").unwrap(), Some(Nanos::from_secs(7 * 24 * 3_600)));
        assert!(SAID.duration("DAYS").is_err(), "a number without a unit");
        let told = SAID.days("ODD").unwrap_err().to_string();
        assert!(told.starts_with("the environment variable ODD is \"3O\""), "{told}");
        assert!(matches!(SAID.required("EMPTY"), Err(InvalidEnvironment::Missing("EMPTY"))));
    }
}
