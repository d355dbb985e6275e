//! WRITE(6). [SSC-5 6.11]

use bytes::Bytes;
use capstan_media::{MAX_BLOCK_LENGTH, MediumFailureKind, MediumOp, Position, Stop};
use capstan_scsi::asc::Asc;
use capstan_scsi::{CheckCondition, SenseKey};

use super::drive::internal_failure;
use super::transfer::Transfer;
use super::{DriveOp, DriveResult, Stalled, TapeDrive, medium_failure};
use crate::server::{Command, Outcome};
use crate::spc::{Admission, Reply, good};

pub(super) fn check(drive: &TapeDrive, command: &Command) -> Result<u32, CheckCondition> {
    let transfer = Transfer::of(&command.cdb, drive.mode.block_length);
    match transfer {
        Transfer::Variable { length } if length > MAX_BLOCK_LENGTH => {
            Err(CheckCondition::invalid_field_in_cdb(2, None))
        }
        _ => transfer.bytes(),
    }
}

/// Blocks wait for room before they are asked for, so a WRITE that finds none has transferred nothing, and sent again
/// it is the same WRITE.
pub(super) const ADMISSION: Admission<TapeDrive> =
    Admission { ask: |bytes| DriveOp::Admit { bytes }, answered: admitted };

/// Without room it ends as on a full disk: the host can do the same about either, and what it is told of the medium
/// is that nothing is wrong with it.
fn admitted(drive: &mut TapeDrive, answer: &DriveResult) -> Result<(), CheckCondition> {
    match answer {
        DriveResult::Admitted(Ok(())) => Ok(()),
        DriveResult::Admitted(Err(Stalled)) => {
            drive.alerts.raise_all(medium_failure::alerts_of(MediumFailureKind::NoSpace));
            let (key, asc) = medium_failure::sense_of(MediumFailureKind::NoSpace);
            Err(CheckCondition::new(key, asc))
        }
        _ => Err(internal_failure()),
    }
}

/// A WRITE whose data does not all arrive writes nothing: part of a block would be a wrong block.
pub(super) fn execute(drive: &mut TapeDrive, command: &Command, data: Bytes) -> Reply<TapeDrive> {
    let transfer = Transfer::of(&command.cdb, drive.mode.block_length);
    let length = transfer.bytes()?;
    drive.after_synchronise = None;
    if u32::try_from(data.len()) != Ok(length) {
        return Err(CheckCondition::new(SenseKey::AbortedCommand, Asc::DATA_PHASE_ERROR));
    }
    let block_length = match transfer {
        Transfer::Variable { length: 0 } | Transfer::Fixed { count: 0, .. } => return Ok(good()),
        Transfer::Variable { length } => length,
        Transfer::Fixed { block_length, .. } => block_length,
    };
    Ok(Outcome::Perform(DriveOp::Medium(MediumOp::Write { data, block_length })))
}

pub(super) fn resume(drive: &mut TapeDrive, command: &Command, result: DriveResult) -> Reply<TapeDrive> {
    let transfer = Transfer::of(&command.cdb, drive.mode.block_length);
    if let Some(ended) = drive.after_synchronise.take() {
        return synchronised(drive, transfer, result, ended);
    }
    let before = drive.threaded().map(|medium| medium.position).unwrap_or_default();
    let done = match drive.settle(result)? {
        Ok(done) => done,
        Err(failure) => {
            account(drive, transfer, before, failure.count);
            return Err(medium_failure::check_condition(&failure, Some(transfer.residue(failure.count))));
        }
    };
    account(drive, transfer, before, done.count);
    let ended = if done.stop == Some(Stop::EndOfPartition) || transfer.residue(done.count) > 0 {
        Err(volume_overflow().with_residue(transfer.residue(done.count)))
    } else {
        early_warning(done.position)
    };
    if drive.mode.buffered {
        return ended.map(|()| good());
    }
    drive.after_synchronise = Some(ended);
    Ok(Outcome::Perform(DriveOp::Medium(MediumOp::Synchronise)))
}

/// In unbuffered mode the command ends once its data is on stable storage.
fn synchronised(
    drive: &mut TapeDrive,
    transfer: Transfer,
    result: DriveResult,
    ended: Result<(), CheckCondition>,
) -> Reply<TapeDrive> {
    match drive.settle(result)? {
        Ok(_) => ended.map(|()| good()),
        Err(failure) => Err(medium_failure::check_condition(&failure, Some(transfer.residue(0)))),
    }
}

/// Counts what was written, and how much the medium holds now as far as the drive can know.
fn account(drive: &mut TapeDrive, transfer: Transfer, before: Position, blocks: u64) {
    let block_length = match transfer {
        Transfer::Variable { length } => length,
        Transfer::Fixed { block_length, .. } => block_length,
    };
    let bytes = blocks.saturating_mul(u64::from(block_length));
    drive.statistics.count_write(blocks, bytes);
    if let Some(medium) = drive.threaded_mut() {
        let kept = if before.is_beginning_of_partition() { 0 } else { medium.used };
        medium.used = kept.saturating_add(bytes);
    }
}

/// No room for the rest; EOM. [SSC-5 4.2.5]
pub(super) fn volume_overflow() -> CheckCondition {
    CheckCondition::new(SenseKey::VolumeOverflow, Asc::END_OF_PARTITION_MEDIUM_DETECTED).with_end_of_medium()
}

/// After early warning each write says so, with everything written and VALID zero: a residue there would make hosts
/// write the block again. [SSC-5 4.2.5]
pub(super) fn early_warning(position: Position) -> Result<(), CheckCondition> {
    if position.early_warning {
        let asc = Asc::END_OF_PARTITION_MEDIUM_DETECTED;
        Err(CheckCondition::new(SenseKey::NoSense, asc).with_end_of_medium())
    } else {
        Ok(())
    }
}
