//! The header of a segment: which tape it belongs to and where on it its objects lie.

use capstan_media::{CartridgeId, Partition};
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::lineage::AncestorsBytes;
use crate::point::PointBytes;
use crate::proof::{prove, sealing_checksum};
use crate::{Ancestor, FormatError, Point, wide};

/// Bytes in one copy of the header.
pub const HEADER_LENGTH: usize = 512;

/// Offset of the first record: after two copies of the header.
pub const RECORDS_OFFSET: u64 = 1024;

const MAGIC: [u8; 8] = *b"CAPSTSEG";
const VERSION: u16 = 1;

/// The header of a segment.
///
/// Following the nearest ancestor from any segment to one that has none gives the whole content of the partition at
/// the time the segment was begun: of each ancestor the objects before the start of its successor. Files are
/// append-only and sequence numbers are never used twice, so this content is the same for ever.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// The cartridge.
    pub cartridge: CartridgeId,
    /// The partition.
    pub partition: Partition,
    /// Number of this segment, from 1: later ones have higher numbers.
    pub sequence: u64,
    /// Grows with each load that writes and with each overwrite.
    pub epoch: u64,
    /// Where its first object lies. What earlier segments hold from there on is overwritten.
    pub start: Point,
    /// Objects before this one were on stable storage when the segment was begun.
    pub durable: u64,
    /// The segments before this one on the tape, nearest first. Fewer than [`crate::ANCESTORS`] means: these are
    /// all.
    pub ancestors: Vec<Ancestor>,
}

impl Header {
    /// Both copies: what a segment file begins with.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = HeaderBytes {
            magic: MAGIC,
            version: VERSION.into(),
            length: U16::new(512),
            flags: U32::ZERO,
            cartridge: self.cartridge.0,
            partition: self.partition.0,
            zero: [0; 7],
            sequence: self.sequence.into(),
            epoch: self.epoch.into(),
            start: self.start.into(),
            durable: self.durable.into(),
            ancestors: AncestorsBytes::encode(&self.ancestors),
            reserved: [0; 292],
            crc: U32::ZERO,
        };
        bytes.crc = sealing_checksum(&bytes).into();
        [bytes.as_bytes(), bytes.as_bytes()].concat()
    }

    /// Decodes the header from the beginning of a segment file: the first copy, or the second if that is damaged.
    ///
    /// # Errors
    /// What is wrong with the first copy, when both are damaged.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        Self::decode_copy(bytes).or_else(|first| {
            let second = bytes.get(HEADER_LENGTH..).unwrap_or_default();
            Self::decode_copy(second).map_err(|_| first)
        })
    }

    fn decode_copy(bytes: &[u8]) -> Result<Self, FormatError> {
        let short = FormatError::Short { needed: wide(HEADER_LENGTH), found: wide(bytes.len()) };
        let (raw, _) = HeaderBytes::read_from_prefix(bytes).map_err(|_| short)?;
        prove(
            "segment header",
            (raw.magic, MAGIC),
            (raw.version.get(), VERSION),
            (raw.crc.get(), sealing_checksum(&raw)),
        )?;
        raw.check()?;
        Ok(Self {
            cartridge: CartridgeId(raw.cartridge),
            partition: Partition(raw.partition),
            sequence: raw.sequence.get(),
            epoch: raw.epoch.get(),
            start: raw.start.into(),
            durable: raw.durable.get(),
            ancestors: raw.ancestors.decode(raw.sequence.get(), raw.start.into())?,
        })
    }
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
struct HeaderBytes {
    magic: [u8; 8],
    version: U16,
    length: U16,
    flags: U32,
    cartridge: [u8; 16],
    partition: u8,
    zero: [u8; 7],
    sequence: U64,
    epoch: U64,
    start: PointBytes,
    durable: U64,
    ancestors: AncestorsBytes,
    reserved: [u8; 292],
    crc: U32,
}

const _: () = assert!(size_of::<HeaderBytes>() == HEADER_LENGTH);

