//! Searching for cartridges by label: SEND VOLUME TAG asks, REQUEST VOLUME ELEMENT ADDRESS answers.
//! [SMC-3]

use std::fmt;

use super::cdb::element_type;
use super::{ElementType, be16, to_be24};
use crate::sam::Cdb;
use crate::{CheckCondition, Opcode};

/// SEND ACTION CODE. [SMC-3 SEND VOLUME TAG]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SendActionCode(pub u8);

impl SendActionCode {
    /// Search all volume tags, sequence numbers within the bounds.
    pub const TRANSLATE_ALL: Self = Self(0x00);
    /// Search primary volume tags, sequence numbers within the bounds.
    pub const TRANSLATE_PRIMARY: Self = Self(0x01);
    /// Search all volume tags, whatever the sequence number.
    pub const TRANSLATE_ALL_ANY_SEQUENCE: Self = Self(0x04);
    /// Search primary volume tags, whatever the sequence number.
    pub const TRANSLATE_PRIMARY_ANY_SEQUENCE: Self = Self(0x05);

    /// The sequence number counts.
    #[must_use]
    pub fn checks_sequence(self) -> bool {
        matches!(self, Self::TRANSLATE_ALL | Self::TRANSLATE_PRIMARY)
    }
}

impl fmt::Debug for SendActionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Self::TRANSLATE_ALL => "TRANSLATE ALL",
            Self::TRANSLATE_PRIMARY => "TRANSLATE PRIMARY",
            Self::TRANSLATE_ALL_ANY_SEQUENCE => "TRANSLATE ALL, ANY SEQUENCE",
            Self::TRANSLATE_PRIMARY_ANY_SEQUENCE => "TRANSLATE PRIMARY, ANY SEQUENCE",
            Self(other) => return write!(f, "SendActionCode({other:#04x})"),
        };
        f.write_str(name)
    }
}

/// SEND VOLUME TAG, translate actions only: labels are never written by an initiator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SendVolumeTag {
    /// ELEMENT TYPE CODE: search only these.
    pub element_type: ElementType,
    /// STARTING ELEMENT ADDRESS.
    pub starting_element_address: u16,
    /// SEND ACTION CODE.
    pub send_action_code: SendActionCode,
    /// PARAMETER LIST LENGTH: 0 or 40.
    pub parameter_list_length: u16,
}

impl SendVolumeTag {
    /// Operation code.
    pub const OPERATION_CODE: Opcode = Opcode::SEND_VOLUME_TAG;

    /// Reads and checks the fields.
    ///
    /// # Errors
    /// INVALID FIELD IN CDB at an undefined element type or an action that is not a translation of primary tags.
    pub fn parse(cdb: &Cdb) -> Result<Self, CheckCondition> {
        let send_action_code = SendActionCode(cdb.byte(5) & 0x1f);
        let parsed = Self {
            element_type: element_type(cdb)?,
            starting_element_address: cdb.u16(2),
            send_action_code,
            parameter_list_length: cdb.u16(8),
        };
        match send_action_code {
            SendActionCode::TRANSLATE_ALL
            | SendActionCode::TRANSLATE_PRIMARY
            | SendActionCode::TRANSLATE_ALL_ANY_SEQUENCE
            | SendActionCode::TRANSLATE_PRIMARY_ANY_SEQUENCE => Ok(parsed),
            _ => Err(CheckCondition::invalid_field_in_cdb(5, Some(4))),
        }
    }

    /// The CDB.
    #[must_use]
    pub fn to_cdb(self) -> Cdb {
        let mut cdb = [0; 16];
        cdb[0] = Self::OPERATION_CODE.0;
        cdb[1] = self.element_type.0;
        cdb[2..4].copy_from_slice(&self.starting_element_address.to_be_bytes());
        cdb[5] = self.send_action_code.0;
        cdb[8..10].copy_from_slice(&self.parameter_list_length.to_be_bytes());
        Cdb(cdb)
    }
}

/// REQUEST VOLUME ELEMENT ADDRESS: what the last translation of this initiator found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RequestVolumeElementAddress {
    /// VOLTAG bit: with volume tags.
    pub volume_tag: bool,
    /// ELEMENT TYPE CODE.
    pub element_type: ElementType,
    /// STARTING ELEMENT ADDRESS.
    pub starting_element_address: u16,
    /// NUMBER OF ELEMENTS: at most so many.
    pub number_of_elements: u16,
    /// ALLOCATION LENGTH.
    pub allocation_length: u32,
}

impl RequestVolumeElementAddress {
    /// Operation code.
    pub const OPERATION_CODE: Opcode = Opcode::REQUEST_VOLUME_ELEMENT_ADDRESS;

