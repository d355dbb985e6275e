//! What a tape was before something else took its place.

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::entry::{ENTRY_LENGTH, VERSION_KIND};
use crate::lineage::AncestorsBytes;
use crate::point::PointBytes;
use crate::proof::sealing_checksum;
use crate::{Ancestor, FormatError, Point};

const HELD: u8 = 1;

/// Why a version is not the tape any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// It was overwritten or erased.
    Overwritten,
    /// An older version was gone back to.
    RolledBack,
    /// Nothing: it is held since a clone was made of it.
    Cloned,
}

/// What a tape was before something else took its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Version {
    /// From 1; none is given twice to a cartridge.
    pub number: u32,
    /// What took its place.
    pub cause: Cause,
    /// It is not forgotten by age or for lack of room.
    pub held: bool,
    /// When it ceased to be the tape: milliseconds since 1970 UTC.
    pub until: u64,
    /// Its end of data.
    pub end: Point,
    /// The segments before its end, nearest first.
    pub ancestors: Vec<Ancestor>,
    /// Its segments have lower numbers.
    pub below: u64,
}

impl Version {
    pub(super) fn encode(&self) -> [u8; ENTRY_LENGTH] {
        let mut bytes = VersionBytes {
            kind: VERSION_KIND.into(),
            cause: match self.cause {
                Cause::Overwritten => 1,
                Cause::RolledBack => 2,
                Cause::Cloned => 3,
            },
            flags: if self.held { HELD } else { 0 },
            number: self.number.into(),
            until: self.until.into(),
            end: self.end.into(),
            ancestors: AncestorsBytes::encode(&self.ancestors),
            below: self.below.into(),
            reserved: [0; 76],
            crc: U32::ZERO,
        };
        bytes.crc = sealing_checksum(&bytes).into();
        zerocopy::transmute!(bytes)
    }

    /// Of bytes whose checksum holds.
    pub(super) fn decode(bytes: &[u8; ENTRY_LENGTH]) -> Result<Self, FormatError> {
        let raw: VersionBytes = zerocopy::transmute!(*bytes);
        let end = Point::from(raw.end);
        let cause = match raw.cause {
            1 => Cause::Overwritten,
            2 => Cause::RolledBack,
            3 => Cause::Cloned,
            _ => return Err(FormatError::Field("cause of a version")),
        };
        if raw.flags & !HELD != 0 {
            return Err(FormatError::Field("flags of a version"));
        }
        if raw.number.get() == 0 {
            return Err(FormatError::Field("number of a version"));
        }
        if end.filemark > end.object {
            return Err(FormatError::Field("end of a version"));
        }
        Ok(Self {
            number: raw.number.get(),
            cause,
            held: raw.flags & HELD != 0,
            until: raw.until.get(),
            end,
            ancestors: raw.ancestors.decode(raw.below.get(), end)?,
            below: raw.below.get(),
        })
    }
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
struct VersionBytes {
    kind: U16,
    cause: u8,
    flags: u8,
    number: U32,
    until: U64,
    end: PointBytes,
    ancestors: AncestorsBytes,
    below: U64,
    reserved: [u8; 76],
    crc: U32,
}

const _: () = assert!(size_of::<VersionBytes>() == ENTRY_LENGTH);
