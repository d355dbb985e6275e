//! Sense data, always in fixed format: LTFS, mtx and Amanda read nothing else. [SPC-5 4.5.3]

use bytes::Bytes;

use crate::asc::Asc;
use crate::sam::{Completion, Status};

/// Sense keys. [SPC-5 4.5.6]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum SenseKey {
    /// Nothing wrong; filemark, end of medium or incorrect length may be reported.
    NoSense = 0x0,
    /// The command succeeded after recovery.
    RecoveredError = 0x1,
    /// The logical unit cannot be accessed.
    NotReady = 0x2,
    /// The medium is flawed.
    MediumError = 0x3,
    /// The device is flawed.
    HardwareError = 0x4,
    /// The command is wrong.
    IllegalRequest = 0x5,
    /// Something happened that the initiator must know before it goes on.
    UnitAttention = 0x6,
    /// The medium may not be read or written there.
    DataProtect = 0x7,
    /// End of data or blank medium.
    BlankCheck = 0x8,
    /// The command was aborted by the target.
    AbortedCommand = 0xb,
    /// No room left on the medium.
    VolumeOverflow = 0xd,
}

/// Points at the bit or byte of a CDB or parameter list that was refused. [SPC-5 4.5.2.4.2 field pointer]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FieldPointer {
    /// The fault is in the CDB (C/D), not in the parameter list.
    pub command_data: bool,
    /// Byte that holds it (its first byte).
    pub field: u16,
    /// Most significant bit of the field in that byte, where it is smaller than a byte.
    pub bit: Option<u8>,
}

/// Why a command did not simply succeed: the content of sense data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CheckCondition {
    /// SENSE KEY.
    pub key: SenseKey,
    /// ADDITIONAL SENSE CODE and qualifier.
    pub asc: Asc,
    /// FILEMARK bit.
    pub filemark: bool,
    /// EOM bit: end (or beginning) of medium.
    pub end_of_medium: bool,
    /// ILI bit: incorrect length.
    pub incorrect_length: bool,
    /// INFORMATION field; `None` leaves VALID at zero. Negative values travel as two's complement.
    pub information: Option<i32>,
    /// SENSE KEY SPECIFIC field pointer.
    pub field: Option<FieldPointer>,
}

impl CheckCondition {
    /// Sense data with only a key and a code.
    #[must_use]
    pub const fn new(key: SenseKey, asc: Asc) -> Self {
        Self {
            key,
            asc,
            filemark: false,
            end_of_medium: false,
            incorrect_length: false,
            information: None,
            field: None,
        }
    }

    /// ILLEGAL REQUEST, INVALID FIELD IN CDB, pointing at a byte (and bit) of the CDB.
    #[must_use]
    pub const fn invalid_field_in_cdb(field: u16, bit: Option<u8>) -> Self {
        let pointer = FieldPointer { command_data: true, field, bit };
        Self { field: Some(pointer), ..Self::new(SenseKey::IllegalRequest, Asc::INVALID_FIELD_IN_CDB) }
    }

    /// ILLEGAL REQUEST, INVALID FIELD IN PARAMETER LIST, pointing at a byte (and bit) of the list.
    #[must_use]
    pub const fn invalid_field_in_parameter_list(field: u16, bit: Option<u8>) -> Self {
        let pointer = FieldPointer { command_data: false, field, bit };
        Self { field: Some(pointer), ..Self::new(SenseKey::IllegalRequest, Asc::INVALID_FIELD_IN_PARAMETER_LIST) }
    }

    /// With the FILEMARK bit.
    #[must_use]
    pub const fn with_filemark(mut self) -> Self {
        self.filemark = true;
        self
    }

    /// With the EOM bit.
    #[must_use]
    pub const fn with_end_of_medium(mut self) -> Self {
        self.end_of_medium = true;
        self
    }

    /// With the ILI bit.
    #[must_use]
    pub const fn with_incorrect_length(mut self) -> Self {
        self.incorrect_length = true;
        self
    }

    /// With VALID and INFORMATION.
    #[must_use]
    pub const fn with_information(mut self, information: i32) -> Self {
        self.information = Some(information);
        self
    }

    /// With VALID and a residue in INFORMATION; one that needs more than its four bytes leaves VALID at zero.
    /// [SPC-5 4.5.3]
    #[must_use]
    pub fn with_residue(mut self, residue: u64) -> Self {
        self.information = u32::try_from(residue).ok().map(|residue| i32::from_be_bytes(residue.to_be_bytes()));
        self
    }

    /// Fixed-format sense data, 18 bytes, current error (70h).
    #[must_use]
    pub fn to_fixed(&self) -> [u8; 18] {
        let valid = if self.information.is_some() { 0x80 } else { 0 };
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let mut sense = [0; 18];
        sense[0] = valid | 0x70;
        sense[2] = flag(self.filemark, 0x80)
            | flag(self.end_of_medium, 0x40)
            | flag(self.incorrect_length, 0x20)
            | self.key as u8;
        sense[3..7].copy_from_slice(&self.information.unwrap_or(0).to_be_bytes());
        sense[7] = 10;
        sense[12] = self.asc.asc;
        sense[13] = self.asc.ascq;
        if let Some(field) = self.field {
            let bit = field.bit.map_or(0, |bit| 0x08 | (bit & 0x07));
            sense[15] = 0x80 | flag(field.command_data, 0x40) | bit;
            sense[16..18].copy_from_slice(&field.field.to_be_bytes());
        }
        sense
    }

    /// The end of a command with this sense data; `data_in` is what the command transferred nevertheless.
    #[must_use]
    pub fn into_completion(self, data_in: Bytes) -> Completion {
        let sense = Bytes::copy_from_slice(&self.to_fixed());
        Completion { status: Status::CHECK_CONDITION, sense, data_in, data_out_length: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_fixed_sense() {
        let sense =
            CheckCondition::new(SenseKey::NoSense, Asc::FILEMARK_DETECTED).with_filemark().with_information(512);
        assert_eq!(sense.to_fixed(), [0xf0, 0, 0x80, 0, 0, 2, 0, 10, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
        let sense = CheckCondition::invalid_field_in_cdb(4, Some(5));
        assert_eq!(sense.to_fixed(), [0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x24, 0, 0, 0xcd, 0, 4]);
        let sense = CheckCondition::new(SenseKey::NoSense, Asc::NO_ADDITIONAL_SENSE_INFORMATION)
            .with_incorrect_length()
            .with_information(-512);
        assert_eq!(&sense.to_fixed()[..8], &[0xf0, 0, 0x20, 0xff, 0xff, 0xfe, 0, 10]);
    }
}
