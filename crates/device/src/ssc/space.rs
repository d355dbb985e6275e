//! SPACE(6) and SPACE(16). [SSC-5 7.10, 5.5]

use bytes::Bytes;
use capstan_media::{MediumOp, SpaceTarget};
use capstan_scsi::sam::Cdb;
use capstan_scsi::{CheckCondition, Opcode};

use super::read::boundary;
use super::{DriveOp, DriveResult, TapeDrive, medium_failure};
use crate::server::{Command, Outcome};
use crate::spc::{Reply, good};

/// COUNT, sign-extended.
fn count(cdb: &Cdb) -> i64 {
    if Opcode(cdb.opcode()) == Opcode::SPACE_6 {
        let count = i64::from(cdb.u24(2));
        if cdb.bit(2, 7) { count.saturating_sub(1 << 24) } else { count }
    } else {
        i64::from_be_bytes(cdb.u64(4).to_be_bytes())
    }
}

/// CODE: blocks, filemarks or end of data. Sequential filemarks (2) and setmarks are not supported.
fn target(cdb: &Cdb) -> Result<SpaceTarget, CheckCondition> {
    match cdb.byte(1) & 0x0f {
        0 => Ok(SpaceTarget::Blocks(count(cdb))),
        1 => Ok(SpaceTarget::Filemarks(count(cdb))),
        3 => Ok(SpaceTarget::EndOfData),
        _ => Err(CheckCondition::invalid_field_in_cdb(1, Some(3))),
    }
}

/// Blocks or filemarks to pass.
fn asked(target: SpaceTarget) -> Option<u64> {
    match target {
        SpaceTarget::Blocks(count) | SpaceTarget::Filemarks(count) => Some(count.unsigned_abs()),
        SpaceTarget::EndOfData => None,
    }
}

pub(super) fn check(_: &TapeDrive, command: &Command) -> Result<u32, CheckCondition> {
    target(&command.cdb).map(|_| 0)
}

/// To end of data works from anywhere; the rest needs a known position. Where it is refused for want of one, the residue
/// says that nothing was passed: st takes an error without a residue for a SPACE that went all the way.
pub(super) fn execute(drive: &mut TapeDrive, command: &Command, _: Bytes) -> Reply<TapeDrive> {
    let target = target(&command.cdb)?;
    if let Some(asked) = asked(target) {
        drive.threaded()?;
        drive.check_position().map_err(|refused| refused.with_residue(asked))?;
    }
    match target {
        SpaceTarget::Blocks(0) | SpaceTarget::Filemarks(0) => Ok(good()),
        _ => Ok(Outcome::Perform(DriveOp::Medium(MediumOp::Space(target)))),
    }
}

pub(super) fn resume(drive: &mut TapeDrive, command: &Command, result: DriveResult) -> Reply<TapeDrive> {
    let target = target(&command.cdb)?;
    let asked = asked(target);
    let residue = |count: u64| asked.map(|asked| asked.saturating_sub(count));
    let done = match drive.settle(result)? {
        Ok(done) => done,
        Err(failure) => return Err(medium_failure::check_condition(&failure, residue(failure.count))),
    };
    match (asked, done.stop) {
        (None, _) => {
            drive.position_lost = false;
            Ok(good())
        }
        (Some(_), None) => Ok(good()),
        (Some(asked), Some(stop)) => Err(boundary(stop).with_residue(asked.saturating_sub(done.count))),
    }
}
