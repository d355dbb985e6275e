//! The last bytes of an object: how long its footer is, and how everybody can tell whether the object is whole.

use capstan_media::CartridgeId;
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::header::VERSION;
use super::table::{ENTRY_LENGTH, HASH_LENGTH};
use super::{HEADER_LENGTH, Header, TAG_LENGTH};
use crate::proof::{prove, sealing_checksum};
use crate::{FormatError, wide};

/// Bytes in the trailer.
pub const TRAILER_LENGTH: usize = 128;

const MAGIC: [u8; 8] = *b"CAPSTEOB";

/// The trailer of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trailer {
    /// Bytes of the footer, this trailer too.
    pub footer_length: u32,
    /// Bytes of the object.
    pub object_length: u64,
    /// The cartridge.
    pub cartridge: CartridgeId,
    /// Number of the segment.
    pub sequence: u64,
    /// Epoch of the segment.
    pub epoch: u64,
    /// How many frames there are.
    pub frames: u32,
    /// CRC32C of the footer before the trailer.
    pub footer_crc: u32,
    /// BLAKE3 of the object before the trailer.
    pub hash: [u8; 32],
}

impl Trailer {
    /// Bytes of the footer of an object with that header.
    #[must_use]
    pub fn footer_length_of(header: &Header) -> u64 {
        let tag = if header.protection.is_some() { TAG_LENGTH } else { 0 };
        footer_length(header.frames()).saturating_add(wide(tag))
    }

    /// The last 128 bytes of an object.
    #[must_use]
    pub fn encode(&self) -> [u8; TRAILER_LENGTH] {
        let mut bytes = TrailerBytes {
            magic: MAGIC,
            version: VERSION.into(),
            length: U16::new(128),
            footer_length: self.footer_length.into(),
            object_length: self.object_length.into(),
            cartridge: self.cartridge.0,
            sequence: self.sequence.into(),
            epoch: self.epoch.into(),
            frames: self.frames.into(),
            footer_crc: self.footer_crc.into(),
            hash: self.hash,
            reserved: [0; 28],
            crc: U32::ZERO,
        };
        bytes.crc = sealing_checksum(&bytes).into();
        zerocopy::transmute!(bytes)
    }

    /// Decodes the trailer of an object of `object_length` bytes from its last 128 bytes.
    ///
    /// # Errors
    /// It is damaged, or that of an object of another length.
    pub fn decode(bytes: &[u8], object_length: u64) -> Result<Self, FormatError> {
        let short = FormatError::Short { needed: wide(TRAILER_LENGTH), found: wide(bytes.len()) };
        let raw = TrailerBytes::read_from_bytes(bytes).map_err(|_| short)?;
        prove(
            "object trailer",
            (raw.magic, MAGIC),
            (raw.version.get(), VERSION),
            (raw.crc.get(), sealing_checksum(&raw)),
        )?;
        let trailer = Self {
            footer_length: raw.footer_length.get(),
            object_length: raw.object_length.get(),
            cartridge: CartridgeId(raw.cartridge),
            sequence: raw.sequence.get(),
            epoch: raw.epoch.get(),
            frames: raw.frames.get(),
            footer_crc: raw.footer_crc.get(),
            hash: raw.hash,
        };
        if raw.version.get() == 0 {
            return Err(FormatError::Field("version"));
        }
        if usize::from(raw.length.get()) != TRAILER_LENGTH {
            return Err(FormatError::Field("length"));
        }
        trailer.check(object_length)?;
        Ok(trailer)
    }

    fn check(&self, object_length: u64) -> Result<(), FormatError> {
        let plain = footer_length(u64::from(self.frames));
        let lengths = [plain, plain.saturating_add(wide(TAG_LENGTH))];
        let footer_length = u64::from(self.footer_length);
        if !lengths.contains(&footer_length) || wide(HEADER_LENGTH).saturating_add(footer_length) > self.object_length {
            return Err(FormatError::Field("footer_length"));
        }
        if self.object_length != object_length {
            return Err(FormatError::Field("object_length"));
        }
        Ok(())
    }
}

fn footer_length(frames: u64) -> u64 {
    frames.saturating_mul(wide(ENTRY_LENGTH)).saturating_add(wide(HEADER_LENGTH + HASH_LENGTH + TRAILER_LENGTH))
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
struct TrailerBytes {
    magic: [u8; 8],
    version: U16,
    length: U16,
    footer_length: U32,
    object_length: U64,
    cartridge: [u8; 16],
    sequence: U64,
    epoch: U64,
    frames: U32,
    footer_crc: U32,
    hash: [u8; 32],
    reserved: [u8; 28],
    crc: U32,
}

const _: () = assert!(size_of::<TrailerBytes>() == TRAILER_LENGTH);

impl TrailerBytes {}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Trailer {
        Trailer {
            footer_length: 336,
            object_length: 5000,
            cartridge: CartridgeId([0xc7; 16]),
            sequence: 9,
            epoch: 4,
            frames: 2,
            footer_crc: 0xdead_beef,
            hash: [0x11; 32],
        }
    }

    #[test]
    fn bytes_are_as_documented_both_ways() {
        let mut golden = b"CAPSTEOB".to_vec();
        golden.extend([1, 0, 128, 0, 0x50, 1, 0, 0, 0x88, 0x13, 0, 0, 0, 0, 0, 0]);
        golden.extend([0xc7; 16]);
        golden.extend([9, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0]);
        golden.extend([2, 0, 0, 0, 0xef, 0xbe, 0xad, 0xde]);
        golden.extend([0x11; 32]);
        golden.resize(124, 0);
        golden.extend(crc32c::crc32c(&golden).to_le_bytes());
        assert_eq!(sample().encode().as_slice(), golden);
        assert_eq!(Trailer::decode(&golden, 5000), Ok(sample()));
        assert_eq!(Trailer::decode(&golden, 5001), Err(FormatError::Field("object_length")));
        assert_eq!(Trailer::decode(&golden[1..], 5000), Err(FormatError::Short { needed: 128, found: 127 }));
    }

    #[test]
    fn every_flipped_bit_is_seen() {
        let bytes = sample().encode();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Trailer::decode(&damaged, 5000).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn footers_are_as_long_as_their_frames_make_them() {
        let reject = |change: fn(&mut Trailer), name| {
            let mut trailer = sample();
            change(&mut trailer);
            let decoded = Trailer::decode(&trailer.encode(), trailer.object_length);
            assert_eq!(decoded, Err(FormatError::Field(name)), "{trailer:?}");
        };
        // One more frame and no tag would be as long: the header tells.
        reject(|t| t.frames = 4, "footer_length");
        reject(|t| t.frames = u32::MAX, "footer_length");
        reject(|t| t.footer_length = 0, "footer_length");
        reject(|t| t.object_length = 463, "footer_length");
        let plain = Trailer { footer_length: 320, ..sample() };
        assert_eq!(Trailer::decode(&plain.encode(), 5000), Ok(plain));
    }
}
