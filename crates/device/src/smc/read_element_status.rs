//! READ ELEMENT STATUS. [SMC-3]

use bytes::Bytes;
use capstan_media::Element;
use capstan_scsi::CheckCondition;
use capstan_scsi::sam::Completion;
use capstan_scsi::smc::ReadElementStatus;

use super::inventory::{Selection, View};
use super::op::ChangerResult;
use super::{MediaChanger, refusal};
use crate::server::{Command, Outcome};
use crate::spc::{CommandSpec, Reply, UnderReservation};

/// READ ELEMENT STATUS; without motion (CURDATA) it runs under another nexus's reservation. [SMC-3 reservations]
pub(super) const fn read_element_status() -> CommandSpec<MediaChanger> {
    const USAGE: &[u8] = &[0xb8, 0x1f, 0xff, 0xff, 0xff, 0xff, 0x03, 0xff, 0xff, 0xff, 0x00, 0x00];
    CommandSpec::new(ReadElementStatus::OPERATION_CODE, "READ ELEMENT STATUS", USAGE, execute)
        .check(|changer, command| select(changer, command).map(|_| 0))
        .resume(resume)
        .under_reservation(UnderReservation::AllowedIf(|cdb| cdb.bit(6, 1)))
        .timeout(300)
}

/// The command, and what it asks of the library.
fn select(
    changer: &MediaChanger,
    command: &Command,
) -> Result<(ReadElementStatus, Option<super::ChangerOp>), CheckCondition> {
    let command = ReadElementStatus::parse(&command.cdb)?;
    let selection = Selection {
        element_type: command.element_type,
        start: command.starting_element_address,
        count: command.number_of_elements,
    };
    Ok((command, selection.op(&changer.layout)?))
}

fn execute(changer: &mut MediaChanger, command: &Command, _: Bytes) -> Reply<MediaChanger> {
    match select(changer, command)? {
        (_, Some(op)) => Ok(Outcome::Perform(op)),
        (command, None) => Ok(report(changer, command, &[])),
    }
}

fn resume(changer: &mut MediaChanger, command: &Command, result: ChangerResult) -> Reply<MediaChanger> {
    let command = ReadElementStatus::parse(&command.cdb)?;
    match result {
        ChangerResult::Elements(elements) => Ok(report(changer, command, &elements)),
        other => Err(refusal::unexpected(&other)),
    }
}

fn report<Op>(changer: &MediaChanger, command: ReadElementStatus, elements: &[Element]) -> Outcome<Op> {
    let view = View { volume_tags: command.volume_tag, identifiers: command.device_identifier, send_action_code: 0 };
    let report = changer.report(elements, view);
    Outcome::Done(Completion::good_with(report.encode(command.allocation_length)))
}
