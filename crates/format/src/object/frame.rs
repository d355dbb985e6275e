//! The head of a frame: how many bytes follow, and whether they are compressed.

use super::{Header, TAG_LENGTH};
use crate::{FormatError, wide};

/// Bytes in the head of a frame.
pub const FRAME_HEAD_LENGTH: u32 = 4;

const COMPRESSED: u32 = 1 << 31;

/// The head of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameHead {
    /// Bytes that follow, the tag too.
    pub length: u32,
    /// They are a zstd frame.
    pub compressed: bool,
}

impl FrameHead {
    /// As a number, which is stored in 4 bytes.
    #[must_use]
    pub fn to_number(self) -> u32 {
        (self.length & !COMPRESSED) | if self.compressed { COMPRESSED } else { 0 }
    }

    /// From the number.
    #[must_use]
    pub fn from_number(number: u32) -> Self {
        Self { length: number & !COMPRESSED, compressed: number & COMPRESSED != 0 }
    }

    /// Bytes of the frame: head, what follows.
    #[must_use]
    pub fn total(self) -> u64 {
        u64::from(FRAME_HEAD_LENGTH).saturating_add(u64::from(self.length))
    }

    /// This can be the head of frame `number` of that object.
    ///
    /// # Errors
    /// No writer writes that length there.
    pub fn check(self, header: &Header, number: u64) -> Result<(), FormatError> {
        let wrong = FormatError::Field("frame length");
        let plain = u64::from(header.frame_length(number).ok_or(wrong)?);
        let tag = if header.protection.is_some() { wide(TAG_LENGTH) } else { 0 };
        let stored = u64::from(self.length).checked_sub(tag).ok_or(wrong)?;
        let possible = if self.compressed { (1..plain).contains(&stored) } else { stored == plain };
        if possible { Ok(()) } else { Err(wrong) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::header::tests::sample;
    use super::*;

    #[test]
    fn the_top_bit_says_compressed() {
        for (head, number) in [
            (FrameHead { length: 0x0010_0000, compressed: false }, 0x0010_0000),
            (FrameHead { length: 77, compressed: true }, 0x8000_004d),
        ] {
            assert_eq!((head.to_number(), FrameHead::from_number(number)), (number, head));
        }
        assert_eq!(FrameHead { length: u32::MAX >> 1, compressed: true }.total(), (1 << 31) + 3);
    }

    #[test]
    fn lengths_that_nobody_writes_are_refused() {
        let encrypted = sample();
        let plain = Header { protection: None, ..encrypted };
        let good = |header: &Header, number, length, compressed| {
            FrameHead { length, compressed }.check(header, number).is_ok()
        };
        assert!(good(&plain, 0, 1 << 20, false) && good(&encrypted, 0, (1 << 20) + 16, false));
        assert!(good(&plain, 3, 1, false) && good(&encrypted, 3, 17, false));
        assert!(good(&plain, 0, 1, true) && good(&plain, 0, (1 << 20) - 1, true));
        assert!(good(&encrypted, 0, 17, true) && good(&encrypted, 0, (1 << 20) + 15, true));
        assert!(!good(&plain, 0, 0, true) && !good(&plain, 0, 1 << 20, true) && !good(&plain, 3, 1, true));
        assert!(
            !good(&encrypted, 0, 16, true) && !good(&encrypted, 0, 15, true) && !good(&encrypted, 0, 1 << 20, false)
        );
        assert!(!good(&plain, 0, (1 << 20) - 1, false) && !good(&plain, 4, 1, false) && !good(&plain, 4, 0, false));
    }
}
