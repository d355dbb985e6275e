//! MOVE MEDIUM, EXCHANGE MEDIUM and POSITION TO ELEMENT. [SMC-3]

use bytes::Bytes;
use capstan_media::{ElementAddress, Layout};
use capstan_scsi::CheckCondition;
use capstan_scsi::sam::Cdb;
use capstan_scsi::smc::{ExchangeMedium, MoveMedium, PositionToElement};

use super::op::{ChangerOp, ChangerResult};
use super::{MediaChanger, refusal};
use crate::server::{Command, Outcome};
use crate::spc::{CommandSpec, Reply, good};

/// Seconds for a motion. It may unload a drive first, which waits until what was written is durable.
const TIMEOUT: u32 = 900;

/// MOVE MEDIUM. INVERT is a reserved bit here: tapes have one side.
pub(super) const fn move_medium() -> CommandSpec<MediaChanger> {
    const USAGE: &[u8] = &[0xa5, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00];
    CommandSpec::new(MoveMedium::OPERATION_CODE, "MOVE MEDIUM", USAGE, execute_move)
        .check(|changer, command| move_op(&changer.layout, &command.cdb).map(|_| 0))
        .resume(|_, command, result| conclude(result, &[operand(&command.cdb, 4), operand(&command.cdb, 6)]))
        .timeout(TIMEOUT)
}

/// EXCHANGE MEDIUM, without INV1 and INV2.
pub(super) const fn exchange_medium() -> CommandSpec<MediaChanger> {
    const USAGE: &[u8] = &[0xa6, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00];
    CommandSpec::new(ExchangeMedium::OPERATION_CODE, "EXCHANGE MEDIUM", USAGE, execute_exchange)
        .check(|changer, command| exchange_op(&changer.layout, &command.cdb).map(|_| 0))
        .resume(|_, command, result| {
            conclude(result, &[operand(&command.cdb, 4), operand(&command.cdb, 6), operand(&command.cdb, 8)])
        })
        .timeout(TIMEOUT)
}

/// POSITION TO ELEMENT: the picker is everywhere at once.
pub(super) const fn position_to_element() -> CommandSpec<MediaChanger> {
    const USAGE: &[u8] = &[0x2b, 0x00, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00];
    CommandSpec::new(PositionToElement::OPERATION_CODE, "POSITION TO ELEMENT", USAGE, |_, _, _| Ok(good()))
        .check(check_position)
        .timeout(TIMEOUT)
}

fn execute_move(changer: &mut MediaChanger, command: &Command, _: Bytes) -> Reply<MediaChanger> {
    move_op(&changer.layout, &command.cdb).map(Outcome::Perform)
}

fn execute_exchange(changer: &mut MediaChanger, command: &Command, _: Bytes) -> Reply<MediaChanger> {
    exchange_op(&changer.layout, &command.cdb).map(Outcome::Perform)
}

fn conclude(result: ChangerResult, operands: &[refusal::Operand]) -> Reply<MediaChanger> {
    match result {
        ChangerResult::Moved => Ok(good()),
        ChangerResult::Refused(refused) => Err(refusal::sense(&refused, operands)),
        ChangerResult::Elements(_) => Err(refusal::unexpected(&result)),
    }
}

fn move_op(layout: &Layout, cdb: &Cdb) -> Result<ChangerOp, CheckCondition> {
    let command = MoveMedium::parse(cdb);
    check_transport(layout, command.medium_transport_element_address)?;
    let source = place(layout, command.source_address, 4)?;
    let destination = place(layout, command.destination_address, 6)?;
    Ok(ChangerOp::Move { source, destination })
}

fn exchange_op(layout: &Layout, cdb: &Cdb) -> Result<ChangerOp, CheckCondition> {
    let command = ExchangeMedium::parse(cdb);
    check_transport(layout, command.medium_transport_element_address)?;
    let source = place(layout, command.source_address, 4)?;
    let first_destination = place(layout, command.first_destination_address, 6)?;
    let second_destination = place(layout, command.second_destination_address, 8)?;
    Ok(ChangerOp::Exchange { source, first_destination, second_destination })
}

fn check_position(changer: &MediaChanger, command: &Command) -> Result<u32, CheckCondition> {
    let command = PositionToElement::parse(&command.cdb);
    check_transport(&changer.layout, command.medium_transport_element_address)?;
    let destination = changer.layout.kind(ElementAddress(command.destination_element_address));
    destination.map(|_| 0).ok_or(refusal::invalid_element_at(4))
}

/// The picker, by its address or by 0 for the default one.
fn check_transport(layout: &Layout, address: u16) -> Result<(), CheckCondition> {
    if address == 0 || address == layout.transport_base { Ok(()) } else { Err(refusal::invalid_element_at(2)) }
}

/// An element that can hold a cartridge, from the CDB's bytes `field` and the next.
fn place(layout: &Layout, address: u16, field: u16) -> Result<ElementAddress, CheckCondition> {
    let address = ElementAddress(address);
    layout.place(address).map(|_| address).ok_or(refusal::invalid_element_at(field))
}

fn operand(cdb: &Cdb, field: u16) -> refusal::Operand {
    (ElementAddress(cdb.u16(usize::from(field))), field)
}
