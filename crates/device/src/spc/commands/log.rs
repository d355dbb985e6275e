//! LOG SENSE and LOG SELECT.

use bytes::Bytes;
use capstan_scsi::spc::log::{self, ALL_SUBPAGES, LogPageCode};
use capstan_scsi::{CheckCondition, Opcode};

use crate::server::Command;
use crate::spc::{CommandSpec, Reply, SpcDevice, UnderReservation, data_in, good};

/// LOG SENSE. Every PC value reports the current values: tapeinfo and Bareos ask with 00b, others with 01b, and there
/// are neither thresholds nor saved defaults. [SPC-5 6.9]
// DEVIATION(spc-001): PC 00b, 10b and 11b (thresholds, defaults) report current cumulative values, as clients expect.
#[must_use]
pub const fn log_sense<S: SpcDevice>() -> CommandSpec<S> {
    const USAGE: &[u8] = &[0x4d, 0x00, 0xff, 0xff, 0x00, 0xff, 0xff, 0xff, 0xff, 0x00];
    CommandSpec::new(Opcode::LOG_SENSE, "LOG SENSE", USAGE, run_log_sense)
        .check(check_log_sense)
        .under_reservation(UnderReservation::Allowed)
}

fn requested(command: &Command) -> (LogPageCode, u8) {
    (LogPageCode(command.cdb.byte(2) & 0x3f), command.cdb.byte(3))
}

fn check_log_sense<S: SpcDevice>(_: &S, command: &Command) -> Result<u32, CheckCondition> {
    let (code, subpage) = requested(command);
    if S::log_pages().contains(&(code, subpage)) {
        Ok(0)
    } else if S::log_pages().iter().any(|(supported, _)| *supported == code) {
        Err(CheckCondition::invalid_field_in_cdb(3, None))
    } else {
        Err(CheckCondition::invalid_field_in_cdb(2, Some(5)))
    }
}

fn run_log_sense<S: SpcDevice>(server: &mut S, command: &Command, _: Bytes) -> Reply<S> {
    let (code, subpage) = requested(command);
    let (from, allocation_length) = (command.cdb.u16(5), u32::from(command.cdb.u16(7)));
    let list = match (code, subpage) {
        (LogPageCode::SUPPORTED_LOG_PAGES, 0) => Some(log::supported_pages(S::log_pages())),
        (LogPageCode::SUPPORTED_LOG_PAGES, ALL_SUBPAGES) => Some(log::supported_subpages(S::log_pages())),
        _ => None,
    };
    if let Some(list) = list {
        return if from == 0 {
            Ok(data_in(list, allocation_length))
        } else {
            Err(CheckCondition::invalid_field_in_cdb(5, None))
        };
    }
    let parameters = server.log_parameters(command.nexus, code, subpage).unwrap_or_default();
    let page = log::page(code, subpage, &parameters, from);
    let page = page.ok_or(CheckCondition::invalid_field_in_cdb(5, None))?;
    // A short look at the header (sg_logs begins with four bytes) is no reading of the page.
    let whole = usize::try_from(allocation_length).is_ok_and(|length| length >= page.len());
    if from == 0 && whole {
        server.log_page_read(command.nexus, code);
    }
    Ok(data_in(page, allocation_length))
}

/// LOG SELECT, only to reset counters: PCR one and no parameter list. Page code 0 is all pages. [SPC-5 6.8]
#[must_use]
pub const fn log_select<S: SpcDevice>() -> CommandSpec<S> {
    const USAGE: &[u8] = &[0x4c, 0x02, 0xff, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00];
    CommandSpec::new(Opcode::LOG_SELECT, "LOG SELECT", USAGE, run_log_select).check(check_log_select)
}

fn check_log_select<S: SpcDevice>(_: &S, command: &Command) -> Result<u32, CheckCondition> {
    let code = LogPageCode(command.cdb.byte(2) & 0x3f);
    if S::log_pages().contains(&(code, 0)) { Ok(0) } else { Err(CheckCondition::invalid_field_in_cdb(2, Some(5))) }
}

fn run_log_select<S: SpcDevice>(server: &mut S, command: &Command, _: Bytes) -> Reply<S> {
    let (code, _) = requested(command);
    let parameter_code_reset = command.cdb.bit(1, 1);
    if parameter_code_reset {
        server.log_reset((code != LogPageCode::SUPPORTED_LOG_PAGES).then_some(code));
    }
    Ok(good())
}
