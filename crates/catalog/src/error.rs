//! Why the catalog could not be read or changed.

use std::io;
use std::path::PathBuf;

use capstan_media::{CartridgeId, Place};

/// A catalog operation failed. After a failed [`crate::Catalog::commit`] nothing is known to have changed.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
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
    /// The database said no: a damaged file, a failed write, no space.
    #[error("cannot {what} in {}: {source}", .path.display())]
    Database {
        /// What was tried.
        what: &'static str,
        /// The catalog's file.
        path: PathBuf,
        /// What redb said.
        source: Box<redb::Error>,
    },
    /// The database cannot make sense of its own file.
    #[error("cannot {what}: {} is damaged", .path.display())]
    Unreadable {
        /// What was tried.
        what: &'static str,
        /// The catalog's file.
        path: PathBuf,
    },
    /// A value was written by a newer release.
    #[error("catalog, table {table}, key {key}: version {version} is newer than this release can read (up to {known})")]
    NewerVersion {
        /// The table.
        table: &'static str,
        /// The key.
        key: String,
        /// Version of the value.
        version: u8,
        /// Newest version that this release knows.
        known: u8,
    },
    /// A value does not decode.
    #[error("catalog, table {table}, key {key}: {what}")]
    Damaged {
        /// The table.
        table: &'static str,
        /// The key.
        key: String,
        /// What is wrong with it.
        what: String,
    },
    /// The state that is kept beside the catalog was written by a newer release.
    #[error("{}: version {version} is newer than this release can read", .path.display())]
    NewerState {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u16,
    },
    /// There is no catalog, and there was one.
    #[error("{} is missing", .0.display())]
    Missing(PathBuf),
    /// The catalog lacks changes that were answered, or is that of another library.
    #[error("{} is not the one that was written last: it has change {catalog}, `library.state` has {state}", .path.display())]
    Older {
        /// The catalog's file.
        path: PathBuf,
        /// The last change in it.
        catalog: u64,
        /// The last change that was answered.
        state: u64,
    },
    /// The values decode and contradict each other.
    #[error("catalog: {0}")]
    Inconsistent(#[from] StateError),
    /// An earlier commit failed, so the file may hold that change or not: only [`crate::Catalog::replace`] settles it.
    #[error("catalog: an earlier change failed half-way; the whole state must be written again")]
    Unsettled,
}

impl CatalogError {
    /// The catalog is lost in whole or part, and can be made again from what is kept beside it.
    #[must_use]
    pub fn is_recoverable(&self) -> bool {
        match self {
            Self::Missing(_) | Self::Older { .. } | Self::Unreadable { .. } | Self::Damaged { .. } => true,
            Self::Inconsistent(_) | Self::Database { .. } => true,
            Self::Io { .. } | Self::NewerVersion { .. } | Self::NewerState { .. } | Self::Unsettled => false,
        }
    }
}

/// What can be wrong with a [`crate::State`] as a whole.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StateError {
    /// A place holds a cartridge that is not listed.
    #[error("{place} holds cartridge {cartridge}, which is not listed")]
    UnknownCartridge {
        /// The place.
        place: Place,
        /// What it is said to hold.
        cartridge: CartridgeId,
    },
    /// Two places hold the same cartridge.
    #[error("cartridge {cartridge} is in {first} and in {second}")]
    TwoPlaces {
        /// The cartridge.
        cartridge: CartridgeId,
        /// One place.
        first: Place,
        /// The other.
        second: Place,
    },
    /// Two cartridges have the same label.
    #[error("cartridges {first} and {second} have the same barcode {barcode}")]
    SameBarcode {
        /// The label.
        barcode: String,
        /// One cartridge.
        first: CartridgeId,
        /// The other.
        second: CartridgeId,
    },
}