    /// Reads and checks the fields.
    ///
    /// # Errors
    /// INVALID FIELD IN CDB at an undefined element type.
    pub fn parse(cdb: &Cdb) -> Result<Self, CheckCondition> {
        Ok(Self {
            volume_tag: cdb.bit(1, 4),
            element_type: element_type(cdb)?,
            starting_element_address: cdb.u16(2),
            number_of_elements: cdb.u16(4),
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
        cdb[7..10].copy_from_slice(&to_be24(self.allocation_length));
        Cdb(cdb)
    }
}

/// Parameter list of SEND VOLUME TAG: what to search for. [SMC-3 SEND VOLUME TAG]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VolumeTagSearch {
    /// VOLUME IDENTIFICATION TEMPLATE: `?` stands for any one character, `*` for any characters.
    pub template: [u8; 32],
    /// MINIMUM VOLUME SEQUENCE NUMBER.
    pub minimum_sequence: u16,
    /// MAXIMUM VOLUME SEQUENCE NUMBER.
    pub maximum_sequence: u16,
}

impl VolumeTagSearch {
    /// Bytes of the list.
    pub const LENGTH: usize = 40;

    /// Reads the list.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Self {
        let mut template = [0; 32];
        template.copy_from_slice(&bytes[..32]);
        Self { template, minimum_sequence: be16(bytes[34], bytes[35]), maximum_sequence: be16(bytes[38], bytes[39]) }
    }

    /// The list.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        bytes[..32].copy_from_slice(&self.template);
        bytes[34..36].copy_from_slice(&self.minimum_sequence.to_be_bytes());
        bytes[38..].copy_from_slice(&self.maximum_sequence.to_be_bytes());
        bytes
    }

    /// The identifier fits the template; padding on either side does not count.
    #[must_use]
    pub fn matches(&self, identifier: &[u8]) -> bool {
        let padding = |byte: &u8| matches!(byte, 0 | b' ');
        let end = self.template.iter().rposition(|byte| !padding(byte)).map_or(0, |last| last.saturating_add(1));
        wildcard(self.template.get(..end).unwrap_or(&[]), identifier)
    }
}

/// Wildcard match in time proportional to the product of the lengths: after a mismatch the last `*` takes one more.
fn wildcard(mut template: &[u8], mut text: &[u8]) -> bool {
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        match (template.split_first(), text.split_first()) {
            (Some((b'*', after)), _) => {
                star = Some((after, text));
                template = after;
            }
            (Some((wanted, after)), Some((found, rest))) if *wanted == b'?' || wanted == found => {
                (template, text) = (after, rest);
            }
            (None, None) => return true,
            _ => {
                let Some((after, (_, rest))) = star.and_then(|(after, text)| Some((after, text.split_first()?))) else {
                    return false;
                };
                star = Some((after, rest));
                (template, text) = (after, rest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_commands() {
        let golden = Cdb([0xb6, 2, 0x03, 0xe8, 0, 5, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0]);
        let command = SendVolumeTag {
            element_type: ElementType::STORAGE,
            starting_element_address: 1000,
            send_action_code: SendActionCode::TRANSLATE_PRIMARY_ANY_SEQUENCE,
            parameter_list_length: 40,
        };
        assert_eq!(command.to_cdb(), golden);
        assert_eq!(SendVolumeTag::parse(&golden), Ok(command));

        let golden = Cdb([0xb5, 0x12, 0x03, 0xe8, 0, 9, 0, 1, 2, 3, 0, 0, 0, 0, 0, 0]);
        let command = RequestVolumeElementAddress {
            volume_tag: true,
            element_type: ElementType::STORAGE,
            starting_element_address: 1000,
            number_of_elements: 9,
            allocation_length: 0x0001_0203,
        };
        assert_eq!(command.to_cdb(), golden);
        assert_eq!(RequestVolumeElementAddress::parse(&golden), Ok(command));
    }

    #[test]
    fn only_translations_of_primary_tags() {
        for code in 0..32 {
            let cdb = Cdb([0xb6, 0, 0, 0, 0, code, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0]);
            assert_eq!(SendVolumeTag::parse(&cdb).is_ok(), [0, 1, 4, 5].contains(&code), "{code:02x}");
        }
    }

    #[test]
    fn golden_parameter_list() {
        let mut golden = [0; 40];
        golden[..32].copy_from_slice(b"CAP*                            ");
        golden[35] = 1;
        golden[39] = 2;
        let search = VolumeTagSearch::from_bytes(&golden);
        assert_eq!((search.minimum_sequence, search.maximum_sequence), (1, 2));
        assert_eq!(search.to_bytes(), golden);
    }

    #[test]
    fn templates() {
        let search = |template: &str| {
            let mut bytes = [b' '; 40];
            bytes[..template.len()].copy_from_slice(template.as_bytes());
            VolumeTagSearch::from_bytes(&bytes)
        };
        for (template, expected) in [
            ("CAP001L8", true),
            ("*", true),
            ("CAP*", true),
            ("*L8", true),
            ("C*0*8", true),
            ("CAP0?1L8", true),
            ("????????", true),
            ("CAP001L8*", true),
            ("**1**", true),
            ("", false),
            ("CAP001L", false),
            ("CAP001L80", false),
            ("???????", false),
            ("*X*", false),
        ] {
            assert_eq!(search(template).matches(b"CAP001L8"), expected, "{template:?}");
        }
        assert!(search("").matches(b""));
        assert!(!search(&"*A".repeat(16)).matches(&[b'A'; 15]));
    }
}
