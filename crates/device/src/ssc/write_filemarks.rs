//! WRITE FILEMARKS(6). [SSC-5 6.12]

use bytes::Bytes;
use capstan_media::{MediumOp, Stop};
use capstan_scsi::CheckCondition;

use super::write::{early_warning, volume_overflow};
use super::{DriveOp, DriveResult, TapeDrive, bay, medium_failure};
use crate::server::{Command, Outcome};
use crate::spc::{Reply, good};

fn count(command: &Command) -> u32 {
    command.cdb.u24(2)
}

/// A count of zero writes nothing and only flushes: a write-protected cartridge is no obstacle.
pub(super) fn execute(drive: &mut TapeDrive, command: &Command, _: Bytes) -> Reply<TapeDrive> {
    let count = count(command);
    if count > 0 {
        (bay::WRITABLE.check)(drive)?;
    }
    let immediate = command.cdb.bit(1, 0);
    if count == 0 && immediate {
        return Ok(good());
    }
    let op =
        if count == 0 { MediumOp::Synchronise } else { MediumOp::WriteFilemarks { count, synchronise: !immediate } };
    Ok(Outcome::Perform(DriveOp::Medium(op)))
}

pub(super) fn resume(drive: &mut TapeDrive, command: &Command, result: DriveResult) -> Reply<TapeDrive> {
    let count = u64::from(count(command));
    let done = match drive.settle(result)? {
        Ok(done) => done,
        Err(failure) => return Err(failed(drive, &failure, count)),
    };
    if count == 0 {
        return Ok(good());
    }
    drive.statistics.filemarks = drive.statistics.filemarks.saturating_add(done.count);
    if done.stop == Some(Stop::EndOfPartition) || done.count < count {
        return Err(volume_overflow().with_residue(count.saturating_sub(done.count)));
    }
    early_warning(done.position).map(|()| good())
}

fn failed(drive: &mut TapeDrive, failure: &capstan_media::MediumFailure, count: u64) -> CheckCondition {
    drive.statistics.filemarks = drive.statistics.filemarks.saturating_add(failure.count);
    medium_failure::check_condition(failure, Some(count.saturating_sub(failure.count)))
}
