//! The difference between what the initiator announced and what the command moved.

use super::Bhs;

/// Residual count with its direction. [RFC 7143 11.4.1, 11.4.5]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Residual {
    /// As much as was announced.
    #[default]
    None,
    /// U bit: so many bytes fewer.
    Underflow(u32),
    /// O bit: so many bytes more were there.
    Overflow(u32),
}

impl Residual {
    /// The residual of a command for which `expected` bytes were announced and `actual` were there.
    ///
    /// An overflow beyond 32 bits is reported as 4 GiB - 1.
    #[must_use]
    pub fn of(expected: u32, actual: u64) -> Self {
        let wide = u64::from(expected);
        if actual > wide {
            Self::Overflow(u32::try_from(actual - wide).unwrap_or(u32::MAX))
        } else {
            match u32::try_from(wide - actual) {
                Ok(0) | Err(_) => Self::None,
                Ok(missing) => Self::Underflow(missing),
            }
        }
    }

    /// From flag byte 1 and the count in bytes 44-47; O wins where both are set.
    pub(super) fn decode(bhs: &Bhs) -> Self {
        match (bhs.bit(1, 0x04), bhs.bit(1, 0x02)) {
            (true, _) => Self::Overflow(bhs.u32(44)),
            (false, true) => Self::Underflow(bhs.u32(44)),
            (false, false) => Self::None,
        }
    }

    /// Sets the count and returns the flag.
    pub(super) fn encode(self, bhs: &mut Bhs) -> u8 {
        match self {
            Self::None => 0,
            Self::Underflow(count) => {
                bhs.put_u32(44, count);
                0x02
            }
            Self::Overflow(count) => {
                bhs.put_u32(44, count);
                0x04
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions() {
        assert_eq!(Residual::of(512, 512), Residual::None);
        assert_eq!(Residual::of(512, 500), Residual::Underflow(12));
        assert_eq!(Residual::of(512, 0), Residual::Underflow(512));
        assert_eq!(Residual::of(0, 36), Residual::Overflow(36));
        assert_eq!(Residual::of(0, 1 << 40), Residual::Overflow(u32::MAX));
    }
}
