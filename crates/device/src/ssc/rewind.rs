//! REWIND. [SSC-5 7.9]

use bytes::Bytes;
use capstan_media::MediumOp;

use super::{DriveOp, DriveResult, TapeDrive, medium_failure};
use crate::server::{Command, Outcome};
use crate::spc::{Reply, good};

/// IMMED is accepted; the command ends when the medium stands at the beginning.
pub(super) fn execute(_: &mut TapeDrive, _: &Command, _: Bytes) -> Reply<TapeDrive> {
    Ok(Outcome::Perform(DriveOp::Medium(MediumOp::Rewind)))
}

pub(super) fn resume(drive: &mut TapeDrive, _: &Command, result: DriveResult) -> Reply<TapeDrive> {
    match drive.settle(result)? {
        Ok(_) => {
            drive.position_lost = false;
            Ok(good())
        }
        Err(failure) => Err(medium_failure::check_condition(&failure, None)),
    }
}
