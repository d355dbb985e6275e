//! LOAD UNLOAD. [SSC-5 7.3]
//!
//! | in the drive | LOAD | UNLOAD | UNLOAD HOLD |
//! |---|---|---|---|
//! | threaded | to the beginning of partition 0 | unthread, then 3Ah/00h | unthread, then 04h/02h |
//! | held | thread | GOOD, then 3Ah/00h | GOOD |
//! | unloaded | thread | GOOD | GOOD |
//! | nothing | the library is asked, then 3Ah/00h | 3Ah/00h | 3Ah/00h |

use bytes::Bytes;
use capstan_media::{LocateTarget, LogicalObjectId, MediumOp, Partition};
use capstan_scsi::asc::Asc;
use capstan_scsi::{CheckCondition, SenseKey};

use super::bay::{Bay, medium_not_present};
use super::drive::internal_failure;
use super::{DriveOp, DriveResult, TapeAlertFlag, TapeDrive, medium_failure};
use crate::server::{Command, Outcome};
use crate::spc::{Reply, good};

struct Bits {
    load: bool,
    eot: bool,
    hold: bool,
}

fn bits(command: &Command) -> Bits {
    let bit = |bit| command.cdb.bit(4, bit);
    Bits { load: bit(0), eot: bit(2), hold: bit(3) }
}

/// RETEN and IMMED are accepted without effect; EOT cannot go with LOAD.
pub(super) fn check(_: &TapeDrive, command: &Command) -> Result<u32, CheckCondition> {
    let Bits { load, eot, .. } = bits(command);
    if load && eot { Err(CheckCondition::invalid_field_in_cdb(4, Some(2))) } else { Ok(0) }
}

pub(super) fn execute(drive: &mut TapeDrive, command: &Command, _: Bytes) -> Reply<TapeDrive> {
    let Bits { load, hold, .. } = bits(command);
    if load { execute_load(drive, hold) } else { execute_unload(drive, hold) }
}

fn execute_load(drive: &TapeDrive, hold: bool) -> Reply<TapeDrive> {
    match &drive.bay {
        // LOAD with HOLD takes the cartridge in and leaves it unthreaded, which it is.
        Bay::Empty { seated: true } | Bay::Held if hold => Ok(good()),
        Bay::Empty { seated: false } if hold => Err(medium_not_present()),
        // Whether a cartridge sits there the library knows best: it may have been unloaded before a restart.
        Bay::Empty { .. } | Bay::Held => Ok(Outcome::Perform(DriveOp::Load)),
        Bay::Threaded(_) => {
            let target = LocateTarget::Object(LogicalObjectId(0));
            Ok(Outcome::Perform(DriveOp::Medium(MediumOp::Locate { partition: Partition(0), target })))
        }
    }
}

fn execute_unload(drive: &mut TapeDrive, hold: bool) -> Reply<TapeDrive> {
    let prevented = drive.spc.removal.is_prevented();
    match &drive.bay {
        Bay::Empty { seated: false } => Err(medium_not_present()),
        Bay::Empty { seated: true } => Ok(good()),
        _ if prevented => Err(CheckCondition::new(SenseKey::IllegalRequest, Asc::MEDIUM_REMOVAL_PREVENTED)),
        Bay::Held if hold => Ok(good()),
        Bay::Held => {
            drive.bay = Bay::Empty { seated: true };
            Ok(good())
        }
        Bay::Threaded(_) => Ok(Outcome::Perform(DriveOp::Unload)),
    }
}

pub(super) fn resume(drive: &mut TapeDrive, command: &Command, result: DriveResult) -> Reply<TapeDrive> {
    match result {
        DriveResult::Loaded(Ok(Some(medium))) => {
            drive.cartridge_inserted(medium, false);
            Ok(good())
        }
        DriveResult::Loaded(Ok(None)) => {
            drive.cartridge_removed();
            Err(medium_not_present())
        }
        DriveResult::Loaded(Err(_)) => Err(failed(drive, TapeAlertFlag::LOADING_FAILURE)),
        DriveResult::Unloaded(Ok(())) => {
            drive.position_lost = false;
            drive.bay = if bits(command).hold { Bay::Held } else { Bay::Empty { seated: true } };
            Ok(good())
        }
        DriveResult::Unloaded(Err(_)) => Err(failed(drive, TapeAlertFlag::UNRECOVERABLE_UNLOAD_FAILURE)),
        DriveResult::Admitted(_) => Err(internal_failure()),
        DriveResult::Medium(_) if !bits(command).load => Err(internal_failure()),
        result @ DriveResult::Medium(_) => match drive.settle(result)? {
            Ok(_) => {
                drive.position_lost = false;
                Ok(good())
            }
            Err(failure) => Err(medium_failure::check_condition(&failure, None)),
        },
    }
}

fn failed(drive: &mut TapeDrive, flag: TapeAlertFlag) -> CheckCondition {
    drive.raise_alert(flag);
    CheckCondition::new(SenseKey::MediumError, Asc::MEDIA_LOAD_OR_EJECT_FAILED)
}
