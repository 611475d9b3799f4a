//! What S3 and the way to it report, in the store's terms.

use std::{borrow::Cow, error::Error as StdError, fmt};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};

use super::S3Location;
use crate::{Action, Error, Source};

/// Where a store is, for messages.
#[derive(Debug)]
pub(super) struct Site {
    /// The bucket and the prefix.
    pub(super) location: S3Location,
    /// The endpoint's URL, or Amazon's S3 and the region.
    pub(super) place: String,
}

impl Site {
    /// What `error` means to who was doing `action` to `key`.
    pub(super) fn explain<E>(&self, action: Action, key: &str, error: SdkError<E>) -> Error
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        let Some(status) = status(&error) else { return self.no_answer(action, key, error) };
        let code = error.code().unwrap_or_default().to_owned();
        let message = error.message().unwrap_or_default().to_owned();
        let region = header(&error, "x-amz-bucket-region").map(str::to_owned);
        let size = size(&error);
        let key = key.to_owned();
        let S3Location { bucket, .. } = &self.location;

        let denied = |advice: Cow<'static, str>, source: Source| Error::PermissionDenied {
            action,
            key: key.clone(),
            advice,
            source: Some(source),
        };
        let io = |reason: String, source: Source| Error::Io {
            action,
            key: key.clone(),
            reason: reason.into(),
            source: Some(source),
        };
        let source: Source = Box::new(error);

        match (status, &*code) {
            (_, "NoSuchBucket") => Error::NoBucket { action, key, bucket: bucket.clone(), source: Some(source) },
            (404, _) if matches!(action, Action::List | Action::Now) => {
                Error::NoBucket { action, key, bucket: bucket.clone(), source: Some(source) }
            }
            (_, "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" | "RequestExpired") => {
                denied("the credentials have expired; renew them".into(), source)
            }
            (_, "InvalidAccessKeyId" | "InvalidToken" | "InvalidClientTokenId" | "NotSignedUp") => denied(
                format!("{} doesn't know the access key; check AWS_ACCESS_KEY_ID or the profile", self.place).into(),
                source,
            ),
            (_, "SignatureDoesNotMatch") => {
                denied("the secret key isn't that of the access key; check AWS_SECRET_ACCESS_KEY".into(), source)
            }
            (_, "RequestTimeTooSkewed") => denied("this machine's clock is wrong; set it".into(), source),
            (_, "InvalidObjectState") => io("it is archived; restore it, and exempt the prefix".into(), source),
            (301 | 307, _)
            | (_, "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException") => {
                let right = region.map_or_else(String::new, |region| format!(", in {region}"));
                io(
                    format!(
                        "the bucket {bucket} is not at {}{right}; set AWS_REGION to the bucket's region",
                        self.place
                    ),
                    source,
                )
            }
            (507, _) | (_, "QuotaExceeded" | "InsufficientStorage" | "XMinioStorageFull") => {
                Error::Full { action, key, source: Some(source) }
            }
            (429 | 503, _) | (_, "SlowDown" | "RequestLimitExceeded" | "TooManyRequests" | "Throttling") => {
                Error::Throttled { action, key, source: Some(source) }
            }
            (416, _) => Error::OutOfRange { key, range: 0..u64::MAX, size, source: Some(source) },
            (401 | 403, _) => denied(self.permission(action).into(), source),
            (404, _) => Error::NotFound { action, key, source: Some(source) },
            // 400: the body came too slowly, or changed on its way.
            (408 | 409, _)
            | (_, "RequestTimeout" | "BadDigest" | "XAmzContentSHA256Mismatch" | "XAmzContentChecksumMismatch") => {
                self.unavailable(action, key, source)
            }
            (501, _) => {
                io(format!("{} can't do this; Niente needs an S3 that has conditional writes", self.place), source)
            }
            (500.., _) => self.unavailable(action, key, source),
            _ => io(format!("{} answers {status} {code}: {message}", self.place), source),
        }
    }

    /// What it means that a body ended early or came too slowly.
    pub(super) fn broken_off(&self, action: Action, key: &str, source: Source) -> Error {
        self.unavailable(action, key.to_owned(), source)
    }

    /// What it means that an answer lacks something.
    pub(super) fn malformed(&self, action: Action, key: &str, lack: &str) -> Error {
        let reason = format!("{} answers without {lack}; is it an S3?", self.place).into();
        Error::Io { action, key: key.to_owned(), reason, source: None }
    }

    fn no_answer<E>(&self, action: Action, key: &str, error: SdkError<E>) -> Error
    where
        E: StdError + Send + Sync + 'static,
    {
        let key = key.to_owned();
        let constructed = matches!(error, SdkError::ConstructionFailure(_));
        let credentials = causes(&error).find_map(|cause| cause.downcast_ref::<CredentialsError>());
        let advice = match credentials {
            Some(CredentialsError::CredentialsNotLoaded(_)) => {
                "there are no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or a role"
            }
            Some(CredentialsError::InvalidConfiguration(_)) => {
                "the credentials are set up wrongly; see ~/.aws/config and the AWS_ variables"
            }
            Some(_) => return self.unavailable(action, key, Box::new(error)),
            None if constructed => {
                let reason = "no request can be made of this; check the endpoint's URL and the region".into();
                return Error::Io { action, key, reason, source: Some(Box::new(error)) };
            }
            None => return self.unavailable(action, key, Box::new(error)),
        };
        Error::PermissionDenied { action, key, advice: advice.into(), source: Some(Box::new(error)) }
    }

    fn unavailable(&self, action: Action, key: String, source: Source) -> Error {
        let source = Failing { place: self.place.clone(), source };
        Error::Unavailable { action, key, source: Some(Box::new(source)) }
    }

    fn permission(&self, action: Action) -> String {
        let S3Location { bucket, .. } = &self.location;
        let above = self.location.above();
        match action {
            Action::List | Action::Now | Action::Open => {
                format!("allow s3:ListBucket on arn:aws:s3:::{bucket} to whoever this runs as")
            }
            Action::Read | Action::Head => {
                format!(
                    "allow s3:GetObject on arn:aws:s3:::{bucket}/{above}* to whoever this runs as (and s3:ListBucket \
                     on the bucket: without it, missing objects are denied ones)"
                )
            }
            Action::Write => format!("allow s3:PutObject on arn:aws:s3:::{bucket}/{above}* to whoever this runs as"),
            Action::Replace => {
                format!("allow s3:PutObject and s3:GetObject on arn:aws:s3:::{bucket}/{above}* to whoever this runs as")
            }
            Action::Delete => {
                format!(
                    "allow s3:DeleteObject and s3:GetObject on arn:aws:s3:::{bucket}/{above}* to whoever this runs as"
                )
            }
        }
    }
}

/// Who didn't answer, and how.
#[derive(Debug)]
struct Failing {
    place: String,
    source: Source,
}

impl fmt::Display for Failing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} fails", self.place)
    }
}

impl StdError for Failing {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}

/// The status of the answer that is an error, if there was an answer.
pub(super) fn status<E>(error: &SdkError<E>) -> Option<u16> {
    match error {
        SdkError::ServiceError(_) | SdkError::ResponseError(_) => error.raw_response().map(|raw| raw.status().as_u16()),
        _ => None,
    }
}

/// The object's size, which S3 tells when a range of it can't be had.
pub(super) fn size<E>(error: &SdkError<E>) -> Option<u64> {
    if let Some(size) = header(error, "content-range").and_then(|range| range.strip_prefix("bytes */")) {
        return size.parse().ok();
    }
    let body = std::str::from_utf8(error.raw_response()?.body().bytes()?).ok()?;
    body.split_once("<ActualObjectSize>")?.1.split_once('<')?.0.parse().ok()
}

fn header<'a, E>(error: &'a SdkError<E, HttpResponse>, name: &str) -> Option<&'a str> {
    error.raw_response()?.headers().get(name)
}

fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}
