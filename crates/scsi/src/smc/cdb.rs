//! Commands about the inventory: INITIALIZE ELEMENT STATUS, WITH RANGE, READ ELEMENT STATUS.
//!
//! Reserved bits are not looked at, that is [`Cdb::check_usage`]'s part; bits 7-5 of byte 1 nowhere: the Linux `ch`
//! driver puts the LUN there.

use crate::sam::Cdb;
use crate::{CheckCondition, Opcode};

use super::{ElementType, to_be24};

/// INITIALIZE ELEMENT STATUS: look what is in every element. [SMC-3 INITIALIZE ELEMENT STATUS]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct InitializeElementStatus;

impl InitializeElementStatus {
    /// Operation code.
    pub const OPERATION_CODE: Opcode = Opcode::INITIALIZE_ELEMENT_STATUS;

    /// The CDB.
    #[must_use]
    pub fn to_cdb(self) -> Cdb {
        let mut cdb = Cdb::default();
        cdb.0[0] = Self::OPERATION_CODE.0;
        cdb
    }
}

/// INITIALIZE ELEMENT STATUS WITH RANGE: look what is in some elements. [SMC-3 INITIALIZE ELEMENT STATUS WITH RANGE]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InitializeElementStatusWithRange {
    /// FAST bit: only where the inventory is in doubt.
    pub fast: bool,
    /// RANGE bit: only the elements that the next fields name; else all.
    pub range: bool,
    /// STARTING ELEMENT ADDRESS.
    pub starting_element_address: u16,
    /// NUMBER OF ELEMENTS; 0 = to the last one.
    pub number_of_elements: u16,
}

impl InitializeElementStatusWithRange {
    /// Operation code.
    pub const OPERATION_CODE: Opcode = Opcode::INITIALIZE_ELEMENT_STATUS_WITH_RANGE;
    /// The vendor-specific code under which libraries had the command before it was standard; same layout.
    pub const VENDOR_OPERATION_CODE: Opcode = Opcode(0xe7);

    /// Reads the fields.
    #[must_use]
    pub fn parse(cdb: &Cdb) -> Self {
        Self {
            fast: cdb.bit(1, 1),
            range: cdb.bit(1, 0),
            starting_element_address: cdb.u16(2),
            number_of_elements: cdb.u16(6),
        }
    }

    /// The CDB.
    #[must_use]
    pub fn to_cdb(self) -> Cdb {
        let mut cdb = [0; 16];
        cdb[0] = Self::OPERATION_CODE.0;
        cdb[1] = (u8::from(self.fast) << 1) | u8::from(self.range);
        cdb[2..4].copy_from_slice(&self.starting_element_address.to_be_bytes());
        cdb[6..8].copy_from_slice(&self.number_of_elements.to_be_bytes());
        Cdb(cdb)
    }
}

/// READ ELEMENT STATUS: what is where. [SMC-3 READ ELEMENT STATUS]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReadElementStatus {
    /// VOLTAG bit: with volume tags (barcodes).
    pub volume_tag: bool,
    /// ELEMENT TYPE CODE.
    pub element_type: ElementType,
    /// STARTING ELEMENT ADDRESS: the lowest one of interest.
    pub starting_element_address: u16,
    /// NUMBER OF ELEMENTS: at most so many.
    pub number_of_elements: u16,
    /// CURDATA bit: without any motion.
    pub current_data: bool,
    /// DVCID bit: with the identifiers of the drives.
    pub device_identifier: bool,
    /// ALLOCATION LENGTH.
    pub allocation_length: u32,
}

impl ReadElementStatus {
    /// Operation code.
    pub const OPERATION_CODE: Opcode = Opcode::READ_ELEMENT_STATUS;

    /// Reads and checks the fields.
    ///
    /// # Errors
    /// INVALID FIELD IN CDB at the ELEMENT TYPE CODE when the standard has no such type.
    pub fn parse(cdb: &Cdb) -> Result<Self, CheckCondition> {
        Ok(Self {
            volume_tag: cdb.bit(1, 4),
            element_type: element_type(cdb)?,
            starting_element_address: cdb.u16(2),
            number_of_elements: cdb.u16(4),
            current_data: cdb.bit(6, 1),
            device_identifier: cdb.bit(6, 0),
            allocation_length: cdb.u24(7),
        })
    }

    /// The CDB; an allocation length beyond three bytes becomes the longest that fits.
    #[must_use]
    pub fn to_cdb(self) -> Cdb {
        let mut cdb = [0; 16];
        cdb[0] = Self::OPERATION_CODE.0;
        cdb[1] = (u8::from(self.volume_tag) << 4) | self.element_type.0;
        cdb[2..4].copy_from_slice(&self.starting_element_address.to_be_bytes());
        cdb[4..6].copy_from_slice(&self.number_of_elements.to_be_bytes());
        cdb[6] = (u8::from(self.current_data) << 1) | u8::from(self.device_identifier);
        cdb[7..10].copy_from_slice(&to_be24(self.allocation_length));
        Cdb(cdb)
    }
}

/// The ELEMENT TYPE CODE in byte 1.
pub(super) fn element_type(cdb: &Cdb) -> Result<ElementType, CheckCondition> {
    let element_type = ElementType(cdb.byte(1) & 0x0f);
    if element_type.is_defined() { Ok(element_type) } else { Err(CheckCondition::invalid_field_in_cdb(1, Some(3))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_read_element_status() {
        let golden = Cdb([0xb8, 0x12, 0x03, 0xe8, 0, 100, 3, 0, 0x20, 0xf8, 0, 0, 0, 0, 0, 0]);
        let command = ReadElementStatus {
            volume_tag: true,
            element_type: ElementType::STORAGE,
            starting_element_address: 1000,
            number_of_elements: 100,
            current_data: true,
            device_identifier: true,
            allocation_length: 8440,
        };
        assert_eq!(command.to_cdb(), golden);
        assert_eq!(ReadElementStatus::parse(&golden), Ok(command));
    }

    #[test]
    fn the_lun_in_byte_1_is_not_looked_at() {
        let mut cdb = Cdb([0xb8, 0x12, 0, 0, 0, 1, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0]);
        let plain = ReadElementStatus::parse(&cdb).unwrap();
        cdb.0[1] |= 0xe0;
        assert_eq!(ReadElementStatus::parse(&cdb), Ok(plain));
    }

    #[test]
    fn undefined_element_types_are_pointed_at() {
        for code in 5..16 {
            let cdb = Cdb([0xb8, code, 0, 0, 0, 1, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0]);
            let sense = ReadElementStatus::parse(&cdb).unwrap_err().to_fixed();
            assert_eq!((sense[2], sense[12], sense[13], &sense[15..18]), (5, 0x24, 0, &[0xcb, 0, 1][..]));
        }
    }

    #[test]
    fn golden_initialize() {
        assert_eq!(InitializeElementStatus.to_cdb().0[..2], [7, 0]);
        let golden = Cdb([0x37, 0x03, 0x03, 0xe8, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0]);
        let command = InitializeElementStatusWithRange {
            fast: true,
            range: true,
            starting_element_address: 1000,
            number_of_elements: 5,
        };
        assert_eq!(command.to_cdb(), golden);
        assert_eq!(InitializeElementStatusWithRange::parse(&golden), command);
    }
}
