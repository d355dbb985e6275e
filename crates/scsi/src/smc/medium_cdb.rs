//! Commands to the robot: MOVE MEDIUM, EXCHANGE MEDIUM, POSITION TO ELEMENT.
//!
//! INVERT, INV1 and INV2 have no fields here: tapes have one side, and [`Cdb::check_usage`] refuses the bits.

use crate::Opcode;
use crate::sam::Cdb;

/// POSITION TO ELEMENT: the picker in front of an element. [SMC-3 POSITION TO ELEMENT]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PositionToElement {
    /// MEDIUM TRANSPORT ELEMENT ADDRESS; 0 = the default one.
    pub medium_transport_element_address: u16,
    /// DESTINATION ELEMENT ADDRESS.
    pub destination_element_address: u16,
}

impl PositionToElement {
    /// Operation code.
    pub const OPERATION_CODE: Opcode = Opcode::POSITION_TO_ELEMENT;

    /// Reads the fields.
    #[must_use]
    pub fn parse(cdb: &Cdb) -> Self {
        Self { medium_transport_element_address: cdb.u16(2), destination_element_address: cdb.u16(4) }
    }

    /// The CDB.
    #[must_use]
    pub fn to_cdb(self) -> Cdb {
        let mut cdb = [0; 16];
        cdb[0] = Self::OPERATION_CODE.0;
        cdb[2..4].copy_from_slice(&self.medium_transport_element_address.to_be_bytes());
        cdb[4..6].copy_from_slice(&self.destination_element_address.to_be_bytes());
        Cdb(cdb)
    }
}

/// MOVE MEDIUM: a cartridge from one element to another. [SMC-3 MOVE MEDIUM]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MoveMedium {
    /// MEDIUM TRANSPORT ELEMENT ADDRESS; 0 = the default one.
    pub medium_transport_element_address: u16,
    /// SOURCE ELEMENT ADDRESS.
    pub source_address: u16,
    /// DESTINATION ELEMENT ADDRESS.
    pub destination_address: u16,
}

impl MoveMedium {
    /// Operation code.
    pub const OPERATION_CODE: Opcode = Opcode::MOVE_MEDIUM;

    /// Reads the fields.
    #[must_use]
    pub fn parse(cdb: &Cdb) -> Self {
        Self {
            medium_transport_element_address: cdb.u16(2),
            source_address: cdb.u16(4),
            destination_address: cdb.u16(6),
        }
    }

    /// The CDB.
    #[must_use]
    pub fn to_cdb(self) -> Cdb {
        let mut cdb = [0; 16];
        cdb[0] = Self::OPERATION_CODE.0;
        cdb[2..4].copy_from_slice(&self.medium_transport_element_address.to_be_bytes());
        cdb[4..6].copy_from_slice(&self.source_address.to_be_bytes());
        cdb[6..8].copy_from_slice(&self.destination_address.to_be_bytes());
        Cdb(cdb)
    }
}

/// EXCHANGE MEDIUM: a cartridge takes the place of another, which goes elsewhere. [SMC-3 EXCHANGE MEDIUM]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExchangeMedium {
    /// MEDIUM TRANSPORT ELEMENT ADDRESS; 0 = the default one.
    pub medium_transport_element_address: u16,
    /// SOURCE ELEMENT ADDRESS.
    pub source_address: u16,
    /// FIRST DESTINATION ELEMENT ADDRESS: where the cartridge of the source goes.
    pub first_destination_address: u16,
    /// SECOND DESTINATION ELEMENT ADDRESS: where the cartridge of the first destination goes.
    pub second_destination_address: u16,
}

impl ExchangeMedium {
    /// Operation code.
    pub const OPERATION_CODE: Opcode = Opcode::EXCHANGE_MEDIUM;

    /// Reads the fields.
    #[must_use]
    pub fn parse(cdb: &Cdb) -> Self {
        Self {
            medium_transport_element_address: cdb.u16(2),
            source_address: cdb.u16(4),
            first_destination_address: cdb.u16(6),
            second_destination_address: cdb.u16(8),
        }
    }

    /// The CDB.
    #[must_use]
    pub fn to_cdb(self) -> Cdb {
        let mut cdb = [0; 16];
        cdb[0] = Self::OPERATION_CODE.0;
        cdb[2..4].copy_from_slice(&self.medium_transport_element_address.to_be_bytes());
        cdb[4..6].copy_from_slice(&self.source_address.to_be_bytes());
        cdb[6..8].copy_from_slice(&self.first_destination_address.to_be_bytes());
        cdb[8..10].copy_from_slice(&self.second_destination_address.to_be_bytes());
        Cdb(cdb)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_move() {
        let golden = Cdb([0xa5, 0, 0, 1, 0x03, 0xe8, 0x01, 0xf4, 0, 0, 0, 0, 0, 0, 0, 0]);
        let command =
            MoveMedium { medium_transport_element_address: 1, source_address: 1000, destination_address: 500 };
        assert_eq!(command.to_cdb(), golden);
        assert_eq!(MoveMedium::parse(&golden), command);
    }

    #[test]
    fn golden_exchange() {
        let golden = Cdb([0xa6, 0, 0, 1, 0x03, 0xe8, 0x01, 0xf4, 0x03, 0xe9, 0, 0, 0, 0, 0, 0]);
        let command = ExchangeMedium {
            medium_transport_element_address: 1,
            source_address: 1000,
            first_destination_address: 500,
            second_destination_address: 1001,
        };
        assert_eq!(command.to_cdb(), golden);
        assert_eq!(ExchangeMedium::parse(&golden), command);
    }

    #[test]
    fn golden_position() {
        let golden = Cdb([0x2b, 0, 0, 1, 0x03, 0xe8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let command = PositionToElement { medium_transport_element_address: 1, destination_element_address: 1000 };
        assert_eq!(command.to_cdb(), golden);
        assert_eq!(PositionToElement::parse(&golden), command);
    }
}
