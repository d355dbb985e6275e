//! MODE SENSE and MODE SELECT, each in two sizes.

use bytes::Bytes;
use capstan_scsi::asc::Asc;
use capstan_scsi::spc::mode::{self, HeaderForm, ModePageCode, ModeParameterList, PageControl, Selection};
use capstan_scsi::{CheckCondition, Opcode, SenseKey};

use crate::server::Command;
use crate::spc::{CommandSpec, ModeChange, Reply, SpcDevice, data_in, good};

/// MODE SENSE(6). [SPC-5 6.13]
#[must_use]
pub const fn mode_sense_6<S: SpcDevice>() -> CommandSpec<S> {
    const USAGE: &[u8] = &[0x1a, 0x08, 0xff, 0xff, 0xff, 0x00];
    CommandSpec::new(Opcode::MODE_SENSE_6, "MODE SENSE(6)", USAGE, |server, command, _| {
        sense(server, command, HeaderForm::Six, u32::from(command.cdb.byte(4)))
    })
    .check(check_sense)
}

/// MODE SENSE(10). LLBAA is refused: it concerns devices with long block addresses. [SPC-5 6.14]
#[must_use]
pub const fn mode_sense_10<S: SpcDevice>() -> CommandSpec<S> {
    const USAGE: &[u8] = &[0x5a, 0x08, 0xff, 0xff, 0x00, 0x00, 0x00, 0xff, 0xff, 0x00];
    CommandSpec::new(Opcode::MODE_SENSE_10, "MODE SENSE(10)", USAGE, |server, command, _| {
        sense(server, command, HeaderForm::Ten, u32::from(command.cdb.u16(7)))
    })
    .check(check_sense)
}

fn selection(command: &Command) -> (Selection, PageControl) {
    let byte = command.cdb.byte(2);
    let selection = Selection { code: ModePageCode(byte & 0x3f), subpage: command.cdb.byte(3) };
    (selection, PageControl::from_cdb_byte(byte))
}

fn check_sense<S: SpcDevice>(server: &S, command: &Command) -> Result<u32, CheckCondition> {
    let (selection, control) = selection(command);
    server.mode_pages().sense(selection, control)?;
    if control == PageControl::Saved {
        return Err(CheckCondition::new(SenseKey::IllegalRequest, Asc::SAVING_PARAMETERS_NOT_SUPPORTED));
    }
    Ok(0)
}

fn sense<S: SpcDevice>(server: &mut S, command: &Command, form: HeaderForm, allocation_length: u32) -> Reply<S> {
    let (selection, control) = selection(command);
    let pages = server.mode_pages().sense(selection, control)?;
    let disable_block_descriptors = command.cdb.bit(1, 3);
    let block_descriptor = server.block_descriptor().filter(|_| !disable_block_descriptors);
    Ok(data_in(mode::encode(form, server.mode_header(), block_descriptor, &pages), allocation_length))
}

/// MODE SELECT(6). [SPC-5 6.11]
#[must_use]
pub const fn mode_select_6<S: SpcDevice>() -> CommandSpec<S> {
    const USAGE: &[u8] = &[0x15, 0x11, 0x00, 0x00, 0xff, 0x00];
    CommandSpec::new(Opcode::MODE_SELECT_6, "MODE SELECT(6)", USAGE, |server, command, data| {
        select(server, command, HeaderForm::Six, u32::from(command.cdb.byte(4)), &data)
    })
    .check(|_, command| check_select(command, u32::from(command.cdb.byte(4))))
}

/// MODE SELECT(10). [SPC-5 6.12]
#[must_use]
pub const fn mode_select_10<S: SpcDevice>() -> CommandSpec<S> {
    const USAGE: &[u8] = &[0x55, 0x11, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0x00];
    CommandSpec::new(Opcode::MODE_SELECT_10, "MODE SELECT(10)", USAGE, |server, command, data| {
        select(server, command, HeaderForm::Ten, u32::from(command.cdb.u16(7)), &data)
    })
    .check(|_, command| check_select(command, u32::from(command.cdb.u16(7))))
}

fn check_select(command: &Command, length: u32) -> Result<u32, CheckCondition> {
    // SP: no page can be saved. [SPC-5 6.11]
    if command.cdb.bit(1, 0) { Err(CheckCondition::invalid_field_in_cdb(1, Some(0))) } else { Ok(length) }
}

fn select<S: SpcDevice>(server: &mut S, command: &Command, form: HeaderForm, length: u32, list: &Bytes) -> Reply<S> {
    if length == 0 {
        return Ok(good());
    }
    if u32::try_from(list.len()).is_ok_and(|received| received < length) {
        return Err(CheckCondition::new(SenseKey::IllegalRequest, Asc::PARAMETER_LIST_LENGTH_ERROR));
    }
    let list = ModeParameterList::decode(form, list)?;
    let page_format = command.cdb.bit(1, 4);
    if !page_format && !list.pages.is_empty() {
        return Err(CheckCondition::invalid_field_in_cdb(1, Some(4)));
    }
    if server.mode_select(&list)? == ModeChange::Something {
        server.spc_mut().attentions.establish_for_all(Asc::MODE_PARAMETERS_CHANGED, Some(command.nexus));
    }
    Ok(good())
}
