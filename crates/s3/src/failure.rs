//! What went wrong, in the server's words and in ours.
//!
//! [`Failure`] is what is left of an SDK error: the HTTP answer or the lack of one. [`Failure::judge`] decides what
//! kind of error that is and what an operator can do about it, by the table in `verdict`.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use capstan_tier::{TierError, TierErrorKind};

use crate::verdict::{CLOCK, Verdict, verdict};

/// What the server said, or why it said nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Failure {
    /// There was no answer, or one that is no answer.
    pub(crate) silence: Option<Silence>,
    /// The status of HTTP; 0 without an answer.
    pub(crate) status: u16,
    /// The code of S3, such as `SlowDown`; empty where the answer has no body.
    pub(crate) code: String,
    /// The server's sentence.
    pub(crate) said: String,
    /// What the server's operators ask for.
    pub(crate) request_id: String,
    /// How long the server wants to be left alone.
    pub(crate) retry_after: Option<Duration>,
    /// The server's clock.
    pub(crate) date: Option<SystemTime>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// It took too long.
    Timeout(String),
    /// A broken or refused connection, a name that does not resolve.
    Connection(String),
    /// TLS: the server's certificate is not trusted.
    Untrusted(String),
    /// What answers speaks no TLS.
    NoTls,
    /// The keys could not be had.
    NoCredentials(String),
    /// Bytes came that are no answer of S3.
    Gibberish(String),
    /// The request could not be made at all.
    Impossible(String),
}

/// Where a request went: the words of a message.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The bucket.
    pub(crate) bucket: String,
    /// The endpoint, or what Amazon's would be called.
    pub(crate) endpoint: String,
}

impl Failure {
    /// What is left of an error of the SDK.
    pub(crate) fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let mut failure = error.raw_response().map(Self::of_answer).unwrap_or_default();
        match error {
            SdkError::ServiceError(service) if failure.status >= 300 || service.err().code().is_some() => {
                failure.code = service.err().code().unwrap_or_default().to_owned();
                failure.said = service.err().message().unwrap_or_default().to_owned();
            }
            SdkError::TimeoutError(_) => failure.silence = Some(Silence::Timeout(chain(error))),
            SdkError::ServiceError(_) | SdkError::ResponseError(_) if failure.status < 300 => {
                failure.silence = Some(Silence::Gibberish(chain(error)));
            }
            SdkError::ResponseError(_) => failure.said = chain(error),
            SdkError::DispatchFailure(dispatch) => {
                let text = dispatch.as_connector_error().map_or_else(|| chain(error), connector_chain);
                failure.silence = Some(if dispatch.as_connector_error().is_some_and(|e| e.is_timeout()) {
                    Silence::Timeout(text)
                } else if has_source::<CredentialsError>(error) {
                    Silence::NoCredentials(text)
                } else if text.contains("invalid peer certificate") {
                    Silence::Untrusted(text)
                } else if text.contains("InvalidContentType") {
                    Silence::NoTls
                } else {
                    Silence::Connection(text)
                });
            }
            _ if has_source::<CredentialsError>(error) => failure.silence = Some(Silence::NoCredentials(chain(error))),
            _ => failure.silence = Some(Silence::Impossible(chain(error))),
        }
        failure
    }

    /// Status and headers.
    fn of_answer(answer: &HttpResponse) -> Self {
        let header = |name| answer.headers().get(name).unwrap_or_default();
        Self {
            status: answer.status().as_u16(),
            request_id: header("x-amz-request-id").to_owned(),
            retry_after: retry_after(header("retry-after")),
            date: http_date(header("date")),
            ..Self::default()
        }
    }

    /// No answer in time.
    pub(crate) fn timeout(what: String) -> Self {
        Self { silence: Some(Silence::Timeout(what)), ..Self::default() }
    }

    /// The connection broke.
    pub(crate) fn broken(what: String) -> Self {
        Self { silence: Some(Silence::Connection(what)), ..Self::default() }
    }

    /// The kind, what happened in our words, and what can be done.
    pub(crate) fn judge(&self, place: &Place, now: SystemTime) -> (TierErrorKind, String, &'static str) {
        if let Some(silence) = &self.silence {
            return silence.judge(place);
        }
        let Verdict { kind, what, next, .. } = verdict(self.status, &self.code);
        let mut what = what.replace("{bucket}", &place.bucket).replace("{endpoint}", &place.endpoint);
        if self.code == CLOCK {
            let theirs = self.date.map_or_else(|| "unknown".to_owned(), utc);
            let _ = write!(what, ": here it is {}, there {theirs}", utc(now));
        }
        (kind, what, next)
    }

    /// The error that the caller sees.
    pub(crate) fn into_error(self, place: &Place, operation: &'static str, key: &str) -> TierError {
        let (kind, mut message, next) = self.judge(place, SystemTime::now());
        if self.status != 0 {
            let _ = write!(message, " (the server said {}", self.status);
            if !self.code.is_empty() {
                let _ = write!(message, " {}", self.code);
            }
            if !self.said.is_empty() {
                let _ = write!(message, ": {}", self.said.chars().take(200).collect::<String>());
            }
            if !self.request_id.is_empty() {
                let _ = write!(message, "; request {}", self.request_id);
            }
            message.push(')');
        }
        if !next.is_empty() {
            let _ = write!(message, "; {next}");
        }
        TierError { kind, operation, key: key.to_owned(), message, retry_after: self.retry_after }
    }
}

