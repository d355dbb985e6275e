//! RESERVE, RELEASE and PREVENT ALLOW MEDIUM REMOVAL.

use bytes::Bytes;
use capstan_scsi::sam::{Cdb, Completion, Status};
use capstan_scsi::{CheckCondition, Opcode};

use crate::server::{Command, Outcome};
use crate::spc::{CommandSpec, Reply, SpcDevice, UnderReservation, good};

const USAGE_6: [u8; 6] = [0x00; 6];
const USAGE_10: [u8; 10] = [0x00; 10];

/// RESERVE(6) of the whole logical unit: third parties and extents are refused. [SPC-2 7.21]
#[must_use]
pub const fn reserve_6<S: SpcDevice>() -> CommandSpec<S> {
    const USAGE: &[u8] = &first(Opcode::RESERVE_6, USAGE_6);
    CommandSpec::new(Opcode::RESERVE_6, "RESERVE(6)", USAGE, reserve)
}

/// RESERVE(10) of the whole logical unit. [SPC-2 7.20]
#[must_use]
pub const fn reserve_10<S: SpcDevice>() -> CommandSpec<S> {
    const USAGE: &[u8] = &first(Opcode::RESERVE_10, USAGE_10);
    CommandSpec::new(Opcode::RESERVE_10, "RESERVE(10)", USAGE, reserve)
}

/// RELEASE(6); a nexus without a reservation releases nothing, successfully. [SPC-2 7.17]
#[must_use]
pub const fn release_6<S: SpcDevice>() -> CommandSpec<S> {
    const USAGE: &[u8] = &first(Opcode::RELEASE_6, USAGE_6);
    CommandSpec::new(Opcode::RELEASE_6, "RELEASE(6)", USAGE, release).under_reservation(UnderReservation::Allowed)
}

/// RELEASE(10). [SPC-2 7.16]
#[must_use]
pub const fn release_10<S: SpcDevice>() -> CommandSpec<S> {
    const USAGE: &[u8] = &first(Opcode::RELEASE_10, USAGE_10);
    CommandSpec::new(Opcode::RELEASE_10, "RELEASE(10)", USAGE, release).under_reservation(UnderReservation::Allowed)
}

const fn first<const N: usize>(opcode: Opcode, mut usage: [u8; N]) -> [u8; N] {
    if let Some(byte) = usage.first_mut() {
        *byte = opcode.0;
    }
    usage
}

fn reserve<S: SpcDevice>(server: &mut S, command: &Command, _: Bytes) -> Reply<S> {
    if server.spc_mut().reservation.reserve(command.nexus) {
        Ok(good())
    } else {
        Ok(Outcome::Done(Completion::status(Status::RESERVATION_CONFLICT)))
    }
}

fn release<S: SpcDevice>(server: &mut S, command: &Command, _: Bytes) -> Reply<S> {
    server.spc_mut().reservation.release(command.nexus);
    Ok(good())
}

/// PREVENT ALLOW MEDIUM REMOVAL; to allow is possible under another nexus's reservation. [SPC-5 6.18, SPC-2 table 10]
#[must_use]
pub const fn prevent_allow_medium_removal<S: SpcDevice>() -> CommandSpec<S> {
    const USAGE: &[u8] = &[0x1e, 0x00, 0x00, 0x00, 0x03, 0x00];
    let opcode = Opcode::PREVENT_ALLOW_MEDIUM_REMOVAL;
    CommandSpec::new(opcode, "PREVENT ALLOW MEDIUM REMOVAL", USAGE, prevent_allow)
        .check(check_prevent)
        .under_reservation(UnderReservation::AllowedIf(allows))
}

fn allows(cdb: &Cdb) -> bool {
    cdb.byte(4) & 0x03 == 0
}

fn check_prevent<S>(_: &S, command: &Command) -> Result<u32, CheckCondition> {
    // 10b and 11b addressed attached changers and are obsolete.
    if command.cdb.byte(4) > 1 { Err(CheckCondition::invalid_field_in_cdb(4, Some(1))) } else { Ok(0) }
}

fn prevent_allow<S: SpcDevice>(server: &mut S, command: &Command, _: Bytes) -> Reply<S> {
    server.spc_mut().removal.set(command.nexus, !allows(&command.cdb));
    Ok(good())
}
