//! REPORT SUPPORTED OPERATION CODES.

use bytes::Bytes;
use capstan_scsi::spc::supported_operation_codes::{SupportedCommand, encode_all, encode_one};
use capstan_scsi::{CheckCondition, Opcode};

use crate::server::Command;
use crate::spc::{CommandSpec, Reply, SpcDevice, UnderReservation, data_in, supported_commands};

/// REPORT SUPPORTED OPERATION CODES (MAINTENANCE IN, service action 0Ch). [SPC-5 6.34]
#[must_use]
pub const fn report_supported_operation_codes<S: SpcDevice>() -> CommandSpec<S> {
    const USAGE: &[u8] = &[0xa3, 0x1f, 0x87, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00];
    CommandSpec::new(Opcode::MAINTENANCE_IN, "REPORT SUPPORTED OPERATION CODES", USAGE, run)
        .service_action(0x0c)
        .check(|_, command| select(&supported_commands::<S>(), command).map(|_| 0))
        .under_reservation(UnderReservation::Allowed)
}

/// What REPORTING OPTIONS selects.
enum Selected<'a> {
    All,
    One(Option<&'a SupportedCommand>),
}

fn select<'a>(commands: &'a [SupportedCommand], command: &Command) -> Result<Selected<'a>, CheckCondition> {
    let opcode = Opcode(command.cdb.byte(3));
    let service_action = command.cdb.u16(4);
    let mut of_opcode = commands.iter().filter(|row| row.opcode == opcode);
    let has_service_actions = of_opcode.clone().any(|row| row.service_action.is_some());
    let has_none = of_opcode.clone().any(|row| row.service_action.is_none());
    let with_service_action = of_opcode.clone().find(|row| row.service_action == Some(service_action));
    match command.cdb.byte(2) & 0x07 {
        0b000 => Ok(Selected::All),
        0b001 if !has_service_actions => Ok(Selected::One(of_opcode.next())),
        0b010 if !has_none => Ok(Selected::One(with_service_action)),
        0b011 if has_none => Ok(Selected::One(of_opcode.next().filter(|_| service_action == 0))),
        0b011 => Ok(Selected::One(with_service_action)),
        _ => Err(CheckCondition::invalid_field_in_cdb(2, Some(2))),
    }
}

fn run<S: SpcDevice>(_: &mut S, command: &Command, _: Bytes) -> Reply<S> {
    let commands = supported_commands::<S>();
    let return_timeouts = command.cdb.bit(2, 7);
    let data = match select(&commands, command)? {
        Selected::All => encode_all(&commands, return_timeouts),
        Selected::One(row) => encode_one(row, return_timeouts),
    };
    Ok(data_in(data, command.cdb.u32(6)))
}
