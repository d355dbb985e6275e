//! How a command fails: what, why, what next, and the exit code.

use std::fmt;
use std::process::ExitCode;

use capstan_api::{ClientError, ErrorKind};
use serde::Serialize;

/// Exit codes. 0 is success, and clap ends with 2 by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Exit {
    /// It was tried and failed.
    Failed,
    /// The command was not given rightly.
    Usage,
    /// No daemon answers.
    NoDaemon,
    /// A rule forbids it.
    Refused,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::NoDaemon => 3,
            Exit::Refused => 4,
        })
    }
}

/// A command that failed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct Failure {
    /// How the process ends.
    #[serde(skip)]
    pub(crate) exit: Exit,
    /// A word for programs.
    kind: &'static str,
    /// What was not done.
    message: String,
    /// Why; more than one line where several things matter.
    #[serde(skip_serializing_if = "String::is_empty")]
    why: String,
    /// What can be done about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    next: String,
    /// The message is for people as it is, without `error:` before it.
    #[serde(skip)]
    verbatim: bool,
    /// The answer that was printed in JSON says it already.
    #[serde(skip)]
    pub(crate) told: bool,
}

impl Failure {
    /// A failure of the kind that goes with its exit code.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        let kind = match exit {
            Exit::Failed => "failed",
            Exit::Usage => "invalid",
            Exit::NoDaemon => "no_daemon",
            Exit::Refused => "refused",
        };
        Self {
            exit,
            kind,
            message: message.into(),
            why: String::new(),
            next: String::new(),
            verbatim: false,
            told: false,
        }
    }

    /// Something was tried and failed.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// Adds why.
    pub(crate) fn why(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    /// Adds what can be done about it.
    pub(crate) fn next(mut self, next: impl Into<String>) -> Self {
        self.next = next.into();
        self
    }

    /// The answer in JSON has said it.
    pub(crate) fn told(mut self) -> Self {
        self.told = true;
        self
    }

    /// The message says all, in the form that people should see.
    pub(crate) fn verbatim(mut self) -> Self {
        self.verbatim = true;
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.verbatim {
            return f.write_str(&self.message);
        }
        write!(f, "error: {}", self.message)?;
        for (label, text) in [("why: ", &self.why), ("next:", &self.next)] {
            for (index, line) in text.lines().enumerate() {
                write!(f, "\n  {} {line}", if index == 0 { label } else { "     " })?;
            }
        }
        Ok(())
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Connect { socket, error } => Self::new(Exit::NoDaemon, "no daemon answers")
                .why(format!("{}: {error}", socket.display()))
                .next("start one with `capstan serve`"),
            ClientError::Failure(failure) => {
                let (exit, kind) = match failure.kind {
                    ErrorKind::Invalid => (Exit::Usage, "invalid"),
                    ErrorKind::NotFound => (Exit::Failed, "not_found"),
                    ErrorKind::Conflict => (Exit::Failed, "conflict"),
                    ErrorKind::Refused => (Exit::Refused, "refused"),
                    ErrorKind::Failed => (Exit::Failed, "failed"),
                };
                Self { kind, ..Self::new(exit, failure.message).why(failure.why).next(failure.next) }
            }
            ClientError::Transport(_) | ClientError::Answer { .. } => Self::failed(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_see_what_why_and_next() {
        let failure = Failure::failed("no").why("one\ntwo").next("three");
        assert_eq!(failure.to_string(), "error: no\n  why:  one\n        two\n  next: three");
        assert_eq!(Failure::failed("all").verbatim().to_string(), "all");
    }

    #[test]
    fn a_rule_of_the_daemon_ends_with_its_own_code() {
        let failure = capstan_api::Failure::new(ErrorKind::Refused, "tape X is write-protected");
        assert_eq!(Failure::from(ClientError::Failure(failure)).exit, Exit::Refused);
    }
}
