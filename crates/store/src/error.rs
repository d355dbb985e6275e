//! Why the store could not do what was asked.

use std::io;
use std::path::{Path, PathBuf};

use capstan_media::CartridgeId;

/// A store operation failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system said no.
    #[error("cannot {what} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// Another process works in this directory.
    #[error("{} is in use by another process", .0.display())]
    Locked(PathBuf),
    /// There is no such cartridge.
    #[error("there is no cartridge {0} in the store")]
    NotFound(CartridgeId),
    /// There is such a cartridge already.
    #[error("cartridge {0} is in the store already")]
    AlreadyExists(CartridgeId),
    /// Nobody has the store any more.
    #[error("the store is closed")]
    Closed,
    /// The cartridge is loaded, or another operation works on it.
    #[error("cartridge {0} is in use")]
    InUse(CartridgeId),
}

impl StoreError {
    /// The file or directory is not there.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        match self {
            Self::Io { source, .. } => source.kind() == io::ErrorKind::NotFound,
            Self::NotFound(_) => true,
            Self::Locked(_) | Self::AlreadyExists(_) | Self::Closed | Self::InUse(_) => false,
        }
    }

    /// The disk or the quota is full.
    #[must_use]
    pub fn is_no_space(&self) -> bool {
        matches!(self, Self::Io { source, .. } if capstan_disk::is_no_space(source))
    }
}

/// An append ended before all was written.
#[derive(Debug)]
pub struct AppendStopped {
    /// Bytes that were written.
    pub written: u64,
    /// Why it ended.
    pub error: StoreError,
}

/// Adds what was tried, and on what, to the file system's answer.
pub(crate) trait Context<T> {
    fn context(self, what: &'static str, path: &Path) -> Result<T, StoreError>;
}

impl<T> Context<T> for io::Result<T> {
    fn context(self, what: &'static str, path: &Path) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Io { what, path: path.to_owned(), source })
    }
}
