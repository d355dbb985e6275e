//! How the daemon says that it did not do something.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The body of every answer that is not a success.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Failure {
    /// Which kind of failure.
    pub kind: ErrorKind,
    /// What was not done.
    pub message: String,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// What can be done about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub next: String,
}

/// Kinds of failure that a program may want to tell apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The request makes no sense.
    Invalid,
    /// No such cartridge, drive, element or session.
    NotFound,
    /// The present state does not allow it: a full slot, a loaded cartridge, a barcode in use.
    Conflict,
    /// A rule forbids it: protection, a host that prevents removal.
    Refused,
    /// It was tried and failed.
    Failed,
}

impl ErrorKind {
    /// HTTP status code of the answer. [RFC 9110 15]
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::Refused => 403,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::Failed => 500,
        }
    }
}

impl Failure {
    /// A failure without an explanation yet.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), why: String::new(), next: String::new() }
    }

    /// Adds why.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    /// Adds what can be done about it.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = next.into();
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.why.is_empty() {
            write!(f, ": {}", self.why)?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_has_these_fields() {
        let failure = Failure::new(ErrorKind::NotFound, "no tape X").next("capstan tape list");
        assert_eq!(
            serde_json::to_string(&failure).unwrap(),
            r#"{"kind":"not_found","message":"no tape X","next":"capstan tape list"}"#
        );
        assert_eq!(serde_json::from_str::<Failure>(r#"{"kind":"refused","message":"m"}"#).unwrap().why, "");
    }
}
