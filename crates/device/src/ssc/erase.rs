//! ERASE(6). [SSC-5 6.2]

use bytes::Bytes;
use capstan_media::MediumOp;

use super::{DriveOp, DriveResult, TapeDrive, medium_failure};
use crate::server::{Command, Outcome};
use crate::spc::{Reply, good};

/// Short or long, the position becomes end of data and what followed it is gone; IMMED is accepted.
// DEVIATION(ssc-002): LONG=1 does not overwrite the rest of the medium with a pattern; nothing of it can be read either
// way.
pub(super) fn execute(_: &mut TapeDrive, _: &Command, _: Bytes) -> Reply<TapeDrive> {
    Ok(Outcome::Perform(DriveOp::Medium(MediumOp::Erase)))
}

pub(super) fn resume(drive: &mut TapeDrive, _: &Command, result: DriveResult) -> Reply<TapeDrive> {
    match drive.settle(result)? {
        Ok(done) => {
            if let Some(medium) = drive.threaded_mut()
                && done.position.is_beginning_of_partition()
            {
                medium.used = 0;
            }
            Ok(good())
        }
        Err(failure) => Err(medium_failure::check_condition(&failure, None)),
    }
}
