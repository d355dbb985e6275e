//! Why a cartridge could not be created, opened, changed or closed.

use std::path::PathBuf;

use capstan_media::CartridgeId;
use capstan_store::StoreError;

/// A life-cycle operation on a cartridge failed. Medium operations answer [`capstan_media::MediumFailure`] instead.
#[derive(Debug, thiserror::Error)]
pub enum CartridgeError {
    /// The store refused or failed: no such cartridge, in use, already there, disk error, disk full.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Stored bytes do not describe a cartridge, or not this one.
    #[error("{}: at byte {offset}: {what}", .path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
    /// Written by a newer release than this one.
    #[error("{}: format version {version} is newer than this release can read (up to {known})", .path.display())]
    NewerVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u16,
        /// The newest version that this release knows.
        known: u16,
    },
    /// The cartridge is write-protected.
    #[error("cartridge {0} is write-protected")]
    WriteProtected(CartridgeId),
    /// It was not unloaded properly: what is on it is found out when it is loaded.
    #[error("cartridge {0} was not unloaded properly")]
    NotClosed(CartridgeId),
    /// A cartridge must hold at least one byte.
    #[error("a cartridge of {0} bytes cannot hold a block")]
    Capacity(u64),
    /// The tape has no older version of that number.
    #[error("cartridge {id} has no version {number}")]
    NoVersion {
        /// The cartridge.
        id: CartridgeId,
        /// The number.
        number: u32,
    },
    /// Something of what is to be cloned is only here.
    #[error("{bytes} bytes of cartridge {id} that are to be cloned are not in the tier yet")]
    NotShipped {
        /// The cartridge.
        id: CartridgeId,
        /// Host bytes in the segment that is missing there.
        bytes: u64,
    },
    /// Segments of an older version are neither here nor in the tier.
    #[error("{missing} objects of version {number} of cartridge {id} are lost")]
    VersionDamaged {
        /// The cartridge.
        id: CartridgeId,
        /// The version.
        number: u32,
        /// Blocks and filemarks in the segments that are missing.
        missing: u64,
    },
    /// What was written since the last good synchronisation could not be made durable.
    #[error("cartridge {id}: {what}")]
    Poisoned {
        /// The cartridge.
        id: CartridgeId,
        /// The failure that poisoned it.
        what: String,
    },
}
