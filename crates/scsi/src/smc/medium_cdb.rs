//! Commands to the robot: MOVE MEDIUM, EXCHANGE MEDIUM, POSITION TO ELEMENT.

use crate::sam::Cdb;
use crate::{CheckCondition, smc};

/// POSITION TO ELEMENT: the picker in front of an element. [SMC-3 6.8]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PositionToElement {
    /// MEDIUM TRANSPORT ELEMENT ADDRESS; 0 = the default one.
    pub medium_transport_element_address: u16,
    /// DESTINATION ELEMENT ADDRESS.
    pub destination_element_address: u16,
}

impl PositionToElement {
    /// Operation code.
    pub const OPERATION_CODE: u8 = 0x2b;

    /// Reads and checks the fields.
    ///
    /// # Errors
    /// INVALID FIELD IN CDB at INVERT: tapes have one side.
    pub fn parse(cdb: &Cdb) -> Result<Self, CheckCondition> {
        let cdb = &cdb.0;
        refuse_bit(cdb[8], 8, 0)?;
        Ok(Self {
            medium_transport_element_address: smc::be16(cdb[2], cdb[3]),
            destination_element_address: smc::be16(cdb[4], cdb[5]),
        })
    }

    /// The CDB.
    #[must_use]
    pub fn to_cdb(self) -> Cdb {
        let mut cdb = [0; 16];
        cdb[0] = Self::OPERATION_CODE;
        cdb[2..4].copy_from_slice(&self.medium_transport_element_address.to_be_bytes());
        cdb[4..6].copy_from_slice(&self.destination_element_address.to_be_bytes());
        Cdb(cdb)
    }
}

/// MOVE MEDIUM: a cartridge from one element to another. [SMC-3 6.7]
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
    pub const OPERATION_CODE: u8 = 0xa5;

    /// Reads and checks the fields.
    ///
    /// # Errors
    /// INVALID FIELD IN CDB at INVERT: tapes have one side.
    pub fn parse(cdb: &Cdb) -> Result<Self, CheckCondition> {
        let cdb = &cdb.0;
        refuse_bit(cdb[10], 10, 0)?;
        Ok(Self {
            medium_transport_element_address: smc::be16(cdb[2], cdb[3]),
            source_address: smc::be16(cdb[4], cdb[5]),
            destination_address: smc::be16(cdb[6], cdb[7]),
        })
    }

    /// The CDB.
    #[must_use]
    pub fn to_cdb(self) -> Cdb {
        let mut cdb = [0; 16];
        cdb[0] = Self::OPERATION_CODE;
        cdb[2..4].copy_from_slice(&self.medium_transport_element_address.to_be_bytes());
        cdb[4..6].copy_from_slice(&self.source_address.to_be_bytes());
        cdb[6..8].copy_from_slice(&self.destination_address.to_be_bytes());
        Cdb(cdb)
    }
}

/// EXCHANGE MEDIUM: a cartridge takes the place of another, which goes elsewhere. [SMC-3 6.1]
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
    pub const OPERATION_CODE: u8 = 0xa6;

    /// Reads and checks the fields.
    ///
    /// # Errors
    /// INVALID FIELD IN CDB at INV1 or INV2: tapes have one side.
    pub fn parse(cdb: &Cdb) -> Result<Self, CheckCondition> {
        let cdb = &cdb.0;
        refuse_bit(cdb[10], 10, 1)?;
        refuse_bit(cdb[10], 10, 0)?;
        Ok(Self {
            medium_transport_element_address: smc::be16(cdb[2], cdb[3]),
            source_address: smc::be16(cdb[4], cdb[5]),
            first_destination_address: smc::be16(cdb[6], cdb[7]),
            second_destination_address: smc::be16(cdb[8], cdb[9]),
        })
    }

    /// The CDB.
    #[must_use]
    pub fn to_cdb(self) -> Cdb {
        let mut cdb = [0; 16];
        cdb[0] = Self::OPERATION_CODE;
        cdb[2..4].copy_from_slice(&self.medium_transport_element_address.to_be_bytes());
        cdb[4..6].copy_from_slice(&self.source_address.to_be_bytes());
        cdb[6..8].copy_from_slice(&self.first_destination_address.to_be_bytes());
        cdb[8..10].copy_from_slice(&self.second_destination_address.to_be_bytes());
        Cdb(cdb)
    }
}

fn refuse_bit(byte: u8, field: u16, bit: u8) -> Result<(), CheckCondition> {
    if byte & (1 << bit) == 0 { Ok(()) } else { Err(CheckCondition::invalid_field_in_cdb(field, Some(bit))) }
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
        assert_eq!(MoveMedium::parse(&golden), Ok(command));
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
        assert_eq!(ExchangeMedium::parse(&golden), Ok(command));
    }

    #[test]
    fn golden_position() {
        let golden = Cdb([0x2b, 0, 0, 1, 0x03, 0xe8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let command = PositionToElement { medium_transport_element_address: 1, destination_element_address: 1000 };
        assert_eq!(command.to_cdb(), golden);
        assert_eq!(PositionToElement::parse(&golden), Ok(command));
    }

    #[test]
    fn nothing_is_inverted() {
        let pointer = |check: CheckCondition| <[u8; 3]>::try_from(&check.to_fixed()[15..18]).unwrap();
        let mut cdb = Cdb([0; 16]);
        cdb.0[10] = 1;
        assert_eq!(pointer(MoveMedium::parse(&cdb).unwrap_err()), [0xc8, 0, 10]);
        assert_eq!(pointer(ExchangeMedium::parse(&cdb).unwrap_err()), [0xc8, 0, 10]);
        cdb.0[10] = 2;
        assert_eq!(pointer(ExchangeMedium::parse(&cdb).unwrap_err()), [0xc9, 0, 10]);
        cdb.0[8] = 1;
        assert_eq!(pointer(PositionToElement::parse(&cdb).unwrap_err()), [0xc8, 0, 8]);
    }
}
