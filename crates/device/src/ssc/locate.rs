//! LOCATE(10) and LOCATE(16). [SSC-5 7.2, 5.3]

use bytes::Bytes;
use capstan_media::{FilemarkNumber, LocateTarget, LogicalObjectId, MediumFailureKind, MediumOp, Partition, Stop};
use capstan_scsi::sam::Cdb;
use capstan_scsi::{CheckCondition, Opcode};

use super::read::boundary;
use super::{DriveOp, DriveResult, TapeDrive, medium_failure};
use crate::server::{Command, Outcome};
use crate::spc::Reply;
use crate::spc::good;

fn is_10(cdb: &Cdb) -> bool {
    Opcode(cdb.opcode()) == Opcode::LOCATE_10
}

/// Where to. BT (vendor-specific addresses) changes nothing: both kinds of address are logical object numbers here.
fn target(cdb: &Cdb) -> Result<LocateTarget, CheckCondition> {
    if is_10(cdb) {
        return Ok(LocateTarget::Object(LogicalObjectId(u64::from(cdb.u32(3)))));
    }
    let number = cdb.u64(4);
    match (cdb.byte(1) >> 3) & 0x07 {
        0b000 => Ok(LocateTarget::Object(LogicalObjectId(number))),
        0b001 => Ok(LocateTarget::File(FilemarkNumber(number))),
        0b011 => Ok(LocateTarget::EndOfData),
        _ => Err(CheckCondition::invalid_field_in_cdb(1, Some(5))),
    }
}

/// Byte of the PARTITION field.
fn partition_at(cdb: &Cdb) -> u16 {
    if is_10(cdb) { 8 } else { 3 }
}

pub(super) fn check(_: &TapeDrive, command: &Command) -> Result<u32, CheckCondition> {
    target(&command.cdb).map(|_| 0)
}

/// IMMED is accepted and the command ends when the position is reached: that takes no time worth an early answer.
pub(super) fn execute(drive: &mut TapeDrive, command: &Command, _: Bytes) -> Reply<TapeDrive> {
    let change_partition = command.cdb.bit(1, 1);
    let partition = if change_partition {
        Partition(command.cdb.byte(usize::from(partition_at(&command.cdb))))
    } else {
        drive.threaded()?.position.partition
    };
    let target = target(&command.cdb)?;
    Ok(Outcome::Perform(DriveOp::Medium(MediumOp::Locate { partition, target })))
}

/// Beyond end of data the position is end of data, and the host is told. [SSC-5 7.2]
pub(super) fn resume(drive: &mut TapeDrive, command: &Command, result: DriveResult) -> Reply<TapeDrive> {
    match drive.settle(result)? {
        Err(failure) if failure.kind == MediumFailureKind::NoSuchPartition => {
            Err(CheckCondition::invalid_field_in_cdb(partition_at(&command.cdb), None))
        }
        Err(failure) => Err(medium_failure::check_condition(&failure, None)),
        Ok(done) => {
            drive.position_lost = false;
            match done.stop {
                None => Ok(good()),
                Some(Stop::EndOfData) if target(&command.cdb)? == LocateTarget::EndOfData => Ok(good()),
                Some(stop) => Err(boundary(stop)),
            }
        }
    }
}
