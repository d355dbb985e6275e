//! Logical unit numbers.

use std::fmt;

/// An eight-byte logical unit number as it travels. [SAM-5 4.7]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lun(pub [u8; 8]);

impl Lun {
    /// LUN 0.
    pub const ZERO: Self = Self([0; 8]);

    /// A single-level LUN below 256 in peripheral device addressing. [SAM-5 4.7.7.2]
    #[must_use]
    pub fn flat(number: u8) -> Self {
        Self([0, number, 0, 0, 0, 0, 0, 0])
    }

    /// The number of a single-level LUN in peripheral or flat space addressing; `None` for any other form.
    #[must_use]
    pub fn number(self) -> Option<u16> {
        let [high, low, rest @ ..] = self.0;
        let single_level = rest.iter().all(|byte| *byte == 0);
        match high >> 6 {
            0b00 if single_level && high == 0 => Some(u16::from(low)),
            0b01 if single_level => Some(u16::from_be_bytes([high & 0x3f, low])),
            _ => None,
        }
    }
}

impl fmt::Display for Lun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number() {
            Some(number) => write!(f, "{number}"),
            None => write!(f, "{:#018x}", u64::from_be_bytes(self.0)),
        }
    }
}

impl fmt::Debug for Lun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lun({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_the_addressing_methods() {
        assert_eq!(Lun::flat(9).number(), Some(9));
        assert_eq!(Lun([0x40, 9, 0, 0, 0, 0, 0, 0]).number(), Some(9));
        assert_eq!(Lun([0x41, 0, 0, 0, 0, 0, 0, 0]).number(), Some(256));
        assert_eq!(Lun([0xc1, 1, 0, 0, 0, 0, 0, 0]).number(), None);
        assert_eq!(Lun([0, 1, 0, 1, 0, 0, 0, 0]).number(), None);
    }
}
