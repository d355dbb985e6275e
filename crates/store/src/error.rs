//! Why the store could not do what was asked.

use std::io;
use std::path::PathBuf;

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
    /// The cartridge is loaded, or another operation works on it.
    #[error("cartridge {0} is in use")]
    InUse(CartridgeId),
}

impl StoreError {
    /// The disk or the quota is full.
    #[must_use]
    pub fn is_no_space(&self) -> bool {
        matches!(self, Self::Io { source, .. } if capstan_disk::is_no_space(source))
    }
}
