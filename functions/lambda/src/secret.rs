//! Where the tokens are kept: Secrets Manager, Parameter Store or a file, as `NIENTE_TOKENS` says.

use std::{fmt, path::PathBuf, str::FromStr, sync::Arc};

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::error::DisplayErrorContext;
use bytes::Bytes;
use niente_api::{Gate, SourceError, TokenSource};

use crate::{Environment, InvalidEnvironment};

/// A text that is kept elsewhere. Nothing is asked before it is read.
pub struct Secret {
    place: Place,
    aws: SdkConfig,
}

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// A secret of Secrets Manager, by name or ARN.
    SecretsManager(String),
    /// A parameter of Systems Manager's Parameter Store, by name or ARN.
    ParameterStore(String),
    /// A file that was deployed with the function.
    File(PathBuf),
}

/// Text that names no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it must begin with secretsmanager:, ssm: or file: and then name a secret, a parameter or a path")]
pub struct InvalidSecret;

impl FromStr for Place {
    type Err = InvalidSecret;

    fn from_str(text: &str) -> Result<Self, InvalidSecret> {
        match text.split_once(':') {
            Some((_, "")) => Err(InvalidSecret),
            Some(("secretsmanager", name)) => Ok(Place::SecretsManager(name.to_owned())),
            Some(("ssm", name)) => Ok(Place::ParameterStore(name.to_owned())),
            Some(("file", path)) => Ok(Place::File(path.into())),
            _ => Err(InvalidSecret),
        }
    }
}

impl Secret {
    /// Who is let in by a function with this environment: the holders of the tokens that `NIENTE_TOKENS` names, and
    /// nobody if it names none.
    ///
    /// # Errors
    /// [`InvalidEnvironment`].
    pub fn gate(environment: &Environment, aws: &SdkConfig) -> Result<Gate, InvalidEnvironment> {
        let place: Option<Place> = environment.value("NIENTE_TOKENS")?;
        let secret = |place| Secret { place, aws: aws.clone() };
        Ok(place.map_or(Gate::Closed, |place| Gate::guarded(Arc::new(secret(place)))))
    }
}

#[async_trait]
impl TokenSource for Secret {
    async fn read(&self) -> Result<Bytes, SourceError> {
        let text = match &self.place {
            Place::SecretsManager(name) => {
                let client = aws_sdk_secretsmanager::Client::new(&self.aws);
                let secret = client.get_secret_value().secret_id(name).send().await;
                secret.map_err(|error| failed(DisplayErrorContext(error)))?.secret_string
            }
            Place::ParameterStore(name) => {
                let client = aws_sdk_ssm::Client::new(&self.aws);
                let parameter = client.get_parameter().name(name).with_decryption(true).send().await;
                let parameter = parameter.map_err(|error| failed(DisplayErrorContext(error)))?.parameter;
                parameter.and_then(|parameter| parameter.value)
            }
            Place::File(path) => Some(tokio::fs::read_to_string(path).await.map_err(failed)?),
        };
        Ok(text.unwrap_or_default().into())
    }
}

fn failed(error: impl fmt::Display) -> SourceError {
    error.to_string().into()
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Secret").field(&self.place).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_have_a_kind_and_a_name() {
        let arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:niente";
        assert_eq!(format!("secretsmanager:{arn}").parse(), Ok(Place::SecretsManager(arn.into())));
        assert_eq!("ssm:/niente/tokens".parse(), Ok(Place::ParameterStore("/niente/tokens".into())));
        assert_eq!("file:tokens.json".parse(), Ok(Place::File("tokens.json".into())));
        for text in ["", "niente", "ssm:", "s3:x", "{\"niente\":1}"] {
            assert_eq!(text.parse::<Place>(), Err(InvalidSecret), "{text}");
        }
    }
}
