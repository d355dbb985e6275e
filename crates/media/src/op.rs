//! What a drive asks of the medium, and what the medium answers.

use bytes::Bytes;

use crate::{FilemarkNumber, LogicalObjectId, MediumFailure, Partition, Position};

/// One operation on a loaded cartridge, starting at its current position.
///
/// Each leaves the cartridge at a defined position, which the answer carries, also when it fails.
#[derive(Clone, Debug)]
pub enum MediumOp {
    /// Write `data` as blocks of `block_length` bytes each; what follows the position is gone afterwards.
    ///
    /// `data` is a whole number of blocks, at least one; `block_length` is 1 to [`crate::MAX_BLOCK_LENGTH`].
    /// Done when the blocks are in the kernel: they survive the death of the process, not of the machine.
    Write {
        /// The blocks, one after the other.
        data: Bytes,
        /// Bytes in each.
        block_length: u32,
    },
    /// Write `count` filemarks; what follows the position is gone afterwards, unless `count` is 0.
    WriteFilemarks {
        /// How many.
        count: u32,
        /// Everything up to here is on stable storage when this is done (IMMED=0), whatever the count.
        synchronise: bool,
    },
    /// Read blocks forwards.
    Read(ReadRequest),
    /// Go to an absolute place.
    Locate {
        /// In this partition.
        partition: Partition,
        /// To this place.
        target: LocateTarget,
    },
    /// Go to a place relative to the position.
    Space(SpaceTarget),
    /// Go to the beginning of the current partition.
    Rewind,
    /// Make the current position end of data: everything after it is gone, and that is on stable storage when done.
    Erase,
    /// Put everything acknowledged on stable storage; the position stays.
    Synchronise,
    /// Only report the position.
    ReportPosition,
}

/// How much to read, and what to make of a block of another length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReadRequest {
    /// Length the initiator expects of each block, in bytes.
    pub block_length: u32,
    /// How many blocks: 1 in variable-block mode.
    pub count: u32,
}

/// Destination of [`MediumOp::Locate`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LocateTarget {
    /// Just before this object.
    Object(LogicalObjectId),
    /// Just after the filemark with this number minus one, that is to the start of this file; 0 is the beginning.
    File(FilemarkNumber),
    /// After the last object.
    EndOfData,
}

/// Destination of [`MediumOp::Space`]; a negative count goes towards the beginning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SpaceTarget {
    /// Over this many blocks; a filemark stops it.
    Blocks(i64),
    /// Over this many filemarks, whatever lies between.
    Filemarks(i64),
    /// To end of data.
    EndOfData,
}

/// A medium operation came to its end, or to a boundary before it.
#[derive(Clone, Debug)]
pub struct MediumDone {
    /// Where the medium stands now.
    pub position: Position,
    /// What was read; empty for anything but [`MediumOp::Read`]. Whole blocks, save that with
    /// [`Stop::IncorrectLength`] the last part is the beginning of the block that did not fit, at most
    /// `block_length` bytes of it.
    pub data: Bytes,
    /// Blocks, or filemarks, that were transferred or spaced over as asked. A block of incorrect length does not count.
    pub count: u64,
    /// What ended the operation before its count was reached.
    pub stop: Option<Stop>,
}

impl MediumDone {
    /// All of it was done; no data was read.
    #[must_use]
    pub fn complete(position: Position, count: u64) -> Self {
        Self { position, data: Bytes::new(), count, stop: None }
    }
}

/// Why an operation ended before its count was reached. None of these is an error of the medium.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// A filemark. READ and SPACE forwards stand after it, SPACE backwards before it. [SSC-5 SPACE(6)]
    Filemark,
    /// End of data; the position is end of data.
    EndOfData,
    /// Spacing backwards met the beginning of the partition.
    BeginningOfPartition,
    /// No room for the next block; the blocks before it (`count`) are written, it is not.
    EndOfPartition,
    /// A block of `actual` bytes instead of the length asked for; the position is after it.
    IncorrectLength {
        /// Its length in bytes.
        actual: u32,
    },
}

/// Outcome of a [`MediumOp`].
pub type MediumResult = Result<MediumDone, MediumFailure>;
