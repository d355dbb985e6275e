//! The trailer of a sealed segment: where its index lies and what the segment holds in all.

use capstan_media::CartridgeId;
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{Header, RECORDS_OFFSET};
use crate::point::PointBytes;
use crate::proof::{prove, sealing_checksum};
use crate::{FormatError, Point, wide};

/// Bytes in the trailer.
pub const TRAILER_LENGTH: usize = 128;

const MAGIC: [u8; 8] = *b"CAPSTEND";
const VERSION: u16 = 1;

/// The last bytes of a sealed segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trailer {
    /// The cartridge.
    pub cartridge: CartridgeId,
    /// Number of the segment.
    pub sequence: u64,
    /// Epoch of the segment.
    pub epoch: u64,
    /// The place after the last object.
    pub end: Point,
    /// Offset of the index, which follows the last record.
    pub index_offset: u64,
    /// Bytes in the index.
    pub index_length: u64,
    /// CRC32C of the index.
    pub index_crc: u32,
}

impl Trailer {
    /// The last 128 bytes of a segment file.
    #[must_use]
    pub fn encode(&self) -> [u8; TRAILER_LENGTH] {
        let mut bytes = TrailerBytes {
            magic: MAGIC,
            version: VERSION.into(),
            zero: [0; 6],
            cartridge: self.cartridge.0,
            sequence: self.sequence.into(),
            epoch: self.epoch.into(),
            end: self.end.into(),
            index_offset: self.index_offset.into(),
            index_length: self.index_length.into(),
            index_crc: self.index_crc.into(),
            reserved: [0; 32],
            crc: U32::ZERO,
        };
        bytes.crc = sealing_checksum(&bytes).into();
        zerocopy::transmute!(bytes)
    }

    /// Decodes the trailer of a segment file of `file_length` bytes from its last 128 bytes.
    ///
    /// # Errors
    /// The segment is not sealed, or the trailer is damaged or does not fit the file.
    pub fn decode(bytes: &[u8], file_length: u64) -> Result<Self, FormatError> {
        let short = FormatError::Short { needed: wide(TRAILER_LENGTH), found: wide(bytes.len()) };
        let raw = TrailerBytes::read_from_bytes(bytes).map_err(|_| short)?;
        prove(
            "segment trailer",
            (raw.magic, MAGIC),
            (raw.version.get(), VERSION),
            (raw.crc.get(), sealing_checksum(&raw)),
        )?;
        let trailer = Self {
            cartridge: CartridgeId(raw.cartridge),
            sequence: raw.sequence.get(),
            epoch: raw.epoch.get(),
            end: raw.end.into(),
            index_offset: raw.index_offset.get(),
            index_length: raw.index_length.get(),
            index_crc: raw.index_crc.get(),
        };
        let ends = trailer.index_offset.checked_add(trailer.index_length);
        let ends = ends.and_then(|end| end.checked_add(wide(TRAILER_LENGTH)));
        if trailer.index_offset < RECORDS_OFFSET || ends != Some(file_length) {
            return Err(FormatError::Field("index_offset"));
        }
        Ok(trailer)
    }

    /// This is the trailer of the segment with that header.
    #[must_use]
    pub fn belongs_to(&self, header: &Header) -> bool {
        (self.cartridge, self.sequence, self.epoch) == (header.cartridge, header.sequence, header.epoch)
            && self.end.object >= header.start.object
    }
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
struct TrailerBytes {
    magic: [u8; 8],
    version: U16,
    zero: [u8; 6],
    cartridge: [u8; 16],
    sequence: U64,
    epoch: U64,
    end: PointBytes,
    index_offset: U64,
    index_length: U64,
    index_crc: U32,
    reserved: [u8; 32],
    crc: U32,
}

const _: () = assert!(size_of::<TrailerBytes>() == TRAILER_LENGTH);

impl TrailerBytes {}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Trailer {
        Trailer {
            cartridge: CartridgeId([0xc7; 16]),
            sequence: 9,
            epoch: 4,
            end: Point { object: 300, filemark: 2, byte: 0x0102_0304 },
            index_offset: 5000,
            index_length: 72,
            index_crc: 0xdead_beef,
        }
    }

    #[test]
    fn bytes_are_as_documented_both_ways() {
        let mut golden = b"CAPSTEND".to_vec();
        golden.extend([1, 0, 0, 0, 0, 0, 0, 0]);
        golden.extend([0xc7; 16]);
        golden.extend([9, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0]);
        golden.extend([0x2c, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 4, 3, 2, 1, 0, 0, 0, 0]);
        golden.extend([0x88, 0x13, 0, 0, 0, 0, 0, 0, 72, 0, 0, 0, 0, 0, 0, 0]);
        golden.extend([0xef, 0xbe, 0xad, 0xde]);
        golden.resize(124, 0);
        golden.extend(crc32c::crc32c(&golden).to_le_bytes());
        assert_eq!(sample().encode().as_slice(), golden);
        assert_eq!(Trailer::decode(&golden, 5200), Ok(sample()));
        assert_eq!(Trailer::decode(&golden, 5201), Err(FormatError::Field("index_offset")));
    }

    #[test]
    fn every_flipped_bit_is_seen() {
        let bytes = sample().encode();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Trailer::decode(&damaged, 5200).is_err(), "bit {bit}");
        }
        assert_eq!(Trailer::decode(&bytes[1..], 5200), Err(FormatError::Short { needed: 128, found: 127 }));
        assert_eq!(Trailer::decode(&[0; 128], 5200), Err(FormatError::Magic("segment trailer")));
    }
}
