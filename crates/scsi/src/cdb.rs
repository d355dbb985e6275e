//! Fields of a command descriptor block, and operation codes. [SPC-5 4.2]

use std::fmt;

use crate::CheckCondition;
use crate::sam::Cdb;
use crate::wire;

impl Cdb {
    /// Byte `at`; 0 beyond the end.
    #[must_use]
    pub fn byte(&self, at: usize) -> u8 {
        self.0.get(at).copied().unwrap_or(0)
    }

    /// Bit `bit` (0 to 7) of byte `at`.
    #[must_use]
    pub fn bit(&self, at: usize, bit: u8) -> bool {
        self.byte(at) & 1_u8.checked_shl(u32::from(bit)).unwrap_or(0) != 0
    }

    /// Two-byte field at `at`.
    #[must_use]
    pub fn u16(&self, at: usize) -> u16 {
        wire::u16_at(&self.0, at).unwrap_or(0)
    }

    /// Three-byte field at `at`.
    #[must_use]
    pub fn u24(&self, at: usize) -> u32 {
        wire::u24_at(&self.0, at).unwrap_or(0)
    }

    /// Four-byte field at `at`.
    #[must_use]
    pub fn u32(&self, at: usize) -> u32 {
        wire::u32_at(&self.0, at).unwrap_or(0)
    }

    /// Eight-byte field at `at`.
    #[must_use]
    pub fn u64(&self, at: usize) -> u64 {
        wire::u64_at(&self.0, at).unwrap_or(0)
    }

    /// SERVICE ACTION field in byte 1, for the operation codes that have one there.
    #[must_use]
    pub fn service_action(&self) -> u16 {
        u16::from(self.byte(1) & 0x1f)
    }

    /// Refuses bits that `usage` (CDB USAGE DATA, one mask per byte) does not name, pointing at the highest one.
    ///
    /// Byte 1 bits 7-5 carried the LUN in SCSI-2, and Linux's changer driver still puts it there: they are ignored
    /// where they are not part of a field. The CONTROL byte (the last) is checked for NACA only, since some programs
    /// keep flags in its vendor-specific bits.
    // DEVIATION(spc-003): reserved bits 7-5 of byte 1 are ignored.
    ///
    /// # Errors
    /// INVALID FIELD IN CDB.
    pub fn check_usage(&self, usage: &[u8]) -> Result<(), CheckCondition> {
        let control = usage.len().saturating_sub(1);
        for (at, mask) in usage.iter().enumerate().take(control).skip(1) {
            let ignored = if at == 1 { 0xe0 } else { 0 };
            let reserved = self.byte(at) & !mask & !ignored;
            if let Some(bit) = reserved.checked_ilog2() {
                return Err(CheckCondition::invalid_field_in_cdb(wire::length_u16(at), u8::try_from(bit).ok()));
            }
        }
        if self.bit(control, 2) {
            return Err(CheckCondition::invalid_field_in_cdb(wire::length_u16(control), Some(2)));
        }
        Ok(())
    }
}

