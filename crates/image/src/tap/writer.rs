//! What is written around the blocks of a tape.

use super::marker::Marker;

/// A filemark.
pub const FILEMARK: [u8; 4] = Marker::FILEMARK.0.to_le_bytes();

/// After everything. It may be left out; with it an image that was cut off shows.
pub const END_OF_MEDIUM: [u8; 4] = Marker::END_OF_MEDIUM.0.to_le_bytes();

/// In place of a block of which nothing could be read: a record of class 8 without data.
pub const UNREADABLE: [u8; 8] = twice(Marker::UNREADABLE.0.to_le_bytes());

/// What is written before and after a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame {
    marker: [u8; 4],
    /// A byte that is only written after an odd number of bytes, and the marker again.
    end: [u8; 5],
    is_odd: bool,
}

impl Frame {
    /// That of a block of `length` bytes, of which the format has at least one and less than 2^28.
    #[must_use]
    pub fn new(length: u32) -> Self {
        let [a, b, c, d] = Marker::block(length).0.to_le_bytes();
        Self { marker: [a, b, c, d], end: [0, a, b, c, d], is_odd: length % 2 == 1 }
    }

    /// Before the block.
    #[must_use]
    pub fn before(&self) -> &[u8] {
        &self.marker
    }

    /// After the block.
    #[must_use]
    pub fn after(&self) -> &[u8] {
        if self.is_odd { &self.end } else { &self.marker }
    }
}

const fn twice([a, b, c, d]: [u8; 4]) -> [u8; 8] {
    [a, b, c, d, a, b, c, d]
}