impl HeaderBytes {
    /// What the checksum cannot tell: values that no writer of this version writes.
    fn check(&self) -> Result<(), FormatError> {
        let start = Point::from(self.start);
        if self.version.get() == 0 {
            return Err(FormatError::Field("version"));
        }
        if usize::from(self.length.get()) != HEADER_LENGTH {
            return Err(FormatError::Field("length"));
        }
        if self.flags.get() != 0 {
            return Err(FormatError::Field("flags"));
        }
        if self.sequence.get() == 0 {
            return Err(FormatError::Field("sequence"));
        }
        if start.filemark > start.object || self.durable.get() > start.object {
            return Err(FormatError::Field("start"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn sample() -> Header {
        Header {
            cartridge: CartridgeId([0xc7; 16]),
            partition: Partition(0),
            sequence: 9,
            epoch: 4,
            start: Point { object: 0x0102_0304, filemark: 3, byte: 0x1122_3344_5566 },
            durable: 0x0100_0000,
            ancestors: vec![
                Ancestor { sequence: 7, start: Point { object: 200, filemark: 2, byte: 5000 } },
                Ancestor { sequence: 2, start: Point::default() },
            ],
        }
    }

    /// Byte for byte as `docs/format/segment-v1.md` says.
    fn golden() -> Vec<u8> {
        let mut bytes = b"CAPSTSEG".to_vec();
        bytes.extend([1, 0, 0, 2, 0, 0, 0, 0]);
        bytes.extend([0xc7; 16]);
        bytes.extend([0; 8]);
        bytes.extend([9, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend([4, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend([4, 3, 2, 1, 0, 0, 0, 0]);
        bytes.extend([3, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend([0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0, 0]);
        bytes.extend([0, 0, 0, 1, 0, 0, 0, 0]);
        bytes.extend([7, 0, 0, 0, 0, 0, 0, 0, 200, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend([2, 0, 0, 0, 0, 0, 0, 0, 0x88, 0x13, 0, 0, 0, 0, 0, 0]);
        bytes.extend([2, 0, 0, 0, 0, 0, 0, 0]);
        bytes.resize(508, 0);
        let crc = crc32c::crc32c(&bytes);
        bytes.extend(crc.to_le_bytes());
        bytes
    }

    #[test]
    fn bytes_are_as_documented_both_ways() {
        let once = golden();
        let twice = [once.as_slice(), once.as_slice()].concat();
        assert_eq!(sample().encode(), twice);
        assert_eq!(Header::decode(&twice), Ok(sample()));
        assert_eq!(wide(twice.len()), RECORDS_OFFSET);
    }

    #[test]
    fn every_flipped_bit_is_survived_by_the_other_copy_and_seen_without_it() {
        let bytes = sample().encode();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::decode(&damaged), Ok(sample()), "bit {bit}");
            if bit < HEADER_LENGTH * 8 {
                assert!(Header::decode(&damaged[..HEADER_LENGTH]).is_err(), "bit {bit}");
            }
        }
    }

    #[test]
    fn impossible_values_are_named() {
        let reject = |change: fn(&mut Header), name| {
            let mut header = sample();
            change(&mut header);
            assert_eq!(Header::decode(&header.encode()), Err(FormatError::Field(name)), "{header:?}");
        };
        reject(|h| h.sequence = 0, "sequence");
        reject(|h| h.durable = h.start.object + 1, "start");
        reject(|h| h.start.filemark = h.start.object + 1, "start");
        reject(|h| h.ancestors[0].sequence = 9, "ancestors");
        reject(|h| h.ancestors[1].sequence = 8, "ancestors");
        reject(|h| h.ancestors[0].start.object = h.start.object, "ancestors");
        reject(|h| h.ancestors.truncate(1), "ancestors");
        reject(|h| h.ancestors.clear(), "ancestors");
    }

    #[test]
    fn a_newer_version_is_refused_by_name() {
        let mut bytes = sample().encode();
        for copy in [0, HEADER_LENGTH] {
            bytes[copy + 8] = 2;
        }
        assert_eq!(Header::decode(&bytes), Err(FormatError::NewerVersion { version: 2, known: 1 }));
        assert_eq!(Header::decode(&[]), Err(FormatError::Short { needed: 512, found: 0 }));
        assert_eq!(Header::decode(&[0; 1024]), Err(FormatError::Magic("segment header")));
    }
}
