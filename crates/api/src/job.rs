//! Work that goes on behind everything else.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Transfer;

/// A job: a cartridge is verified, brought into the cache, written to a file, or made from files.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Job {
    /// Its number, from 1 for each run of the daemon.
    pub id: u64,
    /// What is done: `verify`, `stage`, `export` or `import`.
    pub kind: String,
    /// The cartridge that it is done with.
    pub barcode: String,
    /// The file that it is written to, or made from: the first one if there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// How far it is.
    pub state: JobState,
    /// When it was asked for, seconds since 1970 UTC.
    pub created: u64,
    /// Bytes dealt with.
    pub done_bytes: u64,
    /// Bytes in all; 0 before it has begun.
    pub total_bytes: u64,
    /// Why it was cancelled or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What a verification found, when it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Verification>,
    /// Bytes of the cartridge that are in the cache, when it is staged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staged_bytes: Option<u64>,
    /// What an export has written, or an import made, when it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transferred: Option<Transfer>,
}

/// How far a job is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Others are before it.
    Waiting,
    /// It is being done.
    Running,
    /// It is done.
    Done,
    /// Somebody, or something that goes first, ended it.
    Cancelled,
    /// It could not be done.
    Failed,
}

impl JobState {
    /// Nothing more happens.
    #[must_use]
    pub fn is_ended(self) -> bool {
        matches!(self, Self::Done | Self::Cancelled | Self::Failed)
    }
}

impl fmt::Display for JobState {
    /// As JSON has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        })
    }
}

/// What a verification found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Verification {
    /// Nothing is damaged.
    pub good: bool,
    /// A drive can load it.
    pub loadable: bool,
    /// Blocks and filemarks on the tape.
    pub objects: u64,
    /// Filemarks among them.
    pub filemarks: u64,
    /// Host bytes on the tape.
    pub used: u64,
    /// Objects that cannot be read.
    pub lost: u64,
    /// Which can.
    pub readable: Vec<Objects>,
    /// Files looked at.
    pub files: u64,
    /// Bytes read.
    pub bytes: u64,
    /// What is not as it should be; the first thousand.
    pub findings: Vec<Finding>,
    /// Findings beyond these.
    pub more: u64,
}

/// One thing that is not as it should be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// What sort of thing it is: `docs/recovery.md` lists the kinds.
    pub kind: String,
    /// It must not be so; else it is only left over.
    pub damage: bool,
    /// The file.
    pub file: String,
    /// Where in it.
    pub offset: u64,
    /// How many bytes are concerned.
    pub length: u64,
    /// The objects that are lost by it.
    pub objects: Option<Objects>,
    /// What is wrong, for a person.
    pub what: String,
}

/// Consecutive logical objects.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Objects {
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
}

impl fmt::Display for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            return write!(f, "object {}", self.first);
        }
        write!(f, "objects {} to {}", self.first, self.last)
    }
}

/// Asks that a cartridge be verified.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifyTape {}
