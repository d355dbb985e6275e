//! Objects that are no part of a tape any more, and recovery points.

use zerocopy::little_endian::U64;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Bytes of a release.
pub(super) const RELEASE_LENGTH: usize = 32;

/// Bytes of a recovery point.
pub(super) const POINT_LENGTH: usize = 16;

/// An object that was a row and is none any more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Release {
    /// Number of the segment.
    pub sequence: u64,
    /// Epoch of the segment.
    pub epoch: u64,
    /// What the object's key has at the end.
    pub random: u64,
    /// When it was released: milliseconds since 1970 UTC.
    pub at: u64,
}

/// The host was told that everything before an object is on stable storage.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct RecoveryPoint {
    /// Objects before this one.
    pub object: u64,
    /// When: milliseconds since 1970 UTC.
    pub at: u64,
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
struct ReleaseBytes {
    sequence: U64,
    epoch: U64,
    random: U64,
    at: U64,
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
struct PointBytes {
    object: U64,
    at: U64,
}

const _: () = assert!(size_of::<ReleaseBytes>() == RELEASE_LENGTH && size_of::<PointBytes>() == POINT_LENGTH);

impl Release {
    pub(super) fn encode(&self) -> [u8; RELEASE_LENGTH] {
        let Self { sequence, epoch, random, at } = *self;
        let bytes =
            ReleaseBytes { sequence: sequence.into(), epoch: epoch.into(), random: random.into(), at: at.into() };
        zerocopy::transmute!(bytes)
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let raw = ReleaseBytes::read_from_bytes(bytes).ok()?;
        let (sequence, epoch, random, at) = (raw.sequence.get(), raw.epoch.get(), raw.random.get(), raw.at.get());
        Some(Self { sequence, epoch, random, at })
    }
}

impl RecoveryPoint {
    pub(super) fn encode(&self) -> [u8; POINT_LENGTH] {
        let bytes = PointBytes { object: self.object.into(), at: self.at.into() };
        zerocopy::transmute!(bytes)
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let raw = PointBytes::read_from_bytes(bytes).ok()?;
        Some(Self { object: raw.object.get(), at: raw.at.get() })
    }
}
