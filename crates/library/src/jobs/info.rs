//! What is shown of a job.

use std::path::PathBuf;

use capstan_cartridge::{Progress, Report};
use capstan_media::{Barcode, CartridgeId};

use super::Transfer;

/// What is done.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum JobKind {
    /// All of a cartridge is read, and every checksum verified.
    Verify,
    /// All of a cartridge is brought into the cache.
    Stage,
    /// A cartridge is written to a file.
    Export,
    /// A new cartridge is made from files.
    Import,
}

impl JobKind {
    /// All of them: each has a thread of its own, so a tier that is slow keeps no verification waiting.
    pub const ALL: [Self; 4] = [Self::Verify, Self::Stage, Self::Export, Self::Import];

    /// Its name for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Stage => "stage",
            Self::Export => "export",
            Self::Import => "import",
        }
    }
}

/// A job.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobInfo {
    /// Its number, from 1 for each run of the daemon.
    pub id: u64,
    /// What is done.
    pub kind: JobKind,
    /// The cartridge that it is done with.
    pub barcode: Barcode,
    /// Its identity.
    pub cartridge: CartridgeId,
    /// The file that it is written to, or made from: the first one if there are several.
    pub file: Option<PathBuf>,
    /// How far it is.
    pub state: JobState,
    /// Bytes dealt with, and in all.
    pub progress: Progress,
    /// When it was asked for, seconds since 1970 UTC.
    pub created: u64,
}

/// How far a job is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum JobState {
    /// Others are before it.
    Waiting,
    /// It is being done.
    Running,
    /// It is done.
    Done(JobOutcome),
    /// Somebody, or something that goes first, ended it.
    Cancelled(String),
    /// It could not be done.
    Failed(String),
}

/// What a job that is done has come to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum JobOutcome {
    /// What a verification found.
    Verified(Box<Report>),
    /// Bytes of the cartridge that are in the cache.
    Staged(u64),
    /// What was written to a file, or made from files.
    Transferred(Transfer),
}

impl JobState {
    /// Nothing more happens.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Cancelled(_) | Self::Failed(_))
    }

    /// Somebody asked for its end.
    pub(super) fn cancelled() -> Self {
        Self::Cancelled("it was cancelled".to_owned())
    }
}
