//! How the medium fails. The device server maps each kind to sense data in one table.

use std::fmt;

use bytes::Bytes;

use crate::Position;

/// A medium operation failed.
#[derive(Clone, Debug)]
pub struct MediumFailure {
    /// What kind of failure: this decides the sense data.
    pub kind: MediumFailureKind,
    /// Where the medium stands now.
    pub position: Position,
    /// Blocks (or filemarks) finished before the failure; what they hold is valid.
    pub count: u64,
    /// The blocks that were read before the failure, `count` of them; empty for anything but a read.
    pub data: Bytes,
    /// For a person: which file, which offset, which object, and why.
    pub message: String,
}

/// Kinds of failure that differ in what the initiator must be told.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MediumFailureKind {
    /// Stored bytes do not match their checksum, or a segment is missing or malformed, and no other copy helped.
    Corrupt,
    /// The disk under the cartridge failed to read (EIO and the like).
    ReadFault,
    /// The disk failed to write; nothing more is written to the cartridge until it is loaded again.
    WriteFault,
    /// The disk failed to synchronise: what was written since the last good synchronisation is untrusted for ever.
    SyncFault,
    /// An earlier write fault: nothing more is written to this cartridge until it is loaded again.
    Poisoned,
    /// The disk or the quota is full; nothing of this block was written and the position is unchanged.
    NoSpace,
    /// The cartridge is write-protected.
    WriteProtected,
    /// The partition or object asked for does not exist on this medium.
    NoSuchPartition,
}

impl fmt::Display for MediumFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for MediumFailure {}
