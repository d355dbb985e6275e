//! The nouns of a tape library, shared by every layer between the SCSI device servers and the disk.
//!
//! Nothing here does I/O. A device server turns a command into a [`MediumOp`]; a cartridge performs it and
//! answers a [`MediumResult`]; the two never see each other. The model test replays the same operations
//! against a `Vec` of objects.
#![forbid(unsafe_code)]

mod barcode;
mod element;
mod failure;
mod object;
mod op;
mod size;

pub use barcode::{Barcode, BarcodeError};
pub use element::{Element, ElementAddress, ElementKind, Layout, MoveRefused, Place};
pub use failure::{MediumFailure, MediumFailureKind};
pub use object::{CartridgeId, FilemarkNumber, GatewayId, LogicalObjectId, Partition, Position};
pub use op::{LocateTarget, MediumDone, MediumOp, MediumResult, ReadRequest, SpaceTarget, Stop};
pub use size::{ByteSize, ByteSizeError};

/// Longest logical block that any layer accepts, in bytes (8 MiB): what LTO drives report.
/// [SSC-5 READ BLOCK LIMITS]
pub const MAX_BLOCK_LENGTH: u32 = 8 * 1024 * 1024;

/// Smallest cartridge, in host bytes: room for early warning and what clients write after it.
pub const MIN_CARTRIDGE_SIZE: u64 = 128 * 1024 * 1024;

/// Host bytes before the end of a cartridge of `capacity` host bytes at which early warning begins:
/// 2 % of it, at least 32 MiB, at most 5 GiB.
#[must_use]
pub fn early_warning_reserve(capacity: u64) -> u64 {
    (capacity / 50).clamp(32 << 20, 5 << 30)
}
