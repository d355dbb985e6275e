//! The segments that lie before a place on the tape.

use zerocopy::little_endian::U64;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::point::PointBytes;
use crate::{FormatError, Point};

/// How many ancestors are named in one place.
pub const ANCESTORS: usize = 4;

/// A segment that lies before a place on the tape.
///
/// Four of them are named where one would do: with their starts known, segments whose files are lost leave holes of
/// known extent, and what lies before the holes can still be reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ancestor {
    /// Its sequence number.
    pub sequence: u64,
    /// Its start.
    pub start: Point,
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
pub(crate) struct AncestorBytes {
    sequence: U64,
    start: PointBytes,
}

/// Up to [`ANCESTORS`] of them, nearest first, as stored: the unused ones are zero.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
pub(crate) struct AncestorsBytes([AncestorBytes; ANCESTORS]);

impl AncestorsBytes {
    pub(crate) fn encode(ancestors: &[Ancestor]) -> Self {
        let mut all = Self::new_zeroed();
        for (bytes, ancestor) in all.0.iter_mut().zip(ancestors) {
            *bytes = AncestorBytes { sequence: ancestor.sequence.into(), start: ancestor.start.into() };
        }
        all
    }

    /// The ancestors of a segment `sequence` that starts at `start`.
    ///
    /// # Errors
    /// They do not lead back to the beginning: each must have a lower number than its successor and hold at least the
    /// object before it, and the last, if there are fewer than [`ANCESTORS`], begins at the beginning.
    pub(crate) fn decode(&self, sequence: u64, start: Point) -> Result<Vec<Ancestor>, FormatError> {
        let named = self.0.iter().map(|a| Ancestor { sequence: a.sequence.get(), start: a.start.into() });
        let named: Vec<Ancestor> = named.take_while(|ancestor| ancestor.sequence != 0).collect();
        let mut next = Ancestor { sequence, start };
        for ancestor in &named {
            let (begin, limit) = (ancestor.start, next.start);
            let before = begin.object < limit.object && begin.filemark <= limit.filemark && begin.byte <= limit.byte;
            if ancestor.sequence >= next.sequence || !before {
                return Err(FormatError::Field("ancestors"));
            }
            next = *ancestor;
        }
        if named.len() < ANCESTORS && next.start != Point::default() {
            return Err(FormatError::Field("ancestors"));
        }
        Ok(named)
    }
}