macro_rules! opcodes {
    ($($name:ident = $value:literal, $text:literal;)*) => {
        impl Opcode {
            $(#[doc = $text] pub const $name: Self = Self($value);)*
        }
    };
}

/// An operation code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Opcode(pub u8);

opcodes! {
    TEST_UNIT_READY = 0x00, "TEST UNIT READY";
    REWIND = 0x01, "REWIND (drive)";
    REQUEST_SENSE = 0x03, "REQUEST SENSE";
    READ_BLOCK_LIMITS = 0x05, "READ BLOCK LIMITS (drive)";
    INITIALIZE_ELEMENT_STATUS = 0x07, "INITIALIZE ELEMENT STATUS (changer)";
    READ_6 = 0x08, "READ(6)";
    WRITE_6 = 0x0a, "WRITE(6)";
    WRITE_FILEMARKS_6 = 0x10, "WRITE FILEMARKS(6)";
    SPACE_6 = 0x11, "SPACE(6)";
    INQUIRY = 0x12, "INQUIRY";
    MODE_SELECT_6 = 0x15, "MODE SELECT(6)";
    RESERVE_6 = 0x16, "RESERVE(6)";
    RELEASE_6 = 0x17, "RELEASE(6)";
    ERASE_6 = 0x19, "ERASE(6)";
    MODE_SENSE_6 = 0x1a, "MODE SENSE(6)";
    LOAD_UNLOAD = 0x1b, "LOAD UNLOAD (drive)";
    SEND_DIAGNOSTIC = 0x1d, "SEND DIAGNOSTIC";
    PREVENT_ALLOW_MEDIUM_REMOVAL = 0x1e, "PREVENT ALLOW MEDIUM REMOVAL";
    LOCATE_10 = 0x2b, "LOCATE(10) (drive)";
    POSITION_TO_ELEMENT = 0x2b, "POSITION TO ELEMENT (changer)";
    READ_POSITION = 0x34, "READ POSITION";
    INITIALIZE_ELEMENT_STATUS_WITH_RANGE = 0x37, "INITIALIZE ELEMENT STATUS WITH RANGE (changer)";
    REPORT_DENSITY_SUPPORT = 0x44, "REPORT DENSITY SUPPORT";
    LOG_SELECT = 0x4c, "LOG SELECT";
    LOG_SENSE = 0x4d, "LOG SENSE";
    MODE_SELECT_10 = 0x55, "MODE SELECT(10)";
    RESERVE_10 = 0x56, "RESERVE(10)";
    RELEASE_10 = 0x57, "RELEASE(10)";
    MODE_SENSE_10 = 0x5a, "MODE SENSE(10)";
    SPACE_16 = 0x91, "SPACE(16)";
    LOCATE_16 = 0x92, "LOCATE(16)";
    REPORT_LUNS = 0xa0, "REPORT LUNS";
    MAINTENANCE_IN = 0xa3, "MAINTENANCE IN";
    MOVE_MEDIUM = 0xa5, "MOVE MEDIUM (changer)";
    EXCHANGE_MEDIUM = 0xa6, "EXCHANGE MEDIUM (changer)";
    REQUEST_VOLUME_ELEMENT_ADDRESS = 0xb5, "REQUEST VOLUME ELEMENT ADDRESS (changer)";
    SEND_VOLUME_TAG = 0xb6, "SEND VOLUME TAG (changer)";
    READ_ELEMENT_STATUS = 0xb8, "READ ELEMENT STATUS (changer)";
}

impl fmt::Debug for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02X}h", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cdb(bytes: &[u8]) -> Cdb {
        let mut cdb = Cdb::default();
        cdb.0[..bytes.len()].copy_from_slice(bytes);
        cdb
    }

    #[test]
    fn reserved_bits_are_pointed_at_but_lun_and_vendor_control_bits_are_not() {
        let usage = [0x12, 0x01, 0xff, 0xff, 0xff, 0x00];
        assert_eq!(cdb(&[0x12, 0xe1, 0x80, 0, 255, 0xc0]).check_usage(&usage), Ok(()));
        let refused = cdb(&[0x12, 0x06, 0, 0, 255, 0]).check_usage(&usage);
        assert_eq!(refused, Err(CheckCondition::invalid_field_in_cdb(1, Some(2))));
        let naca = cdb(&[0x12, 0, 0, 0, 255, 4]).check_usage(&usage);
        assert_eq!(naca, Err(CheckCondition::invalid_field_in_cdb(5, Some(2))));
    }

    #[test]
    fn bits_that_belong_to_a_field_of_byte_one_are_kept() {
        let usage = [0x92, 0x3b];
        assert_eq!(cdb(&[0x92, 0xf8]).check_usage(&usage), Ok(()));
        assert!(cdb(&[0x92, 0x38]).bit(1, 5));
    }
}
