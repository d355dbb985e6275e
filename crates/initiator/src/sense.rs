//! Sense data as an initiator reads it.

use std::fmt;

/// What a device says about a command. [SPC-5 4.5]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sense {
    /// SENSE KEY.
    pub key: u8,
    /// ADDITIONAL SENSE CODE.
    pub asc: u8,
    /// ADDITIONAL SENSE CODE QUALIFIER.
    pub ascq: u8,
    /// FILEMARK bit.
    pub filemark: bool,
    /// EOM bit: end (or beginning) of medium.
    pub end_of_medium: bool,
    /// ILI bit: incorrect length.
    pub incorrect_length: bool,
    /// INFORMATION field, where VALID says it holds something.
    pub information: Option<i32>,
}

/// NO SENSE.
pub(crate) const NO_SENSE: u8 = 0x0;
/// UNIT ATTENTION.
pub(crate) const UNIT_ATTENTION: u8 = 0x6;
/// BLANK CHECK.
pub(crate) const BLANK_CHECK: u8 = 0x8;

impl Sense {
    /// Reads fixed-format sense data (70h, 71h); `None` for any other format and for fewer than 14 bytes.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let head: &[u8; 14] = bytes.first_chunk()?;
        let [code, _, flags, i0, i1, i2, i3, _, _, _, _, _, asc, ascq] = *head;
        if !matches!(code & 0x7f, 0x70 | 0x71) {
            return None;
        }
        Some(Self {
            key: flags & 0x0f,
            asc,
            ascq,
            filemark: flags & 0x80 != 0,
            end_of_medium: flags & 0x40 != 0,
            incorrect_length: flags & 0x20 != 0,
            information: (code & 0x80 != 0).then(|| i32::from_be_bytes([i0, i1, i2, i3])),
        })
    }

    /// Key, code and qualifier, to be compared with what is expected.
    #[must_use]
    pub fn triple(&self) -> (u8, u8, u8) {
        (self.key, self.asc, self.ascq)
    }
}

impl fmt::Display for Sense {
    /// As people who know SCSI write it: `3/3b/00`, with the bits that are set.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}/{:02x}/{:02x}", self.key, self.asc, self.ascq)?;
        for (set, name) in [(self.filemark, "filemark"), (self.end_of_medium, "EOM"), (self.incorrect_length, "ILI")] {
            if set {
                write!(f, " {name}")?;
            }
        }
        self.information.map_or(Ok(()), |information| write!(f, " information {information}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_bytes() {
        let bytes = [0xf0, 0, 0xe3, 0xff, 0xff, 0xff, 0xfe, 10, 0, 0, 0, 0, 0x3b, 0x01, 0, 0, 0, 0];
        let sense = Sense::parse(&bytes).unwrap();
        assert_eq!(sense.triple(), (3, 0x3b, 1));
        assert_eq!(sense.information, Some(-2));
        assert_eq!(sense.to_string(), "3/3b/01 filemark EOM ILI information -2");
        assert_eq!(Sense::parse(&bytes[..13]), None);
        assert_eq!(Sense::parse(&[0x72; 18]), None);
    }
}
