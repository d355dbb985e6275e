//! TEST UNIT READY, REQUEST SENSE and SEND DIAGNOSTIC.

use bytes::Bytes;
use capstan_scsi::asc::Asc;
use capstan_scsi::{CheckCondition, Opcode, SenseKey};

use crate::server::Command;
use crate::spc::{CommandSpec, Reply, Requirement, SpcDevice, UnderReservation, data_in, good};

/// TEST UNIT READY, which tells whether `ready` is met. [SPC-5 6.47]
#[must_use]
pub const fn test_unit_ready<S: SpcDevice>(ready: Requirement<S>) -> CommandSpec<S> {
    CommandSpec::new(Opcode::TEST_UNIT_READY, "TEST UNIT READY", &[0; 6], |_, _, _| Ok(good())).requires(ready)
}

/// REQUEST SENSE: takes one unit attention of the nexus, else says NO SENSE. [SPC-5 6.39]
///
/// DESC is refused: every sense datum here has the fixed format, which is all that tape software reads.
#[must_use]
pub const fn request_sense<S: SpcDevice>() -> CommandSpec<S> {
    const USAGE: &[u8] = &[0x03, 0x00, 0x00, 0x00, 0xff, 0x00];
    CommandSpec::new(Opcode::REQUEST_SENSE, "REQUEST SENSE", USAGE, run_request_sense)
        .despite_unit_attention()
        .under_reservation(UnderReservation::Allowed)
}

fn run_request_sense<S: SpcDevice>(server: &mut S, command: &Command, _: Bytes) -> Reply<S> {
    let (key, asc) = match server.spc_mut().attentions.take(command.nexus) {
        Some(asc) => (SenseKey::UnitAttention, asc),
        None => (SenseKey::NoSense, Asc::NO_ADDITIONAL_SENSE_INFORMATION),
    };
    let sense = CheckCondition::new(key, asc).to_fixed();
    Ok(data_in(sense.to_vec(), u32::from(command.cdb.byte(4))))
}

/// SEND DIAGNOSTIC: the default self-test, which passes. [SPC-5 6.42]
#[must_use]
pub const fn send_diagnostic<S: SpcDevice>() -> CommandSpec<S> {
    const USAGE: &[u8] = &[0x1d, 0xf7, 0x00, 0x00, 0x00, 0x00];
    CommandSpec::new(Opcode::SEND_DIAGNOSTIC, "SEND DIAGNOSTIC", USAGE, |_, _, _| Ok(good())).check(check_self_test)
}

fn check_self_test<S>(_: &S, command: &Command) -> Result<u32, CheckCondition> {
    let self_test_code = command.cdb.byte(1) >> 5;
    if self_test_code == 0 { Ok(0) } else { Err(CheckCondition::invalid_field_in_cdb(1, Some(7))) }
}
