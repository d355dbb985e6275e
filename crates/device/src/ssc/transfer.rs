//! TRANSFER LENGTH and FIXED of READ(6) and WRITE(6). [SSC-5 4.2.13]

use capstan_media::MAX_BLOCK_LENGTH;
use capstan_scsi::CheckCondition;
use capstan_scsi::sam::Cdb;

/// Bytes that one READ or WRITE moves at most, in fixed-block mode.
// DEVIATION(ssc-001): transfers of more than 16 MiB are refused, so that one command cannot claim gigabytes of memory.
pub(super) const MAX_TRANSFER: u32 = 2 * MAX_BLOCK_LENGTH;

/// What READ(6) or WRITE(6) is to move.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Transfer {
    /// FIXED=0: one block of this many bytes.
    Variable { length: u32 },
    /// FIXED=1: `count` blocks of the block length set by MODE SELECT.
    Fixed { count: u32, block_length: u32 },
}

impl Transfer {
    /// From the CDB, and the block length of the mode block descriptor.
    pub(super) fn of(cdb: &Cdb, block_length: u32) -> Self {
        let length = cdb.u24(2);
        if cdb.bit(1, 0) { Self::Fixed { count: length, block_length } } else { Self::Variable { length } }
    }

    /// Bytes in all.
    ///
    /// # Errors
    /// INVALID FIELD IN CDB: FIXED without a block length, or more than one command may move.
    pub(super) fn bytes(self) -> Result<u32, CheckCondition> {
        match self {
            Self::Variable { length } => Ok(length),
            Self::Fixed { block_length: 0, .. } => Err(CheckCondition::invalid_field_in_cdb(1, Some(0))),
            Self::Fixed { count, block_length } => count
                .checked_mul(block_length)
                .filter(|bytes| *bytes <= MAX_TRANSFER)
                .ok_or(CheckCondition::invalid_field_in_cdb(2, None)),
        }
    }

    /// INFORMATION after `count` blocks were moved: blocks left in fixed-block mode, the whole length in variable.
    pub(super) fn residue(self, moved: u64) -> u64 {
        match self {
            Self::Variable { length } if moved == 0 => u64::from(length),
            Self::Variable { .. } => 0,
            Self::Fixed { count, .. } => u64::from(count).saturating_sub(moved),
        }
    }
}
