//! A place on a partition, counted in the three ways that matter.

use zerocopy::little_endian::U64;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// What lies between the beginning of a partition and a place on it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Point {
    /// Logical objects: blocks and filemarks.
    pub object: u64,
    /// Filemarks among them.
    pub filemark: u64,
    /// Bytes in the blocks, as hosts wrote them.
    pub byte: u64,
}

impl Point {
    /// The place after `objects` more objects, `filemarks` of them filemarks, with `bytes` bytes in the blocks.
    #[must_use]
    pub fn after(self, objects: u64, filemarks: u64, bytes: u64) -> Self {
        Self {
            object: self.object.saturating_add(objects),
            filemark: self.filemark.saturating_add(filemarks),
            byte: self.byte.saturating_add(bytes),
        }
    }
}

/// A [`Point`] as stored.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
pub(crate) struct PointBytes {
    object: U64,
    filemark: U64,
    byte: U64,
}

impl From<Point> for PointBytes {
    fn from(point: Point) -> Self {
        Self { object: point.object.into(), filemark: point.filemark.into(), byte: point.byte.into() }
    }
}

impl From<PointBytes> for Point {
    fn from(bytes: PointBytes) -> Self {
        Self { object: bytes.object.get(), filemark: bytes.filemark.get(), byte: bytes.byte.get() }
    }
}
