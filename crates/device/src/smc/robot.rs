//! MOVE MEDIUM, EXCHANGE MEDIUM and POSITION TO ELEMENT as operations of the robot. [SMC-3 6.1, 6.7, 6.8]

use capstan_media::{ElementAddress, Layout};
use capstan_scsi::CheckCondition;
use capstan_scsi::smc::{ExchangeMedium, MoveMedium, PositionToElement};

use super::op::ChangerOp;
use super::refusal::{self, Operand};

/// A motion, and where its addresses stand in the CDB.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Motion {
    pub(super) op: ChangerOp,
    pub(super) operands: Vec<Operand>,
}

/// Checks the addresses of MOVE MEDIUM.
///
/// # Errors
/// INVALID ELEMENT ADDRESS at the first that is wrong.
pub(super) fn move_medium(layout: &Layout, command: MoveMedium) -> Result<Motion, CheckCondition> {
    transport(layout, command.medium_transport_element_address)?;
    let source = place(layout, command.source_address, 4)?;
    let destination = place(layout, command.destination_address, 6)?;
    Ok(Motion { op: ChangerOp::Move { source, destination }, operands: vec![(source, 4), (destination, 6)] })
}

/// Checks the addresses of EXCHANGE MEDIUM.
///
/// # Errors
/// INVALID ELEMENT ADDRESS at the first that is wrong.
pub(super) fn exchange_medium(layout: &Layout, command: ExchangeMedium) -> Result<Motion, CheckCondition> {
    transport(layout, command.medium_transport_element_address)?;
    let source = place(layout, command.source_address, 4)?;
    let first_destination = place(layout, command.first_destination_address, 6)?;
    let second_destination = place(layout, command.second_destination_address, 8)?;
    Ok(Motion {
        op: ChangerOp::Exchange { source, first_destination, second_destination },
        operands: vec![(source, 4), (first_destination, 6), (second_destination, 8)],
    })
}

/// Checks the addresses of POSITION TO ELEMENT; the picker is everywhere at once.
///
/// # Errors
/// INVALID ELEMENT ADDRESS at the first that is wrong.
pub(super) fn position_to_element(layout: &Layout, command: PositionToElement) -> Result<(), CheckCondition> {
    transport(layout, command.medium_transport_element_address)?;
    match layout.kind(ElementAddress(command.destination_element_address)) {
        Some(_) => Ok(()),
        None => Err(refusal::invalid_element_at(4)),
    }
}

/// The picker, by its address or by 0 for the default one.
fn transport(layout: &Layout, address: u16) -> Result<(), CheckCondition> {
    if address == 0 || address == layout.transport_base { Ok(()) } else { Err(refusal::invalid_element_at(2)) }
}

/// An element that can hold a cartridge.
fn place(layout: &Layout, address: u16, field: u16) -> Result<ElementAddress, CheckCondition> {
    let address = ElementAddress(address);
    layout.place(address).map(|_| address).ok_or(refusal::invalid_element_at(field))
}
