//! Why the robot refuses, as sense data: the one table from [`MoveRefused`] to what initiators see.
//!
//! Clients act on these numbers: `ch` maps 21/01, 3B/0D and 3B/0E to errno values, mtx chooses its text by them,
//! Amanda retries for two minutes on NOT READY and on nothing else.

use capstan_media::{ElementAddress, MoveRefused};
use capstan_scsi::asc::Asc;
use capstan_scsi::{CheckCondition, SenseKey};

use super::op::ChangerResult;

/// An address in a CDB: the element and the byte where it stands.
pub(super) type Operand = (ElementAddress, u16);

/// Sense data for a refusal; an element address that is refused is pointed at among the `operands`.
/// [SMC-3 MOVE MEDIUM, EXCHANGE MEDIUM]
pub(super) fn sense(refused: &MoveRefused, operands: &[Operand]) -> CheckCondition {
    match refused {
        MoveRefused::InvalidElement(address) => {
            let operand = operands.iter().find(|(element, _)| element == address);
            operand.map_or_else(invalid_element, |(_, field)| invalid_element_at(*field))
        }
        MoveRefused::SourceEmpty(_) => illegal(Asc::MEDIUM_SOURCE_ELEMENT_EMPTY),
        MoveRefused::DestinationFull(_) => illegal(Asc::MEDIUM_DESTINATION_ELEMENT_FULL),
        MoveRefused::RemovalPrevented(_) => illegal(Asc::MEDIUM_REMOVAL_PREVENTED),
        MoveRefused::DriveFault(..) => CheckCondition::new(SenseKey::HardwareError, Asc::MEDIA_LOAD_OR_EJECT_FAILED),
        // Not a HARDWARE ERROR: that would make backup software take the drive out of use for a cartridge's fault.
        MoveRefused::MediumFault(..) | MoveRefused::NotLoadable(..) => {
            CheckCondition::new(SenseKey::MediumError, Asc::MEDIA_LOAD_OR_EJECT_FAILED)
        }
        MoveRefused::NotRecorded(_) => CheckCondition::new(SenseKey::HardwareError, Asc::INTERNAL_TARGET_FAILURE),
    }
}

/// INVALID ELEMENT ADDRESS, pointing at a field of the CDB.
pub(super) const fn invalid_element_at(field: u16) -> CheckCondition {
    CheckCondition { asc: Asc::INVALID_ELEMENT_ADDRESS, ..CheckCondition::invalid_field_in_cdb(field, None) }
}

/// INTERNAL TARGET FAILURE for an answer that does not fit the question; a refusal keeps its own sense data.
pub(super) fn unexpected(result: &ChangerResult) -> CheckCondition {
    match result {
        ChangerResult::Refused(refused) => sense(refused, &[]),
        _ => CheckCondition::new(SenseKey::HardwareError, Asc::INTERNAL_TARGET_FAILURE),
    }
}

fn invalid_element() -> CheckCondition {
    illegal(Asc::INVALID_ELEMENT_ADDRESS)
}

fn illegal(asc: Asc) -> CheckCondition {
    CheckCondition::new(SenseKey::IllegalRequest, asc)
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_media::Barcode;

    #[test]
    fn every_row() {
        let slot = ElementAddress(1000);
        let drive = ElementAddress(500);
        let operands = [(slot, 4), (drive, 6)];
        let barcode = Barcode::new("CAP001L8").unwrap();
        let rows: [(MoveRefused, [u8; 3], [u8; 3]); 10] = [
            (MoveRefused::InvalidElement(slot), [5, 0x21, 0x01], [0xc0, 0, 4]),
            (MoveRefused::InvalidElement(drive), [5, 0x21, 0x01], [0xc0, 0, 6]),
            (MoveRefused::InvalidElement(ElementAddress(7)), [5, 0x21, 0x01], [0, 0, 0]),
            (MoveRefused::SourceEmpty(slot), [5, 0x3b, 0x0e], [0, 0, 0]),
            (MoveRefused::DestinationFull(drive), [5, 0x3b, 0x0d], [0, 0, 0]),
            (MoveRefused::RemovalPrevented(drive), [5, 0x53, 0x02], [0, 0, 0]),
            (MoveRefused::DriveFault(drive, "i/o".into()), [4, 0x53, 0x00], [0, 0, 0]),
            (MoveRefused::MediumFault(drive, "i/o".into()), [3, 0x53, 0x00], [0, 0, 0]),
            (MoveRefused::NotLoadable(barcode, "archiving".into()), [3, 0x53, 0x00], [0, 0, 0]),
            (MoveRefused::NotRecorded("full".into()), [4, 0x44, 0x00], [0, 0, 0]),
        ];
        for (refused, expected, pointer) in rows {
            let sense = sense(&refused, &operands).to_fixed();
            assert_eq!([sense[2], sense[12], sense[13]], expected, "{refused}");
            assert_eq!(sense[15..18], pointer, "{refused}");
            assert_eq!(sense[0], 0x70, "{refused}");
        }
    }
}
