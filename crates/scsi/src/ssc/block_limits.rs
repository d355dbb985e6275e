//! READ BLOCK LIMITS parameter data. [SSC-5 7.6]

use crate::wire;

/// Which block lengths the drive takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlockLimits {
    /// MAXIMUM BLOCK LENGTH LIMIT, below 2^24.
    pub maximum: u32,
    /// MINIMUM BLOCK LENGTH LIMIT.
    pub minimum: u16,
}

impl BlockLimits {
    /// The six bytes; GRANULARITY is zero: any length between the limits.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut data = vec![0];
        data.extend(wire::u24(self.maximum));
        data.extend(self.minimum.to_be_bytes());
        data
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_limits() {
        assert_eq!(BlockLimits { maximum: 0x80_0000, minimum: 1 }.encode(), [0, 0x80, 0, 0, 0, 1]);
    }
}