impl Silence {
    fn judge(&self, place: &Place) -> (TierErrorKind, String, &'static str) {
        use TierErrorKind as Kind;
        let endpoint = &place.endpoint;
        match self {
            Self::Timeout(why) => {
                (Kind::Unavailable, format!("{endpoint} did not answer in time: {why}"), "it is tried again")
            }
            Self::Connection(why) => {
                (Kind::Unavailable, format!("no connection to {endpoint}: {why}"), "it is tried again")
            }
            Self::Untrusted(why) => (
                Kind::Misconfigured,
                format!("the certificate of {endpoint} is not trusted: {why}"),
                "name the certificate of its authority as ca_file",
            ),
            Self::NoTls => (
                Kind::Misconfigured,
                format!("what answers at {endpoint} speaks no TLS"),
                "write http:// if that is meant, or correct the port",
            ),
            Self::NoCredentials(why) => {
                (Kind::Credentials, format!("no credentials: {why}"), "check where this tier's credentials come from")
            }
            Self::Gibberish(why) => (
                Kind::Unavailable,
                format!("what came from {endpoint} is no answer of S3: {why}"),
                "check that the endpoint is an S3 server and not a proxy or a web page",
            ),
            Self::Impossible(why) => (
                Kind::Misconfigured,
                format!("the request cannot be made: {why}"),
                "check the configuration of this tier",
            ),
        }
    }
}

/// The reason without what the SDK says of its own layers.
fn connector_chain(error: &ConnectorError) -> String {
    std::error::Error::source(error).map_or_else(|| chain(error), chain)
}

/// An error with all that it has behind it, in one line of bounded length.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        // Wrappers of the SDK repeat what they wrap.
        if !parts.iter().any(|seen| seen.contains(&text)) {
            parts.push(text);
        }
        next = error.source();
    }
    let line = parts.join(": ").replace('\n', " ");
    line.chars().take(300).collect()
}

fn has_source<S: std::error::Error + 'static>(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<S>() {
            return true;
        }
        next = error.source();
    }
    false
}

/// Seconds, or a date [RFC 9110 10.2.3].
fn retry_after(value: &str) -> Option<Duration> {
    let value = value.trim();
    match value.parse::<u64>() {
        Ok(seconds) => Some(Duration::from_secs(seconds.min(3600))),
        Err(_) => {
            http_date(value)?.duration_since(SystemTime::now()).ok().map(|wait| wait.min(Duration::from_secs(3600)))
        }
    }
}

/// A date of HTTP.
pub(crate) fn http_date(value: &str) -> Option<SystemTime> {
    SystemTime::try_from(DateTime::from_str(value, Format::HttpDate).ok()?).ok()
}

/// `2026-11-20T12:00:00Z`, to the second.
pub(crate) fn utc(time: SystemTime) -> String {
    let time = DateTime::from_secs(DateTime::from(time).secs());
    time.fmt(Format::DateTime).unwrap_or_else(|_| "unknown".to_owned())
}

#[cfg(test)]
mod tests;
