//! Why a tier could not do what was asked.

use std::fmt;
use std::time::Duration;

/// A call to a tier failed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("cannot {operation} {key}: {message}")]
pub struct TierError {
    /// What can be done about it.
    pub kind: TierErrorKind,
    /// What was tried: `create`, `read`, `head`, `list`, `delete`.
    pub operation: &'static str,
    /// On which object; of a list the prefix.
    pub key: String,
    /// What went wrong, and why as far as it is known.
    pub message: String,
    /// The tier asked to be left alone for so long.
    pub retry_after: Option<Duration>,
}

/// What can be done about a [`TierError`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TierErrorKind {
    /// There is no such object. Nothing was changed.
    NotFound,
    /// Another request on the same key is under way: try again.
    Conflict,
    /// We may not do this.
    Denied,
    /// Too many requests: try again later.
    Throttled,
    /// Time-out, connection lost, name not found, a failure of the server, a file system that is not mounted: try again
    /// later. What was asked may have been done.
    Unavailable,
    /// What came is not what was stored: a checksum is wrong, or bytes are missing or too many.
    Corrupt,
    /// The tier is full, or the quota is.
    NoSpace,
    /// The tier is not what the configuration says: no such bucket, a directory that cannot be one, another region, a clock
    /// that differs.
    Misconfigured,
    /// Who we are is not known, or no longer.
    Credentials,
}

impl TierErrorKind {
    /// The same call may succeed later without anybody doing anything.
    #[must_use]
    pub fn is_transient(self) -> bool {
        match self {
            Self::Conflict | Self::Throttled | Self::Unavailable => true,
            Self::NotFound | Self::Denied | Self::Corrupt | Self::NoSpace | Self::Misconfigured | Self::Credentials => {
                false
            }
        }
    }
}

impl fmt::Display for TierErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "not found",
            Self::Conflict => "conflict",
            Self::Denied => "denied",
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::Corrupt => "corrupt",
            Self::NoSpace => "no space",
            Self::Misconfigured => "misconfigured",
            Self::Credentials => "credentials",
        })
    }
}

impl TierError {
    /// An error without a time to wait.
    #[must_use]
    pub fn new(kind: TierErrorKind, operation: &'static str, key: &str, message: impl Into<String>) -> Self {
        Self { kind, operation, key: key.to_owned(), message: message.into(), retry_after: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_on_what_and_why() {
        let error = TierError::new(TierErrorKind::NoSpace, "create", "v1/x", "no space left on device");
        assert_eq!(error.to_string(), "cannot create v1/x: no space left on device");
    }
}
