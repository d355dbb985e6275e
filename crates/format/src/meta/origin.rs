//! Whose the segments are with which a clone begins.

use capstan_media::{Barcode, CartridgeId};
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::entry::{ENTRY_LENGTH, ORIGIN_KIND};
use super::{barcode_bytes, barcode_of};
use crate::FormatError;
use crate::proof::sealing_checksum;

/// Another cartridge, whose segments a clone begins with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    /// That cartridge.
    pub cartridge: CartridgeId,
    /// Its barcode: under both its objects lie in the tier.
    pub barcode: Barcode,
    /// Segments with lower numbers are its, but for those of an origin before.
    pub below: u64,
}

impl Origin {
    /// The one of these, in ascending order of `below`, whose a segment is; `None`: it is the clone's own.
    #[must_use]
    pub fn of(origins: &[Self], sequence: u64) -> Option<&Self> {
        origins.iter().find(|origin| sequence < origin.below)
    }

    pub(super) fn encode(&self) -> [u8; ENTRY_LENGTH] {
        let mut bytes = OriginBytes {
            kind: ORIGIN_KIND.into(),
            zero: [0; 6],
            cartridge: self.cartridge.0,
            barcode: barcode_bytes(&self.barcode),
            below: self.below.into(),
            reserved: [0; 188],
            crc: U32::ZERO,
        };
        bytes.crc = sealing_checksum(&bytes).into();
        zerocopy::transmute!(bytes)
    }

    /// Of bytes whose checksum holds.
    pub(super) fn decode(bytes: &[u8; ENTRY_LENGTH]) -> Result<Self, FormatError> {
        let raw: OriginBytes = zerocopy::transmute!(*bytes);
        let barcode = barcode_of(&raw.barcode).ok_or(FormatError::Field("barcode of an origin"))?;
        Ok(Self { cartridge: CartridgeId(raw.cartridge), barcode, below: raw.below.get() })
    }
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
struct OriginBytes {
    kind: U16,
    zero: [u8; 6],
    cartridge: [u8; 16],
    barcode: [u8; 32],
    below: U64,
    reserved: [u8; 188],
    crc: U32,
}

const _: () = assert!(size_of::<OriginBytes>() == ENTRY_LENGTH);
