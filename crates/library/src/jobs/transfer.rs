//! What an export or an import has come to.

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use capstan_cartridge::{CartridgeError, Progress};
use capstan_image::tap::TapError;

use super::JobState;
use crate::LibraryError;

/// What has gone from a tape to a file or back.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Transfer {
    /// Blocks.
    pub blocks: u64,
    /// Filemarks.
    pub filemarks: u64,
    /// Bytes in the blocks.
    pub bytes: u64,
    /// Blocks that could not be read: named in an image that was written, left out of a cartridge that was made.
    pub errors: u64,
}

/// Why it did not.
#[derive(Debug, thiserror::Error)]
pub(super) enum TransferError {
    #[error("it was cancelled")]
    Cancelled,
    #[error("cannot {what} {}: {source}", .path.display())]
    Io { what: &'static str, path: PathBuf, source: io::Error },
    #[error("{} exists already; say --yes to replace it", .0.display())]
    Exists(PathBuf),
    #[error("{} is a directory with other files than an export writes: it is not replaced", .0.display())]
    OtherFiles(PathBuf),
    #[error("{}: {source}", .path.display())]
    Tap { path: PathBuf, source: TapError },
    #[error(
        "{}: byte {offset}: a block that could not be read when the image was made; --skip-errors leaves such blocks out",
        .path.display()
    )]
    Bad { path: PathBuf, offset: u64 },
    #[error("{}: line {line}: {what}", .path.display())]
    Index { path: PathBuf, line: u64, what: String },
    #[error("{}: {what}", .path.display())]
    File { path: PathBuf, what: String },
    #[error("the cartridge has {has} filemarks, and number {wanted} was asked for")]
    NoFilemark { wanted: u64, has: u64 },
    #[error("{}", .0)]
    Full(String),
    #[error("object {object}: {what}")]
    Medium { object: u64, what: String },
    #[error("the job itself failed")]
    Panicked,
    #[error(transparent)]
    Cartridge(#[from] CartridgeError),
    #[error(transparent)]
    Library(#[from] LibraryError),
}

impl TransferError {
    /// How a job ends that has come to this.
    pub(super) fn state(&self) -> JobState {
        match self {
            Self::Cancelled => JobState::cancelled(),
            error => JobState::Failed(error.to_string()),
        }
    }
}

/// What the file system said, with what it said it about.
pub(super) trait Context<T> {
    fn context(self, what: &'static str, path: &Path) -> Result<T, TransferError>;
}

impl<T> Context<T> for io::Result<T> {
    fn context(self, what: &'static str, path: &Path) -> Result<T, TransferError> {
        self.map_err(|source| TransferError::Io { what, path: path.to_owned(), source })
    }
}

/// What an event says of it.
pub(super) fn sentence(transfer: &Transfer, file: Option<&Path>) -> String {
    let Transfer { blocks, filemarks, bytes, errors } = transfer;
    let file = file.map_or_else(String::new, |file| format!("; {}", file.display()));
    let errors = match errors {
        0 => String::new(),
        errors => format!(", {errors} could not be read"),
    };
    format!("{blocks} blocks of {bytes} bytes in all, {filemarks} filemarks{errors}{file}")
}

/// Is told how far it is, and may end it.
pub(super) type Watch<'a> = &'a mut dyn FnMut(Progress) -> ControlFlow<()>;

/// Says how far it is; an error if it is to end.
pub(super) fn tell(watch: Watch<'_>, done: u64, total: u64) -> Result<(), TransferError> {
    match watch(Progress { done: done.min(total), total }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(TransferError::Cancelled),
    }
}
