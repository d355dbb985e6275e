//! INITIALIZE ELEMENT STATUS, three ways: labels are always known here, so there is nothing to do. [SMC-3]

use capstan_scsi::smc::{ElementType, InitializeElementStatus, InitializeElementStatusWithRange};
use capstan_scsi::{CheckCondition, Opcode};

use super::MediaChanger;
use super::inventory::Selection;
use crate::server::Command;
use crate::spc::{CommandSpec, good};

/// Seconds that `ch` gives the command; real libraries look at every label.
const TIMEOUT: u32 = 3600;

/// INITIALIZE ELEMENT STATUS.
pub(super) const fn initialize_element_status() -> CommandSpec<MediaChanger> {
    let opcode = InitializeElementStatus::OPERATION_CODE;
    let usage = &[0x07, 0x00, 0x00, 0x00, 0x00, 0x00];
    CommandSpec::new(opcode, "INITIALIZE ELEMENT STATUS", usage, |_, _, _| Ok(good())).timeout(TIMEOUT)
}

/// INITIALIZE ELEMENT STATUS WITH RANGE.
pub(super) const fn with_range() -> CommandSpec<MediaChanger> {
    const USAGE: &[u8] = &[0x37, 0x03, 0xff, 0xff, 0x00, 0x00, 0xff, 0xff, 0x00, 0x00];
    range(InitializeElementStatusWithRange::OPERATION_CODE, USAGE)
}

/// The same under its old, vendor-specific operation code.
pub(super) const fn vendor_with_range() -> CommandSpec<MediaChanger> {
    const USAGE: &[u8] = &[0xe7, 0x03, 0xff, 0xff, 0x00, 0x00, 0xff, 0xff, 0x00, 0x00];
    range(InitializeElementStatusWithRange::VENDOR_OPERATION_CODE, USAGE)
}

const fn range(opcode: Opcode, usage: &'static [u8]) -> CommandSpec<MediaChanger> {
    CommandSpec::new(opcode, "INITIALIZE ELEMENT STATUS WITH RANGE", usage, |_, _, _| Ok(good()))
        .check(check)
        .timeout(TIMEOUT)
}

fn check(changer: &MediaChanger, command: &Command) -> Result<u32, CheckCondition> {
    let command = InitializeElementStatusWithRange::parse(&command.cdb);
    if command.range {
        let start = command.starting_element_address;
        Selection { element_type: ElementType::ALL, start, count: 0 }.op(&changer.layout)?;
    }
    Ok(0)
}
